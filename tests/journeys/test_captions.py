"""Captions: a person's voice as text, recognised in their own browser, read by the others, kept with the call."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.browsing import PATIENCE_MS, Person
from tests.journeys.conftest import MakePerson

pytestmark = pytest.mark.journey

RECORDING = Path(__file__).parent / "speech" / "sense_and_sensibility.ogg"
SPOKEN = (
    "and mister john dashwood had then leisure to consider how much there might be prudently in his power "
    "to do for them he was not an ill disposed young man unless to be rather cold hearted and rather selfish is to be "
    "ill disposed"
)
MOST_ERRORS = 0.3
"""Of the words. With time to compute it is a fifth of that (docs/captions.md); on a machine that has none left over,
sound drops out on its way to the model."""
MODEL_WITHIN_MS = 100_000
"""50 MB are loaded and compiled on one core, beside a call."""
HEARD_WITHIN_MS = 150_000
LOOK_EVERY_MS = 1_000
NEARLY_ALL_WORDS = 38
"""Of 44: so many come only when the last sentence has come."""

# The microphone of somebody who reads aloud when `speak` is called, and says nothing else.
READER = """
(bytes) => {
  const context = new AudioContext();
  const mouth = context.createMediaStreamDestination();
  const breath = new ConstantSourceNode(context, { offset: 0 });
  breath.connect(mouth);
  breath.start(); // without it nothing at all is sent, not even silence
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = wanted.video ? await ask({ video: wanted.video }) : new MediaStream();
    if (wanted.audio) stream.addTrack(mouth.stream.getAudioTracks()[0].clone());
    return stream;
  };
  window.speak = async () => {
    const recording = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
    const buffer = await context.decodeAudioData(recording.buffer);
    await context.resume();
    const voice = new AudioBufferSourceNode(context, { buffer });
    voice.connect(mouth);
    voice.start();
  };
}
"""


def word_error_rate(spoken: str, heard: str) -> float:
    """The words to be put in, taken out or changed, by the words that were spoken (Levenshtein)."""
    said, text = spoken.split(), plain(heard).split()
    before = list(range(len(text) + 1))
    for count, word in enumerate(said, 1):
        now = [count]
        for at, other in enumerate(text, 1):
            now.append(min(before[at] + 1, now[-1] + 1, before[at - 1] + (word != other)))
        before = now
    return before[-1] / len(said)


def plain(text: str) -> str:
    """As the words were written down: small letters, no signs."""
    return re.sub(r"\bmr\b", "mister", re.sub(r"[^a-z ]+", " ", text.lower().replace("-", " ")))


def whole_transcript(someone: Person, call_id: str) -> str:
    """All that was kept of what was said, as soon as the last sentence is there."""
    for _ in range(HEARD_WITHIN_MS // LOOK_EVERY_MS):
        items = someone.page.request.get(f"/api/v1/calls/{call_id}/transcript").json()["items"]
        text = " ".join(item["text"] for item in items)
        if len(plain(text).split()) >= NEARLY_ALL_WORDS:
            return text
        someone.page.wait_for_timeout(LOOK_EVERY_MS)
    raise AssertionError(f"not all that was said has come: {text}")


def reading_aloud(someone: Person) -> Person:
    """A person who reads the recording aloud."""
    bytes_of_it = base64.b64encode(RECORDING.read_bytes()).decode()
    someone.page.add_init_script(f"({READER})('{bytes_of_it}')")
    someone.page.reload()
    return someone


def test_what_somebody_says_is_read_by_the_others_and_stays_with_the_call(person: MakePerson) -> None:
    alice, bob = reading_aloud(person("alice")), person("bob")
    alice.call("bob")
    bob.answer()
    bob.expect_media()
    alice.button("More").click()
    alice.button("Caption what I say (English)").click()
    expect(alice.page.locator("#own-captions")).to_have_attribute("data-state", "on", timeout=MODEL_WITHIN_MS)

    alice.page.evaluate("speak()")
    caption = bob.page.locator(".caption").first
    expect(caption).to_contain_text(re.compile("John", re.IGNORECASE), timeout=HEARD_WITHIN_MS)
    expect(caption).to_contain_text("alice")
    call_id = bob.page.url.rpartition("/")[2]
    text = whole_transcript(bob, call_id)
    assert word_error_rate(SPOKEN, text) <= MOST_ERRORS, text

    bob.button("Hang up").click()
    for someone in (alice, bob):
        someone.button("Transcript").click()
        lines = someone.page.locator(".transcript-line")
        expect(lines.first).to_contain_text("Dashwood", timeout=PATIENCE_MS)
        expect(lines.first).to_contain_text("alice")
