"""The incoming call: how it shows, and each way to take it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.browsing import PATIENCE_MS, Person
from tests.journeys.conftest import MakePerson

pytestmark = pytest.mark.journey

PHONE = {"width": 390, "height": 844}


def rings(callee: Person, caller: str) -> None:
    """The dialog says that ``caller`` calls."""
    dialog = callee.page.get_by_role("dialog", name=f"{caller} is calling")
    expect(dialog).to_be_visible(timeout=PATIENCE_MS)


def talk(caller: Person, callee: Person) -> None:
    """The two are in a call."""
    caller.call(callee.username)
    callee.answer()
    caller.expect_media()


def test_fills_the_screen_of_a_phone_with_its_buttons_under_the_thumb(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    bob.page.set_viewport_size(PHONE)
    alice.call("bob")
    rings(bob, "alice")
    box = bob.page.locator("#incoming").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (PHONE["width"], PHONE["height"])
    answer = bob.button("Answer").bounding_box()
    assert answer is not None
    assert answer["y"] > PHONE["height"] / 2
    bob.button("Decline").click()


def test_shows_in_the_title_and_the_symbol_of_a_tab(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    alice.call("bob")
    expect(bob.page).to_have_title("alice is calling", timeout=PATIENCE_MS)
    icon = bob.page.locator("link[rel=icon]")
    expect(icon).to_have_attribute("href", re.compile("favicon-ringing"), timeout=PATIENCE_MS)
    bob.button("Decline").click()
    expect(bob.page).to_have_title("People · Ringback")
    expect(icon).to_have_attribute("href", re.compile(r"favicon\.svg"))


def test_can_be_answered_without_being_seen(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    alice.call("bob")
    bob.button("Answer without camera").click()
    bob.expect_media()
    alice.expect_text("Camera is off")
    expect(bob.button("Camera on")).to_be_visible()
    bob.page.reload()
    expect(bob.button("Camera on")).to_be_visible(timeout=PATIENCE_MS)
    alice.button("Hang up").click()


def test_can_be_silenced_by_escape_and_answered_all_the_same(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    alice.call("bob")
    rings(bob, "alice")
    bob.page.keyboard.press("Escape")
    bob.answer()
    alice.expect_media()
    alice.button("Hang up").click()


def test_goes_on_ringing_elsewhere_when_one_device_ignores_it(person: MakePerson) -> None:
    alice, bob, bobs_phone = person("alice"), person("bob"), person("bob")
    alice.call("bob")
    rings(bobs_phone, "alice")
    bob.button("Ignore on this device").click()
    expect(bob.page.locator("#incoming")).to_be_hidden()
    rings(bobs_phone, "alice")
    bobs_phone.button("Decline").click()


def test_lists_others_who_call_at_the_same_time(person: MakePerson) -> None:
    alice, bob, carol = person("alice"), person("bob"), person("carol")
    alice.call("bob")
    rings(bob, "alice")
    carol.call("bob")
    expect(bob.button("Answer carol")).to_be_visible(timeout=PATIENCE_MS)
    bob.button("Decline").click()
    rings(bob, "carol")
    bob.button("Decline").click()
    expect(bob.page.locator("#incoming")).to_be_hidden()


def test_says_why_it_went(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    alice.call("bob")
    rings(bob, "alice")
    alice.button("Hang up").click()
    bob.expect_text("alice stopped calling.")


def test_lets_a_call_go_on_that_one_is_in(person: MakePerson) -> None:
    alice, bob, carol = person("alice"), person("bob"), person("carol")
    talk(alice, bob)
    carol.call("bob")
    rings(bob, "carol")
    bob.expect_text("You are in a call with alice.")
    bob.button("Mute").click()
    alice.expect_text("Muted")
    bob.page.locator("#incoming").get_by_role("button", name="Decline", exact=True).click()
    bob.expect_media()
    bob.button("Hang up").click()


def test_takes_the_place_of_the_call_that_one_is_in(person: MakePerson) -> None:
    alice, bob, carol = person("alice"), person("bob"), person("carol")
    talk(alice, bob)
    carol.call("bob")
    bob.button("Hang up and answer").click()
    carol.expect_media()
    alice.expect_text("Talked for")
    carol.button("Hang up").click()
