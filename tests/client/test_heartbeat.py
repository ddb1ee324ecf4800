"""Who is alive, and who is not."""

from __future__ import annotations

import pytest

from tests.client.opened import opened
from tests.client.scripted_server import ScriptedServer
from tests.client.still_clock import StillClock

pytestmark = pytest.mark.gen_test


async def test_ping_is_answered_with_pong(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (_, visit):
        await visit.say("ping")
        assert await visit.receive() == {"type": "pong"}


async def test_silence_past_interval_and_timeout_is_a_dead_server(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        await clock.sleeper(35)
        clock.move(35)
        assert await visit.left() is None
        assert (await (await server.visit()).receive())["resume"] == "c-1"
        assert socket.last_ending is not None
        assert (socket.last_ending.by, socket.last_ending.reason) == ("client", "nothing was heard for 35 s")


async def test_any_frame_is_life(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        await clock.sleeper(35)
        clock.move(34)
        await visit.say("chat", seq=1)
        await socket.wait_for("chat")
        clock.move(1)
        await clock.sleeper(34)
        assert server.visits == 1


async def test_protocol_ping_is_life(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (_, visit):
        await clock.sleeper(35)
        clock.move(34)
        await (await visit.connection.ping())
        clock.move(1)
        await clock.sleeper(34)
        assert server.visits == 1


async def test_wake_finds_a_connection_that_only_seems_to_hold(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        visit.connection.transport.pause_reading()
        socket.wake()
        await clock.sleeper(10)
        clock.move(10)
        assert (await (await server.visit()).receive())["resume"] == "c-1"


async def test_wake_leaves_a_living_connection_alone(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        await clock.sleeper(35)
        socket.wake()
        await visit.say("chat", seq=1)
        await socket.wait_for("chat")
        clock.move(10)
        await visit.say("chat", seq=2)
        await socket.wait_for("chat")
        assert server.visits == 1


async def test_question_for_life_ends_with_the_connection(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        visit.connection.transport.pause_reading()
        socket.wake()
        await clock.sleeper(10)
        visit.cut()
        await (await server.visit()).receive()
        assert [seconds for _, seconds, _ in clock.asleep] == [15]  # for `connected`, of the next connection
