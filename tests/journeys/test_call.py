"""A call between two browsers, with real media, as two people have it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.browsing import PATIENCE_MS, Person

pytestmark = pytest.mark.journey

MakePerson = Callable[[str], Person]


def connect(caller: Person, callee: Person) -> None:
    """The callee answers, and both have sound and picture."""
    callee.answer()
    caller.expect_media()
    callee.expect_media()


def latest_call(someone: Person) -> dict[str, object]:
    """The newest call in somebody's own history, as the server keeps it."""
    history = someone.page.request.get("/api/v1/calls?limit=1").json()
    call: dict[str, object] = history["items"][0]
    return call


def test_two_people_call_by_name_see_and_hear_each_other_and_hang_up(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    alice.call("bob")
    connect(alice, bob)

    alice.button("Mute").click()
    expect(alice.button("Unmute")).to_be_visible(timeout=PATIENCE_MS)
    bob.expect_text(re.compile("muted", re.IGNORECASE))

    bob.button("Hang up").click()
    for someone in (alice, bob):
        someone.page.get_by_role("link", name=re.compile("back", re.IGNORECASE)).first.wait_for()
        call = latest_call(someone)
        assert call["end_reason"] == "hangup"
        assert float(str(call["duration_s"])) > 0
    assert latest_call(alice)["call_id"] == latest_call(bob)["call_id"]
    alice.page.goto("/")
    alice.expect_text(re.compile("Talked for"))


def test_a_callee_rings_who_was_there_first(person: MakePerson) -> None:
    bob = person("bob")
    alice = person("alice")
    alice.call("bob")
    expect(bob.button("Answer")).to_be_visible(timeout=PATIENCE_MS)
    connect(alice, bob)
    alice.button("Hang up").click()


def test_a_callee_rings_who_signs_in_after_the_caller(person: MakePerson) -> None:
    alice = person("alice")
    bob = person("bob")
    alice.call("bob")
    connect(alice, bob)
    alice.button("Hang up").click()


def test_a_callee_rings_who_comes_after_the_invitation(person: MakePerson) -> None:
    alice = person("alice")
    alice.call("bob")
    bob = person("bob")
    connect(alice, bob)
    alice.button("Hang up").click()


def test_a_callee_rings_again_who_reloads_while_it_rings(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    alice.call("bob")
    expect(bob.button("Answer")).to_be_visible(timeout=PATIENCE_MS)
    bob.page.reload()
    connect(alice, bob)
    alice.button("Hang up").click()


def test_declining_tells_the_caller_so(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    alice.call("bob")
    bob.button("Decline").click()
    alice.expect_text(re.compile("declined"))
    assert latest_call(bob)["end_reason"] == "declined"


def test_hanging_up_while_it_rings_stops_the_ringing(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    alice.call("bob")
    expect(bob.button("Answer")).to_be_visible(timeout=PATIENCE_MS)
    alice.button("Hang up").click()
    expect(bob.button("Answer")).to_be_hidden(timeout=PATIENCE_MS)
    assert latest_call(bob)["missed"] is True


def test_two_tabs_of_one_person_ring_and_stop_together(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    second = bob.open_page()
    second.goto("/")
    alice.call("bob")
    other = second.get_by_role("button", name="Answer", exact=True)
    expect(other).to_be_visible(timeout=PATIENCE_MS)
    bob.answer()
    expect(other).to_be_hidden(timeout=PATIENCE_MS)
    alice.expect_media()
    alice.button("Hang up").click()


def test_a_page_that_is_reloaded_in_a_call_has_media_again_on_both_sides(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    alice.call("bob")
    connect(alice, bob)
    bob.page.reload()
    bob.page.wait_for_function("() => window.peers.some((peer) => peer.connectionState === 'connected')")
    bob.expect_media()
    alice.expect_media()
    alice.button("Hang up").click()


# Keeps the wake locks that the page gets.
KEEP_WAKE_LOCKS = """
(() => {
  window.wakeLocks = [];
  const request = navigator.wakeLock.request.bind(navigator.wakeLock);
  navigator.wakeLock.request = async (type) => {
    const lock = await request(type);
    window.wakeLocks.push(lock);
    return lock;
  };
})();
"""


def test_the_screen_stays_on_after_one_has_looked_elsewhere_too(person: MakePerson) -> None:
    bob, alice = person("bob"), person("alice")
    alice.context.grant_permissions(["camera", "microphone", "screen-wake-lock"])
    alice.page.add_init_script(KEEP_WAKE_LOCKS)
    alice.call("bob")
    connect(alice, bob)
    alice.page.wait_for_function("() => window.wakeLocks.length === 1")
    # The browser does this when the page is hidden and shown again.
    alice.page.evaluate("() => window.wakeLocks[0].release()")
    alice.page.evaluate("() => { document.dispatchEvent(new Event('visibilitychange')); }")
    alice.page.wait_for_function("() => window.wakeLocks.length === 2 && !window.wakeLocks[1].released")
    alice.button("Hang up").click()
    alice.page.wait_for_function("() => window.wakeLocks[1].released")
