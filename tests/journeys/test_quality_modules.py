"""How good a path is and why a call failed, without a page: the score, statistics, faults and their sentences."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from server.languages.choice import read_languages
from server.paths import docs_dir, locale_dir
from server.realtime.frames import FrameReader, Quality
from tests.journeys.test_modules import Run, files, page, run
from tests.markdown import Document

__all__ = ["files", "page", "run"]  # the fixtures

DOCUMENT = Document(docs_dir() / "quality.md")

# ── the score ──

SCORE = 'const { scoreOf, ratingOf, barsOf } = await import("/js/media/score.js");'


@pytest.mark.parametrize("row", [row for row in DOCUMENT.rows("The score") if "delay, mouth to ear" in row])
def test_the_examples_of_the_documentation_are_what_is_computed(run: Run, row: dict[str, str]) -> None:
    loss, delay_ms = float(row["loss"].removesuffix(" %")) / 100, float(row["delay, mouth to ear"].removesuffix(" ms"))
    computed = run(
        f"{SCORE} const path = {{ loss: {loss}, oneWayMs: {delay_ms} }}; return [ratingOf(path), scoreOf(path)];"
    )
    assert computed == [pytest.approx(float(row["R"]), abs=0.051), pytest.approx(float(row["score"]), abs=0.0051)]


def test_more_loss_and_more_delay_are_never_better(run: Run) -> None:
    body = """
      const steps = Array.from({ length: 101 }, (_, step) => step);
      return [
        steps.map((step) => scoreOf({ loss: step / 100, oneWayMs: 80 })),
        steps.map((step) => scoreOf({ loss: 0.01, oneWayMs: step * 20 })),
      ];
    """
    for scores in run(SCORE + body):
        assert all(before >= after for before, after in pairwise(scores))
        assert 1 <= min(scores) < max(scores) <= 4.5


def test_the_bars_begin_where_the_documentation_says(run: Run) -> None:
    rows = [row for row in DOCUMENT.rows("Bars and words") if row["score"].endswith("above")]
    for row in rows:
        bars, score = int(row["bars"]), float(row["score"].split()[0])
        assert run(f"{SCORE} return [barsOf({score}), barsOf({score} - 0.001)];") == [bars, bars - 1]
    assert run(f"{SCORE} return [barsOf(1), barsOf(null)];") == [1, 0]


def test_the_words_are_those_of_the_documentation(run: Run) -> None:
    said = run('const { barsWord } = await import("/js/strings/quality.js"); return [4, 3, 2, 1, 0].map(barsWord);')
    assert said == [row["word"] for row in DOCUMENT.rows("Bars and words")]


# ── statistics ──

STATS = """
const { sampleOf, summaryOf, reportOf } = await import("/js/media/path_stats.js");
// What getStats says after `seconds` of a call in which of `all` packets of sound each hundredth, say, was lost.
function report({ audio = {}, video = null, pair = {}, local = {}, transport = true } = {}) {
  const entries = [
    { id: "in", type: "inbound-rtp", kind: "audio", packetsReceived: 0, packetsLost: 0, jitter: 0.004,
      jitterBufferDelay: 0, jitterBufferEmittedCount: 0, totalAudioEnergy: 0, totalSamplesDuration: 0, ...audio },
    { id: "out", type: "outbound-rtp", kind: "audio", bytesSent: 2_000, headerBytesSent: 500 },
    { id: "pair", type: "candidate-pair", nominated: true, state: "succeeded", currentRoundTripTime: 0.08,
      localCandidateId: "local", remoteCandidateId: "remote", ...pair },
    { id: "local", type: "local-candidate", candidateType: "host", protocol: "udp", ...local },
    { id: "remote", type: "remote-candidate", candidateType: "srflx", protocol: "udp" },
  ];
  if (video) entries.push({ id: "video", type: "inbound-rtp", kind: "video", ...video });
  if (transport) entries.push({ id: "transport", type: "transport", selectedCandidatePairId: "pair" });
  return new Map(entries.map((entry) => [entry.id, entry]));
}
const between = (earlier, later) => summaryOf(sampleOf(report(earlier), 0), sampleOf(report(later), 10_000));
"""


def test_loss_is_that_of_the_sound_alone(run: Run) -> None:
    later = "{ audio: { packetsReceived: 495, packetsLost: 5 }, video: { packetsReceived: 500, packetsLost: 500 } }"
    found = run(f"{STATS} return between({{}}, {later});")
    assert found["loss"] == pytest.approx(0.01)


def test_where_there_is_hardly_any_sound_the_picture_speaks_for_the_path(run: Run) -> None:
    later = "{ audio: { packetsReceived: 4 }, video: { packetsReceived: 896, packetsLost: 100 } }"
    assert run(f"{STATS} return between({{}}, {later}).loss;") == pytest.approx(0.1)


def test_of_a_path_by_which_nothing_comes_no_score_is_made_up(run: Run) -> None:
    found = run(f"{STATS} return between({{}}, {{ audio: {{ packetsReceived: 20 }} }});")
    assert (found["score"], found["loss"], found["rttMs"]) == (None, None, 80)


def test_the_wait_in_the_buffer_counts_as_delay(run: Run) -> None:
    packets = "packetsReceived: 500"
    waits = "jitterBufferDelay: 480_000 * 0.4, jitterBufferEmittedCount: 480_000"
    quick, slow = run(
        f"{STATS} return [between({{}}, {{ audio: {{ {packets} }} }}),"
        f" between({{}}, {{ audio: {{ {packets}, {waits} }} }})].map(({{ score }}) => score);"
    )
    assert quick > 4.3
    assert slow < 3.5


def test_loudness_is_the_root_of_the_mean_square_since_the_sample_before(run: Run) -> None:
    earlier = "{ audio: { packetsReceived: 500, totalAudioEnergy: 5, totalSamplesDuration: 10 } }"
    later = "{ audio: { packetsReceived: 1_000, totalAudioEnergy: 5.4, totalSamplesDuration: 20 } }"
    assert run(f"{STATS} return between({earlier}, {later}).audioLevel;") == pytest.approx(0.2)


def test_what_was_sent_is_counted_with_its_headers(run: Run) -> None:
    assert run(f"{STATS} return sampleOf(report(), 0).bytesOut;") == 2_500
    earlier, later = "{ audio: { bytesReceived: 1_000 } }", "{ audio: { bytesReceived: 126_000 } }"
    assert run(f"{STATS} return between({earlier}, {later}).kbitIn;") == pytest.approx(100)


def test_counters_that_begin_anew_say_nothing_rather_than_something_wrong(run: Run) -> None:
    earlier = "{ audio: { packetsReceived: 9_000, packetsLost: 90, bytesReceived: 900_000 } }"
    found = run(f"{STATS} return between({earlier}, {{ audio: {{ packetsReceived: 10 }} }});")
    assert (found["loss"], found["kbitIn"], found["freezes"]) == (None, 0, 0)


@pytest.mark.parametrize("transport", ["true", "false"])
def test_the_path_in_use_is_found_in_every_browser(run: Run, transport: str) -> None:
    found = run(f"{STATS} return sampleOf(report({{ transport: {transport} }}), 0);")
    assert (found["candidate"], found["remoteCandidate"], found["protocol"]) == ("host", "srflx", "udp")


def test_of_a_relay_it_is_told_how_it_is_reached(run: Run) -> None:
    local = '{ candidateType: "relay", protocol: "udp", relayProtocol: "tls" }'
    found = run(f"{STATS} return sampleOf(report({{ local: {local} }}), 0);")
    assert (found["candidate"], found["protocol"]) == ("relay", "tls")


@pytest.mark.parametrize("later", ["{}", "{ audio: { packetsReceived: 500, packetsLost: 500 } }"])
def test_the_server_takes_what_is_reported(run: Run, later: str) -> None:
    legs = run(f"{STATS} return {{ leg: reportOf(between({{}}, {later})) }};")
    FrameReader(Quality).read(json.dumps({"type": "quality", "legs": legs}).encode())


# ── the watch ──

WATCH = """
const { QualityWatch } = await import("/js/media/quality_watch.js");
const { Emitter } = await import("/js/realtime/emitter.js");
const clock = new h.Clock();
const room = new Emitter();
room.peers = new Map();
room.sent = [];
room.request = async (type, fields) => { room.sent.push({ type, ...fields }); };
let packets = 0;
const inbound = { id: "in", type: "inbound-rtp", kind: "audio" };
const stats = async () => new Map([["in", { ...inbound, packetsReceived: (packets += 50) }]]);
const peer = (connectionState = "connected") => ({ connection: { connectionState }, stats });
const watch = new QualityWatch(room, "mine", clock);
"""


def test_the_first_bars_come_after_two_seconds(run: Run) -> None:
    body = """
      room.peers.set("theirs", peer()); watch.start();
      await clock.pass(1_000); const before = watch.of("theirs").heard;
      await clock.pass(1_000); return [before, watch.of("theirs").heard.score];
    """
    assert run(WATCH + body) == [None, pytest.approx(4.41, abs=0.01)]


def test_the_others_are_told_every_ten_seconds(run: Run) -> None:
    body = 'room.peers.set("theirs", peer()); watch.start(); await clock.pass(42_000); return room.sent;'
    sent = run(WATCH + body)
    assert [(frame["type"], list(frame["legs"])) for frame in sent] == [("quality", ["theirs"])] * 5


def test_a_path_that_is_not_there_is_not_judged(run: Run) -> None:
    body = """
      room.peers.set("theirs", peer("connecting")); watch.start();
      await clock.pass(30_000); return [watch.of("theirs").heard, room.sent];
    """
    assert run(WATCH + body) == [None, []]


def test_how_the_others_hear_oneself_is_known_from_them(run: Run) -> None:
    body = """
      room.emit("frame", { type: "quality", leg_id: "theirs", legs: { mine: { score: 3.2 }, other: { score: 1 } } });
      room.emit("frame", { type: "quality", leg_id: "other", legs: { theirs: { score: 1 } } });
      return [watch.of("theirs").told, watch.of("other").told];
    """
    assert run(WATCH + body) == [{"score": 3.2}, None]


def test_whoever_has_gone_is_forgotten(run: Run) -> None:
    body = """
      room.emit("frame", { type: "quality", leg_id: "theirs", legs: { mine: { score: 3.2 } } });
      room.emit("peer", { legId: "theirs", peer: null }); return watch.of("theirs");
    """
    assert run(WATCH + body) == {"heard": None, "told": None}


def test_after_the_call_nothing_is_looked_at(run: Run) -> None:
    body = """
      room.peers.set("theirs", peer()); watch.start(); await clock.pass(2_000); watch.stop();
      await clock.pass(60_000); return room.sent.length;
    """
    assert run(WATCH + body) == 1


# ── the diary ──

DIARY = """
const { Diary } = await import("/js/media/diary.js");
const { Emitter } = await import("/js/realtime/emitter.js");
const clock = new h.Clock();
const room = new Emitter();
room.view = { phase: "calling", link: "connecting", over: null };
const media = { problems: [] };
let online = true;
const options = { clock, isOnline: () => online };
const diary = new Diary(room, media, options);
const become = (view) => { Object.assign(room.view, view); room.emit("change", null); };
class Connection extends EventTarget {
  connectionState = "new";
  become(state) { this.connectionState = state; this.dispatchEvent(new Event("connectionstatechange")); }
  say(name, fields) { this.dispatchEvent(Object.assign(new Event(name), fields)); }
  find(type) { this.say("icecandidate", { candidate: { type, address: "10.9.8.7" } }); }
  fail(url, errorCode, errorText = "") {
    this.say("icecandidateerror", { url, errorCode, errorText, address: "10.9.8.7" });
  }
}
const connection = new Connection();
room.emit("peer", { legId: "theirs", peer: { connection } });
"""


def test_what_happens_is_noted_with_its_time(run: Run) -> None:
    body = """
      await clock.pass(1_500); become({ phase: "connecting", link: "open" }); connection.become("connecting");
      await clock.pass(700); connection.become("connected"); become({ phase: "in_call" });
      const { beganAtMs, entries } = diary.facts;
      return entries.map(({ atMs, text }) => [atMs - beganAtMs, text]);
    """
    assert run(DIARY + body) == [
        [0, "phase calling"],
        [0, "socket connecting"],
        [1_500, "phase connecting"],
        [1_500, "socket open"],
        [1_500, "path theirs connecting"],
        [2_200, "path theirs connected"],
        [2_200, "phase in_call"],
    ]


def test_of_addresses_only_the_kinds_are_noted(run: Run) -> None:
    body = 'connection.find("host"); connection.find("host"); connection.find("relay"); return diary.facts;'
    facts = run(DIARY + body)
    assert facts["paths"][0]["found"] == {"host": 2, "relay": 1}
    assert "10.9.8.7" not in json.dumps(facts)


def test_why_a_server_gave_no_address_is_noted_once(run: Run) -> None:
    body = """
      for (const code of [401, 401, 701]) connection.fail("turn:t.example:3478", code, "Unauthorized");
      return diary.facts.paths[0].errors;
    """
    error = {"url": "turn:t.example:3478", "code": 401, "text": "Unauthorized"}
    assert run(DIARY + body) == [error, error | {"code": 701}]


def test_what_comes_after_the_end_changes_nothing(run: Run) -> None:
    body = """
      become({ phase: "in_call", link: "open" });
      become({ phase: "ended", link: "closed", over: { reason: "hangup" } });
      media.problems = [{ device: "camera", kind: "missing" }]; online = false; become({});
      const { link, problems, online: was, entries } = diary.facts;
      return [link, problems, was, entries.at(-1).text];
    """
    assert run(DIARY + body) == ["open", [], True, "phase ended hangup"]


def test_a_diary_that_was_kept_is_read_again_after_the_end(run: Run) -> None:
    body = """
      become({ phase: "in_call", link: "open" }); connection.become("failed");
      const kept = JSON.parse(JSON.stringify(diary.facts));
      room.view = { phase: "ended", link: "idle", over: null };
      const again = new Diary(room, media, { ...options, kept }); room.emit("change", null);
      return [again.facts.entries.length - kept.entries.length, again.facts.link, again.facts.paths[0].state];
    """
    assert run(DIARY + body) == [0, "open", "failed"]


def test_whoever_comes_back_was_not_lost(run: Run) -> None:
    body = """
      const leave = { type: "leave", leg_id: "theirs", reason: "connection_lost" };
      room.emit("frame", leave); const lost = [...diary.facts.lost];
      room.emit("frame", { type: "join", participant: { leg_id: "theirs" } });
      return [lost, diary.facts.lost];
    """
    assert run(DIARY + body) == [["theirs"], []]


# ── faults ──

FAULTS_IN = """
const { causesOf, troublesOf } = await import("/js/media/diagnosis.js");
const { causeWords } = await import("/js/strings/failures.js");
const legs = [
  { leg_id: "mine", user: { id: "alice", username: "alice", display_name: "Alice" }, state: "left", joined_at: "t" },
  { leg_id: "theirs", user: { id: "bob", username: "bob", display_name: "Bob" }, state: "left", joined_at: "t" },
];
function facts({ call = {}, diary = {}, over = null, path = null }) {
  const broken = { legId: "theirs", state: "failed", connected: false, found: { host: 2 }, errors: [], quality: null };
  const paths = path ? [{ ...broken, ...path }] : [];
  const entries = [{ atMs: 0, text: "socket open" }];
  const base = { beganAtMs: 0, entries, problems: [], lost: [], link: "open", online: true, paths };
  const servers = { stun: 0, turn: 1, policy: "all" };
  return {
    ownId: "alice", over,
    call: { legs, state: "ended", end_reason: "hangup", ended_by: "bob", answered_at: "t", ...call },
    diary: { ...base, servers, ...diary },
  };
}
"""

TURN = "turn:t.example:3478?transport=udp"


def turn_says(code: int) -> dict[str, Any]:
    """A path on which the relay answered with that code."""
    return {"errors": [{"url": TURN, "code": code, "text": ""}]}


ICE_FAILED = {"end_reason": "ice_failed", "ended_by": None}
LOST = {"end_reason": "connection_lost", "ended_by": None}
MICROPHONE, CAMERA = "microphone", "camera"

# Each fault as the page knows it, and what it is told to be.
FAULTS: dict[str, dict[str, Any]] = {
    "denied": {"diary": {"problems": [{"device": MICROPHONE, "kind": "denied"}]}},
    "missing": {"diary": {"problems": [{"device": MICROPHONE, "kind": "missing"}]}},
    "in_use": {"diary": {"problems": [{"device": CAMERA, "kind": "in_use"}]}},
    "insecure": {"diary": {"problems": [{"device": MICROPHONE, "kind": "insecure"}]}},
    "denied_there": {"call": {"end_reason": "media_denied"}},
    "relay_refused": {"call": ICE_FAILED, "path": turn_says(401)},
    "relay_full": {"call": ICE_FAILED, "path": turn_says(486)},
    "relay_unreachable": {"call": ICE_FAILED, "path": turn_says(701)},
    "no_relay": {"call": ICE_FAILED, "path": {}, "diary": {"servers": {"stun": 1, "turn": 0, "policy": "all"}}},
    "no_addresses": {"call": ICE_FAILED, "path": {"found": {}}, "diary": {"servers": None}},
    "no_way": {"call": ICE_FAILED, "path": {"found": {"host": 1, "relay": 1}}},
    "never_met": {"call": ICE_FAILED},
    "lost_there": {"call": LOST, "diary": {"lost": ["theirs"]}},
    "lost_here": {"call": LOST},
    "offline": {"call": LOST, "diary": {"online": False}},
    "server_away": {"diary": {"link": "waiting"}},
    "server_stopped": {"call": {"end_reason": "server_shutdown"}},
    "server_fault": {"call": {"end_reason": "error"}},
    "elsewhere": {"call": {"state": "active"}, "over": {"reason": "answered_elsewhere"}},
    "replaced": {"call": {"state": "active"}, "over": {"code": 4504}},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_as_what_it_is(run: Run, fault: str) -> None:
    kinds = run(f"{FAULTS_IN} return causesOf(facts({json.dumps(FAULTS[fault])})).map(({{ kind }}) => kind);")
    assert kinds == [fault]


@pytest.mark.parametrize(
    "fine",
    [
        {},
        {"call": {"end_reason": "declined", "answered_at": None}},
        {"path": {"connected": True, "state": "connected"}},
        {"path": {"state": "connecting"} | turn_says(701)},
        {"diary": {"link": "closed"}},
        {"over": {"reason": "declined_elsewhere"}, "call": {"state": "ringing"}},
    ],
)
def test_of_a_call_that_went_well_nothing_is_told(run: Run, fine: dict[str, Any]) -> None:
    assert run(f"{FAULTS_IN} return causesOf(facts({json.dumps(fine)}));") == []


def test_a_relay_that_gave_an_address_is_not_to_blame(run: Run) -> None:
    path = turn_says(701) | {"found": {"host": 1, "relay": 1}}
    kinds = run(f"{FAULTS_IN} return causesOf(facts({json.dumps({'call': ICE_FAILED, 'path': path})}));")
    assert kinds == [{"kind": "no_way", "name": "Bob"}]


def test_a_stun_server_that_does_not_answer_is_no_relay(run: Run) -> None:
    path = {"errors": [{"url": "stun:s.example", "code": 701, "text": ""}], "found": {"host": 1, "relay": 1}}
    kinds = run(f"{FAULTS_IN} return causesOf(facts({json.dumps({'call': ICE_FAILED, 'path': path})}));")
    assert [cause["kind"] for cause in kinds] == ["no_way"]


def test_a_relay_that_never_said_anything_could_not_be_reached(run: Run) -> None:
    kinds = run(f"{FAULTS_IN} return causesOf(facts({json.dumps({'call': ICE_FAILED, 'path': {}})}));")
    assert kinds == [{"kind": "relay_unreachable"}]


def test_of_a_call_on_another_day_is_told_what_the_call_itself_says(run: Run) -> None:
    given = json.dumps({"call": ICE_FAILED, "diary": {"entries": [], "servers": None}})
    assert run(f"{FAULTS_IN} return causesOf(facts({given}));") == [{"kind": "no_way", "name": "Bob"}]


def test_while_a_connection_does_not_come_about_the_relay_is_named(run: Run) -> None:
    troubles = f"{FAULTS_IN} return [FAULT, GOOD].map((path) => troublesOf(facts({{ path }})));"
    refused = turn_says(401) | {"state": "checking"}
    good = refused | {"connected": True}
    found = run(troubles.replace("FAULT", json.dumps(refused)).replace("GOOD", json.dumps(good)))
    assert found == [[{"kind": "relay_refused"}], []]


# ── in words ──

SAY = f"""
{FAULTS_IN}
return {json.dumps(list(FAULTS.values()))}.map((fault) => causeWords(causesOf(facts(fault))[0]));
"""
HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def chinese(browser: Browser, files: str) -> Iterator[Page]:
    """An empty page whose scripts speak Chinese."""
    language = next(each for each in read_languages(locale_dir()).all if each.tag == "zh-Hans")
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(files)
    add = """
      (text) => document.body.append(
        Object.assign(document.createElement("script"), { id: "messages", type: "application/json", textContent: text })
      )
    """
    page.evaluate(add, json.dumps(language.for_scripts))
    yield page
    context.close()


def test_each_fault_has_a_sentence_of_its_own_and_says_what_to_do(run: Run) -> None:
    words = run(SAY)
    assert len(words) == len(FAULTS) >= 10
    assert len({each["title"] for each in words}) == len(FAULTS)
    assert len({each["text"] for each in words}) == len(FAULTS)


def test_so_it_is_in_chinese(chinese: Page) -> None:
    words = chinese.evaluate(f"async () => {{ {SAY} }}")
    assert len({each["title"] for each in words}) == len({each["text"] for each in words}) == len(FAULTS)
    assert [each for each in words if not (HAN.search(each["title"]) and HAN.search(each["text"]))] == []


def test_bars_have_words_in_chinese(chinese: Page) -> None:
    said = chinese.evaluate(
        'async () => [0, 1, 2, 3, 4].map((await import("/js/strings/quality.js")).barsWord)',
    )
    assert len(set(said)) == 5
    assert all(HAN.search(word) for word in said)


# ── the report ──


def test_the_report_has_what_somebody_who_helps_asks_for(run: Run) -> None:
    body = """
      const { reportText } = await import("/js/media/report.js");
      const given = facts(FAULT);
      Object.assign(given.call, { call_id: "k-1", media: "video", created_at: "2026-11-20T05:12:07.345Z" });
      return reportText({ ...given, sentences: ["The relay did not let us in"], browser: "Test/1", version: "9.9" });
    """
    text = run(FAULTS_IN + body.replace("FAULT)", f"{json.dumps(FAULTS['relay_refused'])})"))
    lines = text.splitlines()
    assert lines[0] == "The relay did not let us in"
    assert "Ringback 9.9, call k-1" in lines
    assert "video, ended ice_failed, placed 2026-11-20T05:12:07.345Z" in lines
    assert "leg mine alice (me) left" in lines
    assert "browser Test/1" in lines
    assert "servers stun=0 turn=1 policy=all" in lines
    assert "path theirs failed, never connected, found host=2" in lines
    assert f"  server {TURN} 401" in lines
    assert "    0.0 s  socket open" in lines
