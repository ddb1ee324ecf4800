"""The page's modules without a page: served as files, run in a real Chromium, with a clock that the test moves.

What knows neither the DOM nor a server is tested here: when to come back, what is asked again, what is dropped; and two
peers that negotiate with each other, with real media between them.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from server.close_codes import REGISTRY

STATIC = Path(__file__).parents[2] / "static"

Run = Callable[[str], Any]

HARNESS = """
import { RingbackSocket } from "/js/realtime/socket.js";
import { createPeer } from "/js/media/peer.js";

// Lets everything happen that waits for nothing but its turn.
export const settle = () => new Promise((resolve) => setTimeout(resolve));

// A clock that stands still until it is moved; what falls due meanwhile happens in its order.
export class Clock {
  #now = 1_000_000;
  #timers = new Set();
  now = () => this.#now;
  setTimeout = (action, delayMs) => {
    const timer = { action, dueMs: this.#now + delayMs };
    this.#timers.add(timer);
    return timer;
  };
  clearTimeout = (timer) => this.#timers.delete(timer);
  async pass(ms) {
    const endMs = this.#now + ms;
    for (;;) {
      await settle();
      const [next] = [...this.#timers].sort((a, b) => a.dueMs - b.dueMs);
      if (!next || next.dueMs > endMs) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.dueMs);
      next.action();
    }
    this.#now = endMs;
    await settle();
  }
}

// A RingbackSocket on a wire that the test holds: `wires` are the WebSockets that it made, in their order.
export function line({ random = () => 0.5, getToken } = {}) {
  const clock = new Clock();
  const wake = new EventTarget();
  const wires = [];
  const heard = { frames: [], snapshots: [], resumed: [], closed: [], states: [] };
  let tokens = 0;
  class Wire {
    sent = [];
    closedWith = null;
    constructor(url) {
      this.url = url;
      wires.push(this);
    }
    send(text) { this.sent.push(JSON.parse(text)); }
    close(code) { this.closedWith = code; }
    // what the server does:
    open() { this.onopen(); }
    say(type, fields = {}) {
      const timestamp = new Date(clock.now()).toISOString();
      this.onmessage({ data: JSON.stringify({ type, timestamp, ...fields }) });
    }
    welcome(connection_id = "c1", fields = {}) {
      this.open();
      this.say("connected", { connection_id, heartbeat: { interval_s: 25, timeout_s: 10 }, snapshot: {}, ...fields });
    }
    drop(code = 1006) { this.onclose?.({ code }); }
    asked(type) { return this.sent.filter((frame) => frame.type === type); }
  }
  const socket = new RingbackSocket({
    url: "ws://there/ws/user", clock, random, wake, WebSocketClass: Wire,
    getToken: getToken ?? (async () => `token-${++tokens}`),
  });
  socket.on("frame", (frame) => heard.frames.push(frame.type));
  socket.on("snapshot", (frame) => heard.snapshots.push(frame.continued));
  socket.on("resumed", () => heard.resumed.push(true));
  socket.on("closed", ({ code }) => heard.closed.push(code));
  socket.on("state", ({ state, retryInMs }) => heard.states.push([state, retryInMs]));
  return {
    clock, wake, wires, heard, socket,
    // comes as far as being signed in
    async up(connectionId) {
      socket.start();
      await settle();
      wires.at(-1).welcome(connectionId);
    },
    last: () => wires.at(-1),
  };
}

// Two peers in one page. A message takes a turn of the loop to come over, as a copy, in its order.
export function pair(options = {}) {
  const sides = {};
  const states = { a: [], b: [] };
  const heldBack = [];
  function deliver(to, signal) {
    if (options.hold?.(signal)) heldBack.push(() => sides[to].receive(signal));
    else setTimeout(() => sides[to].receive(structuredClone(signal)));
  }
  for (const [name, other] of [["a", "b"], ["b", "a"]]) {
    sides[name] = createPeer({
      polite: name === "b",
      initiator: (options.initiators ?? ["a"]).includes(name),
      send: (signal) => deliver(other, signal),
      onState: (state) => states[name].push(state),
      onStream: () => {},
      onLost: () => states[name].push("lost"),
      onError: (error) => { throw error; },
      ...(options[name] ?? {}),
    });
  }
  return { ...sides, states, heldBack };
}

export async function camera() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  return { audio: stream.getAudioTracks()[0], video: stream.getVideoTracks()[0] };
}

// What has arrived so far.
export async function counters(peer) {
  const counted = { audioPackets: 0, videoPackets: 0, framesDecoded: 0 };
  for (const entry of (await peer.stats()).values()) {
    if (entry.type !== "inbound-rtp") continue;
    if (entry.kind === "audio") counted.audioPackets += entry.packetsReceived;
    else {
      counted.videoPackets += entry.packetsReceived;
      counted.framesDecoded += entry.framesDecoded ?? 0;
    }
  }
  return counted;
}

// How the other side can be reached: as it said itself (`host`), or as it was met on the way (`prflx`).
export async function remoteCandidates(peer) {
  const entries = [...(await peer.stats()).values()];
  return entries.filter(({ type }) => type === "remote-candidate").map(({ candidateType }) => candidateType);
}

