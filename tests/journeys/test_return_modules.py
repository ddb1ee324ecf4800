"""Whoever comes back as somebody new: which path is heard meanwhile, and what is remembered."""

from __future__ import annotations

import pytest

from tests.journeys.test_modules import CALL, TALK, Run, files, page, run

__all__ = ["files", "page", "run"]

pytestmark = pytest.mark.journey

OTHERS = """
  const { Others } = await import("/js/media/others.js");
  const clock = new h.Clock();
  const user = { id: "bob", username: "bob", display_name: "Bob" };
  const sending = (audio, video) => ({ audio, video, screen: false, hand: false });
  const bob = (fields = {}) => ({ leg_id: "bob", user, rank: 1, connection: "connected", media: sending(true, false),
    ...fields });
  const inbound = (kind, count) => ({ type: "inbound-rtp", kind, packetsReceived: count, framesDecoded: count });
  // Connections that say and carry what the test lets them, in the order in which they were made.
  const made = [];
  const others = new Others((participant, initiator) => async (events, isGone) => {
    const peer = {
      initiator, closed: false, carried: [], stream: { number: made.length }, restarts: 0,
      stats: async () => new Map(peer.carried.map((entry, index) => [index, entry])),
      restart() { peer.restarts += 1; },
      silence() { peer.silent = true; },
      close() { peer.closed = true; },
      become(path) { events.onState(path); },
      show() { events.onStream(peer.stream); },
    };
    made.push(peer);
    return isGone() ? null : peer;
  }, clock);
  const told = []; others.on("path", ({ path }) => told.push(path));
  const notices = []; others.on("notice", ({ kind }) => notices.push(kind));
  const shown = () => others.views.map(({ stream, path }) => [stream?.number ?? null, path]);
  const here = new Set(["bob"]);
  const connect = async (peer) => { peer.show(); peer.become("connected"); await h.settle(); };
  // Bob talks to us.
  others.joined(bob()); await h.settle(); await connect(made[0]);
"""
COMES_AGAIN = f"{OTHERS} others.joined(bob()); await h.settle();"


def test_whoever_comes_back_is_heard_by_the_path_of_before_until_the_new_one_carries_sound(run: Run) -> None:
    body = """
      const before = shown(); await connect(made[1]); await clock.pass(500); const meanwhile = shown();
      made[1].carried = [inbound("audio", 1)]; await clock.pass(100); return [before, meanwhile, shown()];
    """
    assert run(COMES_AGAIN + body) == [[[0, "connected"]], [[0, "connected"]], [[1, "connected"]]]


def test_where_there_is_a_picture_the_new_path_counts_once_it_has_one(run: Run) -> None:
    body = """
      others.joined(bob({ media: sending(true, true) })); await h.settle(); await connect(made[1]);
      made[1].carried = [inbound("audio", 9)]; await clock.pass(500); const [[before]] = shown();
      made[1].carried.push(inbound("video", 1)); await clock.pass(100); return [before, shown()[0][0]];
    """
    assert run(OTHERS + body) == [0, 1]


def test_a_new_path_that_carries_nothing_counts_after_2_s(run: Run) -> None:
    body = "await connect(made[1]); await clock.pass(1_999); const [[before]] = shown();"
    assert run(f"{COMES_AGAIN} {body} await clock.pass(1); return [before, shown()[0][0]];") == [0, 1]


def test_the_path_of_before_stays_2_s_for_the_other_side(run: Run) -> None:
    body = """
      made[1].carried = [inbound("audio", 1)]; await connect(made[1]);
      await clock.pass(1_999); const before = made[0].closed; await clock.pass(1); return [before, made[0].closed];
    """
    assert run(COMES_AGAIN + body) == [False, True]


def test_only_the_new_path_negotiates_with_whoever_has_come_back(run: Run) -> None:
    assert run(f"{COMES_AGAIN} return made.map(({{ silent }}) => silent ?? false);") == [True, False]


