"""A call is recorded while everybody in it agrees: asked for, seen by all, ended by any of them, kept afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.journeys.browsing import PATIENCE_MS, Person

pytestmark = pytest.mark.journey

MakePerson = Callable[[str], Person]

SECONDS_RECORDED = 4

# Waits until so many seconds are written down in the browser's own storage; a busy machine encodes slowly.
WRITTEN = """
async ([seconds, patienceMs]) => {
  const asked = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
  for (const endMs = performance.now() + patienceMs; performance.now() < endMs; ) {
    const database = await asked(indexedDB.open("ringback-recordings"));
    const all = await asked(database.transaction("recordings").objectStore("recordings").getAll());
    database.close();
    if (all.some((each) => each.durationMs >= 1000 * seconds && each.sizeBytes > 2000 * seconds)) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}
"""

# The recording as it is kept: what it is, how long its sound is and how loud as a whole, and how large its picture.
DECODE = """
async (player) => {
  const response = await fetch(player.src);
  const bytes = await response.clone().arrayBuffer();
  const sound = await new OfflineAudioContext(1, 48000, 48000).decodeAudioData(bytes);
  const samples = sound.getChannelData(0);
  const rms = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
  return { type: response.headers.get("Content-Type"), seconds: sound.duration, rms, bytes: bytes.byteLength };
}
"""

SILENCE = 0.001
"""-60 dB: what is left of a quiet room. The beeps of Chromium's fake microphone are some 100 times as loud."""


def bar(person: Person) -> Locator:
    """What says that the call is recorded."""
    return person.page.get_by_role("region", name="Recording of this call")


def expect_recorded(*people: Person) -> None:
    """Everybody sees it: on the page, and in its title."""
    for person in people:
        expect(bar(person)).to_contain_text("recording this call", timeout=PATIENCE_MS)
        expect(person.page).to_have_title(re.compile("^● Recording"))


def expect_over(*people: Person) -> None:
    for person in people:
        expect(bar(person)).to_be_hidden(timeout=PATIENCE_MS)
        expect(person.page).not_to_have_title(re.compile("Recording"))


def ask(person: Person) -> None:
    """Asks everybody whether the call may be recorded."""
    person.button("More").click()
    person.page.get_by_role("button", name="Record this call").click()
    person.button("Ask everybody").click()


def agree(person: Person, asker: str) -> None:
    dialog = person.page.get_by_role("dialog", name=f"{asker} would like to record this call")
    dialog.get_by_role("button", name="Agree", exact=True).click()


def talking(caller: Person, callee: Person, media: str = "audio") -> None:
    """The two hear each other."""
    call = caller.api("POST", "/calls", {"callees": [callee.username], "media": media})
    caller.page.goto(f"/call/{call['call_id']}")
    callee.answer()
    for person in (caller, callee):
        expect(person.page.locator("#call")).to_have_attribute("data-phase", "in_call", timeout=PATIENCE_MS)


def record_some(person: Person) -> None:
    """So long that some pieces of it are written down."""
    assert person.page.evaluate(WRITTEN, [SECONDS_RECORDED, 3 * PATIENCE_MS])


def test_a_recording_is_agreed_to_withdrawn_from_and_kept_with_the_call(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    talking(alice, bob, "video")
    ask(alice)
    expect(bar(alice)).to_contain_text("Waiting for bob to agree", timeout=PATIENCE_MS)
    agree(bob, "alice")
    expect_recorded(alice, bob)
    record_some(alice)
    bar(bob).get_by_role("button", name="Withdraw consent").click()
    expect_over(alice, bob)
    alice.expect_text(re.compile("bob has withdrawn their consent"))
    alice.button("Hang up").click()

    kept = alice.page.get_by_role("region", name="Recordings")
    expect(kept).to_contain_text(
        re.compile("alice asked at .*bob agreed at .* and withdrew that at"), timeout=PATIENCE_MS
    )
    kept.get_by_role("button", name="Keep with the call").click()
    expect(kept).to_contain_text("Kept with the call for everybody who took part", timeout=PATIENCE_MS)

    bob.page.reload()
    theirs = bob.page.get_by_role("region", name="Recordings")
    expect(theirs).to_contain_text("Recording by alice", timeout=PATIENCE_MS)
    expect(theirs.get_by_role("button", name="Delete")).to_be_hidden()
    player = theirs.locator("video")
    found = player.evaluate(DECODE)
    assert found["type"] == "video/webm"
    assert found["seconds"] >= SECONDS_RECORDED - 2
    assert found["rms"] > 10 * SILENCE
    bob.page.wait_for_function("document.querySelector('#recordings video').videoWidth === 1280", timeout=PATIENCE_MS)

    kept.get_by_role("button", name="Delete").click()
    alice.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(kept).to_contain_text("Nothing of it is kept with the call", timeout=PATIENCE_MS)


def test_a_reload_of_whoever_records_ends_it_and_loses_next_to_nothing(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    talking(alice, bob)
    ask(alice)
    agree(bob, "alice")
    expect_recorded(alice, bob)
    record_some(alice)
    alice.page.reload()
    expect_over(bob, alice)
    bob.expect_text(re.compile("interrupted at alice’s"))
    expect(alice.page.locator("#call")).to_have_attribute("data-phase", "in_call", timeout=PATIENCE_MS)
    bob.button("Hang up").click()
    here = alice.page.get_by_role("region", name="Recordings")
    expect(here).to_contain_text("Only in this browser", timeout=PATIENCE_MS)
    alice.page.wait_for_function("document.querySelector('#recordings audio').readyState > 0", timeout=PATIENCE_MS)
    with alice.page.expect_download() as download:
        here.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.endswith(".webm")
    here.get_by_role("button", name="Delete").click()
    alice.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(here).to_contain_text("Nothing of it is kept with the call", timeout=PATIENCE_MS)


def test_whoever_comes_later_is_asked_and_it_waits_for_them(person: MakePerson) -> None:
    alice, bob, carol = person("alice"), person("bob"), person("carol")
    talking(alice, bob)
    ask(alice)
    agree(bob, "alice")
    expect_recorded(alice, bob)
    alice.api("POST", f"/calls/{alice.page.url.rpartition('/')[2]}/invite", {"usernames": ["carol"]})
    carol.answer()
    for each in (alice, bob):
        expect(bar(each)).to_contain_text("The recording is paused, waiting for carol to agree", timeout=PATIENCE_MS)
    expect(bar(carol)).to_contain_text("alice records this call. It is paused until you agree.", timeout=PATIENCE_MS)
    agree(carol, "alice")
    expect_recorded(alice, bob, carol)
    bar(alice).get_by_role("button", name="Stop recording").click()
    expect_over(alice, bob, carol)
    ask(alice)
    dialog = carol.page.get_by_role("dialog", name="alice would like to record this call")
    dialog.get_by_role("button", name="Do not agree").click()
    bob.expect_text("carol did not agree to the recording.")
    expect_over(alice, bob, carol)