// Waits until what `look` counts has grown, each number of it (or those named); tells the names that did not.
export async function growing(look, names, withinMs = 15_000) {
  const before = await look();
  const still = async () => {
    const now = await look();
    return (names ?? Object.keys(before)).filter((name) => now[name] <= before[name]);
  };
  const endMs = performance.now() + withinMs;
  while ((await still()).length > 0 && performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return still();
}

// A connection that only says what the test lets it say.
export class StubConnection {
  static made = [];
  connectionState = "new";
  signalingState = "stable";
  restarts = 0;
  constructor() { StubConnection.made.push(this); }
  addTransceiver() { return {}; }
  async setLocalDescription() { this.localDescription = { type: "offer", sdp: "v=0" }; }
  restartIce() { this.restarts += 1; }
  setConfiguration({ iceServers }) { this.configured = { urls: iceServers[0].urls, restarts: this.restarts }; }
  close() {}
  become(state) {
    this.connectionState = state;
    this.onconnectionstatechange();
  }
}
"""


class Files(SimpleHTTPRequestHandler):
    """The static files, an empty page, and what the tests bring along."""

    def do_GET(self) -> None:
        """Answers; ``/`` is the empty page."""
        own = {"/": ("text/html", "<!DOCTYPE html><title>modules</title>"), "/harness.js": ("text/javascript", HARNESS)}
        if self.path not in own:
            super().do_GET()
            return
        kind, text = own[self.path]
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def files() -> Iterator[str]:
    """The address of the static files; loopback, so that the page counts as secure."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=str(STATIC))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def page(browser: Browser, files: str) -> Iterator[Page]:
    """One empty page for all of these tests; nothing of one reaches the next, for each makes its own objects."""
    context = browser.new_context(permissions=["camera", "microphone"])
    page = context.new_page()
    page.goto(files)
    yield page
    context.close()


@pytest.fixture
def run(page: Page) -> Run:
    """Runs the body of an async function in the page, with the harness in scope, and gives what it returns."""

    def evaluate(body: str) -> Any:
        return page.evaluate(f'async () => {{ const h = await import("/harness.js"); {body} }}')

    return evaluate


# ── backoff ──

BACKOFF = 'const { Backoff } = await import("/js/realtime/backoff.js");'


def test_the_first_retry_comes_at_once(run: Run) -> None:
    assert run(f"{BACKOFF} return new Backoff(() => 0.9).next();") == 0


def test_the_ceiling_doubles_from_300_ms_to_30_s(run: Run) -> None:
    waits = run(f"{BACKOFF} const b = new Backoff(() => 1); return Array.from({{length: 11}}, () => b.next());")
    assert waits == [0, 300, 600, 1_200, 2_400, 4_800, 9_600, 19_200, 30_000, 30_000, 30_000]


def test_the_jitter_is_full(run: Run) -> None:
    waits = run(f"{BACKOFF} const b = new Backoff(() => 0.01); return [b.next(), b.next(), b.next()];")
    assert waits == [0, 3, 6]


def test_a_minute_of_a_good_connection_starts_it_anew(run: Run) -> None:
    body = "const b = new Backoff(() => 1); b.next(); b.next(); b.next(); b.lost(60_000); return b.next();"
    assert run(f"{BACKOFF} {body}") == 0


def test_a_connection_that_dies_sooner_does_not(run: Run) -> None:
    body = "const b = new Backoff(() => 1); b.next(); b.next(); b.lost(59_999); return b.next();"
    assert run(f"{BACKOFF} {body}") == 600


# ── close codes ──

CODES = 'const { CLOSE_CODES, closeRule } = await import("/js/realtime/close_codes.js");'


def test_the_page_knows_the_close_codes_of_the_server_and_does_what_they_mean(run: Run) -> None:
    known = run(f"{CODES} return Object.entries(CLOSE_CODES).map(([code, r]) => [Number(code), r.name, r.action]);")
    assert sorted(known) == [[code.value, code.name.lower(), rule.action] for code, rule in sorted(REGISTRY.items())]


@pytest.mark.parametrize(("code", "action"), [(4002, "resume"), (4499, "resume"), (4511, "stop"), (4999, "stop")])
def test_of_codes_nobody_knows_those_below_4500_come_back(run: Run, code: int, action: str) -> None:
    assert run(f"{CODES} return closeRule({code}).action;") == action


@pytest.mark.parametrize("code", [1005, 1006, 1008, 1012])
def test_a_connection_that_broke_comes_back(run: Run, code: int) -> None:
    assert run(f"{CODES} return closeRule({code}).action;") == "resume"


def test_every_code_that_stops_has_a_sentence_and_a_next_step_in_words(run: Run) -> None:
    body = """
      const { CLOSED, NEXT } = await import("/js/strings.js");
      const rules = Object.values(CLOSE_CODES).filter(({ action }) => action === "stop");
      const lacking = rules.filter(({ name, next }) => !CLOSED[name] || (next !== "none" && !NEXT[next]));
      return lacking.map(({ name }) => name);
    """
    assert run(CODES + body) == []


# ── the socket: coming in ──


def test_the_token_goes_into_the_first_frame_and_not_into_the_address(run: Run) -> None:
    url, sent = run("const l = h.line(); await l.up(); return [l.last().url, l.last().sent];")
    assert url == "ws://there/ws/user"
    assert sent == [{"type": "auth", "token": "token-1"}]


def test_each_attempt_shows_a_token_of_its_own(run: Run) -> None:
    body = "await l.up(); l.last().drop(); await l.clock.pass(0); l.last().open(); return l.last().sent[0].token;"
    assert run(f"const l = h.line(); {body}") == "token-2"


def test_a_snapshot_is_drawn_once_the_server_has_let_the_page_in(run: Run) -> None:
    heard = run("const l = h.line(); await l.up(); return [l.heard.snapshots, l.socket.state];")
    assert heard == [[False], "open"]


def test_an_attempt_that_nobody_answers_is_given_up_after_15_s(run: Run) -> None:
    body = "l.socket.start(); await l.clock.pass(14_999); const before = l.wires.length; await l.clock.pass(2); "
    assert run(f"const l = h.line(); {body} return [before, l.wires.length, l.wires[0].closedWith];") == [1, 2, 4005]


def test_a_person_who_has_to_sign_in_again_is_told_so_and_nothing_is_tried(run: Run) -> None:
    body = """
      const { TokenRefused } = await import("/js/realtime/socket.js");
      const l = h.line({ getToken: async () => { throw new TokenRefused("no"); } });
      l.socket.start(); await l.clock.pass(120_000);
      return [l.heard.closed, l.wires.length];
    """
    assert run(body) == [[4501], 0]


def test_a_token_that_cannot_be_fetched_is_a_failed_attempt(run: Run) -> None:
    body = """
      let calls = 0;
      const l = h.line({ getToken: async () => { calls += 1; throw new Error("network"); } });
      l.socket.start(); await l.clock.pass(1_000);
      return [calls > 2, l.socket.state, l.heard.closed];
    """
    assert run(body) == [True, "waiting", []]


# ── the socket: coming back ──


def test_a_lost_connection_is_tried_again_at_once_and_then_with_jitter(run: Run) -> None:
    body = """
      const l = h.line({ random: () => 0.5 }); await l.up();
      for (let attempt = 0; attempt < 4; attempt += 1) { l.last().drop(); await l.clock.pass(5_000); }
      return l.heard.states.filter(([state]) => state === "waiting").map(([, ms]) => ms);
    """
    assert run(body) == [0, 150, 300, 600]


def test_only_one_attempt_is_under_way_however_often_the_page_is_woken(run: Run) -> None:
    body = """
      const l = h.line(); await l.up(); l.last().drop();
      for (let times = 0; times < 5; times += 1) l.wake.dispatchEvent(new Event("wake"));
      await l.clock.pass(10_000);
      return l.wires.length;
    """
    assert run(body) == 2


def test_the_network_coming_back_ends_the_waiting(run: Run) -> None:
    body = """
      const l = h.line({ random: () => 1 }); await l.up();
      for (let attempt = 0; attempt < 6; attempt += 1) { l.last().drop(); await l.clock.pass(5_000); }
      l.last().drop(); const before = l.wires.length;
      l.wake.dispatchEvent(new Event("wake")); await h.settle();
      return l.wires.length - before;
    """
    assert run(body) == 1


def test_waking_does_not_shorten_what_the_server_asked_for(run: Run) -> None:
    body = """
      const l = h.line(); await l.up();
      l.last().say("bye", { code: 4008, action: "resume", retry_after_ms: 5_000, session_kept: true });
      l.last().drop(4008);
      l.wake.dispatchEvent(new Event("wake")); await l.clock.pass(4_999); const early = l.wires.length;
      await l.clock.pass(1); return [early, l.wires.length];
    """
    assert run(body) == [1, 2]


@pytest.mark.parametrize("code", [1000, 1009, 4500, 4501, 4503, 4504, 4505, 4506, 4507, 4508, 4509, 4666])
def test_a_terminal_code_ends_it(run: Run, code: int) -> None:
    body = f"await l.up(); l.last().drop({code}); await l.clock.pass(300_000); return [l.wires.length, l.heard.closed];"
    assert run(f"const l = h.line(); {body}") == [1, [code]]


def test_a_wrong_address_is_tried_once(run: Run) -> None:
    body = """
      const l = h.line(); l.socket.start(); await h.settle(); l.last().open();
      l.last().say("bye", { code: 4510, action: "stop", retry_after_ms: 0, session_kept: false }); l.last().drop(4510);
      l.wake.dispatchEvent(new Event("wake")); await l.clock.pass(300_000);
      return [l.wires.length, l.heard.closed, l.socket.state];
    """
    assert run(body) == [1, [4510], "closed"]


def test_the_word_of_the_server_goes_over_the_rule_for_the_code(run: Run) -> None:
    body = """
      const l = h.line(); await l.up();
      l.last().say("bye", { code: 4001, action: "stop", retry_after_ms: 0, session_kept: false }); l.last().drop(4001);
      return l.heard.closed;
    """
    assert run(body) == [4001]


def test_a_bye_counts_although_the_network_swallows_the_close_frame(run: Run) -> None:
    body = """
      const l = h.line(); await l.up();
      l.last().say("bye", { code: 4506, action: "stop", retry_after_ms: 0, session_kept: false });
      await l.clock.pass(3_000); return [l.heard.closed, l.last().closedWith];
    """
    assert run(body) == [[4506], 4005]


@pytest.mark.parametrize("resumes", [False, True])
def test_only_whoever_leaves_says_1000(run: Run, resumes: bool) -> None:
    body = """
      const givenUp = l.last(); givenUp.open(); await l.clock.pass(16_000);
      l.socket.stop(); return [givenUp.closedWith, l.last().closedWith];
    """
    back = 'await l.up("c1"); l.last().drop(); await l.clock.pass(0);'
    come = back if resumes else "l.socket.start(); await h.settle();"
    assert run(f"const l = h.line(); {come} {body}") == [4005, 1000]


def test_a_page_that_waits_in_vain_for_the_close_after_a_bye_does_not_say_that_it_leaves(run: Run) -> None:
    body = """
      const l = h.line(); await l.up(); l.last().say("bye", { code: 4001, retry_after_ms: 0 });
      await l.clock.pass(3_000); return l.wires[0].closedWith;
    """
    assert run(body) == 4005


def test_a_page_that_leaves_is_not_told_of_its_own_leaving(run: Run) -> None:
    body = "await l.up(); l.socket.stop(); await l.clock.pass(60_000); return [l.last().closedWith, l.heard.closed];"
    assert run(f"const l = h.line(); {body}") == [1000, []]


# ── the socket: resuming ──

COME_BACK = """
  const l = h.line(); await l.up("c1");
  l.last().say("call", { seq: 1 }); l.last().say("presence", { seq: 2 });
  l.last().drop(); await l.clock.pass(0); l.last().open();
"""


def test_coming_back_it_says_which_connection_it_was_and_what_it_saw_last(run: Run) -> None:
    auth = run(COME_BACK + "return l.last().sent[0];")
    assert auth == {"type": "auth", "token": "token-2", "resume": "c1", "last_seq": 2}


def test_what_comes_a_second_time_is_dropped(run: Run) -> None:
    replay = """
      const wire = l.last();
      wire.say("connected", { connection_id: "c1", heartbeat: { interval_s: 25, timeout_s: 10 }, snapshot: {} });
      wire.say("call", { seq: 1 }); wire.say("presence", { seq: 2 }); wire.say("incoming", { seq: 3 });
      wire.say("resumed", { from: 2, to: 3, complete: true }); wire.say("incoming", { seq: 3 });
      return l.heard.frames;
    """
    assert run(COME_BACK + replay) == ["call", "presence", "incoming"]


RESUME = """
  l.last().say("connected", { connection_id: "c1", heartbeat: { interval_s: 25, timeout_s: 10 }, snapshot: {} });
  l.last().say("resumed", { from: 2, to: 2, complete: COMPLETE });
"""


def test_a_complete_resume_draws_nothing_anew(run: Run) -> None:
    body = COME_BACK + RESUME.replace("COMPLETE", "true")
    assert run(body + "return [l.heard.snapshots, l.heard.resumed, l.socket.state];") == [[False], [True], "open"]


def test_a_resume_with_something_missing_draws_everything_anew(run: Run) -> None:
    body = COME_BACK + RESUME.replace("COMPLETE", "false")
    assert run(body + "return [l.heard.snapshots, l.heard.resumed];") == [[False, True], []]


def test_after_a_resume_with_something_missing_no_number_counts_as_seen(run: Run) -> None:
    body = COME_BACK + RESUME.replace("COMPLETE", "false")
    assert run(body + 'l.last().say("incoming", { seq: 1 }); return l.heard.frames.at(-1);') == "incoming"


def test_another_connection_than_the_one_asked_for_is_a_new_beginning(run: Run) -> None:
    new = """
      l.last().say("connected", { connection_id: "c2", heartbeat: { interval_s: 25, timeout_s: 10 }, snapshot: {} });
      l.last().say("resumed", { from: 2, to: 0, complete: false }); l.last().say("call", { seq: 1 });
      return [l.heard.snapshots, l.heard.frames];
    """
    assert run(COME_BACK + new) == [[False, False], ["call", "presence", "call"]]


@pytest.mark.parametrize("bye", ['action: "reconnect", session_kept: false', 'action: "resume", session_kept: false'])
def test_a_session_that_is_not_kept_is_not_asked_for(run: Run, bye: str) -> None:
    body = f"""
      const l = h.line(); await l.up();
      l.last().say("bye", {{ code: 4006, retry_after_ms: 0, {bye} }}); l.last().drop(4006);
      await l.clock.pass(0); l.last().open(); return l.last().sent[0];
    """
    assert run(body) == {"type": "auth", "token": "token-2"}


# ── the socket: requests ──


def test_a_request_is_settled_by_its_ack(run: Run) -> None:
    body = """
      const l = h.line(); await l.up(); const asked = l.socket.request("answer", { call_id: "k" });
      const [{ id }] = l.last().asked("answer"); l.last().say("ack", { id, call: { call_id: "k" } });
      return (await asked).call.call_id;
    """
    assert run(body) == "k"


def test_a_request_that_is_refused_rejects_with_the_code(run: Run) -> None:
    body = """
      const l = h.line(); await l.up(); const asked = l.socket.request("answer", { call_id: "k" });
      const [{ id }] = l.last().asked("answer");
      l.last().say("error", { id, code: "already_answered", message: "…", retryable: false });
      return asked.catch((error) => error.code);
    """
    assert run(body) == "already_answered"


def test_a_request_without_an_answer_is_sent_again_with_the_same_id_after_a_resume(run: Run) -> None:
    ask = 'const l = h.line(); await l.up("c1"); l.socket.request("answer", { call_id: "k" });'
    lose = "const first = l.last().asked('answer')[0]; l.last().drop(); await l.clock.pass(0); l.last().open();"
    before = "const early = l.last().asked('answer').length;"
    resume = RESUME.replace("COMPLETE", "true")
    again = "return [early, l.last().asked('answer')[0].id === first.id];"
    assert run(ask + lose + before + resume + again) == [0, True]


def test_a_request_made_while_the_line_is_away_goes_out_when_it_is_back(run: Run) -> None:
    body = """
      const l = h.line(); l.socket.start(); await h.settle();
      l.socket.request("watch", { user_ids: ["u"] }); l.last().welcome();
      return l.last().asked("watch")[0].user_ids;
    """
    assert run(body) == ["u"]


def test_what_is_about_a_session_is_not_said_in_the_next(run: Run) -> None:
    body = """
      const l = h.line(); await l.up("c1"); const outcome = [];
      const settled = l.socket.request("offer", {}, { fleeting: true }).catch((error) => error.code);
      l.last().drop(); l.socket.request("candidate", {}, { fleeting: true }).catch(({ code }) => outcome.push(code));
      l.socket.request("chat"); await l.clock.pass(0); l.last().welcome("c2");
      outcome.push(await Promise.race([settled, h.settle()]));
      return [outcome, l.last().sent.map(({ type }) => type)];
    """
    assert run(body) == [["outlived", "outlived"], ["auth", "chat"]]


def test_what_is_about_a_session_is_said_after_a_resume(run: Run) -> None:
    body = """
      const l = h.line(); await l.up("c1"); l.last().drop(); l.socket.request("offer", {}, { fleeting: true });
      await l.clock.pass(0); l.last().open();
    """
    resume = RESUME.replace("COMPLETE", "true")
    assert run(f'{body} {resume} return l.last().asked("offer").length;') == 1


def test_an_answer_that_comes_twice_is_taken_once(run: Run) -> None:
    body = """
      const l = h.line(); await l.up(); const asked = l.socket.request("watch");
      const [{ id }] = l.last().asked("watch");
      l.last().say("ack", { id, turn: 1 }); l.last().say("ack", { id, turn: 2 });
      return (await asked).turn;
    """
    assert run(body) == 1


def test_what_is_refused_for_the_moment_is_asked_again_under_a_new_id(run: Run) -> None:
    body = """
      const l = h.line(); await l.up(); l.socket.request("offer", { to: "leg" });
      const [{ id }] = l.last().asked("offer");
      l.last().say("error", { id, code: "rate_limited", message: "…", retryable: true });
      const early = l.last().asked("offer").length; await l.clock.pass(1_000);
      const [, again] = l.last().asked("offer");
      return [early, again.to, again.id !== id];
    """
    assert run(body) == [1, "leg", True]


def test_a_request_that_nobody_answers_is_given_up(run: Run) -> None:
    body = """
      const l = h.line(); await l.up();
      const asked = l.socket.request("answer", {}, { timeoutMs: 10_000 }).catch((error) => error.code);
      await l.clock.pass(10_000); return asked;
    """
    assert run(body) == "timeout"


def test_requests_fail_when_the_line_has_ended_for_good(run: Run) -> None:
    body = """
      const l = h.line(); await l.up(); const asked = l.socket.request("answer").catch((error) => error.code);
      l.last().drop(4506); return [await asked, await l.socket.request("answer").catch((error) => error.code)];
    """
    assert run(body) == ["closed", "closed"]


# ── the socket: heartbeat ──


def test_a_silent_server_is_left_after_interval_and_timeout(run: Run) -> None:
    body = "await l.up(); await l.clock.pass(34_999); const before = l.wires.length; await l.clock.pass(1);"
    assert run(f"const l = h.line(); {body} return [before, l.wires.length, l.wires[0].closedWith];") == [1, 2, 4005]


def test_any_frame_counts_as_life(run: Run) -> None:
    body = 'await l.up(); await l.clock.pass(30_000); l.last().say("presence", { seq: 1 }); await l.clock.pass(34_000);'
    assert run(f"const l = h.line(); {body} return l.wires.length;") == 1


def test_a_ping_is_answered(run: Run) -> None:
    said = run('const l = h.line(); await l.up(); l.last().say("ping"); return l.last().sent.at(-1);')
    assert said == {"type": "pong"}


def test_a_page_that_is_looked_at_again_asks_whether_the_server_is_there(run: Run) -> None:
    body = 'await l.up(); l.wake.dispatchEvent(new Event("wake")); return l.last().sent.at(-1);'
    assert run(f"const l = h.line(); {body}") == {"type": "ping"}


def test_a_server_that_does_not_answer_that_is_left_after_5_s(run: Run) -> None:
    body = 'await l.up(); l.wake.dispatchEvent(new Event("wake")); await l.clock.pass(5_000); return l.wires.length;'
    assert run(f"const l = h.line(); {body}") == 2


def test_a_server_that_answers_it_is_kept(run: Run) -> None:
    body = """
      const l = h.line(); await l.up(); l.wake.dispatchEvent(new Event("wake"));
      l.last().say("pong"); await l.clock.pass(5_000); return l.wires.length;
    """
    assert run(body) == 1


# ── the inbox ──

INBOX = """
  const { Inbox } = await import("/js/realtime/inbox.js");
  const l = h.line(); const inbox = new Inbox(l.socket, "me", l.clock); const rung = []; const stopped = [];
  inbox.on("incoming", ({ call }) => rung.push(call.call_id));
  inbox.on("stopped", ({ call, reason }) => stopped.push([call.call_id, reason]));
  const call = (fields = {}) => ({ call_id: "k", rev: 1, state: "ringing", legs: [], ...fields });
  await l.up();
  const begin = (incoming) => {
    l.last().drop(4006);
    return l.clock.pass(0).then(() => l.last().welcome("c9", { snapshot: { incoming, calls: [] } }));
  };
"""


def test_a_call_that_can_still_be_answered_rings_and_ends_by_itself(run: Run) -> None:
    body = 'l.last().say("incoming", { seq: 1, call: call(), expires_in_ms: 3_000 }); await l.clock.pass(3_000);'
    assert run(f"{INBOX} {body} return [rung, stopped];") == [["k"], [["k", "no_answer"]]]


def test_a_call_with_less_than_3_s_left_does_not_begin_to_ring(run: Run) -> None:
    body = 'l.last().say("incoming", { seq: 1, call: call(), expires_in_ms: 2_999 }); return rung;'
    assert run(f"{INBOX} {body}") == []


def test_a_call_rings_on_in_which_others_talk_already(run: Run) -> None:
    body = """
      const legs = (state) => [{ user: { id: "me" }, state }, { user: { id: "you" }, state: "joined" }];
      l.last().say("incoming", { seq: 1, call: call(), expires_in_ms: 9_000 });
      l.last().say("call", { seq: 2, call: call({ rev: 2, state: "active", legs: legs("ringing") }) });
      const before = [...stopped];
      l.last().say("call", { seq: 3, call: call({ rev: 3, state: "active", legs: legs("declined") }) });
      return [before, stopped];
    """
    assert run(INBOX + body) == [[], [["k", "handled"]]]


# What was said at the time 0, and is heard after 20 s of sleep.
LATE = """
  const said = { timestamp: new Date(l.clock.now()).toISOString() }; await l.clock.pass(20_000);
  const deadline = new Date(l.clock.now() + 10_000).toISOString();
  l.last().say("incoming", { seq: 1, call: call({ ring_deadline: deadline }), expires_in_ms: 30_000, ...said });
  const [{ id }] = l.last().asked("ringing");
"""


def test_an_invitation_that_waited_on_a_sleeping_machine_does_not_ring_when_the_call_is_over(run: Run) -> None:
    body = """
      l.last().say("error", { id, code: "call_ended", message: "…", retryable: false });
      await l.clock.pass(0); return [rung, stopped];
    """
    assert run(INBOX + LATE + body) == [[], []]


def test_an_invitation_that_waited_never_rings_when_another_device_has_answered_meanwhile(run: Run) -> None:
    body = """
      l.last().say("incoming_stopped", { seq: 2, call_id: "k", reason: "answered_elsewhere", ...said });
      l.last().say("error", { id, code: "already_answered", message: "…", retryable: false });
      await l.clock.pass(30_000); return [rung, stopped];
    """
    assert run(INBOX + LATE + body) == [[], []]


def test_an_invitation_that_waited_rings_for_what_is_left_when_the_server_says_that_the_call_still_does(
    run: Run,
) -> None:
    body = """
      const before = rung.length; l.last().say("ack", { id }); await l.clock.pass(9_999); const during = stopped.length;
      await l.clock.pass(1); return [before, rung, during, stopped];
    """
    assert run(INBOX + LATE + body) == [0, ["k"], 0, [["k", "no_answer"]]]


def test_a_call_that_rings_already_does_not_ring_twice(run: Run) -> None:
    body = """
      l.last().say("incoming", { seq: 1, call: call(), expires_in_ms: 30_000 });
      await begin([{ call: call(), expires_in_ms: 20_000 }]); return [rung, stopped];
    """
    assert run(INBOX + body) == [["k"], []]


def test_a_call_that_is_missing_in_the_new_snapshot_stops_ringing(run: Run) -> None:
    body = 'l.last().say("incoming", { seq: 1, call: call(), expires_in_ms: 30_000 }); await begin([]); return stopped;'
    assert run(INBOX + body) == [["k", "cancelled"]]


def test_it_stops_ringing_for_the_reason_that_the_server_gives(run: Run) -> None:
    body = """
      l.last().say("incoming", { seq: 1, call: call(), expires_in_ms: 30_000 });
      l.last().say("incoming_stopped", { seq: 2, call_id: "k", reason: "answered_elsewhere" });
      l.last().say("call", { seq: 3, call: call({ rev: 2, state: "connecting" }) });
      return stopped;
    """
    assert run(INBOX + body) == [["k", "answered_elsewhere"]]


def test_an_answer_that_came_too_late_stops_the_ringing(run: Run) -> None:
    body = """
      l.last().say("incoming", { seq: 1, call: call(), expires_in_ms: 30_000 });
      const answered = inbox.answer("k").catch((error) => error.code); const [{ id }] = l.last().asked("answer");
      l.last().say("error", { id, code: "already_answered", message: "…", retryable: false });
      return [await answered, stopped];
    """
    assert run(INBOX + body) == ["already_answered", [["k", "answered_elsewhere"]]]


def test_a_snapshot_of_a_call_that_is_older_than_what_is_known_is_ignored(run: Run) -> None:
    body = """
      const revs = []; inbox.on("call", ({ rev }) => revs.push(rev));
      for (const rev of [2, 1, 2, 3]) l.last().say("call", { seq: revs.length + rev + 10, call: call({ rev }) });
      return revs;
    """
    assert run(INBOX + body) == [2, 3]


def test_whose_presence_is_shown_is_asked_for_again_after_a_new_beginning(run: Run) -> None:
    body = """
      const watching = inbox.watch(["u"]); const [{ id }] = l.last().asked("watch");
      l.last().say("ack", { id, people: [] }); await watching;
      await begin([]); return l.last().asked("watch").map(({ user_ids }) => user_ids);
    """
    assert run(INBOX + body) == [["u"]]


# ── whether somebody uses the device ──

IDLE = """
  const { followIdleness } = await import("/js/ui/idle.js");
  const l = h.line(); await l.up(); let inUse = false; followIdleness(l.socket, () => inUse, l.clock);
  const minutes = (count) => l.clock.pass(count * 60_000);
  const touch = async (gesture = "keydown") => { window.dispatchEvent(new Event(gesture)); await h.settle(); };
  // The server speaks up often enough for the line to live, and answers whatever it is asked.
  const send = l.last().send.bind(l.last()); const said = [];
  l.last().send = (text) => {
    const { type, id, state } = JSON.parse(text); send(text);
    if (type === "presence") { said.push(state); setTimeout(() => l.last().say("ack", { id })); }
  };
  (function live() { l.last().say("pong"); l.clock.setTimeout(live, 20_000); })();
"""


def test_a_device_that_nobody_touches_for_five_minutes_says_away_once(run: Run) -> None:
    body = "await minutes(4.9); const before = [...said]; await minutes(10); return [before, said];"
    assert run(IDLE + body) == [[], ["away"]]


@pytest.mark.parametrize("gesture", ["pointermove", "pointerdown", "keydown", "wheel", "focus"])
def test_a_device_that_is_touched_again_says_active_at_once(run: Run, gesture: str) -> None:
    body = f'await minutes(6); await touch("{gesture}"); await touch("{gesture}"); return said;'
    assert run(IDLE + body) == ["away", "active"]


def test_a_device_that_is_touched_now_and_then_says_nothing(run: Run) -> None:
    assert run(IDLE + "for (let n = 0; n < 4; n++) { await minutes(4); await touch(); } return said;") == []


def test_a_device_on_which_a_call_goes_on_is_used_though_nobody_touches_it(run: Run) -> None:
    body = "inUse = true; await minutes(30); const before = [...said]; inUse = false; await minutes(1);"
    assert run(f"{IDLE} {body} return [before, said];") == [[], ["away"]]


@pytest.mark.parametrize(("minutes", "told"), [(6, ["away"]), (1, [])])
def test_a_new_session_is_told_that_nobody_uses_the_device(run: Run, minutes: int, told: list[str]) -> None:
    body = f"""
      await minutes({minutes}); l.last().drop(4006); await l.clock.pass(0); l.last().welcome("c9");
      return l.last().asked("presence").map(({{ state }}) => state);
    """
    assert run(IDLE + body) == told


# ── what was missed while the line was away ──

UNREAD = """
  const { followUnread } = await import("/js/ui/unread.js");
  document.body.innerHTML = '<b data-unread="missed" hidden><i data-count>0</i></b>';
  const l = h.line(); await l.up(); let asked = 0;
  followUnread(l.socket, { history: async () => { asked += 1; return { unread: 2 }; } });
  performance.now = () => openForMs;
  const back = async () => { l.last().drop(4006); await l.clock.pass(0); l.last().welcome("c9"); await h.settle(); };
  const badge = document.querySelector("[data-unread]");
"""


def test_a_page_that_was_away_for_long_asks_how_many_calls_were_missed(run: Run) -> None:
    body = "const openForMs = 60_000;" + UNREAD + "await back(); return [asked, badge.hidden, badge.textContent];"
    assert run(body) == [1, False, "2"]


def test_a_page_that_was_just_rendered_knows_it(run: Run) -> None:
    assert run("const openForMs = 400;" + UNREAD + "await back(); return [asked, badge.hidden];") == [0, True]


# ── where a call stands ──


@pytest.mark.parametrize(
    ("facts", "phase"),
    [
        ('{ state: "inviting" }', "calling"),
        ('{ state: "inviting", slow: true }', "trying"),
        ('{ state: "ringing" }', "ringing"),
        ('{ state: "ringing", mine: 1, leg: "ringing" }', "incoming"),
        ('{ state: "inviting", mine: 1, leg: "invited" }', "incoming"),
        ('{ state: "connecting", paths: ["checking"] }', "connecting"),
        ('{ state: "connecting", paths: ["connected"] }', "in_call"),
        ('{ state: "active", paths: ["disconnected"], everConnected: true }', "reconnecting"),
        ('{ state: "active", paths: ["disconnected", "connected"], everConnected: true }', "in_call"),
        ('{ state: "active", paths: [] }', "connecting"),
        ('{ state: "active", mine: 1, leg: "declined" }', "ended"),
        ('{ state: "active", over: true }', "ended"),
        ('{ state: "ended" }', "ended"),
    ],
)
def test_where_a_call_stands_for_the_one_who_looks(run: Run, facts: str, phase: str) -> None:
    body = f"""
      const {{ phaseOf }} = await import("/js/media/phase.js");
      const f = {{ mine: 0, leg: "joined", paths: [], over: false, slow: false, everConnected: false, ...{facts} }};
      const legs = [0, 1].map((rank) => ({{ leg_id: String(rank), state: rank === f.mine ? f.leg : "joined" }}));
      return phaseOf({{ ...f, call: {{ state: f.state, legs }}, legId: String(f.mine) }});
    """
    assert run(body) == phase


# ── a call on a page ──

CALL = """
  const { CallSession } = await import("/js/media/call.js");
  const { LocalMedia } = await import("/js/media/devices.js");
  const user = (name) => ({ id: name, username: name, display_name: name });
  const call = (fields = {}) => ({
    call_id: "k", rev: 1, state: "ringing", media: "audio", answered_at: null, end_reason: null,
    legs: [
      { leg_id: "mine", user: user("alice"), state: "joined" },
      { leg_id: "theirs", user: user("bob"), state: "ringing" },
    ],
    ...fields,
  });
  const l = h.line(); const asked = [];
  const ways = ["load", "cancel", "hangup", "leave"];
  const http = (answers = {}) => Object.fromEntries(ways.map((name) => [name, async () => {
    asked.push(name);
    if (!answers[name]) throw new Error(name);
    return answers[name];
  }]));
  const media = new LocalMedia();
  const session = (given = call(), answers = {}, legId = "mine") => new CallSession({
    socket: l.socket, media, http: http(answers), configuration: async () => ({}), call: given, legId, clock: l.clock,
  });
  const enter = async (s, given = call()) => {
    s.start(); await h.settle();
    l.last().welcome("r1", { snapshot: { call: given, leg_id: "mine", participants: [] } });
  };
  const ended = call({ rev: 9, state: "ended", end_reason: "hangup" });
  const active = call({ rev: 3, state: "active" });
"""


def test_a_caller_whose_call_nobody_acknowledges_reads_after_5_s_that_we_try(run: Run) -> None:
    body = """
      const given = call({ state: "inviting" }); const s = session(given); await enter(s, given);
      await l.clock.pass(4_999); const before = s.view.phase; await l.clock.pass(1); return [before, s.view.phase];
    """
    assert run(CALL + body) == ["calling", "trying"]


def test_a_callee_is_not_in_the_room_before_the_answer(run: Run) -> None:
    body = """
      const legs = call().legs.toReversed().map((leg, rank) => ({ ...leg, state: rank ? "ringing" : "joined" }));
      const s = session(call({ legs })); s.start(); await h.settle(); return [s.view.phase, l.wires.length];
    """
    assert run(CALL + body) == ["incoming", 0]


def test_a_call_that_another_device_took_is_over_here(run: Run) -> None:
    body = """
      const legs = call().legs.toReversed().map((leg, rank) => ({ ...leg, state: rank ? "ringing" : "joined" }));
      const s = session(call({ legs })); s.start();
      s.apply(call({ rev: 2, state: "connecting", legs: legs.map((leg) => ({ ...leg, state: "joined" })) }));
      return [s.view.phase, s.view.over.reason, l.wires.length];
    """
    assert run(CALL + body) == ["ended", "answered_elsewhere", 0]


def test_an_older_snapshot_of_a_call_changes_nothing(run: Run) -> None:
    body = "const s = session(active); await enter(s, active); s.apply(call({ rev: 2 })); return s.view.call.state;"
    assert run(CALL + body) == "active"


def test_the_others_are_told_what_is_sent_once_it_is_known(run: Run) -> None:
    body = """
      const s = session(active); await enter(s, active);
      const endMs = performance.now() + 10_000;
      while (l.last().asked("media").length === 0 && performance.now() < endMs) await h.settle();
      s.toggleMute(); s.toggleMute(); await h.settle(); return l.last().asked("media").map(({ audio }) => audio);
    """
    assert run(CALL + body) == [True, False, True]


def test_who_hangs_up_is_out_at_once(run: Run) -> None:
    body = """
      const s = session(active, { load: ended }); await enter(s, active); s.hangUp();
      const frame = l.last().asked("hangup")[0]; return [s.view.phase, frame.reason ?? null];
    """
    assert run(CALL + body) == ["ended", None]


def test_hanging_up_while_it_rings_cancels(run: Run) -> None:
    body = "const s = session(call(), { cancel: ended }); await enter(s); await s.hangUp(); return asked;"
    assert run(CALL + body) == ["cancel"]


def test_hanging_up_in_the_moment_of_the_answer_ends_the_answered_call(run: Run) -> None:
    body = "const s = session(call(), { hangup: ended }); await enter(s); await s.hangUp(); return asked;"
    assert run(CALL + body) == ["cancel", "hangup"]


def test_hanging_up_while_the_line_is_away_goes_over_http(run: Run) -> None:
    body = """
      const s = session(active, { hangup: ended }); await enter(s, active); l.last().drop();
      await s.hangUp(); return [asked, s.view.call.end_reason];
    """
    assert run(CALL + body) == [["hangup"], "hangup"]


def test_leaving_a_group_while_the_line_is_away_goes_over_http(run: Run) -> None:
    body = """
      const third = { leg_id: "hers", user: user("carol"), state: "joined" };
      const legs = [...active.legs.map((leg) => ({ ...leg, state: "joined" })), third];
      const group = { ...active, legs };
      const s = session(group, { leave: group }); await enter(s, group); l.last().drop();
      await s.hangUp(); return [asked, s.view.phase];
    """
    assert run(CALL + body) == [["leave"], "ended"]


def test_a_room_that_was_closed_behind_the_page_says_how_the_call_ended(run: Run) -> None:
    body = """
      const s = session(active, { load: call({ rev: 9, state: "ended", end_reason: "lonely" }) });
      await enter(s, active); l.last().drop(4508); await h.settle();
      return [s.view.phase, s.view.call.end_reason, s.view.over];
    """
    assert run(CALL + body) == ["ended", "lonely", None]


def test_a_call_that_goes_on_in_another_window_is_over_here_and_its_camera_free(run: Run) -> None:
    body = """
      const s = session(active); await enter(s, active);
      const endMs = performance.now() + 10_000;
      while (!media.microphone && performance.now() < endMs) await h.settle();
      l.last().drop(4504); return [s.view.phase, s.view.over, media.microphone.readyState];
    """
    assert run(CALL + body) == ["ended", {"code": 4504}, "ended"]


# ── microphone and camera ──

DEVICES = """
  const { LocalMedia } = await import("/js/media/devices.js");
  const refuse = (name) => Promise.reject(new DOMException("", name));
  const only = async (asked) => (await navigator.mediaDevices.getUserMedia(asked));
  const media = (getUserMedia) => new LocalMedia({ getUserMedia });
"""


def test_both_are_opened_where_both_are_there(run: Run) -> None:
    body = "const m = media(only); await m.open({ camera: true });"
    assert run(f"{DEVICES} {body} return [m.problems, m.camera.kind, m.microphone.kind];") == [[], "video", "audio"]


def test_without_a_camera_the_call_is_one_of_sound(run: Run) -> None:
    body = """
      const m = media((asked) => (asked.video ? refuse("NotFoundError") : only(asked)));
      await m.open({ camera: true }); return [m.problems, m.camera, m.microphone.kind];
    """
    assert run(DEVICES + body) == [[{"device": "camera", "kind": "missing"}], None, "audio"]


def test_who_refuses_is_asked_no_further_question(run: Run) -> None:
    body = """
      let asked = 0;
      const m = media(() => { asked += 1; return refuse("NotAllowedError"); });
      await m.open({ camera: true });
      return [asked, m.problems.map(({ device, kind }) => [device, kind]), m.muted];
    """
    assert run(DEVICES + body) == [2, [["microphone", "denied"], ["camera", "denied"]], True]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("NotAllowedError", "denied"),
        ("SecurityError", "denied"),
        ("NotFoundError", "missing"),
        ("OverconstrainedError", "missing"),
        ("NotReadableError", "in_use"),
        ("AbortError", "in_use"),
    ],
)
def test_what_the_browser_says_is_told_by_what_the_person_can_do(run: Run, error: str, kind: str) -> None:
    body = f'const m = media(() => refuse("{error}")); await m.open({{ camera: false }}); return m.problems[0].kind;'
    assert run(DEVICES + body) == kind


