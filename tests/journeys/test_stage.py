"""A call of several people, as they see it: called in, shown, led by a host, spoken in by hand and by text."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.accessible import SOUND, faults, walk
from tests.journeys.browsing import PATIENCE_MS, READ_COUNTERS, Person

pytestmark = pytest.mark.journey

MakePerson = Callable[[str], Person]

CONNECTED_TO = "(count) => window.peers.filter((peer) => peer.connectionState === 'connected').length === count"


def shows(target: Locator) -> None:
    """It is to be seen, soon."""
    expect(target).to_be_visible(timeout=PATIENCE_MS)


def connected_to(someone: Person, count: int) -> None:
    """Waits until media flows between somebody and that many others."""
    someone.page.wait_for_function(CONNECTED_TO, arg=count, timeout=PATIENCE_MS)


def hears(someone: Person) -> None:
    """Sound goes on arriving."""
    before = someone.counters()["audio_packets"]
    someone.until(f"async () => (await ({READ_COUNTERS})()).audio_packets > {before}")


def three(person: MakePerson) -> tuple[Person, Person, Person]:
    """Alice has called Bob, and Carol into that call; of sound alone, for six pictures are much for one machine."""
    alice, bob, carol = person("alice"), person("bob"), person("carol")
    alice.button("Audio call to bob").click()
    alice.page.wait_for_url(re.compile("/call/"))
    bob.answer()
    connected_to(alice, 1)
    call_in(alice, "carol")
    carol.answer()
    for someone in (alice, bob, carol):
        connected_to(someone, 2)
    return alice, bob, carol


def call_in(someone: Person, username: str) -> None:
    """Calls somebody into the call, by the panel."""
    if not someone.page.locator("#panel-people").is_visible():
        someone.button("People").click()
    someone.page.locator("#panel").get_by_role("button", name="Add people").click()
    someone.page.get_by_label("Whom to call into this call").fill(username)
    someone.button(f"Call {username} into this call").click()


def row(page: Page, name: str) -> Locator:
    """Somebody's row in the list of people."""
    return page.locator("#panel-people .in-call", has=page.get_by_text(name, exact=True))


def test_a_call_of_two_grows_and_its_host_leads_it(person: MakePerson) -> None:
    alice, bob, carol = three(person)
    for someone in (alice, bob, carol):
        hears(someone)
        shows(someone.page.locator(".tile").nth(1))
    expect(carol.page.get_by_role("heading", level=1)).to_have_text("alice and bob")

    carol.page.keyboard.press("h")
    shows(alice.page.locator(".tile", has_text="carol").locator("[data-hand]"))
    shows(row(alice.page, "carol").locator("[data-hand]"))

    row(alice.page, "carol").get_by_role("button", name="More for carol").click()
    alice.button("Ask to mute").click()
    carol.page.locator(".toast").get_by_role("button", name="Mute").click()
    shows(row(alice.page, "carol").locator("[data-muted]"))

    row(alice.page, "carol").get_by_role("button", name="More for carol").click()
    alice.button("Remove from the call").click()
    alice.button("Remove").click()
    carol.expect_text("You were removed from the call")
    shows(row(alice.page, "carol").get_by_text("Was removed"))
    connected_to(bob, 1)
    hears(bob)


def test_who_leaves_a_call_of_three_leaves_the_others_in_it_and_the_host_ends_it_for_all(person: MakePerson) -> None:
    alice, bob, carol = three(person)
    bob.button("Leave").click()
    bob.expect_text("You have left the call")
    connected_to(alice, 1)
    hears(carol)
    alice.button("Call bob into this call").click()
    bob.page.get_by_role("button", name="Answer", exact=True).click()
    connected_to(alice, 2)
    alice.button("Leave").click()
    alice.button("End the call for everybody").click()
    for someone in (alice, bob, carol):
        someone.expect_text(re.compile("Talked for"))


def test_the_page_of_a_call_of_three_is_accessible(person: MakePerson) -> None:
    alice, bob, _carol = three(person)
    bob.page.keyboard.press("h")
    shows(alice.page.locator(".tile [data-hand]").first)
    assert faults(alice.page) == []
    alice.button("Close").click()
    assert walk(alice.page) == SOUND
    alice.page.keyboard.press("?")
    shows(alice.page.get_by_role("dialog", name="Keyboard shortcuts"))
    assert faults(alice.page) == []


def write(someone: Person, text: str) -> None:
    """Writes into the chat, which is open."""
    someone.page.get_by_label("Write to everybody in the call").fill(text)
    someone.page.keyboard.press("Enter")


def test_what_is_written_reaches_all_also_who_comes_later_and_stays_when_the_call_is_over(person: MakePerson) -> None:
    alice, bob, carol = person("alice"), person("bob"), person("carol")
    alice.button("Audio call to bob").click()
    bob.answer()
    connected_to(bob, 1)
    bob.button("Chat").click()
    write(bob, "<b>Look</b>: https://example.org/plan.")
    alice.page.locator(".toast").get_by_role("button", name="Read").click()
    link = alice.page.locator("#panel-chat").get_by_role("link", name="https://example.org/plan")
    expect(link).to_have_attribute("rel", "noopener noreferrer", timeout=PATIENCE_MS)
    expect(alice.page.locator(".chat-message-text")).to_have_text("<b>Look</b>: https://example.org/plan.")
    write(alice, "Thank you")
    expect(bob.page.locator(".chat-message-text").nth(1)).to_have_text("Thank you", timeout=PATIENCE_MS)
    assert faults(alice.page) == []

    alice.page.get_by_role("tab", name="People").click()
    call_in(alice, "carol")
    carol.answer()
    carol.button("Chat").click()
    expect(carol.page.locator(".chat-message-text")).to_have_count(2, timeout=PATIENCE_MS)

    alice.button("Leave").click()
    alice.button("End the call for everybody").click()
    bob.expect_text(re.compile("Talked for"))
    bob.page.reload()
    bob.button("Read the chat").click()
    expect(bob.page.locator(".chat-message-text")).to_have_text(["<b>Look</b>: https://example.org/plan.", "Thank you"])
    expect(bob.page.get_by_label("Write to everybody in the call")).to_be_hidden()


# What comes in as the second video of a connection.
SCREEN_ARRIVES = """
async () => {
  for (const peer of window.peers) {
    const [, screen] = peer.getReceivers().filter(({ track }) => track.kind === "video");
    for (const stats of (await screen?.getStats())?.values() ?? []) {
      if (stats.type === "inbound-rtp" && stats.framesDecoded > 0) return true;
    }
  }
  return false;
}
"""


def test_a_screen_is_shown_large_and_in_a_window_of_its_own_until_it_is_stopped(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    alice.button("Audio call to bob").click()
    bob.answer()
    connected_to(alice, 1)
    bob.button("Show screen").click()
    screen = alice.page.locator(".tile[data-kind=screen]")
    shows(screen)
    expect(screen).to_have_attribute("data-size", "large")
    expect(screen).to_contain_text("bob’s screen")
    alice.until(SCREEN_ARRIVES)
    alice.page.keyboard.press("i")
    alice.until("async () => document.pictureInPictureElement?.videoWidth > 0")
    alice.page.keyboard.press("i")
    alice.until("async () => document.pictureInPictureElement === null")
    screen.hover()
    screen.get_by_role("button", name="Show all at the same size").click()
    expect(screen).to_have_attribute("data-size", "usual")
    shows(bob.page.get_by_text("The others see your screen", exact=True).last)
    bob.button("Stop").click()
    expect(screen).to_have_count(0, timeout=PATIENCE_MS)
    alice.button("Hang up").click()
