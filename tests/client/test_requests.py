"""Frames that are answered."""

from __future__ import annotations

import asyncio

import pytest

from ringback_client.errors import Closed, FrameError, RequestLost
from ringback_client.websocket import SocketState
from tests.client.opened import opened, opening
from tests.client.scripted_server import ScriptedServer
from tests.client.still_clock import StillClock

pytestmark = pytest.mark.gen_test

WATCH = {"type": "watch", "user_ids": ["u-bob"]}


async def test_ack_is_returned(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        asking = asyncio.create_task(socket.request(WATCH))
        await visit.ack(await visit.receive(), people=[])
        assert (await asking)["people"] == []


async def test_each_frame_has_an_id_of_its_own(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        asking = asyncio.gather(socket.request(WATCH), socket.request(WATCH))
        first, second = await visit.receive(), await visit.receive()
        assert first["id"] != second["id"]
        await visit.ack(second, n=2)
        await visit.ack(first, n=1)
        assert [ack["n"] for ack in await asking] == [1, 2]


async def test_error_is_raised_with_all_it_says(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        asking = asyncio.create_task(socket.request(WATCH))
        request = await visit.receive()
        said = {"code": "bad_request", "message": "No.", "retryable": True, "errors": {"user_ids": "too many"}}
        await visit.say("error", id=request["id"], **said)
        with pytest.raises(
            FrameError, match=r"watch was refused with bad_request: No\. \(user_ids: too many\)"
        ) as raised:
            await asking
        assert (raised.value.code, raised.value.retryable, raised.value.errors) == (
            "bad_request",
            True,
            {"user_ids": "too many"},
        )


async def test_unanswered_frame_is_sent_again_with_its_id_after_a_resume(
    server: ScriptedServer, clock: StillClock
) -> None:
    async with opened(server, clock) as (socket, visit):
        asking = asyncio.create_task(socket.request(WATCH))
        first = await visit.receive()
        visit.cut()
        again = await server.visit()
        await again.let_in()
        assert await again.receive() == first
        await again.ack(first)
        await asking


async def test_unanswered_frames_are_sent_again_in_their_order(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        asking = [asyncio.create_task(socket.request({"type": "chat", "text": str(n)})) for n in range(5)]
        first = [await visit.receive() for _ in range(5)]
        visit.cut()
        again = await server.visit()
        await again.let_in()
        assert [await again.receive() for _ in range(5)] == first
        for frame in first:
            await again.ack(frame)
        await asyncio.gather(*asking)


async def test_what_is_new_does_not_overtake_what_has_waited(server: ScriptedServer, clock: StillClock) -> None:
    """A hundred large frames fill every buffer on the way, so that sending them takes a while."""
    async with opening(server, clock) as (socket, task):
        visit = await server.visit()
        await visit.receive()
        waited = [{"type": "chat", "text": f"{n} " + "x" * 60_000} for n in range(100)]
        asking = [asyncio.create_task(socket.request(frame, timeout_s=100)) for frame in waited]
        await asyncio.sleep(0)
        await visit.say_connected(limits={})
        await task
        asking.append(asyncio.create_task(socket.request({"type": "chat", "text": "new"}, timeout_s=100)))
        texts = [(await visit.receive())["text"] for _ in range(101)]
        assert texts == [frame["text"] for frame in waited] + ["new"]
        await socket.close()
        await asyncio.gather(*asking, return_exceptions=True)


async def test_second_ack_after_a_resume_is_nothing(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        asking = asyncio.create_task(socket.request(WATCH))
        request = await visit.receive()
        await visit.ack(request)
        await visit.ack(request)
        await asking
        await visit.say("chat", seq=1)
        await socket.wait_for("chat")


async def test_frame_sent_to_a_session_that_is_gone_is_lost_and_not_repeated(
    server: ScriptedServer, clock: StillClock
) -> None:
    async with opened(server, clock) as (socket, visit):
        asking = asyncio.create_task(socket.request(WATCH))
        await visit.receive()
        visit.cut()
        again = await server.visit()
        await again.let_in("c-2")
        with pytest.raises(RequestLost, match="the answer to watch"):
            await asking
        await again.say("ping")
        assert (await again.receive())["type"] == "pong"


async def test_frame_older_than_the_memory_of_the_server_is_not_repeated(
    server: ScriptedServer, clock: StillClock
) -> None:
    async with opened(server, clock) as (socket, visit):
        asking = asyncio.create_task(socket.request(WATCH, timeout_s=1_000))
        await visit.receive()
        visit.cut()
        again = await server.visit()
        clock.move(120)
        await again.let_in()
        with pytest.raises(RequestLost):
            await asking


async def test_frame_asked_for_without_a_connection_is_sent_with_the_next(
    server: ScriptedServer, clock: StillClock
) -> None:
    async with opened(server, clock) as (socket, visit):
        visit.cut()
        again = await server.visit()
        await again.receive()
        asking = asyncio.create_task(socket.request(WATCH))
        await asyncio.sleep(0)
        await again.say_connected("c-2")
        await again.ack(await again.receive())
        await asking


async def test_answer_that_does_not_come_times_out(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        asking = asyncio.create_task(socket.request(WATCH))
        await visit.receive()
        await clock.sleeper(10)
        clock.move(10)
        with pytest.raises(TimeoutError, match="the answer to watch did not come within 10 s"):
            await asking


async def test_frame_over_the_limit_is_not_sent(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, _):
        with pytest.raises(ValueError, match=r"this offer has 10\d\d bytes, the server takes 1000"):
            await socket.request({"type": "offer", "sdp": "x" * 1_000})


async def test_end_of_the_socket_is_the_answer_to_all(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        asking = asyncio.create_task(socket.request(WATCH))
        await visit.receive()
        await visit.close(4508)
        with pytest.raises(Closed, match="4508 ended"):
            await asking


async def test_closed_socket_takes_no_more(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        await visit.close(4508)
        await socket.until(SocketState.CLOSED)
        with pytest.raises(Closed):
            await socket.request(WATCH)
        with pytest.raises(Closed):
            await socket.send({"type": "ping"})


async def test_frame_without_an_answer_is_sent_as_it_is(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        await socket.send({"type": "ping"})
        assert await visit.receive() == {"type": "ping"}
