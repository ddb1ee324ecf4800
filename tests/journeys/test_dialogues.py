"""Asking the handbook: a reply that grows, what it is taken from, and nothing lost when the page goes away."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.dialogues.provider import Provider, Says
from tests.journeys.browsing import PATIENCE_MS, Person
from tests.journeys.conftest import Demo, serving

pytestmark = pytest.mark.journey

BEGINNING = "**Add people** in a call [1]"
REST = ": <img src=x onerror=alert(1)> not [this](javascript:alert(1)).\n\n- one\n- two"


class Stage:
    """A provider in a thread of its own, told from here what it says and when."""

    def __init__(self) -> None:
        self.provider = Provider()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(self.provider.start())

    def _run(self, deed: Any) -> None:
        asyncio.run_coroutine_threadsafe(deed, self._loop).result(PATIENCE_MS / 1000)

    def go_on(self, says: Says) -> None:
        """Lets an answer that was held up go on."""
        self._loop.call_soon_threadsafe(says.go_on)

    def close(self) -> None:
        """Stops the provider, and then its thread."""
        self._run(self.provider.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, stage: Stage) -> Iterator[Demo]:
    """A server whose assistant says what the test has it say."""
    asked = {
        f"RINGBACK_{key.upper().replace('.', '__')}": str(value) for key, value in stage.provider.overrides().items()
    }
    with serving(tmp_path_factory.mktemp("dialogues"), **asked) as demo:
        yield demo


def replies(page: Page) -> Any:
    """The texts of all replies."""
    return page.locator(".turn[data-role=assistant] .turn-text")


def whole(page: Page) -> list[str]:
    """All that was written, once every reply is over."""
    expect(page.locator(".turn:is([data-state=streaming], [data-state=waiting])")).to_have_count(0, timeout=PATIENCE_MS)
    return page.locator(".turn-text").all_inner_texts()


def test_a_person_asks_the_handbook_and_loses_nothing(person: Callable[[str], Person], stage: Stage) -> None:
    says = stage.provider.will(Says(BEGINNING, None, REST))
    alice = person("alice")
    page = alice.page
    handbook(alice)
    page.get_by_role("link", name="Dialogues").click()
    page.get_by_label("Your question").fill("How do I ring two people at once?")
    alice.button("Ask").click()
    page.wait_for_url(re.compile("/dialogues/."))
    expect(replies(page)).to_have_text(re.compile("^Add people in a call"), timeout=PATIENCE_MS)
    expect(page).to_have_title(re.compile("^How do I ring two people at once?"), timeout=PATIENCE_MS)

    # In the middle of the reply the page goes away, and comes back to all of it.
    page.reload()
    expect(replies(page)).to_have_text(re.compile("^Add people in a call"), timeout=PATIENCE_MS)
    stage.go_on(says)
    expect(replies(page).locator("li")).to_have_text(["one", "two"], timeout=PATIENCE_MS)
    expect(replies(page)).to_contain_text("<img src=x onerror=alert(1)> not this.")
    assert replies(page).locator("img, a").count() == 0
    before = whole(page)

    # A source leads to its place in the book, and back to the same dialogue.
    alice.button("1 source").or_(page.get_by_role("button", name=re.compile(r"^\d sources$"))).click()
    page.get_by_role("complementary", name="Sources").get_by_role("link").first.click()
    page.wait_for_url(re.compile(r"/books/[^#]+\?chapter=\d+#p\d+$"))
    expect(page.locator(".passage:target")).to_be_in_viewport(timeout=PATIENCE_MS)
    page.go_back()
    expect(replies(page).locator("li")).to_have_text(["one", "two"], timeout=PATIENCE_MS)
    assert whole(page) == before
    page.get_by_role("link", name="All dialogues").click()
    page.get_by_role("link", name="How do I ring two people at once?").click()
    expect(replies(page).locator("li")).to_have_text(["one", "two"], timeout=PATIENCE_MS)
    assert whole(page) == before


def test_a_reply_is_stopped_or_breaks_off_and_is_asked_for_again(person: Callable[[str], Person], stage: Stage) -> None:
    alice = person("alice")
    page = alice.page
    page.goto(f"/dialogues/{alice.api('POST', '/dialogues/book/start', {'book_id': handbook(alice)})['session_id']}")
    stage.provider.will(Says("It is", None, " so."))
    ask(page, "Is it so?")
    expect(replies(page)).to_have_text("It is", timeout=PATIENCE_MS)
    alice.button("Stop").click()
    alice.expect_text("Stopped.")

    stage.provider.will(Says("Half", breaks_off=True), Says("All of it."))
    ask(page, "And then?")
    alice.expect_text("Interrupted. What had come until then is here.")
    page.get_by_role("button", name="Try again").last.click()
    expect(replies(page)).to_have_text(["It is", "Half", "All of it."], timeout=PATIENCE_MS)
    assert whole(page) == ["Is it so?", "It is", "And then?", "Half", "All of it."]

    alice.button("Delete this dialogue").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    page.wait_for_url(re.compile("/dialogues$"))
    expect(page.get_by_role("link", name="Is it so?")).to_have_count(0)


def ask(page: Page, text: str) -> None:
    """Writes, and sends it by Enter."""
    page.get_by_label("Your question").fill(text)
    page.keyboard.press("Enter")


def handbook(someone: Person) -> str:
    """The id of the handbook, once it is on the shelf."""
    someone.until("async () => (await (await fetch('/api/v1/books')).json()).items[0]?.state === 'ready'")
    return str(someone.api("GET", "/books")["items"][0]["book_id"])