def test_a_page_that_is_not_secure_says_so(run: Run) -> None:
    body = "const m = new LocalMedia(null); await m.open({ camera: true }); return m.problems[0].kind;"
    assert run(DEVICES + body) == "insecure"


def test_a_camera_that_is_switched_off_is_released(run: Run) -> None:
    body = """
      const m = media(only); await m.open({ camera: true }); const track = m.camera;
      await m.setCamera(false); const off = [m.camera, track.readyState];
      await m.setCamera(true); return [...off, m.camera.readyState];
    """
    assert run(DEVICES + body) == [None, "ended", "live"]


def test_a_microphone_that_comes_later_is_as_muted_as_the_one_before(run: Run) -> None:
    body = """
      const m = media(only); await m.open({ camera: false }); m.setMuted(true);
      await m.open({ camera: false }); return m.microphone.enabled;
    """
    assert run(DEVICES + body) is False


# ── two peers ──

TALK = """
  const tracks = await h.camera();
  for (const side of [p.a, p.b]) {
    await side.setTrack("audio", tracks.audio);
    await side.setTrack("video", tracks.video);
  }
  p.a.begin(); p.b.begin();
"""
BOTH_GROW = """
  const stuck = [await h.growing(() => h.counters(p.a)), await h.growing(() => h.counters(p.b))];
  p.a.close(); p.b.close();
"""


