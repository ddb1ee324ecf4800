"""Whatever people call themselves and their devices stays text, on every page of a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browsing import PATIENCE_MS, Person
from tests.journeys.conftest import Demo, MakePerson, serving
from tests.journeys.test_accessibility import SECTIONS

pytestmark = pytest.mark.journey

NAMES = {
    "markup": "<img src=x data-evil onerror=alert(1)><script data-evil>0</script>",
    "link": '"><a href="javascript:alert(1)" data-evil>שלום</a>',
    "address": "javascript:alert(1)//مرحبا",
    "template": "{{ 7 * 7 }}{% raw x %}&lt;b data-evil&gt;%(name)s ${1}",
    "one long word": "W" * 64,
}
TURNING = "\u202egnp.exe\u2067\u200f"
"""Marks that turn the direction of what follows: right-to-left override, right-to-left isolate, right-to-left mark."""
DEVICE = f"{NAMES['link']}{TURNING}"

WATCH = """
document.addEventListener("securitypolicyviolation", (event) => note(`${event.violatedDirective} ${event.blockedURI}`));
for (const name of ["alert", "confirm", "prompt"]) window[name] = () => note(name);
"""

# What somebody's text has made of the page: elements, links, a wider page, and text beside which the rest would turn.
DONE_BY_TEXT = """
() => {
  const turning = /[\\u202a-\\u202e\\u2066-\\u2069\\u200f]|\\p{Script=Hebrew}|\\p{Script=Arabic}/u;
  const isolated = /\\u2068[^\\u2066-\\u2069]*\\u2069/gu;
  const made = document.querySelectorAll("[data-evil], img, iframe, [onerror], [href^='javascript' i]");
  const found = [...made].map((element) => element.outerHTML);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { data, parentElement } = walker.currentNode;
    if (parentElement.closest("script, template, bdi, [data-initials]")) continue;
    if (turning.test(data.replace(isolated, ""))) found.push(`turns its surroundings: ${data.trim()}`);
  }
  if (turning.test(document.title.replace(isolated, ""))) found.push(`turns the title: ${document.title}`);
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) found.push(`is ${scrollWidth} px wide on ${clientWidth} px`);
  return found;
}
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A server of this file's own: the names and devices stay, and other files read every word of a page."""
    with serving(tmp_path_factory.mktemp("inert")) as demo:
        yield demo


class Witness:
    """Notes what a page does that no text may make it do."""

    def __init__(self, someone: Person) -> None:
        self.page: Page = someone.page
        self.noted: list[str] = []
        someone.context.expose_function("note", lambda what: self.noted.append(what))
        someone.context.add_init_script(WATCH)
        self.page.on("dialog", lambda dialog: self.noted.append(f"dialog: {dialog.message}"))
        self.page.set_viewport_size({"width": 390, "height": 844})
        self.page.reload()

    def sees_only_text(self) -> None:
        """Nothing was created, run, reported or moved by the text on this page."""
        assert self.page.evaluate(DONE_BY_TEXT) == []
        assert self.noted == []


def api(someone: Person, method: str, path: str, data: Any = None) -> Any:
    """A request of the page."""
    token = next(cookie for cookie in someone.context.cookies() if cookie["name"] == "_xsrf")["value"]
    return someone.page.request.fetch(f"/api/v1{path}", method=method, data=data, headers={"X-XSRFToken": token})


def rename(someone: Person, name: str) -> None:
    """Gives somebody a display name."""
    assert api(someone, "PATCH", "/users/me", {"display_name": name}).ok


@pytest.fixture
def pair(person: MakePerson) -> Iterator[tuple[Person, Person]]:
    """Alice, who looks, and carol, who is called something else meanwhile."""
    alice, carol = person("alice"), person("carol")
    yield alice, carol
    rename(carol, "carol")
    alice.page.goto("/")
    for user in alice.page.request.get("/api/v1/users?q=carol").json()["items"]:
        api(alice, "DELETE", f"/contacts/{user['id']}/favourite")
        api(alice, "DELETE", f"/contacts/{user['id']}")


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_is_text_on_every_page(pair: tuple[Person, Person], name: str) -> None:
    alice, carol = pair
    rename(carol, name)
    witness = Witness(alice)
    api(carol, "POST", "/contacts", {"username": "alice"})
    expect(alice.button("Accept the request of carol")).to_be_visible(timeout=PATIENCE_MS)
    witness.sees_only_text()
    alice.button("Accept the request of carol").click()
    expect(alice.page.locator("#toasts").get_by_text(name.split("<")[0] or "<img").first).to_be_visible()
    alice.page.get_by_label("Search people").fill("carol")
    alice.page.locator("#results mark").first.wait_for()
    witness.sees_only_text()
    alice.button("More for carol").click()
    witness.sees_only_text()
    alice.page.locator("#person-menu").get_by_role("button", name="Block", exact=True).click()
    alice.page.locator("#confirm").wait_for()
    witness.sees_only_text()
    alice.page.keyboard.press("Escape")

    carol.page.goto("/")
    carol.call("alice")
    alice.button("Answer").wait_for()
    expect(alice.page.locator("#incoming [data-name]").first).to_have_text(name)
    witness.sees_only_text()
    carol.button("Hang up").click()
    expect(alice.page.locator("#incoming")).to_be_hidden(timeout=PATIENCE_MS)
    for path in SECTIONS:
        alice.page.goto(path)
        witness.sees_only_text()


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_is_text_in_a_call(pair: tuple[Person, Person], name: str) -> None:
    alice, carol = pair
    rename(carol, name)
    witness = Witness(alice)
    alice.button("Call carol").click()
    alice.page.wait_for_url(re.compile("/call/"))
    carol.answer()
    alice.expect_media()
    witness.sees_only_text()
    carol.button("Mute").click()
    expect(alice.page.locator("#call-badges [data-badge=muted]")).to_be_visible(timeout=PATIENCE_MS)
    witness.sees_only_text()
    carol.button("Hang up").click()
    alice.button("Call again").wait_for()
    witness.sees_only_text()
    alice.page.reload()
    alice.button("Call again").wait_for()
    witness.sees_only_text()


def test_a_name_cannot_carry_marks_that_turn_the_text(person: MakePerson) -> None:
    carol = person("carol")
    assert api(carol, "PATCH", "/users/me", {"display_name": TURNING}).status == 400


def test_a_device_is_called_something_on_every_page_and_does_nothing(person: MakePerson, demo: Demo) -> None:
    alice = person("alice")
    sign_in = {"username": "alice", "password": demo.password, "device": DEVICE}
    assert api(alice, "POST", "/auth/login", sign_in).ok
    witness = Witness(alice)
    for path in SECTIONS:
        alice.page.goto(path)
        alice.page.wait_for_load_state("networkidle")
        witness.sees_only_text()


@pytest.mark.parametrize("path", ["/login", "/call/<img data-evil src=x>", '/"><script data-evil>0</script>'])
def test_an_address_is_text_wherever_it_leads(person: MakePerson, path: str) -> None:
    alice = person("alice")
    witness = Witness(alice)
    alice.page.goto(f"{path}?next=javascript:alert(1)&q=<img data-evil src=x onerror=alert(1)>")
    alice.problems.clear()  # a browser complains about a page that is not there
    witness.sees_only_text()
