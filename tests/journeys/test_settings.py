"""The page of settings, as a person uses it: everything is saved at once, and works by keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.journeys.browsing import PATIENCE_MS, Person
from tests.journeys.conftest import Demo, MakePerson, people_on, serving

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def own_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A server for these tests alone: what is set here would disturb others."""
    with serving(tmp_path_factory.mktemp("settings")) as demo:
        yield demo


@pytest.fixture
def someone(browser: Browser, own_demo: Demo) -> Iterator[MakePerson]:
    """Makes people who are signed in there."""
    with people_on(browser, own_demo) as make:
        yield make


def at_settings(person: Person) -> Person:
    """The person opens their settings."""
    person.page.goto("/settings")
    return person


def saved(person: Person) -> None:
    """The page says that it is saved."""
    expect(person.page.locator("[data-saved][data-shown]")).to_have_text("Saved", timeout=PATIENCE_MS)


def profile(person: Person) -> dict[str, Any]:
    """What the server has."""
    document: dict[str, Any] = person.page.request.get("/api/v1/users/me").json()
    return document


def device(person: Person, label: str) -> Locator:
    """A row of the list of devices."""
    return person.page.locator("#device-list > li", has=person.page.get_by_text(label, exact=True))


def test_a_new_display_name_shows_everywhere_on_the_page_and_stays(someone: MakePerson) -> None:
    alice = at_settings(someone("alice"))
    name = alice.page.get_by_label("Display name")
    name.fill("Alice B.")
    name.press("Enter")
    saved(alice)
    expect(alice.page.locator(".account-name")).to_have_text("Alice B.")
    alice.page.reload()
    expect(alice.page.get_by_label("Display name")).to_have_value("Alice B.")


def test_a_name_that_is_none_is_refused_at_its_field(someone: MakePerson) -> None:
    bob = at_settings(someone("bob"))
    bob.problems.clear()
    name = bob.page.get_by_label("Display name")
    name.fill("   ")
    name.press("Enter")
    expect(name).to_have_attribute("aria-invalid", "true", timeout=PATIENCE_MS)
    bob.expect_text("Please give a name.")
    assert profile(bob)["display_name"] == "bob"
    bob.problems.clear()  # the browser logs the 400


def test_a_password_is_changed_and_other_devices_are_signed_out(someone: MakePerson, own_demo: Demo) -> None:
    carol, telephone = someone("carol"), someone("carol")
    at_settings(carol)
    page = carol.page
    page.get_by_text("Change password").first.click()
    page.get_by_label("Current password").fill("wrong")
    page.get_by_label("New password").fill("a much better one")
    page.get_by_role("button", name="Change password").click()
    carol.expect_text("That is not your current password.")
    expect(page.get_by_label("Current password")).to_be_focused()
    page.get_by_label("Current password").fill(own_demo.password)
    page.get_by_role("button", name="Change password").click()
    carol.expect_text("Your password has been changed. Your other devices were signed out.")
    telephone.expect_text(re.compile("signed out"))
    for each in (carol, telephone):
        each.problems.clear()  # the browser logs what was refused


def test_quiet_hours_are_proposed_in_the_time_zone_of_the_browser(browser: Browser, own_demo: Demo) -> None:
    alice = Person(browser, own_demo.url, "alice", own_demo.password, timezone_id="Europe/Berlin")
    alice.sign_in()
    at_settings(alice)
    alice.page.get_by_role("switch", name="Quiet hours").click()
    saved(alice)
    assert profile(alice)["quiet_hours"] == {"start": "22:00", "end": "07:00", "time_zone": "Europe/Berlin"}
    alice.page.get_by_label("To", exact=True).fill("22:00")
    alice.expect_text(re.compile("two different times"))
    alice.page.get_by_label("To", exact=True).fill("06:30")
    expect(alice.page.locator("#quiet-error")).to_be_hidden()
    alice.until("async () => (await (await fetch('/api/v1/users/me')).json()).quiet_hours?.end === '06:30'")
    alice.page.get_by_role("switch", name="Quiet hours").click()
    alice.until("async () => (await (await fetch('/api/v1/users/me')).json()).quiet_hours === null")
    alice.close()


@pytest.mark.parametrize(
    ("choice", "field", "value"),
    [("Say that I am busy", "call_waiting", "busy"), ("Only my contacts", "callers", "contacts")],
)
def test_a_choice_is_saved_at_once(someone: MakePerson, choice: str, field: str, value: str) -> None:
    bob = at_settings(someone("bob"))
    bob.page.get_by_role("radio", name=choice).check()
    saved(bob)
    assert profile(bob)[field] == value
    bob.page.request.patch(
        "/api/v1/users/me",
        data={"call_waiting": "ring", "callers": "everybody"},
        headers={"X-XSRFToken": next(each["value"] for each in bob.context.cookies() if each["name"] == "_xsrf")},
    )