SILENCED = """
  const clock = new h.Clock(); const said = [];
  const peer = h.pair({ a: { clock, PeerConnectionClass: h.StubConnection, send: ({ type }) => said.push(type) } }).a;
  const connection = h.StubConnection.made.at(-1);
  peer.begin(); await h.settle(); connection.become("connected"); said.length = 0;
"""


@pytest.mark.parametrize(("silence", "restarts"), [("", 2), ("peer.silence();", 0)])
def test_a_path_of_before_is_not_looked_for_again(run: Run, silence: str, restarts: int) -> None:
    body = f'{silence} connection.become("disconnected"); peer.restart(); await clock.pass(7_000);'
    assert run(f"{SILENCED} {body} return connection.restarts;") == restarts


def test_a_path_of_before_stops_looking(run: Run) -> None:
    body = 'connection.become("disconnected"); peer.silence(); await clock.pass(60_000); return connection.restarts;'
    assert run(SILENCED + body) == 1


@pytest.mark.parametrize(("silence", "types"), [("", ["offer", "candidate"]), ("peer.silence();", [])])
def test_a_path_of_before_says_nothing_to_the_new_connection(run: Run, silence: str, types: list[str]) -> None:
    body = """
      connection.onnegotiationneeded(); await h.settle(); connection.onicecandidate({ candidate: null }); return said;
    """
    assert run(f"{SILENCED} {silence} {body}") == types


def test_another_camera_is_seen_by_the_path_of_before_without_a_word(run: Run) -> None:
    body = f"""
      const p = h.pair(); {TALK} await h.growing(() => h.counters(p.b), ["framesDecoded"]);
      p.a.silence(); const other = tracks.video.clone(); await p.a.setTrack("video", other);
      const [sender] = p.a.connection.getSenders().filter(({{ track }}) => track === other);
      await p.a.setTrack("screen", tracks.video.clone()); await h.settle();
      const state = p.a.connection.signalingState; p.a.close(); p.b.close(); return [sender !== undefined, state];
    """
    assert run(body) == [True, "stable"]


def test_a_connection_that_cannot_be_made_is_none(run: Run) -> None:
    body = """
      const { Other } = await import("/js/media/other.js"); const unhandled = [];
      const note = (event) => { unhandled.push(event.reason.message); event.preventDefault(); };
      addEventListener("unhandledrejection", note);
      const other = new Other({ leg_id: "bob" }, () => Promise.reject(new Error("no")), {}, new h.Clock());
      other.restart(); other.withPeers(() => {}); const peer = await other.peer; other.leave();
      await new Promise((resolve) => setTimeout(resolve, 50)); removeEventListener("unhandledrejection", note);
      return [peer, unhandled];
    """
    assert run(body) == [None, []]


def test_a_track_that_cannot_be_sent_leaves_the_others_as_they_are(run: Run) -> None:
    body = """
      const { tracksInto } = await import("/js/media/sent_media.js"); const set = [];
      const setTrack = async (kind) => { if (kind === "audio") throw new Error("no"); set.push(kind); };
      await tracksInto({ setTrack }, { microphone: null, camera: null }, { track: null }); return set;
    """
    assert run(body) == ["video", "screen"]


def test_a_screen_that_is_stopped_at_once_is_not_shown(run: Run) -> None:
    body = f"""
      const p = h.pair(); {TALK} await h.growing(() => h.counters(p.b), ["framesDecoded"]);
      const shown = tracks.video.clone();
      await Promise.all([p.a.setTrack("screen", shown), p.a.setTrack("screen", null)]);
      const sent = p.a.connection.getSenders().some(({{ track }}) => track === shown);
      p.a.close(); p.b.close(); return sent;
    """
    assert run(body) is False


def test_what_to_show_is_asked_once_at_a_time(run: Run) -> None:
    body = """
      const { ScreenShare } = await import("/js/media/screen.js"); let asked = 0;
      const track = { stop() {} };
      const getDisplayMedia = async () => { asked += 1; return { getVideoTracks: () => [track] }; };
      const screen = new ScreenShare({ getDisplayMedia });
      const shown = await Promise.all([screen.start(), screen.start()]); return [asked, shown];
    """
    assert run(body) == [1, [True, True]]


