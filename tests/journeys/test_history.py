"""The history in a browser: a missed call is unread until somebody looks, calls can be called again and removed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.journeys.accessible import SOUND, faults, walk
from tests.journeys.browsing import PATIENCE_MS, Person

pytestmark = pytest.mark.journey

MakePerson = Callable[[str], Person]


def give_up(caller: Person, username: str) -> None:
    """Calls somebody, and hangs up before they answer."""
    caller.call(username)
    caller.button("Hang up").click()
    caller.page.get_by_role("link", name="Back").wait_for()


def empty(someone: Person) -> None:
    """Removes what other journeys have left."""
    answer = someone.page.evaluate(
        """async () => (await fetch("/api/v1/calls", {
          method: "DELETE",
          headers: {"X-XSRFToken": decodeURIComponent(document.cookie.match(/_xsrf=([^;]+)/)[1])},
        })).status"""
    )
    assert answer == 204


def badge(someone: Person) -> Locator:
    """The number beside «History» in the navigation."""
    return someone.page.get_by_role("navigation", name="Sections").locator("[data-unread=missed]")


def rows(someone: Person) -> Locator:
    """The calls on the page."""
    return someone.page.locator("#list [data-call-id]")


def own_history(someone: Person) -> list[dict[str, Any]]:
    """The own history, as the server keeps it."""
    items: list[dict[str, Any]] = someone.page.request.get("/api/v1/calls").json()["items"]
    return items


def test_a_missed_call_is_unread_until_it_is_seen_then_called_again_then_removed(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    empty(alice)
    empty(bob)
    give_up(alice, "bob")
    expect(badge(bob)).to_have_text(re.compile("^1"), timeout=PATIENCE_MS)

    bob.page.goto("/history")
    row = rows(bob)
    expect(row).to_have_count(1, timeout=PATIENCE_MS)
    expect(row).to_have_attribute("data-new", "yes")
    expect(row).to_contain_text("Missed call")
    expect(badge(bob)).to_be_hidden(timeout=PATIENCE_MS)
    bob.page.reload()
    expect(row).to_have_attribute("data-new", "no", timeout=PATIENCE_MS)

    bob.button("Audio call to alice").click()
    bob.page.wait_for_url(re.compile("/call/"))
    alice.answer()
    bob.button("Hang up").click()
    bob.page.get_by_role("link", name="Back").wait_for()

    bob.page.goto("/history")
    expect(row).to_have_count(2, timeout=PATIENCE_MS)
    expect(row.first).to_have_attribute("data-kind", "outgoing")
    row.nth(1).get_by_role("button", name="Remove the call with alice").click()
    expect(row.nth(1)).to_contain_text("removed")
    bob.page.goto("/")
    bob.page.goto("/history")
    expect(row).to_have_count(1, timeout=PATIENCE_MS)
    assert [item["direction"] for item in own_history(bob)] == ["outgoing"]
    assert len(own_history(alice)) == 2


def test_a_removal_can_be_undone(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    empty(bob)
    give_up(alice, "bob")
    bob.page.goto("/history")
    bob.button("Remove the call with alice").click()
    expect(bob.button("Undo")).to_be_focused(timeout=PATIENCE_MS)
    bob.page.keyboard.press("Enter")
    expect(rows(bob)).to_contain_text("Missed call")
    bob.page.reload()
    expect(rows(bob)).to_have_count(1, timeout=PATIENCE_MS)


def test_a_call_that_ends_meanwhile_shows_by_itself(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    empty(bob)
    bob.page.goto("/history?filter=missed")
    bob.expect_text("No missed calls")
    give_up(alice, "bob")
    expect(rows(bob)).to_have_count(1, timeout=PATIENCE_MS)
    expect(bob.page.get_by_text("No missed calls")).to_be_hidden()
    expect(badge(bob)).to_be_hidden(timeout=PATIENCE_MS)


def test_filters_and_search_are_addresses_that_lead_back(person: MakePerson) -> None:
    alice, bob, carol = person("alice"), person("bob"), person("carol")
    for someone in (alice, bob, carol):
        empty(someone)
    give_up(alice, "bob")
    alice.page.goto("/")
    give_up(alice, "carol")
    alice.page.goto("/history")
    page = alice.page
    page.get_by_role("link", name="Missed").click()
    alice.expect_text("No missed calls")
    page.get_by_role("link", name="Outgoing").click()
    expect(rows(alice)).to_have_count(2, timeout=PATIENCE_MS)
    page.get_by_role("searchbox").fill("carol")
    expect(rows(alice)).to_have_count(1, timeout=PATIENCE_MS)
    expect(page).to_have_url(re.compile(r"filter=outgoing&q=carol$"))
    page.reload()
    expect(rows(alice)).to_have_count(1, timeout=PATIENCE_MS)
    page.get_by_role("searchbox").fill("nobody of that name")
    alice.button("Clear the search").click()
    expect(rows(alice)).to_have_count(2, timeout=PATIENCE_MS)
    page.go_back()
    alice.expect_text("No missed calls")


def test_an_error_page_says_what_is_unread(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    empty(bob)
    give_up(alice, "bob")
    bob.page.goto("/nowhere")
    expect(badge(bob)).to_have_text(re.compile("^1"), timeout=PATIENCE_MS)
    bob.problems.clear()  # the browser calls the 404 one


def test_all_can_be_removed_only_where_all_is_shown(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    give_up(alice, "bob")
    bob.page.goto("/history?filter=missed")
    rows(bob).first.wait_for()
    expect(bob.button("Clear all")).to_be_hidden()
    bob.page.get_by_role("link", name="All", exact=True).click()
    expect(bob.button("Clear all")).to_be_visible(timeout=PATIENCE_MS)
    bob.page.get_by_role("searchbox").fill("alice")
    expect(bob.button("Clear all")).to_be_hidden(timeout=PATIENCE_MS)


def test_all_is_removed_only_when_it_was_confirmed(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    empty(alice)
    empty(bob)
    give_up(alice, "bob")
    bob.page.goto("/history")
    bob.button("Clear all").click()
    bob.button("Cancel").click()
    expect(rows(bob)).to_have_count(1)
    bob.button("Clear all").click()
    bob.button("Remove all").click()
    bob.expect_text("No calls yet")
    expect(bob.button("Clear all")).to_be_hidden()
    assert (len(own_history(bob)), len(own_history(alice))) == (0, 1)


def test_what_opens_on_the_page_is_sound(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    empty(bob)
    give_up(alice, "bob")
    bob.page.goto("/history")
    expect(rows(bob)).to_have_count(1, timeout=PATIENCE_MS)
    assert faults(bob.page) == []
    bob.button("Clear all").click()
    assert faults(bob.page) == []
    bob.page.keyboard.press("Escape")
    bob.button("Remove the call with alice").click()
    assert faults(bob.page) == []
    assert walk(bob.page) == SOUND
    bob.button("Undo").click()
    bob.page.set_viewport_size({"width": 390, "height": 844})
    bob.button("More about the call with alice").click()
    assert faults(bob.page) == []
    bob.page.keyboard.press("Escape")
    expect(bob.button("More about the call with alice")).to_be_focused()
    assert walk(bob.page) == SOUND
