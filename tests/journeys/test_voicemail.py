"""A message after a call that nobody answered: left, heard of, listened to, answered with a call, deleted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.accessible import SOUND, faults, walk
from tests.journeys.browsing import PATIENCE_MS, Person
from tests.journeys.conftest import Demo, serving

pytestmark = pytest.mark.journey

MakePerson = Callable[[str], Person]

TALK_S = 2

# What really comes out of the loudspeaker, or would: the largest loudness (root mean square of 43 ms) in 1.5 s of
# what the page's audio element plays.
LISTEN = """
() => {
  const Native = window.Audio;
  window.loudest = 0;
  window.Audio = class extends Native {
    constructor(...args) {
      super(...args);
      const context = new AudioContext();
      const analyser = new AnalyserNode(context, { fftSize: 2048 });
      context.createMediaElementSource(this).connect(analyser).connect(context.destination);
      const samples = new Float32Array(2048);
      setInterval(() => {
        analyser.getFloatTimeDomainData(samples);
        const rms = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
        if (!this.paused) window.loudest = Math.max(window.loudest, rms);
      }, 20);
    }
  };
}
"""

# The recording as it is stored: its length in seconds, and its loudness as a whole.
DECODE = """
async (id) => {
  const response = await fetch(`/api/v1/voicemail/${id}/audio`);
  const context = new OfflineAudioContext(1, 48000, 48000);
  const audio = await context.decodeAudioData(await response.arrayBuffer());
  const samples = audio.getChannelData(0);
  const rms = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
  return { type: response.headers.get("Content-Type"), seconds: audio.duration, rms };
}
"""

SILENCE = 0.001
"""-60 dB: what is left of a quiet room. The beeps of Chromium's fake microphone are some 100 times as loud."""


@pytest.fixture(scope="module")
def demo(hasty_demo: Demo) -> Demo:
    """The server on which nobody waits long for an answer."""
    return hasty_demo


def ask(person: Person, method: str, path: str) -> None:
    """A request of that person's, beside what their page does; whether it is refused does not matter."""
    tokens = [cookie["value"] for cookie in person.context.cookies() if cookie["name"] == "_xsrf"]
    person.page.request.fetch(f"/api/v1{path}", method=method, headers={"X-XSRFToken": tokens[0]})


def rung_out(caller: Person, callee: str) -> None:
    """The caller has called, and nobody has answered."""
    caller.page.goto("/")
    caller.call(callee)
    caller.expect_text(f"{callee} did not answer")


def declined(caller: Person, callee: Person) -> None:
    """The caller has called, and the callee does not want to talk now (or, on a busy machine, was too late)."""
    caller.page.goto("/")
    caller.call(callee.username)
    call_id = caller.page.url.rpartition("/")[2]
    ask(callee, "POST", f"/calls/{call_id}/decline")
    caller.expect_text(re.compile("declined|did not answer"))


def record(caller: Person, seconds: float = TALK_S) -> None:
    """The caller says something, and has not sent it yet."""
    caller.button("Leave a message").click()
    expect(caller.button("Stop")).to_be_visible(timeout=PATIENCE_MS)
    caller.page.wait_for_timeout(1000 * seconds)
    caller.button("Stop").click()
    expect(caller.button("Send")).to_be_visible(timeout=PATIENCE_MS)


def send(caller: Person, callee: str) -> None:
    """The message is on its way and has arrived."""
    caller.button("Send").click()
    caller.expect_text(f"{callee} has your message")


def leave(caller: Person, callee: Person) -> None:
    """The caller has left a message."""
    declined(caller, callee)
    record(caller)
    send(caller, callee.username)


def messages(person: Person) -> list[dict[str, Any]]:
    """Their messages, as the server keeps them."""
    items: list[dict[str, Any]] = person.page.request.get("/api/v1/voicemail").json()["items"]
    return items


def shown(page: Page) -> Any:
    """The messages on the page."""
    return page.locator("[data-voicemail-id]")


def clear(person: Person) -> None:
    """No messages of an earlier test are left."""
    for message in messages(person):
        ask(person, "DELETE", f"/voicemail/{message['voicemail_id']}")


