"""What a call room knows, and what it says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from ringback_client.call import CallRoom
from ringback_client.model import Sending
from tests.client.looped import looped
from tests.client.opened import opening
from tests.client.scripted_server import ALICE, BOB, ScriptedServer, Visit
from tests.client.still_clock import StillClock

pytestmark = pytest.mark.gen_test

SILENT = {"audio": False, "video": False, "screen": False, "hand": False}


def call(rev: int = 3, state: str = "connecting") -> dict[str, Any]:
    """Alice, whose room this is, has called Bob."""
    return {
        "call_id": "k-1",
        "state": state,
        "media": "audio",
        "rev": rev,
        "created_at": "2026-11-20T05:12:07.345Z",
        "legs": [
            {"leg_id": "l-me", "user": ALICE, "state": "joined"},
            {"leg_id": "l-bob", "user": BOB, "state": "joined"},
        ],
    }


def participant(**fields: Any) -> dict[str, Any]:
    """Bob in the room."""
    return {"leg_id": "l-bob", "user": BOB, "rank": 1, "connection": "connected", "media": SILENT} | fields


def message(message_id: str, text: str = "Hello") -> dict[str, Any]:
    """Bob says something."""
    return {"message_id": message_id, "user": BOB, "text": text, "sent_at": "2026-11-20T05:12:07.345Z"}


def snapshot(*participants: dict[str, Any], chat: tuple[dict[str, Any], ...] = (), rev: int = 3) -> dict[str, Any]:
    """What `connected` shows."""
    return {"call": call(rev), "leg_id": "l-me", "participants": list(participants), "chat": list(chat)}


class Scene:
    """A room that is open, and the server's side of it."""

    def __init__(self, room: CallRoom, visit: Visit, server: ScriptedServer) -> None:
        self.room, self.visit, self.server = room, visit, server
        self._seq = 0

    async def say(self, frame_type: str, **fields: Any) -> None:
        """Send a numbered frame and wait until it has arrived."""
        self._seq += 1
        await self.visit.say(frame_type, seq=self._seq, **fields)
        await self.room.socket.wait_for(frame_type)

    async def said(self, saying: Coroutine[Any, Any, None]) -> dict[str, Any]:
        """What the server hears when the room says something; the id is left out."""
        task = asyncio.create_task(saying)
        frame = await self.visit.receive()
        await self.visit.ack(frame)
        await task
        del frame["id"]
        return frame


@asynccontextmanager
async def opened_room(server: ScriptedServer, clock: StillClock) -> AsyncIterator[Scene]:
    """A room with nobody else in it."""
    async with opening(server, clock) as (socket, task):
        room = CallRoom(socket)
        visit = await server.visit()
        await visit.let_in(snapshot=snapshot())
        await task
        yield Scene(room, visit, server)


@pytest.fixture
def scene(io_loop: IOLoop, server: ScriptedServer, clock: StillClock) -> Iterator[Scene]:
    """A room with nobody else in it."""
    with looped(io_loop, opened_room(server, clock)) as scene:
        yield scene


async def test_snapshot_shows_the_call_and_who_is_in_it(scene: Scene) -> None:
    scene.visit.cut()
    await (await scene.server.visit()).let_in(snapshot=snapshot(participant(), chat=(message("m-1"),)))
    await scene.room.socket.wait_for("connected", where=lambda frame: bool(frame["snapshot"]["participants"]))
    room = scene.room
    assert room.call is not None and room.call.call_id == "k-1"
    assert (room.leg_id, room.participants["l-bob"].user.username, room.chat_log[0].text) == ("l-me", "bob", "Hello")


@pytest.mark.parametrize(("carol", "said"), [("reconnecting", "leave"), ("ringing", "hangup")])
async def test_whoever_is_done_leaves_where_more_than_two_are_in_the_call(scene: Scene, carol: str, said: str) -> None:
    hers = {"leg_id": "l-carol", "user": BOB, "state": carol}
    await scene.say("call", call=call(rev=4) | {"legs": [*call()["legs"], hers]})
    assert (await scene.said(scene.room.go()))["type"] == said


async def test_whoever_may_not_end_the_call_any_more_leaves_it(scene: Scene) -> None:
    going = asyncio.create_task(scene.room.go())
    refused = {"code": "forbidden", "message": "Only the host.", "retryable": False}
    await scene.visit.say("error", id=(await scene.visit.receive())["id"], **refused)
    frame = await scene.visit.receive()
    await scene.visit.ack(frame)
    await going
    assert frame["type"] == "leave"


async def test_messages_stand_in_the_order_of_their_ids(scene: Scene) -> None:
    for message_id in ("m-2", "m-1", "m-2"):
        await scene.say("chat", **message(message_id))
    assert [each.message_id for each in scene.room.chat_log] == ["m-1", "m-2"]


async def test_what_others_see_of_each_other_is_known(scene: Scene) -> None:
    await scene.say("join", participant=participant())
    told = {
        "leg_id": "l-bob",
        "user_id": "u-bob",
        "connection": "connected",
        "media": {},
        "paths": {"l-carol": "failed"},
    }
    await scene.say("participant", **told)
    assert scene.room.participants["l-bob"].paths == {"l-carol": "failed"}