def test_two_peers_see_and_hear_each_other(run: Run) -> None:
    body = f"const p = h.pair(); {TALK} {BOTH_GROW} return [stuck, p.states.a.at(-1), p.states.b.at(-1)];"
    assert run(body) == [[[], []], "connected", "connected"]


def test_offers_that_collide_end_in_one_connection(run: Run) -> None:
    body = f"""
      const offers = []; const note = (signal) => {{ if (signal.type === "offer") offers.push(1); return false; }};
      const p = h.pair({{ initiators: ["a", "b"], hold: note }}); {TALK} {BOTH_GROW}
      return [offers.length >= 2, stuck];
    """
    assert run(body) == [True, [[], []]]


def test_candidates_that_come_before_the_description_are_kept(run: Run) -> None:
    body = f"""
      let all = false;
      const hold = ({{ type, candidates }}) => {{ all ||= candidates?.length === 0; return type === "offer"; }};
      const p = h.pair({{ hold }}); {TALK}
      while (!all) await h.settle();
      await h.settle(); const [offer] = p.heldBack; offer(); // after all of its candidates
      await h.growing(() => h.counters(p.b)); const types = await h.remoteCandidates(p.b);
      p.a.close(); p.b.close(); return types.includes("host");
    """
    assert run(body) is True


