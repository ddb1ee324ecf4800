"""Home: whom one can call, who asks, and one field that finds everybody; in real browsers, live."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Route, expect

from server.calls.presence import GRACE_S
from tests.journeys.browsing import PATIENCE_MS, Person
from tests.journeys.conftest import MakePerson

pytestmark = pytest.mark.journey


def section(someone: Person, name: str) -> Locator:
    """A part of the home page, by its heading."""
    return someone.page.get_by_role("region", name=name, exact=True)


def pick(someone: Person, username: str, entry: str) -> None:
    """Opens the menu of one of the people and takes an entry of it."""
    someone.button(f"More for {username}").click()
    someone.page.locator("#person-menu").get_by_role("button", name=entry, exact=True).click()


def api(someone: Person, method: str, path: str, data: Any = None) -> Any:
    """A request of the page."""
    token = next(cookie for cookie in someone.context.cookies() if cookie["name"] == "_xsrf")["value"]
    return someone.page.request.fetch(f"/api/v1{path}", method=method, data=data, headers={"X-XSRFToken": token})


GONE_WITHIN_MS = 1000 * GRACE_S + PATIENCE_MS
"""A page that is left counts as there for a moment: whoever waits for that waits longer than for anything else."""


@pytest.fixture
def three(person: MakePerson) -> Iterator[tuple[Person, Person, Person]]:
    """Alice, bob and carol, who have nothing to do with each other, before and after."""
    people = (person("alice"), person("bob"), person("carol"))
    yield people
    for someone in people:
        someone.page.goto("/")
        for other in someone.page.request.get("/api/v1/users").json()["items"]:
            for path in ("favourite", "block"):
                api(someone, "DELETE", f"/contacts/{other['id']}/{path}")
            api(someone, "DELETE", f"/contacts/{other['id']}")


Three = tuple[Person, Person, Person]


def test_a_request_comes_at_once_and_is_accepted_in_its_place(three: Three) -> None:
    alice, bob, _ = three
    pick(bob, "alice", "Add to contacts")
    bob.expect_text("Request sent")
    alice.button("Accept the request of bob").click()
    expect(section(alice, "Contacts").get_by_text("@bob")).to_be_visible(timeout=PATIENCE_MS)
    expect(section(bob, "Contacts").get_by_text("@alice")).to_be_visible(timeout=PATIENCE_MS)


def test_a_request_that_comes_while_the_page_loads_is_not_lost(three: Three) -> None:
    alice, bob, _ = three

    def ask_first(route: Route) -> None:
        api(bob, "POST", "/contacts", {"username": "alice"})
        route.continue_()

    alice.page.route("**/auth/ws-token", ask_first, times=1)
    alice.page.reload()
    expect(alice.button("Accept the request of bob")).to_be_visible(timeout=PATIENCE_MS)


def test_a_request_can_be_declined(three: Three) -> None:
    alice, bob, _ = three
    pick(bob, "alice", "Add to contacts")
    alice.button("Refuse the request of bob").click()
    expect(alice.page.locator("#requests")).to_be_hidden(timeout=PATIENCE_MS)


def test_whoever_answers_a_request_goes_on_at_the_beginning_and_not_in_the_search(three: Three) -> None:
    alice, bob, _ = three
    pick(bob, "alice", "Add to contacts")
    alice.button("Accept the request of bob").click()
    expect(alice.page.get_by_role("heading", level=1)).to_be_focused(timeout=PATIENCE_MS)


def test_whoever_answers_one_of_two_requests_goes_on_with_the_other(three: Three) -> None:
    alice, bob, carol = three
    for someone in (bob, carol):
        pick(someone, "alice", "Add to contacts")
    other = alice.button("Accept the request of carol")
    other.wait_for()
    alice.button("Accept the request of bob").click()
    expect(other).to_be_focused(timeout=PATIENCE_MS)


def test_escape_that_ends_a_composed_word_does_not_empty_the_search(three: Three) -> None:
    alice, _, _ = three
    search = alice.page.get_by_label("Search people")
    search.fill("bo")
    search.dispatch_event("keydown", {"key": "Escape", "isComposing": True})
    expect(search).to_have_value("bo")


AS_IT_WAS_BEFORE_ANYBODY_CAME = """
document.addEventListener("readystatechange", () => {
  const boot = document.querySelector("#boot");
  if (document.readyState !== "interactive" || !boot) return;
  boot.textContent = JSON.stringify({ ...JSON.parse(boot.textContent), people: [] });
  document.querySelector("main").insertAdjacentHTML("beforeend", "<p id=nobody-yet>You are the first one here</p>");
});
"""


def test_nobody_is_the_first_one_here_any_more_when_somebody_has_come(three: Three) -> None:
    alice, _, _ = three
    page = alice.open_page()
    page.add_init_script(AS_IT_WAS_BEFORE_ANYBODY_CAME)
    page.goto("/")
    expect(page.locator("#nobody-yet")).to_be_attached()
    expect(page.locator("#nobody-yet")).to_be_hidden(timeout=PATIENCE_MS)


def test_a_favourite_is_called_by_one_tap(three: Three) -> None:
    alice, bob, _ = three
    pick(alice, "bob", "Add to favourites")
    section(alice, "Favourites").get_by_role("button", name="Video call to bob", exact=True).click()
    bob.button("Decline").click()
    alice.expect_text("bob declined")


def test_calling_back_is_by_the_medium_of_the_call(three: Three) -> None:
    alice, bob, _ = three
    alice.button("Audio call to bob").click()
    bob.button("Decline").click()
    alice.page.goto("/")
    back = section(alice, "Recent calls").locator("[data-username=bob] button").first
    expect(back).to_have_attribute("data-call", "audio", timeout=PATIENCE_MS)
    expect(back.locator("use")).to_have_attribute("href", "/static/vendor/icons.svg#phone")


def test_a_favourite_can_be_one_no_longer(three: Three) -> None:
    alice, _, _ = three
    pick(alice, "bob", "Add to favourites")
    expect(section(alice, "Favourites")).to_be_visible(timeout=PATIENCE_MS)
    pick(alice, "bob", "Remove from favourites")
    expect(alice.page.locator("#favourites")).to_be_hidden(timeout=PATIENCE_MS)


def test_blocking_asks_first_and_says_what_the_other_will_see(three: Three) -> None:
    alice, _, _ = three
    pick(alice, "carol", "Block")
    dialog = alice.page.get_by_role("dialog", name="Block carol?")
    expect(dialog).to_contain_text("To them you look offline")
    dialog.get_by_role("button", name="Cancel", exact=True).click()
    expect(section(alice, "Everybody here").get_by_text("@carol")).to_be_visible()


def test_whoever_is_blocked_sees_one_offline_and_can_be_let_in_again(three: Three) -> None:
    alice, _, carol = three
    pick(alice, "carol", "Block")
    alice.page.get_by_role("dialog").get_by_role("button", name="Block", exact=True).click()
    alice_at_carols = carol.page.locator("[data-user-id][data-username=alice]").filter(visible=True).first
    expect(alice_at_carols).to_have_attribute("data-presence", "offline", timeout=PATIENCE_MS)
    alice.page.locator("#blocked summary").click()
    pick(alice, "carol", "Unblock")
    expect(alice_at_carols).to_have_attribute("data-presence", "online", timeout=PATIENCE_MS)


def test_the_keyboard_finds_somebody_and_calls_them(three: Three) -> None:
    alice, bob, _ = three
    alice.page.keyboard.press("/")
    alice.page.keyboard.type("bo")
    expect(alice.page.locator("#results mark").first).to_have_text("bo", timeout=PATIENCE_MS)
    alice.page.keyboard.press("ArrowDown")
    expect(alice.button("Call bob")).to_be_focused()
    alice.page.keyboard.press("Enter")
    bob.button("Decline").click()
    alice.expect_text("bob declined")


def test_nobody_found_says_what_to_do_and_escape_leads_back(three: Three) -> None:
    alice, _, _ = three
    alice.page.get_by_label("Search people").fill("zacharias")
    alice.expect_text("Nobody here is called “zacharias”")
    alice.expect_text("Try the beginning of a name")
    alice.page.keyboard.press("Escape")
    expect(alice.button("Call bob")).to_be_visible()
    expect(alice.page.get_by_label("Search people")).to_be_focused()


def test_whoever_leaves_goes_below_those_who_are_there(three: Three) -> None:
    alice, bob, carol = three
    people = section(alice, "Everybody here").get_by_role("listitem")
    expect(people.filter(has_text="@carol")).to_have_attribute("data-presence", "online", timeout=PATIENCE_MS)
    bob.page.goto("about:blank")
    expect(people.last).to_contain_text("@bob", timeout=GONE_WITHIN_MS)
    expect(people.filter(has_text="@carol")).to_contain_text("Online")
    bob.page.goto("/")
    carol.page.goto("/")


def test_do_not_disturb_is_switched_in_the_account_menu_and_shows_at_the_others(three: Three) -> None:
    alice, bob, _ = three
    bob.page.locator(".account").click()
    switch = bob.page.get_by_role("switch", name="Do not disturb")
    bob_at_alices = alice.page.locator("[data-user-id][data-username=bob]").filter(visible=True).first
    switch.check()
    expect(bob_at_alices).to_contain_text("Do not disturb", timeout=PATIENCE_MS)
    switch.uncheck()
    expect(bob_at_alices).to_contain_text("Online", timeout=PATIENCE_MS)


def test_a_device_that_nobody_touches_counts_as_away_until_somebody_does(three: Three) -> None:
    alice, bob, _ = three
    bob_at_alices = alice.page.locator("[data-user-id][data-username=bob]").filter(visible=True).first
    bob.page.goto("about:blank")
    expect(bob_at_alices).to_contain_text("Offline", timeout=GONE_WITHIN_MS)
    bob.page.clock.install()
    bob.page.goto("/")
    expect(bob_at_alices).to_contain_text("Online", timeout=PATIENCE_MS)
    bob.page.clock.fast_forward("06:00")
    expect(bob_at_alices).to_contain_text("Away", timeout=PATIENCE_MS)
    bob.page.clock.resume()
    bob.page.mouse.move(10, 10)
    expect(bob_at_alices).to_contain_text("Online", timeout=PATIENCE_MS)
