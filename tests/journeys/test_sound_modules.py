"""The modules of one's own sound and picture by themselves: choices, devices, what is asked for, the ladder."""

from __future__ import annotations

import pytest

from tests.journeys.test_modules import BOTH_GROW, TALK, Run, files, page, run

__all__ = ["files", "page", "run"]

pytestmark = pytest.mark.journey

PREFERENCES = """
  const { MediaPreferences } = await import("/js/media/preferences.js");
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  const tabs = new EventTarget();
  const preferences = () => new MediaPreferences(storage, tabs);
"""

# Two microphones, a camera and a speaker that the test plugs in and pulls out; the tracks of them are real ones.
DEVICES = f"""
  {PREFERENCES}
  const {{ Inventory }} = await import("/js/media/inventory.js");
  const {{ LocalMedia }} = await import("/js/media/devices.js");
  const device = (kind, deviceId, label = deviceId, groupId = "") => ({{ kind, deviceId, label, groupId }});
  class Devices extends EventTarget {{
    there = [device("audioinput", "desk"), device("audioinput", "headset"), device("videoinput", "front")];
    asked = [];
    refused = null;
    async enumerateDevices() {{ return this.there; }}
    async getUserMedia(wanted) {{
      this.asked.push(wanted);
      const {{ exact }} = wanted.audio?.deviceId ?? {{}};
      if (exact && !this.there.some(({{ deviceId }}) => deviceId === exact)) {{
        throw new OverconstrainedError("deviceId");
      }}
      if (this.refused) throw new DOMException("", this.refused);
      return navigator.mediaDevices.getUserMedia({{ audio: Boolean(wanted.audio), video: Boolean(wanted.video) }});
    }}
    plug(there) {{ this.there = there; this.dispatchEvent(new Event("devicechange")); }}
    get microphones() {{
      return this.asked.filter(({{ audio }}) => audio).map(({{ audio }}) => audio.deviceId?.exact ?? null);
    }}
  }}
  const devices = new Devices(); const chosen = preferences();
  const media = new LocalMedia(devices, chosen);
  const notices = []; media.on("notice", ({{ kind, device }}) => notices.push([kind, device]));
  const until = async (is) => {{ while (!is()) await new Promise((resolve) => setTimeout(resolve, 10)); }};
  const named = (id) => ({{ id, label: id }});
"""
SDP = """
  const { asking } = await import("/js/media/sdp.js");
  const lines = (...all) => all.map((line) => `${line}\\r\\n`).join("");
"""
LADDER = """
  const { begin, NO_PICTURE, RUNGS, step } = await import("/js/media/ladder.js");
  const good = { loss: 0, roundTripMs: 50, bitsPerS: 3_000_000 };
  let nowMs = 1_000_000; let standing = begin(0, nowMs);
  const pass = (seconds, look, top = 0) => {
    for (let second = 0; second < seconds; second += 2) standing = step(standing, look, top, (nowMs += 2_000));
    return standing.rung;
  };
"""
GAUGE = """
  const { Gauge } = await import("/js/media/gauge.js"); const gauge = new Gauge();
  const report = (atMs, sent, lost, fields = {}) => new Map([
    ["out", { type: "outbound-rtp", packetsSent: sent }],
    ["in", { id: "in", type: "remote-inbound-rtp", localId: "out", timestamp: atMs, packetsLost: lost }],
    ["old", { type: "candidate-pair", id: "old", nominated: true, currentRoundTripTime: 9 }],
    ["pair", { type: "candidate-pair", id: "pair", nominated: true, ...fields }],
    ["transport", { type: "transport", selectedCandidatePairId: "pair" }],
  ]);
"""


# ── what is remembered ──


def test_choices_are_there_after_a_reload(run: Run) -> None:
    body = 'preferences().choose({ pushToTalk: true, microphone: { id: "a", label: "Desk" } });'
    said = run(f"{PREFERENCES} {body} return preferences().choices;")
    assert (said["pushToTalk"], said["microphone"], said["camera"]) == (True, {"id": "a", "label": "Desk"}, None)


def test_a_choice_in_another_tab_is_one_here(run: Run) -> None:
    body = """
      const here = preferences(); let told = 0; here.on("change", () => { told += 1; });
      preferences().choose({ saveData: "always" });
      tabs.dispatchEvent(new StorageEvent("storage", { key: "ringback.media" })); return [told, here.choices.saveData];
    """
    assert run(PREFERENCES + body) == [1, "always"]


