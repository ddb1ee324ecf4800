"""The modules of voicemail by themselves: levels, the waveform as a slider, the recorder, the player."""

from __future__ import annotations

import pytest

from tests.journeys.test_modules import Run, files, page, run

__all__ = ["files", "page", "run"]

pytestmark = pytest.mark.journey

LEVELS = 'const { heights, inSteps, loudness } = await import("/js/media/levels.js");'
RECORDER = 'const { VoiceRecorder } = await import("/js/media/recorder.js");'
PLAYER = 'const { Player } = await import("/js/media/player.js");'
WAVEFORM = """
  const { Waveform } = await import("/js/ui/waveform.js");
  document.body.innerHTML = "<div id=w></div>";
  const root = document.querySelector("#w");
  root.style.width = "200px";
  root.style.height = "40px";
  const sought = [];
  const waveform = new Waveform(root, (timeS) => { sought.push(timeS); waveform.show(timeS); });
  const press = (key) => root.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }));
"""
UNTIL = """
  const until = async (is) => { while (!is()) await new Promise((resolve) => setTimeout(resolve, 20)); };
"""
RECORDED = f"""
  {RECORDER} {UNTIL}
  const recorder = new VoiceRecorder(60_000);
  await recorder.start();
  await until(() => recorder.elapsedMs > 1_800);
  recorder.stop();
  await until(() => recorder.state === "recorded");
  const {{ blob, durationMs, levels }} = recorder.recording;
"""


# ── levels ──


@pytest.mark.parametrize(("amplitude", "level"), [("0", 0), ("0.0001", 0), ("0.02", 46), ("0.2", 88), ("1", 100)])
def test_loudness_is_in_even_steps_for_the_ear(run: Run, amplitude: str, level: int) -> None:
    assert run(f"{LEVELS} return loudness(new Float32Array(512).fill({amplitude}));") == level


def test_of_levels_that_fall_together_the_loudest_stays(run: Run) -> None:
    assert run(f"{LEVELS} return inSteps([1, 9, 2, 3, 8, 0], 3);") == [9, 3, 8]
    assert run(f"{LEVELS} return inSteps([1, 9], 3);") == [1, 9]


def test_the_loudest_moment_fills_the_height(run: Run) -> None:
    assert run(f"{LEVELS} return heights([0, 40, 80]);") == [0, 0.5, 1]


def test_silence_is_not_blown_up(run: Run) -> None:
    assert run(f"{LEVELS} return heights([0, 4]);") == [0, 0.1]


# ── the waveform ──


def test_a_waveform_is_a_slider_that_says_where_it_is(run: Run) -> None:
    body = "waveform.set([1, 2], 83.4); waveform.show(61); return [...root.attributes].map((a) => [a.name, a.value]);"
    said = dict(run(WAVEFORM + body))
    assert (said["role"], said["tabindex"], said["aria-valuemin"], said["aria-valuemax"]) == ("slider", "0", "0", "83")
    assert (said["aria-valuenow"], said["aria-valuetext"]) == ("61", "1:01 of 1:23")


@pytest.mark.parametrize(
    ("key", "time_s"),
    [("ArrowRight", 35), ("ArrowUp", 35), ("ArrowLeft", 25), ("ArrowDown", 25), ("PageUp", 45), ("PageDown", 15)],
)
def test_keys_move_through_a_long_message(run: Run, key: str, time_s: int) -> None:
    assert run(f'{WAVEFORM} waveform.set([1], 100); waveform.show(30); press("{key}"); return sought;') == [time_s]


def test_keys_move_through_a_short_message_in_small_steps_and_not_beyond_it(run: Run) -> None:
    body = 'waveform.set([1], 2); for (const key of ["Right", "Left", "Left"]) press(`Arrow${key}`); press("End");'
    assert run(f'{WAVEFORM} {body} press("ArrowRight"); press("Home"); return sought;') == [0.2, 0, 0, 2, 2, 0]


def test_other_keys_are_left_alone(run: Run) -> None:
    assert run(f'{WAVEFORM} waveform.set([1], 9); return [press("Tab"), press("a"), sought];') == [True, True, []]


def test_pointing_at_a_place_seeks_it(run: Run) -> None:
    body = """
      waveform.set([1], 100);
      root.setPointerCapture = () => {};
      const { left } = root.getBoundingClientRect();
      const at = (type, x) => root.dispatchEvent(new PointerEvent(type, { clientX: left + x, button: 0 }));
      at("pointerdown", 50); at("pointermove", 100); at("pointermove", 900); at("pointerup", 0); at("pointermove", 10);
      return sought;
    """
    assert run(WAVEFORM + body) == [25, 50, 100]


def test_a_message_without_levels_is_drawn_as_well(run: Run) -> None:
    assert "NaN" not in run(f'{WAVEFORM} waveform.set([], 3); return root.querySelector("path").getAttribute("d");')


# ── the recorder ──