def test_a_camera_that_is_switched_on_in_a_call_of_sound_is_seen(run: Run) -> None:
    body = """
      const p = h.pair({ a: { receive: ["audio"] }, b: { receive: ["audio"] } }); const tracks = await h.camera();
      for (const side of [p.a, p.b]) { await side.setTrack("audio", tracks.audio); side.begin(); }
      const heard = await h.growing(() => h.counters(p.a), ["audioPackets"]);
      await p.b.setTrack("video", tracks.video);
      const seen = await h.growing(() => h.counters(p.a), ["videoPackets", "framesDecoded"]);
      p.a.close(); p.b.close(); return [heard, seen];
    """
    assert run(body) == [[], []]


def test_who_has_neither_microphone_nor_camera_can_listen_and_look(run: Run) -> None:
    body = """
      const p = h.pair(); const tracks = await h.camera();
      await p.b.setTrack("audio", tracks.audio); await p.b.setTrack("video", tracks.video);
      p.a.begin(); p.b.begin();
      const grown = await h.growing(() => h.counters(p.a)); p.a.close(); p.b.close(); return grown;
    """
    assert run(body) == []


def test_who_only_listened_is_heard_once_there_is_a_microphone(run: Run) -> None:
    body = """
      const p = h.pair(); const tracks = await h.camera(); await p.b.setTrack("audio", tracks.audio);
      p.a.begin(); p.b.begin(); await h.growing(() => h.counters(p.a), ["audioPackets"]);
      await p.a.setTrack("audio", tracks.audio);
      const heard = await h.growing(() => h.counters(p.b), ["audioPackets"]); p.a.close(); p.b.close(); return heard;
    """
    assert run(body) == []