@pytest.mark.parametrize("written", ["{", "7", '{"saveData": "sometimes", "microphone": 5, "pushToTalk": "yes"}'])
def test_what_cannot_be_read_counts_as_not_chosen(run: Run, written: str) -> None:
    said = run(f"{PREFERENCES} kept.set('ringback.media', `{written}`); return preferences().choices;")
    assert (said["saveData"], said["microphone"], said["pushToTalk"]) == ("auto", None, False)


def test_where_nothing_may_be_kept_a_choice_holds_for_the_page(run: Run) -> None:
    body = """
      const full = { getItem: () => { throw new Error("no"); }, setItem: () => { throw new Error("no"); } };
      const here = new MediaPreferences(full, tabs); here.choose({ pushToTalk: true }); return here.choices.pushToTalk;
    """
    assert run(PREFERENCES + body) is True


@pytest.mark.parametrize(
    ("remembered", "found"),
    [
        ('{ id: "b", label: "gone" }', "b"),
        ('{ id: "forgotten", label: "Headset" }', "b"),
        ('{ id: "forgotten", label: "" }', None),
        ("null", None),
    ],
)
def test_a_device_is_known_by_its_id_or_else_by_its_name(run: Run, remembered: str, found: str | None) -> None:
    body = f'return match([{{ id: "a", label: "" }}, {{ id: "b", label: "Headset" }}], {remembered})?.id ?? null;'
    assert run(f'const {{ match }} = await import("/js/media/inventory.js"); {body}') == found


def test_the_lists_leave_out_what_only_stands_for_another_device(run: Run) -> None:
    body = """
      const others = [["audioinput", "default"], ["audioinput", "communications"], ["audiooutput", ""]];
      devices.there.push(...others.map(([kind, id]) => device(kind, id)));
      const inventory = new Inventory(devices); await inventory.refresh();
      return Object.values(inventory.lists).map((list) => list.map(({ id }) => id));
    """
    assert run(DEVICES + body) == [["desk", "headset"], ["front"], []]


# ── devices ──


def test_the_remembered_microphone_is_asked_for(run: Run) -> None:
    body = 'chosen.choose({ microphone: named("headset") }); await media.open({ camera: false });'
    assert run(f"{DEVICES} {body} return devices.microphones;") == ["headset"]


def test_a_remembered_microphone_that_is_not_there_is_not(run: Run) -> None:
    body = 'chosen.choose({ microphone: named("lost") }); await media.open({ camera: false });'
    assert run(f"{DEVICES} {body} return devices.microphones;") == [None]


def test_a_microphone_that_goes_at_this_very_moment_is_replaced(run: Run) -> None:
    body = """
      chosen.choose({ microphone: named("headset") }); const { enumerateDevices } = devices;
      devices.enumerateDevices = async () => {
        const there = await enumerateDevices.call(devices); devices.there = there.slice(0, 1); return there;
      };
      await media.open({ camera: false }); return [devices.microphones, media.problems, media.muted];
    """
    assert run(DEVICES + body) == [["headset", None], [], False]


def test_switches_for_noise_and_echo_go_to_the_browser(run: Run) -> None:
    body = """
      await media.open({ camera: false }); chosen.choose({ noiseSuppression: false });
      await until(() => devices.asked.length === 2); const [, { audio }] = devices.asked;
      return [audio.noiseSuppression, audio.echoCancellation];
    """
    assert run(DEVICES + body) == [False, True]


def test_another_microphone_in_a_call_replaces_the_one_before_and_stays_muted(run: Run) -> None:
    body = """
      await media.open({ camera: false }); media.setMuted(true); const before = media.microphone;
      chosen.choose({ microphone: named("headset") }); await until(() => media.microphone !== before);
      return [before.readyState, media.microphone.enabled, devices.microphones, notices];
    """
    assert run(DEVICES + body) == ["ended", False, [None, "headset"], []]


def test_a_microphone_that_cannot_be_changed_to_leaves_the_one_before(run: Run) -> None:
    body = """
      await media.open({ camera: false }); const before = media.microphone; devices.refused = "NotReadableError";
      chosen.choose({ microphone: named("headset") }); await until(() => media.problems.length === 1);
      return [media.microphone === before, before.readyState, media.problems];
    """
    assert run(DEVICES + body) == [True, "live", [{"device": "microphone", "kind": "in_use"}]]