def test_a_recording_has_its_length_and_its_levels(run: Run) -> None:
    kind, size, ms, levels = run(RECORDED + "return [blob.type, blob.size, durationMs, levels];")
    assert kind == "audio/webm" and size > 1_000
    assert 1_800 <= ms < 10_000
    assert 1 <= len(levels) <= 128 and max(levels) > 60  # the fake microphone beeps


def test_a_recorder_stops_by_itself_and_keeps_what_it_has(run: Run) -> None:
    body = "const r = new VoiceRecorder(400); await r.start(); await until(() => r.state === 'recorded'); "
    assert run(f"{RECORDER} {UNTIL} {body} return r.recording.durationMs;") == 400


def test_a_microphone_is_released_when_the_recording_ends(run: Run) -> None:
    body = """
      const made = [];
      const devices = { getUserMedia: async (wanted) => {
        made.push(await navigator.mediaDevices.getUserMedia(wanted));
        return made.at(-1);
      } };
      const r = new VoiceRecorder(9_000, devices);
      await r.start(); r.stop(); await until(() => r.state !== "recording");
      await r.start(); r.discard(); await until(() => made[1].getTracks()[0].readyState === "ended");
      return made.map((stream) => stream.getTracks()[0].readyState);
    """
    assert run(f"{RECORDER} {UNTIL} {body}") == ["ended", "ended"]


@pytest.mark.parametrize(
    ("error", "kind"), [("NotAllowedError", "denied"), ("NotFoundError", "missing"), ("NotReadableError", "in_use")]
)
def test_why_a_microphone_cannot_be_used_is_told(run: Run, error: str, kind: str) -> None:
    devices = f'{{ getUserMedia: async () => {{ throw new DOMException("no", "{error}"); }} }}'
    body = f"const r = new VoiceRecorder(9_000, {devices}); await r.start(); return [r.state, r.problem];"
    assert run(RECORDER + body) == ["idle", kind]


def test_a_page_that_is_not_secure_has_no_microphone(run: Run) -> None:
    assert run(RECORDER + "const r = new VoiceRecorder(9_000, null); await r.start(); return r.problem;") == "insecure"


def test_who_gives_up_while_the_browser_asks_is_not_recorded(run: Run) -> None:
    body = """
      let give; let stream;
      const asked = new Promise((resolve) => { give = resolve; });
      const devices = { getUserMedia: async (wanted) => {
        await asked;
        stream = await navigator.mediaDevices.getUserMedia(wanted);
        return stream;
      } };
      const r = new VoiceRecorder(9_000, devices);
      const starting = r.start(); r.discard(); give(); await starting;
      return [r.state, stream.getTracks()[0].readyState];
    """
    assert run(RECORDER + body) == ["idle", "ended"]


# ── the player ──


def test_a_recording_plays_and_says_where_it_is(run: Run) -> None:
    body = """
      const player = new Player();
      player.load(URL.createObjectURL(blob), durationMs / 1000);
      await player.play();
      await until(() => player.timeS > 0.3);
      const playing = player.playing;
      player.pause();
      await until(() => !player.playing);
      return [playing, player.failed];
    """
    assert run(RECORDED + PLAYER + body) == [True, False]


def test_a_recording_is_played_within_the_tap_that_asks_for_it(run: Run) -> None:
    body = """
      const player = new Player();
      player.load(URL.createObjectURL(blob), durationMs / 1000);
      let asked = false;
      player.element.play = async () => { asked = true; };
      player.play();
      return asked;
    """
    assert run(RECORDED + PLAYER + body) is True


def test_seeking_in_what_plays_goes_on_playing_from_there(run: Run) -> None:
    body = """
      const player = new Player();
      player.load(URL.createObjectURL(blob), durationMs / 1000);
      await player.play();
      player.seek(1.2);
      const shown = [player.playing, player.timeS];
      await player.play();
      await until(() => player.timeS > 1.25);
      return [...shown, player.failed];
    """
    assert run(RECORDED + PLAYER + body) == [True, 1.2, False]


def test_a_recording_without_an_index_can_be_jumped_through(run: Run) -> None:
    body = """
      const player = new Player();
      player.load(URL.createObjectURL(blob), durationMs / 1000);
      player.seek(1.2);
      const wanted = player.timeS;
      await player.play();
      const began = player.timeS;
      player.pause();
      return [wanted, began >= 1.1 && began < 1.7];
    """
    assert run(RECORDED + PLAYER + body) == [1.2, True]


def test_a_recording_that_was_played_to_the_end_begins_again(run: Run) -> None:
    body = """
      const player = new Player();
      player.load(URL.createObjectURL(blob), durationMs / 1000);
      player.speed = 2;
      player.seek(1.3);
      await player.play();
      await until(() => !player.playing);
      await player.play();
      return [player.playing, player.timeS < 1, player.speed];
    """
    assert run(RECORDED + PLAYER + body) == [True, True, 2]


def test_what_cannot_be_played_is_told(run: Run) -> None:
    body = "const p = new Player(); p.load(URL.createObjectURL(new Blob(['no'])), 3); await p.play(); return p.failed;"
    assert run(PLAYER + body) is True