def test_the_one_who_waits_for_an_offer_makes_one_when_none_comes(run: Run) -> None:
    body = """
      const clock = new h.Clock(); const said = [];
      const peer = h.pair({ initiators: [], a: { clock, send: ({ type }) => said.push(type) } }).a;
      await peer.setTrack("audio", (await h.camera()).audio); peer.begin();
      await clock.pass(4_999); const early = [...said]; await clock.pass(1);
      const endMs = performance.now() + 5_000;
      while (said.length === 0 && performance.now() < endMs) await h.settle();
      peer.close(); return [early, said[0]];
    """
    assert run(body) == [[], "offer"]


LOST = """
  const clock = new h.Clock();
  const p = h.pair({ a: { clock, PeerConnectionClass: h.StubConnection } });
  const connection = h.StubConnection.made.at(-1);
  p.a.begin(); await h.settle();
  connection.become("connected"); connection.become("disconnected");
"""


def test_a_lost_path_is_looked_for_at_once_and_again_after_8_s(run: Run) -> None:
    body = "const atOnce = connection.restarts; await clock.pass(7_999); const before = connection.restarts;"
    assert run(f"{LOST} {body} await clock.pass(1); return [atOnce, before, connection.restarts];") == [1, 1, 2]


def test_a_lost_path_is_given_up_after_30_s(run: Run) -> None:
    body = "await clock.pass(29_999); const before = p.states.a.at(-1); await clock.pass(1);"
    assert run(f"{LOST} {body} return [before, p.states.a.at(-1)];") == ["disconnected", "lost"]