def test_a_microphone_that_is_pulled_out_is_replaced_by_another(run: Run) -> None:
    body = """
      chosen.choose({ microphone: named("headset") }); await media.open({ camera: false });
      const before = media.microphone; devices.there = [device("audioinput", "desk")]; before.stop(); before.onended();
      await until(() => media.microphone); await h.settle();
      return [devices.microphones, media.problems, notices, media.muted];
    """
    assert run(DEVICES + body) == [["headset", None], [], [["replaced", "microphone"]], False]


def test_the_chosen_one_is_used_again_when_it_comes_back(run: Run) -> None:
    body = """
      const all = devices.there; devices.there = [device("audioinput", "desk")];
      chosen.choose({ microphone: named("headset") }); await media.open({ camera: false });
      devices.plug(all); await until(() => notices.length > 0); return [devices.microphones, notices];
    """
    assert run(DEVICES + body) == [[None, "headset"], [["replaced", "microphone"]]]


def test_the_last_microphone_that_is_pulled_out_is_missed(run: Run) -> None:
    body = """
      await media.open({ camera: false }); devices.refused = "NotFoundError"; media.microphone.onended();
      await until(() => media.problems.length === 1); return [media.problems, media.muted];
    """
    assert run(DEVICES + body) == [[{"device": "microphone", "kind": "missing"}], True]


def test_who_goes_with_the_system_follows_it_to_another_microphone(run: Run) -> None:
    body = """
      devices.there = [device("audioinput", "default", "Default", "one"), ...devices.there];
      await media.open({ camera: false });
      devices.plug([device("audioinput", "default", "Default", "two"), ...devices.there.slice(1)]);
      await until(() => notices.length > 0); return [devices.asked.length, notices];
    """
    assert run(DEVICES + body) == [2, [["replaced", "microphone"]]]


def test_a_new_device_is_offered_and_not_taken(run: Run) -> None:
    body = """
      chosen.choose({ microphone: named("desk") }); await media.open({ camera: false });
      devices.plug([...devices.there, device("audioinput", "new")]); await until(() => notices.length > 0);
      return [devices.microphones, notices];
    """
    assert run(DEVICES + body) == [["desk"], [["found", "microphone"]]]


def test_a_telephone_gets_its_other_camera_only_after_the_first_is_released(run: Run) -> None:
    body = """
      devices.there.push(device("videoinput", "back")); await media.open({ camera: true }); const before = media.camera;
      let state; const { getUserMedia } = devices;
      devices.getUserMedia = (wanted) => { state = before.readyState; return getUserMedia.call(devices, wanted); };
      chosen.choose({ camera: named("back") }); await until(() => media.camera !== before);
      return [state, media.preview.getVideoTracks().length, devices.asked.at(-1).video.deviceId.exact];
    """
    assert run(DEVICES + body) == ["ended", 1, "back"]


def test_what_ended_while_nobody_looked_is_opened_anew(run: Run) -> None:
    body = """
      await media.open({ camera: false }); media.microphone.stop(); media.recover();
      await until(() => media.microphone?.readyState === "live"); return media.flowing.audio;
    """
    assert run(DEVICES + body) is True


def test_a_microphone_that_the_telephone_takes_away_is_silence_to_the_others(run: Run) -> None:
    body = """
      await media.open({ camera: false }); const before = media.flowing.audio;
      Object.defineProperty(media.microphone, "muted", { value: true }); media.microphone.onmute();
      return [before, media.flowing.audio, media.muted, media.interrupted];
    """
    assert run(DEVICES + body) == [True, False, False, ["microphone"]]


# ── push to talk ──


def test_with_push_to_talk_one_is_heard_only_while_one_holds(run: Run) -> None:
    body = """
      chosen.choose({ pushToTalk: true }); const mine = new LocalMedia(devices, chosen);
      await mine.open({ camera: false }); const heard = [!mine.muted];
      mine.setTalking(true); heard.push(!mine.muted); mine.setTalking(false); heard.push(!mine.muted); return heard;
    """
    assert run(DEVICES + body) == [False, True, False]