def test_a_message_is_left_heard_called_back_and_deleted(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    clear(bob)
    rung_out(alice, "bob")
    record(alice)
    send(alice, "bob")

    expect(bob.page.locator('[data-unread="voicemail"]').first).to_contain_text("1", timeout=PATIENCE_MS)
    bob.page.add_init_script(f"({LISTEN})()")
    bob.page.get_by_role("link", name=re.compile("Voicemail")).click()
    (message,) = messages(bob)
    stored = bob.page.evaluate(DECODE, message["voicemail_id"])
    assert stored["type"] == "audio/webm"
    assert TALK_S - 0.5 < stored["seconds"] < TALK_S + 5
    assert abs(stored["seconds"] - message["duration_s"]) < 0.5
    assert stored["rms"] > 5 * SILENCE
    assert max(message["waveform"]) > 60

    expect(bob.page.get_by_text("1 new message")).to_be_visible(timeout=PATIENCE_MS)
    bob.button("Play the message from alice").click()
    bob.page.wait_for_function(f"() => window.loudest > {20 * SILENCE}", timeout=PATIENCE_MS)
    expect(bob.page.get_by_text("1 new message")).to_be_hidden(timeout=PATIENCE_MS)
    assert messages(bob)[0]["heard_at"] is not None

    bob.button("Call back alice").click()
    bob.page.wait_for_url(re.compile("/call/"))
    (latest,) = alice.page.request.get("/api/v1/calls?limit=1").json()["items"]
    assert (latest["created_by"]["username"], latest["direction"], latest["media"]) == ("bob", "incoming", "audio")
    ask(bob, "POST", f"/calls/{latest['call_id']}/cancel")  # or the next test's call would meet it half-way

    bob.page.goto("/voicemail")
    bob.button("Delete the message from alice").click()
    bob.expect_text("Message from alice deleted")
    bob.page.goto("/voicemail")  # what can still be undone is done when the page is left
    bob.expect_text("No messages")
    assert messages(bob) == []


def test_a_message_arrives_on_an_open_page_and_a_deletion_is_undone(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    clear(bob)
    bob.page.goto("/voicemail")
    bob.expect_text("No messages")
    leave(alice, bob)

    expect(shown(bob.page)).to_have_count(1, timeout=PATIENCE_MS)
    bob.expect_text("New")
    bob.button("Delete the message from alice").click()
    expect(bob.button("Undo")).to_be_focused()
    bob.page.keyboard.press("Enter")
    expect(bob.button("Play the message from alice")).to_be_visible()
    assert len(messages(bob)) == 1


def test_a_message_is_jumped_through_by_keyboard_at_another_speed(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    clear(bob)
    leave(alice, bob)
    bob.page.goto("/voicemail")
    place = bob.page.get_by_role("slider", name="Place in the message from alice")
    place.focus()
    bob.page.keyboard.press("End")
    expect(place).to_have_attribute("aria-valuetext", re.compile(r"0:0(\d) of 0:0\1"))
    bob.page.keyboard.press("Home")
    expect(place).to_have_attribute("aria-valuenow", "0")
    bob.button("Speed: 1 times").click()
    expect(bob.button("Speed: 1.5 times")).to_be_visible()
    bob.page.reload()
    expect(bob.button("Speed: 1.5 times")).to_be_visible()


def test_a_message_that_was_heard_or_deleted_elsewhere_is_so_here(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    clear(bob)
    leave(alice, bob)
    bob.page.goto("/voicemail")
    other = bob.open_page()
    other.goto("/voicemail")
    bob.button("Play the message from alice").click()
    expect(shown(other)).to_have_attribute("data-heard", "yes", timeout=PATIENCE_MS)
    clear(bob)
    expect(shown(other)).to_have_count(0, timeout=PATIENCE_MS)


def test_a_caller_listens_records_again_and_thinks_better_of_it(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    clear(bob)
    declined(alice, bob)
    record(alice, 1)
    alice.button("Play your message").click()
    expect(alice.button("Pause")).to_be_visible(timeout=PATIENCE_MS)
    alice.button("Record again").click()
    expect(alice.button("Stop")).to_be_visible(timeout=PATIENCE_MS)
    alice.button("Discard").click()
    expect(alice.button("Leave a message")).to_be_focused()
    assert messages(bob) == []


def test_a_recording_outlives_the_network(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    clear(bob)
    declined(alice, bob)
    record(alice, 1)
    alice.context.set_offline(True)
    alice.button("Send").click()
    alice.expect_text("The message was not sent")
    alice.context.set_offline(False)
    send(alice, "bob")
    assert len(messages(bob)) == 1
    alice.problems.clear()  # the console has said that the network was away


def test_a_caller_reads_why_the_microphone_cannot_be_used(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    declined(alice, bob)
    alice.page.evaluate(
        """() => {
          navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("no", "NotAllowedError"); };
        }"""
    )
    alice.button("Leave a message").click()
    alice.expect_text("Ringback may not use your microphone")
    expect(alice.button("Record again")).to_be_focused()


def test_nobody_is_offered_a_second_message_for_a_call(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    leave(alice, bob)
    alice.page.reload()
    expect(alice.button("Call again")).to_be_visible(timeout=PATIENCE_MS)
    expect(alice.button("Leave a message")).to_be_hidden()


def test_whoever_was_called_is_not_asked_for_a_message(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    declined(alice, bob)
    bob.page.goto(alice.page.url)
    expect(bob.button("Call again")).to_be_visible(timeout=PATIENCE_MS)
    expect(bob.button("Leave a message")).to_be_hidden()


def test_leaving_and_listening_are_for_everybody(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    clear(bob)
    declined(alice, bob)
    alice.button("Leave a message").click()
    expect(alice.button("Stop")).to_be_visible(timeout=PATIENCE_MS)
    assert faults(alice.page) == []
    alice.button("Stop").click()
    expect(alice.button("Send")).to_be_visible(timeout=PATIENCE_MS)
    assert faults(alice.page) == []
    assert walk(alice.page) == SOUND
    send(alice, "bob")
    assert faults(alice.page) == []
    bob.page.goto("/voicemail")
    expect(shown(bob.page)).to_have_count(1)
    assert faults(bob.page) == []
    assert walk(bob.page) == SOUND


def test_a_full_mailbox_is_told_in_words(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> None:
    with serving(tmp_path_factory.mktemp("full"), RINGBACK_VOICEMAIL__MAX_MESSAGES="1") as demo:
        alice, bob = (Person(browser, demo.url, name, demo.password) for name in ("alice", "bob"))
        alice.sign_in()
        bob.sign_in()
        leave(alice, bob)
        declined(alice, bob)
        record(alice, 1)
        alice.button("Send").click()
        alice.expect_text("Their mailbox is full")
        alice.close()
        bob.close()