@pytest.mark.parametrize("state", ["left", "missed"])
def test_whoever_is_out_of_a_call_that_goes_on_sends_nothing_any_more(run: Run, state: str) -> None:
    body = f"""
      const s = session(active); await enter(s, active); let stopped = false; media.stop = () => {{ stopped = true; }};
      const [mine, ...others] = active.legs; const legs = [{{ ...mine, state: "{state}" }}, ...others];
      l.last().say("call", {{ seq: 1, call: {{ ...active, rev: 4, legs }} }});
      return [s.view.phase, stopped, l.last().closedWith];
    """
    assert run(CALL + body) == ["ended", True, 1000]


def test_whoever_leaves_waits_for_the_word_of_the_room(run: Run) -> None:
    body = """
      const legs = [...active.legs.map((leg) => ({ ...leg, state: "joined" })),
        { leg_id: "hers", user: user("carol"), state: "joined" }];
      const group = { ...active, legs }; const s = session(group, { load: group }); await enter(s, group); s.hangUp();
      l.last().say("call", { seq: 1, call: { ...group, rev: 4 } }); return [l.last().closedWith, s.view.phase];
    """
    assert run(CALL + body) == [None, "ended"]


def test_whoever_leaves_meanwhile_is_heard_by_no_path(run: Run) -> None:
    body = 'others.left("bob"); await h.settle(); return [shown(), made.map(({ closed }) => closed)];'
    assert run(COMES_AGAIN + body) == [[], [True, True]]


def test_a_path_of_before_that_was_lost_already_is_not_waited_for(run: Run) -> None:
    body = 'made[0].become("disconnected"); others.joined(bob()); await h.settle(); return [shown(), made[0].closed];'
    assert run(OTHERS + body) == [[[None, None]], True]


def test_a_path_of_before_that_fails_meanwhile_is_left(run: Run) -> None:
    body = 'made[0].become("failed"); await h.settle(); return [shown(), made[0].closed];'
    assert run(COMES_AGAIN + body) == [[[None, None]], True]


def test_whoever_comes_back_is_not_announced_as_a_newcomer(run: Run) -> None:
    assert run(f"{COMES_AGAIN} return notices;") == ["joined"]


def test_whoever_was_missed_and_comes_as_somebody_new_is_back(run: Run) -> None:
    body = 'others.changed(bob({ connection: "reconnecting" })); others.joined(bob()); return notices;'
    assert run(OTHERS + body) == ["joined", "reconnecting", "back"]


# ── after a restart of the server ──


def test_whoever_is_not_back_yet_is_heard_on_and_said_to_be_missed(run: Run) -> None:
    body = "others.drawAnew([], false, here); return [shown(), others.views[0].reconnecting, made[0].closed];"
    assert run(OTHERS + body) == [[[0, "connected"]], True, False]


def test_the_server_is_told_again_who_is_heard(run: Run) -> None:
    assert run(f"{OTHERS} told.length = 0; others.drawAnew([], false, here); return told;") == ["connected"]


def test_whoever_is_back_is_offered_a_new_path_beside_the_old_one(run: Run) -> None:
    body = "others.drawAnew([bob()], false, here); await h.settle(); return [shown(), made[1].initiator];"
    assert run(OTHERS + body) == [[[0, "connected"]], True]


def test_whoever_has_not_come_back_and_takes_part_no_more_has_left(run: Run) -> None:
    body = "others.drawAnew([], false, here); others.expect(new Set()); return [shown(), notices.at(-1)];"
    assert run(OTHERS + body) == [[], "left"]


def test_whoever_was_not_heard_any_more_is_not_kept(run: Run) -> None:
    body = 'made[0].become("disconnected"); others.drawAnew([], false, here); return shown();'
    assert run(OTHERS + body) == []