def test_push_to_talk_that_is_switched_on_in_a_call_mutes(run: Run) -> None:
    body = """
      await media.open({ camera: false }); const heard = [!media.muted];
      for (const pushToTalk of [true, false]) { chosen.choose({ pushToTalk }); heard.push(!media.muted); } return heard;
    """
    assert run(DEVICES + body) == [True, False, True]


OTHER_TAB = """
  await media.open({ camera: false });
  const elsewhere = (choices) => {
    preferences().choose(choices); tabs.dispatchEvent(new StorageEvent("storage", { key: "ringback.media" }));
  };
"""


def test_push_to_talk_that_is_switched_off_in_another_tab_opens_no_microphone_here(run: Run) -> None:
    body = "chosen.choose({ pushToTalk: true }); elsewhere({ pushToTalk: false }); return media.muted;"
    assert run(DEVICES + OTHER_TAB + body) is True


def test_push_to_talk_that_is_switched_on_in_another_tab_mutes_here(run: Run) -> None:
    assert run(f"{DEVICES} {OTHER_TAB} elsewhere({{ pushToTalk: true }}); return media.muted;") is True


def test_who_had_muted_themselves_stays_muted_without_push_to_talk(run: Run) -> None:
    body = "media.setMuted(true); for (const pushToTalk of [true, false]) chosen.choose({ pushToTalk });"
    assert run(f"{DEVICES} await media.open({{ camera: false }}); {body} return media.muted;") is True


def test_a_device_that_the_browser_does_not_name_is_told_without_a_name(run: Run) -> None:
    body = 'return noticeWords({ kind: "replaced", device: "microphone", entry: { id: "a", label: "" } });'
    said = run(f'const {{ noticeWords }} = await import("/js/strings/sound.js"); {body}')
    assert said == "Another microphone is used now."


# ── what the other side is asked for ──


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("a=fmtp:111 minptime=10", "a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1"),
        ("a=fmtp:111 minptime=10;useinbandfec=0", "a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1"),
        ("a=ptime:20", "a=fmtp:111 useinbandfec=1;usedtx=1"),
    ],
)
def test_opus_is_asked_for_error_correction_and_silence_that_costs_nothing(run: Run, given: str, asked: str) -> None:
    offer = f'lines("m=audio 9 UDP 111 0", "a=rtpmap:111 opus/48000/2", "{given}", "a=rtpmap:0 PCMU/8000")'
    assert asked in run(f"{SDP} return asking({offer});").split("\r\n")


def test_nothing_is_asked_of_a_codec_that_is_not_offered(run: Run) -> None:
    offer = 'lines("v=0", "m=audio 9 UDP 0", "a=rtpmap:0 PCMU/8000", "a=fmtp:0 x=1")'
    assert run(f"{SDP} return asking({offer}) === {offer};") is True


def test_where_data_is_saved_each_picture_has_a_bound(run: Run) -> None:
    offer = 'lines("m=audio 9 UDP 0", "c=IN IP4 0.0.0.0", "m=video 9 UDP 96", "c=IN IP4 0.0.0.0", "a=mid:1")'
    said = run(f"{SDP} return asking({offer}, {{ videoBitsPerS: 400_000 }});").split("\r\n")
    assert said[2:7] == ["m=video 9 UDP 96", "c=IN IP4 0.0.0.0", "b=AS:400", "b=TIAS:400000", "a=mid:1"]


def test_a_browser_understands_what_it_is_asked_and_sends_by_it(run: Run) -> None:
    ask = "(sdp) => { const said = asking(sdp, { videoBitsPerS: 100_000 }); asked.push(said); return said; }"
    body = f"""
      {SDP} const asked = [];
      const p = h.pair({{ b: {{ asking: {ask} }} }}); {TALK}
      const target = async () => [...(await p.a.stats()).values()].find((e) => e.targetBitrate && e.kind === "video");
      let sending = null; const endMs = performance.now() + 15_000;
      while (!sending && performance.now() < endMs) {{ await h.settle(); sending = await target(); }}
      {BOTH_GROW} return [asked[0].includes("usedtx=1"), sending.targetBitrate <= 100_000, stuck];
    """
    assert run(body) == [True, True, [[], []]]


