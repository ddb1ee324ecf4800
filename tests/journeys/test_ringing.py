"""What rings, what stops, and what both sides read of it, in real browsers."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, expect

from tests.journeys.browsing import CHROMIUM_FLAGS, PATIENCE_MS, Person
from tests.journeys.conftest import Demo, MakePerson

pytestmark = pytest.mark.journey

STOPS_WITHIN_MS = 1_000
"""The promise: whatever rings elsewhere is silent this soon after one device has answered."""

CLICK_AT = "(button, atMs) => { setTimeout(() => button.click(), atMs - Date.now()); }"
NOTE_RINGING = """
window.rang = 0;
const show = HTMLDialogElement.prototype.showModal;
HTMLDialogElement.prototype.showModal = function () {
  if (this.id === "incoming") window.rang += 1;
  show.call(this);
};
"""


def rings(page: Page, answer: str = "Answer") -> None:
    """The page shows an incoming call."""
    expect(page.get_by_role("button", name=answer, exact=True)).to_be_visible(timeout=PATIENCE_MS)


def is_silent(page: Page, within_ms: int = PATIENCE_MS) -> None:
    """The page shows no incoming call."""
    expect(page.locator("#incoming")).to_be_hidden(timeout=within_ms)


def calls_of(someone: Person) -> list[dict[str, object]]:
    """Somebody's own history, newest first."""
    items: list[dict[str, object]] = someone.page.request.get("/api/v1/calls").json()["items"]
    return items


def test_when_one_device_answers_the_other_stops_within_a_second_and_says_why(person: MakePerson) -> None:
    alice, bob, bobs_phone = person("alice"), person("bob"), person("bob")
    alice.call("bob")
    rings(bob.page)
    rings(bobs_phone.page)
    bob.button("Answer").click()
    bob.page.wait_for_url(re.compile("/call/"))
    is_silent(bobs_phone.page, within_ms=STOPS_WITHIN_MS)
    bobs_phone.expect_text("You answered alice on another device.")
    alice.expect_media()
    alice.button("Hang up").click()


def test_two_who_dial_each_other_at_once_talk_without_another_click(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    at_ms = time.time() * 1000 + 700  # by the one clock of this machine: neither page has heard of the other's call
    for someone, name in ((alice, "Call bob"), (bob, "Call alice")):
        someone.button(name).evaluate(CLICK_AT, at_ms)
    for someone in (alice, bob):
        someone.page.wait_for_url(re.compile("/call/"))
    alice.expect_media()
    bob.expect_media()
    assert alice.page.url == bob.page.url
    alice.button("Hang up").click()
    bob.expect_text("Talked for")
    assert [call["call_id"] for call in calls_of(alice)[:1]] == [call["call_id"] for call in calls_of(bob)[:1]]


@contextmanager
def wanting(someone: Person, **fields: object) -> Iterator[None]:
    """Somebody has other settings for the time of the block."""
    before = someone.api("GET", "/users/me")
    someone.api("PATCH", "/users/me", fields)
    yield
    someone.api("PATCH", "/users/me", {name: before[name] for name in fields})


def test_a_second_call_rings_softly_and_both_sides_know_why(person: MakePerson) -> None:
    alice, bob, carol = person("alice"), person("bob"), person("carol")
    alice.call("bob")
    bob.answer()
    bob.expect_media()
    carol.call("bob")
    carol.expect_text("bob is in another call; it is ringing there softly")
    rings(bob.page, "Hang up and answer")
    bob.expect_media()  # the call that goes on is not disturbed by it
    bob.button("Hang up and answer").click()
    alice.expect_text(re.compile("Talked for"))
    carol.expect_media()
    carol.button("Hang up").click()


def test_whoever_wants_no_second_call_is_busy_for_the_next_caller(person: MakePerson) -> None:
    alice, bob, carol = person("alice"), person("bob"), person("carol")
    with wanting(bob, call_waiting="busy"):
        alice.call("bob")
        bob.answer()
        bob.expect_media()
        carol.call("bob")
        carol.expect_text(re.compile("bob is in another call"))
        assert calls_of(carol)[0]["end_reason"] == "busy"
        is_silent(bob.page)
        alice.button("Hang up").click()


def test_whoever_does_not_want_to_be_disturbed_is_not_and_the_caller_is_told_at_once(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    with wanting(bob, do_not_disturb=True):
        alice.call("bob")
        alice.expect_text(re.compile("bob does not want to be disturbed"))
        is_silent(bob.page)
        assert calls_of(bob)[0]["missed"] is True


def test_blocked_looks_like_no_answer(hasty_person: MakePerson) -> None:
    alice, bob = hasty_person("alice"), hasty_person("bob")
    block = f"/contacts/{alice.api('GET', '/users/me')['id']}/block"
    bob.api("PUT", block)
    alice.button("Call bob").click()
    alice.page.wait_for_url(re.compile("/call/"))
    alice.expect_text("Ringing…")
    is_silent(bob.page)
    alice.expect_text(re.compile("bob did not answer"))
    assert "block" not in alice.page.content().lower().replace("blockquote", "")  # an element of replies in dialogues
    bob.api("DELETE", block)


@contextmanager
def asleep(profile: Path) -> Iterator[None]:
    """The machine of the browser with that profile sleeps: none of its processes runs."""
    pids = _processes_with(str(profile))
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _processes_with(argument: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                line = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:  # it ended meanwhile
                continue
            if argument in line and "chrom" in line:
                found.append(int(entry.name))
    assert found, "there is no such browser"
    return found


def test_a_machine_that_sleeps_through_a_call_does_not_ring_late_and_shows_one_missed_call(
    _playwright: Playwright, chromium_path: str, tmp_path: Path, hasty_person: MakePerson, hasty_demo: Demo
) -> None:
    alice = hasty_person("alice")
    context = _playwright.chromium.launch_persistent_context(
        str(tmp_path), executable_path=chromium_path, args=CHROMIUM_FLAGS, base_url=hasty_demo.url, locale="en-GB"
    )
    page = context.new_page()
    page.add_init_script(NOTE_RINGING)
    page.goto("/login")
    page.get_by_label("User name").fill("carol")
    page.get_by_label("Password", exact=True).fill(hasty_demo.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    carol = alice.page.locator("[data-username=carol][data-presence=online]")
    expect(carol.first).to_be_visible(timeout=PATIENCE_MS)
    with asleep(tmp_path):
        alice.call("carol")
        alice.expect_text(re.compile("did not answer"))
    expect(page.get_by_text("Missed call")).to_have_count(1, timeout=PATIENCE_MS)
    assert page.evaluate("window.rang") == 0
    is_silent(page)
    context.close()