def test_after_a_resume_the_paths_stay_as_they_are(run: Run) -> None:
    body = "told.length = 0; others.drawAnew([bob()], true, here); await h.settle(); return [made.length, told];"
    assert run(OTHERS + body) == [1, []]


# ── on this page ──

AGAIN = """
  const talking = call({ rev: 3, state: "active", answered_at: "2026-01-01T00:00:00Z", media: "video" });
  const opened = []; media.open = async ({ camera }) => { opened.push(camera); };
  const s = session(talking); s.start(); await h.settle();
  const enter_as = async (before) => {
    const snapshot = { call: talking, leg_id: "mine", media: before, participants: [] };
    l.last().welcome("r1", { snapshot }); await h.settle();
  };
"""


def test_whoever_comes_back_opens_nothing_before_it_is_known_what_was_on(run: Run) -> None:
    body = "const before = [...opened]; await enter_as(null); return [before, opened];"
    assert run(CALL + AGAIN + body) == [[], [True]]


@pytest.mark.parametrize("video", [True, False])
def test_a_camera_that_was_off_stays_off(run: Run, video: bool) -> None:
    body = f"await enter_as({{ audio: true, video: {str(video).lower()} }}); return opened;"
    assert run(CALL + AGAIN + body) == [video]


@pytest.mark.parametrize("audio", [True, False])
def test_whoever_was_muted_stays_muted(run: Run, audio: bool) -> None:
    body = f"""
      const muted = []; media.setMuted = (is) => muted.push(is);
      await enter_as({{ audio: {str(audio).lower()}, video: true }}); return muted;
    """
    assert run(CALL + AGAIN + body) == ([] if audio else [True])


TAKEN_OVER = """
  const s = session(active); await enter(s, active);
  const endMs = performance.now() + 10_000;
  while (!media.microphone && performance.now() < endMs) await h.settle();
  // One of the others is heard; the real one would need a network.
  const native = RTCPeerConnection; const connections = [];
  window.RTCPeerConnection = class extends h.StubConnection {
    constructor() { super(); connections.push(this); }
    addTrack() { return {}; }
    getTransceivers() { return []; }
  };
  const participant = { leg_id: "theirs", user: user("bob"), rank: 1, connection: "connected",
    media: { audio: true, video: false, screen: false, hand: false } };
  l.last().say("join", { seq: 1, call_id: "k", user_id: "bob", participant });
  while (connections.length === 0 && performance.now() < endMs) await h.settle();
  await h.settle(); connections[0].become("connected"); window.RTCPeerConnection = native;
  l.last().drop(4504);
"""


def test_a_page_whose_call_goes_on_elsewhere_is_heard_for_5_s_at_most(run: Run) -> None:
    body = """
      const atOnce = [s.view.phase, media.microphone.readyState]; await l.clock.pass(4_999);
      const before = media.microphone.readyState; await l.clock.pass(1);
      return [...atOnce, before, media.microphone.readyState];
    """
    assert run(CALL + TAKEN_OVER + body) == ["ended", "live", "live", "ended"]


def test_a_page_that_nobody_needs_any_more_is_silent_at_once(run: Run) -> None:
    body = 'connections[0].become("disconnected"); await h.settle(); return media.microphone.readyState;'
    assert run(CALL + TAKEN_OVER + body) == "ended"


def test_who_goes_on_on_another_device_is_told_of(run: Run) -> None:
    body = """
      const on = (device) => call({ rev: device.length, state: "active", legs: call().legs.map((leg) =>
        ({ ...leg, state: "joined", device: leg.leg_id === "theirs" ? device : "laptop" })) });
      const s = session(on("phone")); await enter(s, on("phone"));
      const notices = []; s.on("notice", ({ kind, user }) => notices.push([kind, user.username]));
      s.apply(on("tablet")); return notices;
    """
    assert run(CALL + body) == [["moved", "bob"]]


# ── a path that is lost ──

