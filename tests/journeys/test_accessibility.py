"""Every page for everybody: no serious fault by axe-core, in light and dark, wide and narrow; all of it by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from handlers.routes import ROUTES
from tests.journeys.accessible import SOUND, faults, walk
from tests.journeys.browsing import PATIENCE_MS, Person
from tests.journeys.conftest import Demo, MakePerson

pytestmark = pytest.mark.journey

NO_PAGES = {"/login", "/logout", "/language"}
"""What has no page of its own, or one that is looked at by itself below; so is the page of one call."""
SECTIONS = sorted({route.shown for route in ROUTES if route.kind == "page" and "{" not in route.shown} - NO_PAGES)


@pytest.mark.parametrize("path", [*SECTIONS, "/nothing/here"])
def test_each_section_has_no_serious_fault(person: MakePerson, path: str) -> None:
    alice = person("alice")
    alice.page.goto(path)
    alice.problems.clear()  # a browser complains about a page that is not there
    assert faults(alice.page) == []


@pytest.mark.parametrize("path", [*SECTIONS, "/nothing/here"])
def test_each_section_works_by_keyboard(person: MakePerson, path: str) -> None:
    alice = person("alice")
    alice.page.goto(path)
    alice.problems.clear()
    assert walk(alice.page) == SOUND


def test_the_sign_in_page_is_sound(browser: Browser, demo: Demo) -> None:
    stranger = Person(browser, demo.url, "", "")
    stranger.page.goto("/login")
    assert faults(stranger.page) == []
    assert walk(stranger.page) == SOUND
    stranger.button("Sign in").click()
    stranger.page.get_by_label("User name").fill("nobody")
    stranger.page.get_by_label("Password", exact=True).fill("nothing at all")
    stranger.button("Sign in").click()
    stranger.page.get_by_role("alert").wait_for()
    assert faults(stranger.page) == []
    stranger.close()


def test_what_opens_on_the_home_page_is_sound(person: MakePerson) -> None:
    alice = person("alice")
    alice.page.locator(".account").click()
    assert faults(alice.page) == []
    alice.page.keyboard.press("Escape")
    alice.button("More for bob").click()
    assert faults(alice.page) == []
    alice.page.locator("#person-menu").get_by_role("button", name="Block", exact=True).click()
    alice.page.get_by_role("dialog", name="Block bob?").wait_for()
    assert faults(alice.page) == []
    assert walk(alice.page) == SOUND
    alice.page.keyboard.press("Escape")
    alice.page.get_by_label("Search people").fill("zacharias")
    alice.expect_text("Nobody here is called")
    assert faults(alice.page) == []


def test_the_menu_of_a_person_works_by_keyboard(person: MakePerson) -> None:
    alice = person("alice")
    more = alice.button("More for bob")
    more.focus()
    alice.page.keyboard.press("Enter")
    menu = alice.page.locator("#person-menu")
    expect(menu.get_by_role("button", name="Video call", exact=True)).to_be_focused()
    alice.page.keyboard.press("ArrowUp")
    expect(menu.get_by_role("button", name="Block", exact=True)).to_be_focused()
    alice.page.keyboard.press("Escape")
    expect(more).to_be_focused()


def test_a_call_is_sound_in_each_of_its_phases(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    alice.call("bob")
    bob.button("Answer").wait_for()
    alice.expect_text("Ringing…")
    assert faults(alice.page) == []
    assert walk(alice.page) == SOUND
    assert faults(bob.page) == []
    assert walk(bob.page) == SOUND
    bob.answer()
    alice.expect_media()
    assert faults(alice.page) == []
    assert walk(alice.page) == SOUND
    alice.button("Hang up").click()
    alice.button("Call again").wait_for()
    assert faults(alice.page) == []
    assert walk(alice.page) == SOUND


def test_a_call_that_rings_on_its_own_page_is_sound(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    alice.call("bob")
    bob.page.goto(alice.page.url)
    bob.button("Answer").wait_for()
    assert faults(bob.page) == []
    assert walk(bob.page) == SOUND
    bob.button("Decline").click()


def test_a_second_call_is_sound(person: MakePerson) -> None:
    alice, bob, carol = person("alice"), person("bob"), person("carol")
    alice.call("bob")
    bob.answer()
    alice.expect_media()
    carol.call("bob")
    bob.button("Hang up and answer").wait_for()
    assert faults(bob.page) == []
    assert walk(bob.page) == SOUND
    bob.button("Hang up").click()
    carol.button("Hang up").click()


def test_a_call_is_placed_and_answered_by_keyboard_alone(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    alice.page.keyboard.press("/")
    alice.page.keyboard.type("bob")
    alice.page.locator("#results mark").first.wait_for()
    alice.page.keyboard.press("Enter")
    expect(alice.button("Call bob")).to_be_focused(timeout=PATIENCE_MS)
    alice.page.keyboard.press("Enter")
    bob.button("Answer").wait_for()
    for _ in range(2):
        bob.page.keyboard.press("Tab")
    expect(bob.button("Answer")).to_be_focused()
    bob.page.keyboard.press("Enter")
    bob.page.wait_for_url(re.compile("/call/"))
    alice.expect_media()
    alice.button("Hang up").click()


def test_a_page_shows_where_one_is_when_a_system_brings_its_own_colours(person: MakePerson) -> None:
    alice = person("alice")
    alice.page.emulate_media(forced_colors="active")
    assert walk(alice.page) == SOUND
    current = alice.page.locator(".site-nav [aria-current]")
    assert current.evaluate("(link) => getComputedStyle(link).outlineStyle") != "none"
