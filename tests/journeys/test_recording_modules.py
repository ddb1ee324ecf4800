"""The modules of recording by themselves: where the pictures stand, what a browser stores, who is in the mix."""

from __future__ import annotations

import pytest

from tests.journeys.test_modules import Run, files, page, run

__all__ = ["files", "page", "run"]

pytestmark = pytest.mark.journey

LAYOUT = """
  const { layout } = await import("/js/media/mosaic.js");
  const rounded = ({ x, y, width, height }) => [x, y, width, height].map(Math.round);
  const places = (...screens) => layout(screens).map(rounded);
"""
STORE = """
  const { RecordingStore } = await import("/js/media/recording_store.js");
  const store = await RecordingStore.open();
  const recording = (recordingId, more = {}) => ({ recordingId, callId: "call", userId: "alice", type: "audio/webm",
    startedAtMs: Date.now(), durationMs: 0, sizeBytes: 0, pieces: 1, ...more });
  const ids = async (callId = "call", userId = "alice") =>
    (await store.ofCall(callId, userId)).map(({ recordingId }) => recordingId);
  for (const id of await ids()) await store.remove(id); // of the test before: all pages here are of one browser
"""
RECORDER = """
  const { CallRecorder } = await import("/js/media/call_recorder.js");
  const context = new AudioContext();
  const tone = () => {
    const out = context.createMediaStreamDestination();
    const oscillator = new OscillatorNode(context, { frequency: 440 });
    oscillator.connect(out);
    oscillator.start();
    return out.stream.getAudioTracks()[0];
  };
  const source = (key, audio) => ({ key, name: key, audio, video: null, screen: null });
  const pieces = [];
  const until = async (is) => { while (!is()) await new Promise((resolve) => setTimeout(resolve, 20)); };
  const heard = async () => {
    const bytes = await new Blob(pieces.map(({ blob }) => blob)).arrayBuffer();
    const sound = await new OfflineAudioContext(1, 48000, 48000).decodeAudioData(bytes);
    const samples = sound.getChannelData(0);
    return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
  };
"""


# ── pictures ──


def test_one_picture_fills_the_frame(run: Run) -> None:
    assert run(f"{LAYOUT} return places(false);") == [[8, 8, 1264, 704]]


def test_four_pictures_stand_in_a_square(run: Run) -> None:
    assert run(f"{LAYOUT} return places(false, false, false, false).map(([x, y]) => [x, y]);") == [
        [8, 8],
        [644, 8],
        [8, 364],
        [644, 364],
    ]


def test_a_screen_is_large_and_the_people_stand_beside_it(run: Run) -> None:
    screen, *people = run(f"{LAYOUT} return places(true, false, false);")
    assert screen[2] > 900
    assert all(x > screen[0] + screen[2] and width < 300 for x, _, width, _ in people)


# ── storage ──


def test_pieces_come_back_as_one_in_their_order(run: Run) -> None:
    body = """
      await store.append(recording("r"), new Blob(["one "]));
      await store.append(recording("r", { pieces: 2, sizeBytes: 7 }), new Blob(["two"]));
      const [stored] = await store.ofCall("call", "alice");
      const blob = await store.blob(stored);
      return [stored.sizeBytes, blob.type, await blob.text()];
    """
    assert run(STORE + body) == [7, "audio/webm", "one two"]


def test_somebody_else_at_the_same_browser_finds_nothing(run: Run) -> None:
    body = """
      await store.append(recording("r"), new Blob(["x"]));
      return [await ids(), await ids("call", "bob"), await ids("other")];
    """
    assert run(STORE + body) == [["r"], [], []]


def test_what_was_removed_is_gone_and_the_others_stay(run: Run) -> None:
    body = """
      for (const id of ["a", "b"]) await store.append(recording(id), new Blob([id]));
      await store.remove("a");
      return [await ids(), (await store.blob(recording("a"))).size, (await store.blob(recording("b"))).size];
    """
    assert run(STORE + body) == [["b"], 0, 1]


def test_what_nobody_came_back_for_is_removed_after_a_week(run: Run) -> None:
    body = """
      const ago = (days) => ({ startedAtMs: Date.now() - days * 86_400_000 });
      await store.append(recording("old", ago(8)), new Blob(["x"]));
      await store.append(recording("young", ago(6)), new Blob(["x"]));
      store.close();
      const again = await RecordingStore.open();
      return (await again.ofCall("call", "alice")).map(({ recordingId }) => recordingId);
    """
    assert run(STORE + body) == ["young"]


# ── the mix ──


