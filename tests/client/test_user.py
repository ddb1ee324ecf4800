"""What an inbox knows, and what it says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from ringback_client.errors import Closed, FrameError
from ringback_client.user import UserInbox
from tests.client.looped import looped
from tests.client.opened import opening
from tests.client.scripted_server import ALICE, BOB, ScriptedServer, Visit
from tests.client.still_clock import StillClock

pytestmark = pytest.mark.gen_test


def call(call_id: str = "k-1", rev: int = 1, state: str = "inviting", mine: str = "invited") -> dict[str, Any]:
    """A call from Bob to Alice, whose inbox this is."""
    return {
        "call_id": call_id,
        "state": state,
        "media": "audio",
        "rev": rev,
        "created_at": "2026-11-20T05:12:07.345Z",
        "legs": [{"leg_id": "l-bob", "user": BOB, "state": "joined"}, {"leg_id": "l-me", "user": ALICE, "state": mine}],
    }


def snapshot(*ringing: str, live: tuple[str, ...] = ()) -> dict[str, Any]:
    """What `connected` shows: calls that ring for 40 s more, and calls that go on."""
    return {
        "incoming": [{"call": call(call_id), "expires_in_ms": 40_000} for call_id in ringing],
        "calls": [call(call_id, 2, "active", "joined") for call_id in live],
    }


class Scene:
    """An inbox that is open, and the server's side of it."""

    def __init__(self, inbox: UserInbox, visit: Visit, server: ScriptedServer, clock: StillClock) -> None:
        self.inbox, self.visit, self.server, self.clock = inbox, visit, server, clock
        self._seq = 0

    async def say(self, frame_type: str, **fields: Any) -> None:
        """Send a numbered frame and wait until it has arrived."""
        self._seq += 1
        await self.visit.say(frame_type, seq=self._seq, **fields)
        await self.inbox.socket.wait_for(frame_type)

    async def ring(self, call_id: str = "k-1", expires_in_ms: int = 40_000) -> None:
        """Let a call come in."""
        await self.say("incoming", call_id=call_id, call=call(call_id), expires_in_ms=expires_in_ms)

    async def come_back(self, shown: dict[str, Any]) -> Visit:
        """Lose the connection and take it up again; the replay is open."""
        self.visit.cut()
        self.visit = await self.server.visit()
        await self.visit.let_in(snapshot=shown)
        return self.visit


@asynccontextmanager
async def opened_inbox(server: ScriptedServer, clock: StillClock) -> AsyncIterator[Scene]:
    """An inbox where nothing rings; call k-0 goes on."""
    async with opening(server, clock) as (socket, task):
        inbox = UserInbox(socket, clock=clock)
        visit = await server.visit()
        await visit.let_in(snapshot=snapshot(live=("k-0",)))
        await task
        yield Scene(inbox, visit, server, clock)


@pytest.fixture
def scene(io_loop: IOLoop, server: ScriptedServer, clock: StillClock) -> Iterator[Scene]:
    """An inbox where nothing rings; call k-0 goes on."""
    with looped(io_loop, opened_inbox(server, clock)) as scene:
        yield scene


async def test_snapshot_shows_the_calls_that_go_on(scene: Scene) -> None:
    assert (list(scene.inbox.calls), scene.inbox.incoming) == (["k-0"], {})


async def test_incoming_call_is_told_once(scene: Scene) -> None:
    await scene.ring("k-1")
    await scene.ring("k-2")
    assert (await scene.inbox.next_incoming()).call.call_id == "k-1"
    assert (await scene.inbox.next_incoming()).call.call_id == "k-2"


async def test_call_that_rings_already_is_in_the_snapshot(scene: Scene) -> None:
    visit = await scene.come_back(snapshot("k-1"))
    await visit.say("resumed", from_=0, to=0, complete=True)
    assert (await scene.inbox.next_incoming()).rings_until == scene.clock.now() + 40


