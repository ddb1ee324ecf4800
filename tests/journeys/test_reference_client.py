"""A browser and the reference client call each other: what one says, the other hears."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect

from tests.client.loopback import dominant_hz, write_tone
from tests.journeys.browsing import CHROMIUM_FLAGS, PATIENCE_MS, Person
from tests.journeys.conftest import Demo

pytestmark = pytest.mark.journey

REPOSITORY = Path(__file__).parents[2]
ENDS_WITHIN_S = 30
PHONE_HZ, BROWSER_HZ = 440, 880
TALK_S = 3.0
"""Long enough for the encoder, the jitter buffer and the half second that is measured."""
BYTES_PER_S = 2 * 48_000

# The strongest frequency of what arrives from the other side, in Hz, and how loud that is (0–255).
LISTEN = """
async () => {
  const peer = window.peers.find((each) => each.connectionState === 'connected');
  const track = peer.getReceivers().map((each) => each.track).find((each) => each.kind === 'audio');
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const bins = new Uint8Array(analyser.frequencyBinCount);
  window.listen = () => {
    analyser.getByteFrequencyData(bins);
    const strongest = bins.indexOf(Math.max(...bins));
    return { hz: strongest * context.sampleRate / analyser.fftSize, loudness: bins[strongest] };
  };
}
"""

CONNECTED = "() => window.peers.some((each) => each.connectionState === 'connected')"

HEARS = "([low, high]) => { const now = window.listen(); return now.loudness > 100 && low < now.hz && now.hz < high; }"


class Softphone:
    """``ringback-softphone`` in a process of its own: says a tone, records what it hears."""

    def __init__(self, process: subprocess.Popen[str], heard: Path) -> None:
        self._process = process
        self.heard = heard

    def wait_for(self, line: str) -> None:
        """Reads what it tells until that line."""
        assert self._process.stdout is not None
        told = []
        for text in self._process.stdout:
            told.append(text.rstrip())
            if text.rstrip() == line:
                return
        raise AssertionError(f"it did not say {line!r}: {told}")

    def wait_until_heard(self, seconds: float) -> None:
        """Waits until it has recorded so much."""
        deadline_s = time.monotonic() + PATIENCE_MS / 1000
        while self.heard.stat().st_size < seconds * BYTES_PER_S:
            assert time.monotonic() < deadline_s, f"only {self.heard.stat().st_size} bytes were heard"
            time.sleep(0.05)

    def end(self) -> int:
        """Waits for its end; returns its exit code."""
        return self._process.wait(ENDS_WITHIN_S)


@pytest.fixture
def softphone(demo: Demo, tmp_path: Path) -> Iterator[Callable[..., Softphone]]:
    """Starts softphones: ``softphone("bob", "wait")``, ``softphone("bob", "call", "alice")``."""
    started: list[tuple[subprocess.Popen[str], threading.Timer]] = []

    def start(username: str, *arguments: str) -> Softphone:
        tone, heard = write_tone(tmp_path / "tone.wav", PHONE_HZ, seconds=60), tmp_path / "heard.wav"
        line = [*arguments, "--play", tone, "--record", heard, "--url", demo.url, "--username", username]
        process = subprocess.Popen(
            [sys.executable, "-c", "from ringback_client.softphone import main; main()", *map(str, line)],
            env=os.environ
            | {"PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1", "RINGBACK_PASSWORD": demo.password},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        watchdog = threading.Timer(2 * ENDS_WITHIN_S, process.kill)  # no read of a test waits for ever
        watchdog.start()
        started.append((process, watchdog))
        return Softphone(process, heard)

    yield start
    for process, watchdog in started:
        watchdog.cancel()
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(scope="module")
def speaking_browser(
    _playwright: Playwright, chromium_path: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """A Chromium with a tone for its microphone."""
    tone = write_tone(tmp_path_factory.mktemp("tone") / "tone.wav", BROWSER_HZ, seconds=10)
    flags = [*CHROMIUM_FLAGS, f"--use-file-for-fake-audio-capture={tone}"]
    browser = _playwright.chromium.launch(executable_path=chromium_path, args=flags)
    yield browser
    browser.close()


@pytest.fixture
def alice(speaking_browser: Browser, demo: Demo) -> Iterator[Person]:
    """Alice at a browser, signed in."""
    someone = Person(speaking_browser, demo.url, "alice", demo.password)
    someone.sign_in()
    yield someone
    someone.close()
    assert someone.problems == []


def loudness(path: Path) -> float:
    """The root of the mean square of the last half second of a 16-bit mono wav file, of 32,767."""
    with wave.open(str(path), "rb") as file:
        file.setpos(max(0, file.getnframes() - file.getframerate() // 2))
        samples = memoryview(file.readframes(file.getframerate() // 2)).cast("h")
    return math.sqrt(sum(sample * sample for sample in samples) / max(1, len(samples)))


def expect_to_hear(someone: Person, frequency_hz: int) -> None:
    """The page hears that tone."""
    someone.page.wait_for_function(CONNECTED, timeout=PATIENCE_MS)
    someone.page.evaluate(LISTEN)
    someone.page.wait_for_function(HEARS, arg=[frequency_hz - 12, frequency_hz + 12], timeout=PATIENCE_MS)


def test_a_browser_calls_the_reference_client_and_each_hears_the_others_tone(
    alice: Person, softphone: Callable[..., Softphone]
) -> None:
    bob = softphone("bob", "wait")
    bob.wait_for("waiting for a call")
    alice.call("bob")
    bob.wait_for("connected: sound flows both ways")
    expect_to_hear(alice, PHONE_HZ)
    bob.wait_until_heard(TALK_S)
    alice.button("Hang up").click()
    assert bob.end() == 0
    assert dominant_hz(bob.heard) == BROWSER_HZ
    assert loudness(bob.heard) > 300


def test_the_reference_client_calls_a_browser_and_each_hears_the_others_tone(
    alice: Person, softphone: Callable[..., Softphone]
) -> None:
    bob = softphone("bob", "call", "alice", "--for", str(2 * TALK_S))
    expect(alice.button("Answer")).to_be_visible(timeout=PATIENCE_MS)
    alice.answer()
    bob.wait_for("connected: sound flows both ways")
    expect_to_hear(alice, PHONE_HZ)
    bob.wait_for("the call is over: hangup")
    assert bob.end() == 0
    assert dominant_hz(bob.heard) == BROWSER_HZ
    assert loudness(bob.heard) > 300