def test_who_is_taken_is_heard_in_the_recording(run: Run) -> None:
    body = """
      const recorder = new CallRecorder("audio", (piece) => pieces.push(piece));
      recorder.take([source("a", tone()), source("b", tone())]);
      await until(() => recorder.elapsedMs > 1_500);
      await recorder.stop();
      return [recorder.type, pieces.at(-1).durationMs >= 1_500, (await heard()) > 0.05];
    """
    assert run(RECORDER + body) == ["audio/webm", True, True]


def test_who_is_not_taken_is_not_in_it(run: Run) -> None:
    body = """
      const recorder = new CallRecorder("audio", (piece) => pieces.push(piece));
      const left = tone();
      recorder.take([]);
      await until(() => recorder.elapsedMs > 1_000);
      await recorder.stop();
      return [left.readyState, (await heard()) < 0.001];
    """
    assert run(RECORDER + body) == ["live", True]


def test_a_pause_is_no_part_of_its_length(run: Run) -> None:
    body = """
      const recorder = new CallRecorder("audio", (piece) => pieces.push(piece));
      recorder.take([source("a", tone())]);
      recorder.pause();
      const before = recorder.elapsedMs;
      await new Promise((resolve) => setTimeout(resolve, 300));
      const after = recorder.elapsedMs;
      recorder.resume();
      await until(() => recorder.elapsedMs > after);
      await recorder.stop();
      return before === after;
    """
    assert run(RECORDER + body) is True


# A browser's recorder that the test gets hold of, and the sounds' contexts that were made; both are put back.
BROKEN = f"""
  {RECORDER}
  const [RealRecorder, RealContext] = [MediaRecorder, AudioContext];
  const made = []; const contexts = []; let told = 0;
  const breaks = (at) => {{
    globalThis.MediaRecorder = class extends RealRecorder {{
      constructor(...all) {{ if (at === "constructor") throw new Error("no"); super(...all); made.push(this); }}
      start(ms) {{ if (at === "start") throw new Error("no"); super.start(ms); }}
    }};
    globalThis.AudioContext = class extends RealContext {{
      constructor(...all) {{ super(...all); contexts.push(this); }}
    }};
    try {{ return new CallRecorder("audio", (piece) => pieces.push(piece), () => {{ told += 1; }}); }}
    finally {{ [globalThis.MediaRecorder, globalThis.AudioContext] = [RealRecorder, RealContext]; }}
  }};
"""


def test_a_recorder_that_ends_by_itself_is_told_once_with_what_it_had(run: Run) -> None:
    body = """
      const recorder = breaks("nothing"); recorder.take([source("a", tone())]);
      await until(() => recorder.elapsedMs > 500);
      made[0].stop(); await until(() => told > 0); await recorder.stop();
      return [told, pieces.length > 0, contexts.map(({ state }) => state)];
    """
    assert run(BROKEN + body) == [1, True, ["closed"]]


def test_a_recorder_that_is_asked_to_stop_is_not_broken(run: Run) -> None:
    body = 'const recorder = breaks("nothing"); recorder.take([source("a", tone())]); await recorder.stop();'
    assert run(f"{BROKEN} {body} return told;") == 0


def test_a_recorder_that_does_not_begin_is_told_and_can_be_stopped(run: Run) -> None:
    body = """
      const recorder = breaks("start"); recorder.take([source("a", tone())]); recorder.take([]);
      await recorder.stop(); return [told, contexts.map(({ state }) => state)];
    """
    assert run(BROKEN + body) == [1, ["closed"]]


def test_where_the_browser_refuses_to_record_nothing_stays_open(run: Run) -> None:
    body = """
      let refused = ""; try { breaks("constructor"); } catch ({ message }) { refused = message; }
      await until(() => contexts[0].state === "closed"); return refused;
    """
    assert run(BROKEN + body) == "no"


def test_a_recording_that_the_browser_ends_is_interrupted(run: Run) -> None:
    body = """
      const { LocalRecording } = await import("/js/media/local_recording.js");
      const whys = []; const make = MediaRecorder; let made;
      globalThis.MediaRecorder = class extends make { constructor(...all) { super(...all); made = this; } };
      const local = new LocalRecording({ store, recordingId: "r", callId: "call", userId: "alice", media: "audio",
        onCutShort: (why) => whys.push(why) });
      globalThis.MediaRecorder = make;
      local.take([source("a", tone())]); made.stop();
      await until(() => whys.length > 0); await local.stop(); return whys;
    """
    assert run(STORE + RECORDER + body) == ["interrupted"]