async def test_waiting_for_a_call_times_out(scene: Scene) -> None:
    waiting = asyncio.create_task(scene.inbox.next_incoming(timeout_s=4))
    await scene.clock.sleeper(4)
    scene.clock.move(4)
    with pytest.raises(TimeoutError, match="an incoming call did not come within 4 s"):
        await waiting


async def test_waiting_for_a_call_ends_with_the_socket(scene: Scene) -> None:
    waiting = asyncio.create_task(scene.inbox.next_incoming())
    await scene.visit.close(4506)
    with pytest.raises(Closed, match="4506 signed_out"):
        await waiting


async def test_less_than_3_s_left_is_not_worth_ringing(scene: Scene) -> None:
    await scene.ring("k-1", expires_in_ms=2_999)
    await scene.ring("k-2", expires_in_ms=3_000)
    assert (await scene.inbox.next_incoming()).call.call_id == "k-2"


@pytest.mark.parametrize("reason", ["cancelled", "no_answer", "declined_elsewhere", "held_back"])
async def test_call_that_stops_rings_no_longer_and_is_gone(scene: Scene, reason: str) -> None:
    await scene.ring()
    await scene.say("incoming_stopped", call_id="k-1", reason=reason)
    assert (scene.inbox.incoming, list(scene.inbox.calls)) == ({}, ["k-0"])


async def test_call_answered_elsewhere_rings_no_longer_and_goes_on(scene: Scene) -> None:
    await scene.ring()
    await scene.say("incoming_stopped", call_id="k-1", reason="answered_elsewhere")
    assert (scene.inbox.incoming, list(scene.inbox.calls)) == ({}, ["k-0", "k-1"])


async def test_call_replayed_after_a_sleep_does_not_ring_if_it_stopped_meanwhile(scene: Scene) -> None:
    visit = await scene.come_back(snapshot())
    waiting = asyncio.create_task(scene.inbox.next_incoming(timeout_s=1))
    await visit.say("incoming", seq=1, call_id="k-1", call=call(), expires_in_ms=40_000)
    await scene.inbox.socket.wait_for("incoming")
    await visit.say("incoming_stopped", seq=2, call_id="k-1", reason="cancelled")
    await visit.say("resumed", from_=0, to=2, complete=True)
    await scene.inbox.socket.wait_for("resumed")
    scene.clock.move(1)
    with pytest.raises(TimeoutError):
        await waiting


async def test_time_left_of_a_replayed_call_counts_from_when_it_was_said(scene: Scene) -> None:
    visit = await scene.come_back(snapshot())
    twenty_seconds_ago = "2026-11-20T05:11:47.345Z"
    await visit.say("incoming", seq=1, timestamp=twenty_seconds_ago, call_id="k-1", call=call(), expires_in_ms=45_000)
    await scene.inbox.socket.wait_for("incoming")
    assert scene.inbox.incoming["k-1"].rings_until == scene.clock.now() + 25


async def test_newer_state_of_a_call_replaces_the_older(scene: Scene) -> None:
    await scene.say("call", call_id="k-0", call=call("k-0", 3, "connecting", "joined"))
    assert scene.inbox.calls["k-0"].state == "connecting"


async def test_state_that_was_passed_is_ignored(scene: Scene) -> None:
    await scene.say("call", call_id="k-0", call=call("k-0", 1, "ringing", "joined"))
    assert scene.inbox.calls["k-0"].state == "active"


async def test_ended_call_is_gone(scene: Scene) -> None:
    await scene.say("call", call_id="k-0", call=call("k-0", 3, "ended", "left"))
    assert scene.inbox.calls == {}


async def test_answering_rings_no_longer_and_returns_the_call(scene: Scene) -> None:
    await scene.ring()
    answering = asyncio.create_task(scene.inbox.answer("k-1"))
    request = await scene.visit.receive()
    assert (request["type"], request["call_id"]) == ("answer", "k-1")
    await scene.visit.ack(request, call=call(rev=2, state="connecting", mine="joined"))
    assert (await answering).state == "connecting"
    assert (scene.inbox.incoming, scene.inbox.calls["k-1"].rev) == ({}, 2)


