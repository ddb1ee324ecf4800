"""Gaps in what somebody hears: a tone that never pauses goes in at one end, and at the other its silences are counted.

The counting is done by the audio thread of the listener's browser, sample by sample, so that a busy page hides nothing
and adds nothing. The context needs ``bypass_csp``: the counter is a script of the test's own.
"""

from __future__ import annotations

from tests.journeys.browsing import Person

# The microphone is a tone of 440 Hz.
TONE = """
(() => {
  const native = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (asked) => {
    const stream = await native(asked);
    const [microphone] = stream.getAudioTracks();
    if (!microphone) return stream;
    const context = new AudioContext();
    const tone = context.createOscillator();
    const line = context.createMediaStreamDestination();
    tone.connect(line);
    tone.start();
    microphone.stop();
    stream.removeTrack(microphone);
    stream.addTrack(line.stream.getAudioTracks()[0]);
    return stream;
  };
})();
"""

# Listens to whatever the page plays, also when it changes over to another stream.
LISTEN = """
(() => {
  const counter = `
    registerProcessor("silence", class extends AudioWorkletProcessor {
      #silent = 0; #longest = 0; #heard = false;
      constructor() {
        super();
        this.port.onmessage = ({ data }) => {
          if (data === "begin") { this.#longest = 0; this.#silent = 0; }
          const longestMs = Math.max(this.#longest, this.#silent) / sampleRate * 1000;
          this.port.postMessage({ heard: this.#heard, longestMs });
        };
      }
      process([input]) {
        const loud = input.some((channel) => channel.some((sample) => Math.abs(sample) > 0.01));
        if (loud) { this.#heard = true; this.#longest = Math.max(this.#longest, this.#silent); this.#silent = 0; }
        else if (this.#heard) this.#silent += 128;
        return true;
      }
    });`;
  const context = new AudioContext();
  const ready = context.audioWorklet.addModule(URL.createObjectURL(new Blob([counter], { type: "text/javascript" })))
    .then(() => new AudioWorkletNode(context, "silence"));
  ready.then((node) => node.connect(context.destination));
  const sources = new Map();
  const { get, set } = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "srcObject");
  Object.defineProperty(HTMLMediaElement.prototype, "srcObject", {
    get,
    set(stream) {
      set.call(this, stream);
      if (this.muted) return;
      sources.get(this)?.disconnect();
      if (!stream?.getAudioTracks().length) return;
      const source = context.createMediaStreamSource(stream);
      sources.set(this, source);
      ready.then((node) => source.connect(node));
    },
  });
  window.silence = async (ask) => {
    const node = await ready;
    return new Promise((resolve) => {
      node.port.onmessage = ({ data }) => resolve(data);
      node.port.postMessage(ask);
    });
  };
})();
"""


def speak(someone: Person) -> None:
    """From the next page on a tone comes from their microphone."""
    someone.context.add_init_script(TONE)


def listen(someone: Person) -> None:
    """From the next page on what they hear is counted."""
    someone.context.add_init_script(LISTEN)


def begin_counting(someone: Person) -> None:
    """Waits until the tone is heard; gaps count from now on."""
    someone.until("async () => (await window.silence('look')).heard")
    someone.page.evaluate("window.silence('begin')")


def longest_gap_ms(someone: Person) -> float:
    """The longest silence since then."""
    gap: float = someone.page.evaluate("async () => (await window.silence('look')).longestMs")
    return gap
