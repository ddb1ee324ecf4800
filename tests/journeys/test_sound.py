"""One's own sound and picture in real calls: tried, chosen, changed, muted, held back where the network is weak."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import CDPSession, expect

from tests.journeys.accessible import faults
from tests.journeys.browsing import PATIENCE_MS, Person

pytestmark = pytest.mark.journey

MakePerson = Callable[[str], Person]

# The loudness of what comes from the other, summed up over the time it took (W3C webrtc-stats, totalAudioEnergy).
HEARD = """
async () => {
  const heard = { energy: 0, seconds: 0 };
  for (const peer of window.peers) {
    if (peer.connectionState !== "connected") continue;
    for (const stats of (await peer.getStats()).values()) {
      if (stats.type !== "inbound-rtp" || stats.kind !== "audio") continue;
      heard.energy += stats.totalAudioEnergy;
      heard.seconds += stats.totalSamplesDuration;
    }
  }
  return heard;
}
"""
# The mean power of the next two seconds that are heard; the microphone of the tests beeps once in each.
POWER = f"""
async () => {{
  const look = {HEARD};
  const before = await look();
  for (;;) {{
    const now = await look();
    if (now.seconds - before.seconds >= 2) return (now.energy - before.energy) / (now.seconds - before.seconds);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }}
}}
"""
MICROPHONE = """
() => {
  const [peer] = window.peers.filter(({ connectionState }) => connectionState === "connected");
  return peer?.getSenders().find(({ track }) => track?.kind === "audio")?.track.label ?? null;
}
"""
UNPLUG = """
() => {
  for (const peer of window.peers) {
    const track = peer.getSenders().find((sender) => sender.track?.kind === "audio")?.track;
    track?.stop();
    track?.dispatchEvent(new Event("ended"));
  }
}
"""
# Until two seconds were as silent as that.
SILENCE = f"""
async (limit) => {{
  while (await ({POWER})() > limit);
  return true;
}}
"""
FIRST_DEVICE = "Fake Audio Input 1"
SECOND_DEVICE = "Fake Audio Input 2"


def expect_silence(person: Person, loud: float) -> None:
    """What comes from the other is a thousandth of what it was, or less, for two seconds."""
    person.page.wait_for_function(SILENCE, arg=loud / 1_000, timeout=PATIENCE_MS)


def in_a_call(caller: Person, callee: Person) -> None:
    """The two of them talk, with sound and picture."""
    caller.call(callee.username)
    callee.answer()
    caller.expect_media()
    callee.expect_media()


def network_of(person: Person) -> CDPSession:
    """The network of the person's browser; only connections that are made after this can lose packets."""
    network = person.context.new_cdp_session(person.page)
    network.send("Network.enable")
    lose(network, percent=0)
    return network


def lose(network: CDPSession, *, percent: int) -> None:
    """So many of the packets of media that are sent and received are lost from now on."""
    conditions = {"urlPattern": "", "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    lossy = conditions | {"packetLoss": percent, "packetQueueLength": 1000}
    network.send("Network.emulateNetworkConditionsByRule", {"offline": False, "matchedNetworkConditions": [lossy]})


def speaks_through(person: Person, label: str) -> None:
    """The person's sound goes out from that microphone."""
    person.page.wait_for_function(f"(label) => ({MICROPHONE})() === label", arg=label, timeout=PATIENCE_MS)


def at_sound(person: Person) -> None:
    """In a call, the person opens the dialog for sound and picture."""
    person.button("More").click()
    person.page.get_by_role("button", name="Sound and picture").click()


def leaves_sound(person: Person) -> None:
    """… and closes it again."""
    person.page.locator("#sound").get_by_role("button", name="Close").click()


def test_a_microphone_that_was_tried_and_chosen_is_that_of_the_next_call_and_changes_in_it(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    alice.page.goto("/settings#sound")
    alice.button("Try microphone and camera").click()
    alice.expect_text("Your microphone works.")
    alice.page.wait_for_function("() => document.querySelector('[data-sound] video').videoWidth > 0")
    assert faults(alice.page) == []
    alice.page.get_by_label("Microphone", exact=True).select_option(label=FIRST_DEVICE)
    alice.button("Play a sound").click()
    expect(alice.button("Play a sound")).not_to_have_attribute("aria-busy", "true", timeout=PATIENCE_MS)
    alice.page.goto("/")
    in_a_call(alice, bob)
    speaks_through(alice, FIRST_DEVICE)
    at_sound(alice)
    assert faults(alice.page) == []
    alice.page.get_by_label("Microphone", exact=True).select_option(label=SECOND_DEVICE)
    speaks_through(alice, SECOND_DEVICE)
    leaves_sound(alice)
    bob.expect_media()
    alice.page.evaluate(UNPLUG)
    alice.expect_text("The microphone is now")
    assert bob.page.evaluate(POWER) > 0
    bob.button("Hang up").click()


def test_muted_is_silence_at_the_other_end_and_held_is_heard(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    in_a_call(alice, bob)
    bob.page.wait_for_function("() => navigator.mediaSession.metadata?.title === 'alice'")
    loud = bob.page.evaluate(POWER)
    alice.button("Mute").click()
    bob.expect_text(re.compile("muted", re.IGNORECASE))
    assert loud > 0
    expect_silence(bob, loud)

    at_sound(alice)
    alice.page.get_by_role("switch", name="Push to talk").check()
    leaves_sound(alice)
    alice.expect_text("Hold the space bar to talk")
    alice.page.keyboard.down(" ")
    alice.expect_text("You are heard")
    assert bob.page.evaluate(POWER) > loud / 10
    alice.page.keyboard.up(" ")
    alice.expect_text("Hold the space bar to talk")
    expect_silence(bob, loud)

    button = alice.button("Hold to talk")
    button.hover()
    alice.page.mouse.down()
    alice.expect_text("You are heard")
    alice.page.mouse.up()
    alice.expect_text("Hold the space bar to talk")
    alice.button("Hang up").click()


def test_a_call_is_answered_after_one_has_tried_microphone_and_camera(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    alice.call("bob")
    bob.page.get_by_role("link", name="Try microphone and camera first").click()
    bob.page.wait_for_url(re.compile("/call/"))
    bob.expect_text("Your microphone works.")
    bob.page.locator("#sound").get_by_role("button", name="Answer").click()
    alice.expect_media()
    bob.expect_media()
    alice.button("Hang up").click()


def test_a_weak_network_costs_the_picture_and_not_the_sound_and_both_read_why(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    alice.call("bob")
    network = network_of(alice)
    bob.answer()
    alice.expect_media()
    bob.expect_media()
    lose(network, percent=30)
    alice.expect_text("Your picture is paused, so that your voice comes through.")
    bob.expect_text("Picture paused: weak network")
    assert bob.page.evaluate(POWER) > 0
    lose(network, percent=0)
    expect(bob.page.get_by_text("Picture paused: weak network")).to_be_hidden(timeout=3 * PATIENCE_MS)
    bob.expect_media()
    alice.button("Hang up").click()