@pytest.mark.parametrize(
    ("choice", "network", "saves"),
    [
        ("always", "{}", True),
        ("never", '{ saveData: true, type: "cellular" }', False),
        ("auto", "{ saveData: true }", True),
        ("auto", '{ type: "cellular" }', True),
        ("auto", '{ type: "wifi", saveData: false }', False),
        ("auto", "undefined", False),
    ],
)
def test_data_is_saved_where_one_wants_it_or_the_browser_says_so(
    run: Run, choice: str, network: str, saves: bool
) -> None:
    body = f'return savesData("{choice}", {network} ?? {{}});'
    assert run(f'const {{ savesData }} = await import("/js/media/network.js"); {body}') is saves


# ── the ladder ──


def test_a_good_path_carries_the_whole_picture(run: Run) -> None:
    assert run(f"{LADDER} return pass(60, good);") == 0


def test_a_bad_path_carries_less_and_less_and_at_last_no_picture(run: Run) -> None:
    body = "return Array.from({ length: 5 }, () => pass(4, { ...good, loss: 0.08 })).concat(NO_PICTURE);"
    assert run(LADDER + body) == [1, 2, 3, 4, 4, 4]


def test_a_path_on_which_words_are_missing_carries_no_picture_at_once(run: Run) -> None:
    assert run(f"{LADDER} return pass(2, {{ ...good, loss: 0.3 }}) === NO_PICTURE;") is True


def test_a_queue_on_the_way_counts_like_loss(run: Run) -> None:
    assert run(f"{LADDER} return pass(4, {{ ...good, roundTripMs: 900 }});") == 1


@pytest.mark.parametrize(("bits_per_s", "rung"), [(800_000, 0), (300_000, 1), (200_000, 2), (120_000, 3), (70_000, 4)])
def test_the_picture_is_as_large_as_the_path_is_wide(run: Run, bits_per_s: int, rung: int) -> None:
    assert run(f"{LADDER} return pass(6, {{ ...good, bitsPerS: {bits_per_s} }});") == rung


def test_one_bad_look_right_after_a_change_is_the_change_itself(run: Run) -> None:
    assert run(f"{LADDER} pass(4, {{ ...good, loss: 0.08 }}); return pass(2, {{ ...good, loss: 0.08 }});") == 1


def test_a_picture_that_stopped_comes_back_step_by_step(run: Run) -> None:
    body = "pass(2, { ...good, loss: 0.5 }); return [pass(8, good), pass(2, good), pass(10, good), pass(20, good)];"
    assert run(LADDER + body) == [4, 3, 2, 0]


def test_who_falls_again_after_climbing_waits_twice_as_long(run: Run) -> None:
    body = """
      const bad = { ...good, loss: 0.5 }; pass(2, bad); pass(10, good); pass(2, bad);
      return [pass(18, good), pass(2, good)];
    """
    assert run(LADDER + body) == [4, 3]


def test_a_metered_network_is_never_given_more(run: Run) -> None:
    assert run(f"{LADDER} return [pass(2, good, 2), pass(60, good, 2), pass(10, good, 0)];") == [2, 2, 1]


# ── what is seen of a path ──


def test_loss_is_counted_between_two_words_of_the_other_end(run: Run) -> None:
    body = "const looks = [report(1, 100, 0), report(1, 180, 0), report(2, 300, 20)].map((r) => gauge.look(r).loss);"
    assert run(f"{GAUGE} {body} return looks;") == [None, None, 0.1]


def test_a_single_packet_of_a_silent_microphone_is_no_bad_network(run: Run) -> None:
    body = "const looks = [report(1, 100, 0), report(2, 105, 1), report(3, 140, 1)].map((r) => gauge.look(r).loss);"
    assert run(f"{GAUGE} {body} return looks;") == [None, None, 0.025]


def test_round_trip_and_room_are_those_of_the_path_in_use(run: Run) -> None:
    body = "const seen = gauge.look(report(1, 1, 0, { currentRoundTripTime: 0.25, availableOutgoingBitrate: 5e5 }));"
    assert run(f"{GAUGE} {body} return [seen.roundTripMs, seen.bitsPerS];") == [250, 500_000]


# ── sound first ──