def test_a_path_that_came_back_is_not_given_up(run: Run) -> None:
    body = 'connection.become("connected"); await clock.pass(60_000); return [p.states.a.at(-1), connection.restarts];'
    assert run(LOST + body) == ["connected", 1]


def test_a_new_network_is_tried_without_a_gap_while_the_old_path_still_works(run: Run) -> None:
    body = 'connection.become("connected"); p.a.restart(); await clock.pass(60_000); return p.states.a.at(-1);'
    assert run(LOST + body) == "connected"


# ── STUN and TURN servers that are good now ──

ICE = """
  const { iceSource } = await import("/js/realtime/ice.js");
  const clock = new h.Clock(); let asked = 0;
  // By a clock of this machine that is right, those would have run out long ago.
  const config = (urls) => ({ ice_servers: [{ urls }], policy: "relay", expires_at: "2001-01-01T00:00:00Z",
    expires_in: 600 });
  const load = async () => config(`turn:fresh-${++asked}`);
  const source = iceSource(() => load(), config("turn:page"), clock);
  const urls = async () => (await source()).iceServers[0].urls;
"""


def test_servers_that_came_with_the_page_are_used_until_a_minute_before_they_run_out(run: Run) -> None:
    body = "const first = await urls(); await clock.pass(539_999); return [first, await urls(), asked];"
    assert run(ICE + body) == ["turn:page", "turn:page", 0]


def test_servers_that_have_run_out_are_asked_for_again(run: Run) -> None:
    body = "await clock.pass(540_000); return [await urls(), await urls(), asked];"
    assert run(ICE + body) == ["turn:fresh-1", "turn:fresh-1", 1]


def test_servers_run_out_again_and_again(run: Run) -> None:
    body = "await clock.pass(540_000); await urls(); await clock.pass(540_000); return await urls();"
    assert run(ICE + body) == "turn:fresh-2"


def test_many_who_want_servers_at_once_ask_once(run: Run) -> None:
    body = "await clock.pass(540_000); await Promise.all([urls(), urls(), urls()]); return asked;"
    assert run(ICE + body) == 1


def test_servers_that_cannot_be_fetched_are_those_of_before(run: Run) -> None:
    body = """
      const failing = iceSource(async () => { throw new Error("away"); }, config("turn:page"), clock);
      await clock.pass(540_000); return (await failing()).iceServers[0].urls;
    """
    assert run(ICE + body) == "turn:page"


def test_a_page_without_servers_asks_for_them(run: Run) -> None:
    body = "return (await iceSource(load, null, clock)()).iceServers[0].urls;"
    assert run(ICE + body) == "turn:fresh-1"


def test_only_the_relay_is_used_where_the_server_says_so(run: Run) -> None:
    assert run(f"{ICE} return (await source()).iceTransportPolicy;") == "relay"


FRESH = """
  const clock = new h.Clock();
  const freshConfiguration = async () => ({ iceServers: [{ urls: "turn:fresh" }] });
  const lost = async (load) => {
    const p = h.pair({ a: { clock, PeerConnectionClass: h.StubConnection, freshConfiguration: load } });
    const connection = h.StubConnection.made.at(-1);
    p.a.begin(); await h.settle();
    connection.become("connected"); connection.become("disconnected"); await h.settle();
    return connection;
  };
"""


def test_an_ice_restart_is_made_with_servers_that_are_good_now(run: Run) -> None:
    body = "const { configured, restarts } = await lost(freshConfiguration); return [configured, restarts];"
    assert run(FRESH + body) == [{"urls": "turn:fresh", "restarts": 0}, 1]


def test_servers_that_do_not_come_hold_up_an_ice_restart_for_3_s(run: Run) -> None:
    body = """
      const connection = await lost(() => new Promise(() => {}));
      await clock.pass(2_999); const before = connection.restarts; await clock.pass(1);
      return [before, connection.restarts];
    """
    assert run(FRESH + body) == [0, 1]