async def test_who_joins_is_in_the_room(scene: Scene) -> None:
    await scene.say("join", participant=participant())
    assert scene.room.participants["l-bob"].rank == 1


async def test_who_leaves_is_not(scene: Scene) -> None:
    await scene.say("join", participant=participant())
    await scene.say("leave", leg_id="l-bob", user_id="u-bob", reason="hangup")
    assert scene.room.participants == {}


async def test_change_of_a_participant_is_seen(scene: Scene) -> None:
    await scene.say("join", participant=participant())
    await scene.say(
        "participant", leg_id="l-bob", user_id="u-bob", connection="reconnecting", media=SILENT | {"audio": True}
    )
    bob = scene.room.participants["l-bob"]
    assert (bob.connection, bob.media.audio, bob.user.username) == ("reconnecting", True, "bob")


async def test_change_of_somebody_who_has_left_is_nothing(scene: Scene) -> None:
    await scene.say("participant", leg_id="l-bob", user_id="u-bob", connection="reconnecting", media=SILENT)
    assert scene.room.participants == {}


async def test_newer_state_of_the_call_replaces_the_older(scene: Scene) -> None:
    await scene.say("call", call=call(4, "active"))
    assert scene.room.call is not None and scene.room.call.state == "active"


async def test_state_that_was_passed_is_ignored(scene: Scene) -> None:
    await scene.say("call", call=call(2, "ringing"))
    assert scene.room.call is not None and scene.room.call.state == "connecting"


async def test_end_is_the_last_state(scene: Scene) -> None:
    await scene.say("ended", call=call(5, "ended"))
    assert scene.room.call is not None and scene.room.call.state == "ended"


async def test_chat_is_kept_in_order(scene: Scene) -> None:
    await scene.say("chat", **message("m-1", "one"))
    await scene.say("chat", **message("m-2", "two"))
    assert [each.text for each in scene.room.chat_log] == ["one", "two"]


async def test_message_that_is_in_the_snapshot_and_replayed_is_kept_once(scene: Scene) -> None:
    scene.visit.cut()
    scene.visit = await scene.server.visit()
    await scene.visit.let_in(snapshot=snapshot(chat=(message("m-1"),)))
    await scene.say("chat", **message("m-1"))
    assert len(scene.room.chat_log) == 1


async def test_caller_insists_and_callee_gives_way(scene: Scene) -> None:
    assert not scene.room.polite_towards("l-bob")
    scene.room.leg_id = "l-bob"
    assert scene.room.polite_towards("l-me")


async def test_offer_and_answer_go_to_one_leg_as_they_are(scene: Scene) -> None:
    sdp = 'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\na=x:"ü\\\r\n'
    assert await scene.said(scene.room.offer("l-bob", sdp)) == {"type": "offer", "to": "l-bob", "sdp": sdp}
    assert await scene.said(scene.room.answer("l-bob", sdp)) == {"type": "answer", "to": "l-bob", "sdp": sdp}


async def test_candidates_go_to_one_leg(scene: Scene) -> None:
    candidates = [{"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0}]
    frame = await scene.said(scene.room.candidate("l-bob", candidates))
    assert frame == {"type": "candidate", "to": "l-bob", "candidates": candidates}


async def test_path_to_a_leg_is_reported(scene: Scene) -> None:
    frame = await scene.said(scene.room.stats("l-bob", "connected"))
    assert frame == {"type": "stats", "leg_id": "l-bob", "connection": "connected"}


async def test_what_was_measured_of_a_path_is_reported(scene: Scene) -> None:
    frame = await scene.said(scene.room.quality({"l-bob": {"loss": 0.1}}))
    assert frame == {"type": "quality", "legs": {"l-bob": {"loss": 0.1}}}


async def test_media_says_all_four(scene: Scene) -> None:
    frame = await scene.said(scene.room.media(Sending(audio=True, hand=True)))
    assert frame == {"type": "media", "audio": True, "video": False, "screen": False, "hand": True}


async def test_chat_is_said(scene: Scene) -> None:
    assert await scene.said(scene.room.chat("Hello")) == {"type": "chat", "text": "Hello"}
    assert await scene.said(scene.room.chat("Hello", "c-1")) == {"type": "chat", "text": "Hello", "client_id": "c-1"}


async def test_what_the_host_may_do_is_said(scene: Scene) -> None:
    assert await scene.said(scene.room.ask_to_mute("l-bob")) == {"type": "mute_request", "to": "l-bob"}
    assert await scene.said(scene.room.remove("l-bob")) == {"type": "remove", "leg_id": "l-bob"}


async def test_leaving_and_hanging_up_are_said(scene: Scene) -> None:
    assert await scene.said(scene.room.leave()) == {"type": "leave"}
    assert await scene.said(scene.room.leave("ice_failed")) == {"type": "leave", "reason": "ice_failed"}
    assert await scene.said(scene.room.hangup()) == {"type": "hangup"}
    assert await scene.said(scene.room.hangup("ice_failed")) == {"type": "hangup", "reason": "ice_failed"}