def test_the_picture_stops_and_comes_back_and_the_sound_has_the_right_of_way(run: Run) -> None:
    body = f"""
      const {{ AudioFirst }} = await import("/js/media/audio_first.js");
      const p = h.pair(); {TALK}
      await h.growing(() => h.counters(p.b));
      const clock = new h.Clock(); let lost = false;
      const connection = new Proxy(p.a.connection, {{ get: (target, name) => {{
        if (name === "getStats") return async () => told();
        const value = target[name]; return typeof value === "function" ? value.bind(target) : value;
      }} }});
      let sent = 0; let missing = 0;
      const told = () => {{
        sent += 100; missing += lost ? 50 : 0;
        return new Map([["o", {{ type: "outbound-rtp", packetsSent: sent }}],
          ["r", {{ id: "r", type: "remote-inbound-rtp", localId: "o", timestamp: sent, packetsLost: missing }}]]);
      }};
      const media = {{ microphone: tracks.audio, camera: tracks.video, saving: false }};
      const first = new AudioFirst({{ peers: new Map([["b", {{ connection }}]]), media, screen: {{}}, clock }});
      const sending = () => p.a.connection.getSenders().filter((s) => s.track);
      const encodings = () => sending().map((s) => [s.track.kind, s.getParameters().encodings[0]]);
      const look = async () => {{ await clock.pass(2_000); await first.look(); return first.sentTo("b"); }};
      const words = [await look(), await look()]; lost = true; words.push(await look());
      const [[, sound], [, picture]] = encodings(); lost = false;
      for (let count = 0; count < 6; count += 1) words.push(await look());
      const back = encodings()[1][1].active; p.a.close(); p.b.close();
      return [words, sound.priority, sound.active, picture.active, back];
    """
    words, priority, sound, picture, back = run(body)
    assert words[:3] == ["whole", "whole", "paused"]
    assert words[-1] == "smaller"
    assert (priority, sound, picture, back) == ("high", True, False, True)


def test_a_shared_screen_moves_less_before_it_becomes_unsharp_and_stops_before_the_sound(run: Run) -> None:
    body = """
      const { AudioFirst } = await import("/js/media/audio_first.js");
      const clock = new h.Clock(); const track = {}; const said = []; let sent = 0; let missing = 0; let lost = 0;
      const setParameters = async ({ encodings: [{ active, maxFramerate, scaleResolutionDownBy, maxBitrate }] }) => {
        said.push(active ? [maxFramerate, scaleResolutionDownBy, maxBitrate] : null);
      };
      const sender = { track, getParameters: () => ({ encodings: [{}] }), setParameters };
      const getStats = async () => {
        sent += 100; missing += lost;
        return new Map([["o", { type: "outbound-rtp", packetsSent: sent }],
          ["r", { id: "r", type: "remote-inbound-rtp", localId: "o", timestamp: sent, packetsLost: missing }]]);
      };
      const connection = { connectionState: "connected", getSenders: () => [sender], getStats };
      const media = { microphone: null, camera: null, saving: false };
      const first = new AudioFirst({ peers: new Map([["b", { connection }]]), media, screen: { track }, clock });
      const look = async () => { await clock.pass(4_000); await first.look(); };
      await look(); await look(); lost = 10;
      for (let count = 0; count < 6; count += 1) await look();
      return said;
    """
    assert run(body) == [[30, 1, 2_500_000], [10, 1, 2_500_000], [5, 1, 1_200_000], [3, 1, 300_000], None]


def test_a_picture_that_no_packet_brings_any_more_is_stalled(run: Run) -> None:
    body = f"""
      const {{ AudioFirst }} = await import("/js/media/audio_first.js");
      const p = h.pair(); {TALK} await h.growing(() => h.counters(p.b));
      const peers = new Map([["a", p.b]]); const nothing = {{ microphone: null, camera: null, saving: false }};
      const first = new AudioFirst({{ peers, media: nothing, screen: {{}} }});
      const [id] = p.b.connection.getReceivers().filter((r) => r.track.kind === "video").map((r) => r.track.id);
      const seen = []; let changes = 0; first.on("change", () => {{ changes += 1; }});
      await first.look(); seen.push(first.isStalled("a", id));
      const sender = p.a.connection.getSenders().find((s) => s.track?.kind === "video");
      const parameters = sender.getParameters(); parameters.encodings[0].active = false;
      await sender.setParameters(parameters);
      const endMs = performance.now() + 15_000;
      while (!first.isStalled("a", id) && performance.now() < endMs) {{
        await new Promise((resolve) => setTimeout(resolve, 200)); await first.look();
      }}
      seen.push(first.isStalled("a", id)); p.a.close(); p.b.close(); return [seen, changes];
    """
    assert run(body) == [[False, True], 1]