def test_both_sides_of_an_ice_restart_gather_with_servers_that_are_good_now(run: Run) -> None:
    body = """
      const asked = { a: 0, b: 0 };
      const of = (name) => ({ freshConfiguration: async () => { asked[name] += 1; return { iceServers: [] }; } });
      const p = h.pair({ a: of("a"), b: of("b") }); const { audio, video } = await h.camera();
      for (const side of [p.a, p.b]) { await side.setTrack("audio", audio); await side.setTrack("video", video); }
      p.a.begin(); p.b.begin();
      const still = await h.growing(() => h.counters(p.b)); const before = { ...asked };
      p.a.restart();
      const endMs = performance.now() + 15_000;
      while (asked.b === 0 && performance.now() < endMs) await h.settle();
      const after = await h.growing(() => h.counters(p.b));
      p.a.close(); p.b.close(); return [still, before, after, asked];
    """
    assert run(body) == [[], {"a": 0, "b": 0}, [], {"a": 1, "b": 1}]


# ── ringing ──

RINGER = """
  const { Ringer } = await import("/js/ui/ringer.js");
  // Tones that say what sounds, and that run once they are allowed to.
  const tones = ({ running }) => ({
    sounds: null,
    allow() { running = true; },
    unlock: async () => running,
    play(name) { this.sounds = name; },
    stop() { this.sounds = null; },
  });
  const turn = () => new Promise((resolve) => setTimeout(resolve, 50));
  const until = async (holds) => { for (let left = 200; !holds() && left > 0; left -= 1) await turn(); };
"""


def test_a_window_that_may_not_sound_keeps_no_other_from_ringing(run: Run) -> None:
    body = """
      const [mute, loud] = [tones({ running: false }), tones({ running: true })];
      const ringers = [new Ringer(mute), new Ringer(loud)];
      ringers[0].start("1", "Ring", "ringtone"); await turn();
      ringers[1].start("1", "Ring", "ringtone"); await until(() => loud.sounds);
      const heard = [mute.sounds, loud.sounds];
      for (const ringer of ringers) ringer.stop();
      return heard;
    """
    assert run(RINGER + body) == [None, "ringtone"]


def test_what_one_window_silences_rings_in_no_other(run: Run) -> None:
    body = """
      const [first, second] = [tones({ running: true }), tones({ running: true })];
      const ringers = [new Ringer(first), new Ringer(second)];
      ringers[0].start("2", "Ring", "ringtone"); await until(() => first.sounds);
      ringers[1].start("2", "Ring", "ringtone"); await turn();
      const before = [first.sounds, second.sounds];
      ringers[0].silence(); for (let n = 0; n < 10; n += 1) await turn();
      const after = [first.sounds, second.sounds];
      for (const ringer of ringers) ringer.stop();
      return [before, after];
    """
    assert run(RINGER + body) == [["ringtone", None], [None, None]]


def test_a_gesture_while_it_rings_lets_it_be_heard(run: Run) -> None:
    body = """
      const mine = tones({ running: false });
      const ringer = new Ringer(mine);
      ringer.start("3", "Ring", "ringtone");
      window.dispatchEvent(new Event("pointerup")); await turn(); // one that the browser does not take
      const before = mine.sounds;
      mine.allow();
      window.dispatchEvent(new Event("touchend")); await until(() => mine.sounds);
      const after = mine.sounds;
      ringer.stop();
      return [before, after];
    """
    assert run(RINGER + body) == [None, "ringtone"]


def test_gestures_are_heard_until_one_has_worked(run: Run) -> None:
    body = """
      const { unlockByGesture } = await import("/js/ui/unlocking.js");
      const answers = [false, false, true];
      let asked = 0;
      unlockByGesture({ unlock: async () => answers[asked++] });
      for (const gesture of ["pointerdown", "pointerup", "touchend", "click", "keydown"]) {
        window.dispatchEvent(new Event(gesture)); await h.settle();
      }
      return asked;
    """
    assert run(body) == 3


# ── people, typing, looking again ──

PEOPLE = """
  const { People } = await import("/js/people/people.js");
  const of = (state) => ({ user: { id: "b", username: "bob", display_name: "Bob" }, presence: "online", state });
  const wire = { inbox: { on() {}, watch: async () => {} }, link: { on() {} } };
  const people = new People({ ...wire, api: { acceptContact: async () => of("contacts") } }, "a", [of("received")]);
"""


def test_an_answer_that_was_asked_for_before_a_relation_changed_does_not_put_it_back(run: Run) -> None:
    body = 'const asOf = people.changes; await people.accept(of("received")); people.learn([of("received")], asOf);'
    assert run(f'{PEOPLE} {body} return people.get("b").state;') == "contacts"


def test_an_answer_that_leaves_out_who_has_changed_since_does_not_forget_them(run: Run) -> None:
    body = 'const asOf = people.changes; await people.accept(of("received")); people.learn([], asOf);'
    assert run(f'{PEOPLE} {body} return people.get("b").state;') == "contacts"


def test_an_answer_that_was_asked_for_after_it_counts(run: Run) -> None:
    body = 'await people.accept(of("received")); people.learn([of("none")], people.changes);'
    assert run(f'{PEOPLE} {body} return people.get("b").state;') == "none"


COALESCED = """
  const { coalesced } = await import("/js/ui/coalescing.js");
  const looks = [];
  const ask = coalesced((overtaken) => new Promise((end) => looks.push({ end, overtaken })), 1);
  const until = async (count) => { while (looks.length < count) await h.settle(); };
"""


def test_looks_that_are_asked_for_together_are_one(run: Run) -> None:
    body = "ask(); ask(); await until(1); const { overtaken } = looks[0]; looks[0].end();"
    body += "await new Promise((resolve) => setTimeout(resolve, 50)); return [looks.length, overtaken()];"
    assert run(f"{COALESCED} {body}") == [1, False]


def test_a_look_that_is_overtaken_knows_it_and_another_follows_when_it_is_over(run: Run) -> None:
    body = "ask(); await until(1); ask(); await new Promise((resolve) => setTimeout(resolve, 50));"
    body += "const meanwhile = [looks.length, looks[0].overtaken()]; looks[0].end(); await until(2);"
    assert run(f"{COALESCED} {body} return [...meanwhile, looks[1].overtaken()];") == [1, True, False]


TYPING = """
  const { isComposing, whenTyped } = await import("/js/ui/typing.js");
  const field = document.createElement("input");
  let looked = 0;
  whenTyped(field, 1, () => { looked += 1; });
  const pause = () => new Promise((resolve) => setTimeout(resolve, 50));
  const type = (isComposing) => field.dispatchEvent(new InputEvent("input", { isComposing }));
"""


def test_a_pause_in_typing_looks_once(run: Run) -> None:
    assert run(f"{TYPING} type(false); type(false); await pause(); return looked;") == 1


def test_a_word_that_is_being_composed_is_looked_for_when_it_is_whole(run: Run) -> None:
    body = "type(false); type(true); await pause(); const before = looked;"
    body += 'field.dispatchEvent(new CompositionEvent("compositionend")); await pause(); return [before, looked];'
    assert run(f"{TYPING} {body}") == [0, 1]


@pytest.mark.parametrize("how", ["isComposing: true", "keyCode: 229"])
def test_a_key_of_a_word_that_is_being_composed_is_known(run: Run, how: str) -> None:
    body = (
        f'const key = (init) => isComposing(new KeyboardEvent("keydown", init)); return [key({{ {how} }}), key({{}})];'
    )
    assert run(f"{TYPING} {body}") == [True, False]


# ── sentences ──


@pytest.mark.parametrize(
    ("name", "words"), [("王嘉怡", "与王嘉怡通话"), ("bob", "与 bob 通话"), ("bob王", "与 bob王通话")]
)
def test_between_chinese_characters_stands_no_space(run: Run, name: str, words: str) -> None:
    body = f'return _("与 %(name)s 通话", {{ name: "{name}" }});'
    assert run(f'const {{ _ }} = await import("/js/i18n.js"); {body}') == words