async def test_answer_that_comes_too_late_is_an_error(scene: Scene) -> None:
    answering = asyncio.create_task(scene.inbox.answer("k-1"))
    request = await scene.visit.receive()
    await scene.visit.say("error", id=request["id"], code="already_answered", message=".", retryable=False)
    with pytest.raises(FrameError, match="already_answered"):
        await answering


async def test_declining_returns_the_call(scene: Scene) -> None:
    declining = asyncio.create_task(scene.inbox.decline("k-1"))
    request = await scene.visit.receive()
    await scene.visit.ack(request, call=call(rev=2, state="ended", mine="declined"))
    assert (request["type"], (await declining).state) == ("decline", "ended")


async def test_ringing_is_said(scene: Scene) -> None:
    saying = asyncio.create_task(scene.inbox.ringing("k-1"))
    request = await scene.visit.receive()
    await scene.visit.ack(request)
    await saying
    assert (request["type"], request["call_id"]) == ("ringing", "k-1")


async def test_ignoring_silences_this_device(scene: Scene) -> None:
    await scene.ring()
    ignoring = asyncio.create_task(scene.inbox.ignore("k-1"))
    await scene.visit.ack(await scene.visit.receive())
    await ignoring
    assert (scene.inbox.incoming, "k-1" in scene.inbox.calls) == ({}, True)


async def test_what_is_unread_is_kept_number_by_number(scene: Scene) -> None:
    await scene.say("unread", missed=2)
    await scene.say("unread", voicemail=1)
    await scene.say("unread", missed=0)
    assert scene.inbox.unread == {"missed": 0, "voicemail": 1}


async def test_presence_of_watched_people_is_kept(scene: Scene) -> None:
    watching = asyncio.create_task(scene.inbox.watch(["u-bob"]))
    request = await scene.visit.receive()
    await scene.visit.ack(request, people=[{"user_id": "u-bob", "state": "online"}])
    assert (request["user_ids"], await watching) == (["u-bob"], {"u-bob": "online"})
    await scene.say("presence", user_id="u-bob", state="in_call")
    assert scene.inbox.presence == {"u-bob": "in_call"}


@pytest.mark.parametrize(("used", "state"), [(False, "away"), (True, "active")])
async def test_whether_a_device_is_used_is_said_of_this_one(scene: Scene, used: bool, state: str) -> None:
    saying = asyncio.create_task(scene.inbox.use(used))
    request = await scene.visit.receive()
    await scene.visit.ack(request)
    await saying
    assert (request["type"], request["state"]) == ("presence", state)


async def test_what_changes_between_people_is_kept(scene: Scene) -> None:
    for state in ("received", "contacts"):
        await scene.say("contact", user_id="u-bob", contact={"user": BOB, "state": state, "presence": "online"})
    contact = scene.inbox.contacts["u-bob"]
    assert (contact.user.id, contact.state, contact.presence, contact.since) == ("u-bob", "contacts", "online", None)


MESSAGE = {
    "voicemail_id": "v-1",
    "call_id": "k-1",
    "from": BOB,
    "duration_s": 12.48,
    "size_bytes": 50_112,
    "content_type": "audio/webm",
    "waveform": [2, 14],
    "created_at": "2026-11-20T05:12:07.345Z",
    "heard_at": None,
}


async def test_a_message_that_was_left_is_kept(scene: Scene) -> None:
    await scene.say("voicemail", voicemail=MESSAGE)
    message = scene.inbox.voicemail["v-1"]
    assert (message.sender.id, message.duration_s, message.waveform) == ("u-bob", 12.48, (2, 14))


@pytest.mark.parametrize(("may_ring", "state"), [(False, "do_not_disturb"), (True, "online")])
async def test_being_disturbed_is_the_persons_own_choice(scene: Scene, may_ring: bool, state: str) -> None:
    choosing = asyncio.create_task(scene.inbox.disturb(may_ring))
    request = await scene.visit.receive()
    await scene.visit.ack(request)
    await choosing
    assert (request["type"], request["state"]) == ("presence", state)
