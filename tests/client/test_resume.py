"""Across connections no frame is missing and none comes twice."""

from __future__ import annotations

import pytest

from ringback_client.backoff import Backoff
from ringback_client.websocket import Credentials, RingbackSocket
from tests.client.opened import opened
from tests.client.scripted_server import ScriptedServer, Visit
from tests.client.still_clock import StillClock

pytestmark = pytest.mark.gen_test

FRAMES = 12


async def say(visit: Visit, *seqs: int) -> None:
    """Send numbered frames."""
    for seq in seqs:
        await visit.say("chat", seq=seq)


async def had(socket: RingbackSocket, count: int) -> list[int]:
    """The numbers of the next so many frames."""
    return [(await socket.wait_for("chat"))["seq"] for _ in range(count)]


async def test_asks_for_what_came_after_its_last_frame(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        await say(visit, 1, 2, 3)
        await had(socket, 3)
        visit.cut()
        auth = await (await server.visit()).receive()
        assert (auth["resume"], auth["last_seq"]) == ("c-1", 3)


@pytest.mark.parametrize("credentials", ["query", "header"])
async def test_asks_in_the_query_where_the_token_is_in_no_frame(
    server: ScriptedServer, clock: StillClock, credentials: Credentials
) -> None:
    async with opened(server, clock, credentials=credentials) as (socket, visit):
        await say(visit, 1)
        await had(socket, 1)
        visit.cut()
        query = (await server.visit()).query
        assert (query["resume"], query["last_seq"]) == ("c-1", "1")


async def test_query_of_the_address_is_kept(server: ScriptedServer, clock: StillClock) -> None:
    url = f"{server.url}?include_history=true"
    async with opened(server, clock, credentials="query", url=url) as (_, visit):
        visit.cut()
        query = (await server.visit()).query
        assert query == {"include_history": "true", "token": "token-2", "resume": "c-1", "last_seq": "0"}


@pytest.mark.parametrize("cut_after", range(FRAMES + 1))
async def test_cut_at_any_frame_loses_and_repeats_nothing(
    server: ScriptedServer, clock: StillClock, cut_after: int
) -> None:
    async with opened(server, clock) as (socket, visit):
        await say(visit, *range(1, cut_after + 1))
        visit.cut()
        again = await server.visit()
        last_seq = (await again.let_in())["last_seq"]
        await say(again, *range(last_seq + 1, FRAMES + 1))
        await again.say("resumed", from_=last_seq, to=FRAMES, complete=True)
        await socket.wait_for("resumed")
        assert await had(socket, FRAMES) == list(range(1, FRAMES + 1))


async def test_frame_that_comes_twice_is_given_once(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        await say(visit, 1, 2, 2, 1, 3)
        assert await had(socket, 3) == [1, 2, 3]


async def test_gap_is_closed_by_a_resume(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        await say(visit, 1, 3)
        assert await visit.left() == 1001
        again = await server.visit()
        assert (await again.let_in())["last_seq"] == 1
        await say(again, 2, 3)
        assert await had(socket, 3) == [1, 2, 3]


async def test_lost_frames_are_told_and_counting_goes_on(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        visit.cut()
        again = await server.visit()
        await again.let_in()
        await again.say("resumed", from_=0, to=600, complete=False)
        await say(again, 601, 602)
        assert not (await socket.wait_for("resumed"))["complete"]
        assert await had(socket, 2) == [601, 602]


async def test_new_session_counts_from_one(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        await say(visit, 1, 2)
        await had(socket, 2)
        visit.cut()
        again = await server.visit()
        await again.let_in("c-2")
        await say(again, 1)
        assert await had(socket, 1) == [1]


@pytest.mark.parametrize("code", [1011, 4006, 4009])
async def test_reconnect_asks_for_no_resume(server: ScriptedServer, clock: StillClock, code: int) -> None:
    async with opened(server, clock, backoff=Backoff(chance=lambda: 0.0)) as (_, visit):
        await visit.close(code)
        assert "resume" not in await (await server.visit()).receive()


async def test_session_that_was_not_kept_is_not_asked_for(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (_, visit):
        await visit.bye(4001, action="resume", session_kept=False)
        assert "resume" not in await (await server.visit()).receive()


async def test_session_survives_attempts_that_fail(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (_, visit):
        visit.cut()
        (await server.visit()).cut()
        await clock.sleeper(0.3)
        clock.move(0.3)
        assert (await (await server.visit()).receive())["resume"] == "c-1"