ALONE = """
  // Everybody is heard, until the test says that they are not; the real connections would need a network.
  const native = RTCPeerConnection; const connections = [];
  const connectTo = async (...names) => {
    window.RTCPeerConnection = class extends h.StubConnection {
      constructor() { super(); connections.push(this); }
      addTrack() { return {}; }
      getTransceivers() { return []; }
      setConfiguration() {}
    };
    for (const [index, name] of names.entries()) {
      const participant = { leg_id: name, user: user(name), rank: index + 1, connection: "connected",
        media: { audio: true, video: false, screen: false, hand: false } };
      l.last().say("join", { seq: index + 1, call_id: "k", user_id: name, participant });
    }
    const endMs = performance.now() + 10_000;
    while (connections.length < names.length && performance.now() < endMs) await h.settle();
    await h.settle(); window.RTCPeerConnection = native;
    for (const connection of connections) connection.become("connected");
  };
  const leg = (name, state) => ({ leg_id: name, user: user(name), state });
  const mine = leg("mine", "joined");
  const lose = async () => {
    connections[0].become("failed");
    for (let waitedS = 0; waitedS < 31; waitedS += 1) {
      await l.clock.pass(1_000); l.last().say("ping");
    }
  };
"""


@pytest.mark.parametrize("third", ["declined", "missed", "left"])
def test_a_lost_path_ends_a_call_of_two_in_which_a_third_once_was(run: Run, third: str) -> None:
    body = f"""
      const given = call({{ state: "active", legs: [mine, leg("bob", "joined"), leg("carol", "{third}")] }});
      const s = session(given); await enter(s, given); await connectTo("bob"); await lose();
      return l.last().asked("hangup").map(({{ reason }}) => reason);
    """
    assert run(CALL + ALONE + body) == ["ice_failed"]


def test_a_lost_path_in_a_call_of_three_is_tried_again_and_again(run: Run) -> None:
    body = """
      const given = call({ state: "active", legs: [mine, leg("bob", "joined"), leg("carol", "joined")] });
      const s = session(given); await enter(s, given); await connectTo("bob", "carol"); const restarts = [];
      for (let round = 0; round < 4; round += 1) { await lose(); restarts.push(connections[0].restarts); }
      s.hangUp(); return [l.wires.length, l.last().asked("hangup"), restarts];
    """
    wires, hangups, restarts = run(CALL + ALONE + body)
    assert (wires, hangups) == (1, [])
    assert restarts == [2, 3, 4, 5]


# ── when to look for a way again ──

WAKE = """
  const { browserWake } = await import("/js/ui/wake.js");
  const heard = [];
"""


def test_another_kind_of_network_is_another_network(run: Run) -> None:
    body = """
      const connection = Object.assign(new EventTarget(), { type: "wifi" });
      Object.defineProperty(navigator, "connection", { value: connection, configurable: true });
      const wake = browserWake();
      for (const name of ["online", "wake"]) wake.addEventListener(name, () => heard.push(name));
      connection.dispatchEvent(new Event("change")); const before = [...heard];
      connection.type = "cellular"; connection.dispatchEvent(new Event("change"));
      delete navigator.connection; return [before, heard];
    """
    assert run(WAKE + body) == [[], ["online", "wake"]]


@pytest.mark.parametrize(("late_ms", "heard"), [(9_000, []), (11_000, ["online", "wake"])])
def test_time_that_passed_without_the_page_is_sleep(run: Run, late_ms: int, heard: list[str]) -> None:
    body = f"""
      const {{ setInterval }} = window; const {{ now }} = Date; let look; let ms = 0;
      window.setInterval = (action) => {{ look = action; }}; Date.now = () => ms;
      const wake = browserWake(); window.setInterval = setInterval;
      for (const name of ["online", "wake"]) wake.addEventListener(name, () => heard.push(name));
      ms = 2_000 + {late_ms}; look(); Date.now = now; return heard;
    """
    assert run(WAKE + body) == heard