def test_do_not_disturb_is_the_same_in_the_menu(someone: MakePerson) -> None:
    bob = at_settings(someone("bob"))
    switch = bob.page.locator("#setting-do-not-disturb")
    switch.focus()
    bob.page.keyboard.press("Space")
    saved(bob)
    expect(bob.page.locator("#do-not-disturb")).to_be_checked()
    bob.page.keyboard.press("Space")
    expect(bob.page.locator("#do-not-disturb")).not_to_be_checked(timeout=PATIENCE_MS)


def test_a_device_is_renamed_in_place_by_keyboard(someone: MakePerson) -> None:
    bob = at_settings(someone("bob"))
    mine = bob.page.locator("#device-list > li", has_text="This device")
    mine.get_by_role("button", name=re.compile("^Rename")).press("Enter")
    bob.page.keyboard.type("Kitchen")
    bob.page.keyboard.press("Escape")
    expect(device(bob, "Kitchen")).to_have_count(0)
    expect(mine.get_by_role("button", name=re.compile("^Rename"))).to_be_focused()
    bob.page.keyboard.press("Enter")
    bob.page.keyboard.type("Kitchen")
    bob.page.keyboard.press("Enter")
    expect(device(bob, "Kitchen")).to_have_count(1, timeout=PATIENCE_MS)
    bob.page.reload()
    expect(device(bob, "Kitchen")).to_have_count(1)


def test_a_silenced_device_does_not_ring_while_the_others_do(someone: MakePerson) -> None:
    alice, bob, telephone = someone("alice"), someone("bob"), someone("bob")
    at_settings(bob)
    mine = bob.page.locator("#device-list > li", has_text="This device")
    mine.get_by_role("button", name=re.compile("^Silence")).click()
    expect(mine.get_by_text("Silenced", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    alice.call("bob")
    expect(telephone.button("Answer")).to_be_visible(timeout=PATIENCE_MS)
    expect(bob.button("Answer")).to_be_hidden()
    mine.get_by_role("button", name=re.compile("^Silence")).click()
    expect(bob.button("Answer")).to_be_visible(timeout=PATIENCE_MS)
    alice.button("Hang up").click()


def test_another_device_is_signed_out_after_a_question(someone: MakePerson) -> None:
    bob, telephone = someone("bob"), someone("bob")
    label = telephone.page.request.get("/api/v1/devices").json()
    mine = next(each["id"] for each in label["items"] if each["current"])
    at_settings(bob)
    row = bob.page.locator(f"[data-device='{mine}']")
    row.get_by_role("button", name=re.compile("^Sign out")).click()
    bob.page.get_by_role("dialog").get_by_role("button", name="Sign out", exact=True).click()
    telephone.expect_text(re.compile("You have been signed out"))
    expect(row).to_have_count(0)
    telephone.problems.clear()


def test_the_language_that_is_chosen_is_that_of_the_page(someone: MakePerson) -> None:
    bob = at_settings(someone("bob"))
    bob.page.get_by_role("radio", name="简体中文").check()
    expect(bob.page.locator("html")).to_have_attribute("lang", "zh-Hans", timeout=PATIENCE_MS)
    bob.page.locator("input[name=locale][value='']").check()
    expect(bob.page.locator("html")).to_have_attribute("lang", "en", timeout=PATIENCE_MS)


def test_somebody_is_unblocked(someone: MakePerson) -> None:
    bob = at_settings(someone("bob"))
    people = bob.page.request.get("/api/v1/users?q=alice").json()["items"]
    xsrf = next(each["value"] for each in bob.context.cookies() if each["name"] == "_xsrf")
    bob.page.request.put(f"/api/v1/contacts/{people[0]['id']}/block", headers={"X-XSRFToken": xsrf})
    bob.page.reload()
    bob.button("Unblock alice").click()
    bob.expect_text("You have blocked nobody.")
    assert bob.page.request.get("/api/v1/contacts?state=blocked").json()["items"] == []


def test_a_browser_that_blocks_notifications_is_told_how_to_allow_them(someone: MakePerson) -> None:
    bob = at_settings(someone("bob"))
    bob.expect_text("This browser blocks notifications from Ringback")
    expect(bob.page.locator("#push")).to_be_disabled()


def test_a_browser_without_a_push_service_says_so(someone: MakePerson) -> None:
    bob = someone("bob")
    bob.context.grant_permissions(["notifications"])
    at_settings(bob)
    expect(bob.page.locator("#push")).to_be_enabled(timeout=PATIENCE_MS)
    bob.page.locator("#push").click()
    bob.expect_text("The browser’s push service did not answer")
    expect(bob.page.locator("#push")).not_to_be_checked()
    bob.problems.clear()  # the browser says so itself, in the log
