"""When a socket comes back, and when it does not."""

from __future__ import annotations

import asyncio

import pytest

from ringback_client.errors import Closed
from ringback_client.websocket import RingbackSocket, SocketState
from tests.client.opened import opened
from tests.client.scripted_server import ScriptedServer, Visit
from tests.client.still_clock import StillClock

pytestmark = pytest.mark.gen_test


async def fail(server: ScriptedServer, times: int = 1) -> None:
    """Let the next attempts fail."""
    for _ in range(times):
        (await server.visit()).cut()


async def back(server: ScriptedServer, socket: RingbackSocket) -> Visit:
    """Let the socket in again."""
    visit = await server.visit()
    await visit.let_in()
    await socket.until(SocketState.CONNECTED)
    return visit


async def test_comes_back_at_once(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        visit.cut()
        await back(server, socket)
        assert socket.retry_in_s == 0.0


async def test_waits_up_to_300_ms_after_the_second_failure_and_twice_that_after_the_third(
    server: ScriptedServer, clock: StillClock
) -> None:
    async with opened(server, clock) as (socket, visit):
        visit.cut()
        await fail(server)
        await clock.sleeper(0.3)
        clock.move(0.3)
        await fail(server)
        await clock.sleeper(0.6)
        assert (socket.state, socket.retry_in_s) == (SocketState.WAITING, 0.6)


async def test_comes_back_at_once_again_after_60_s_of_a_good_connection(
    server: ScriptedServer, clock: StillClock
) -> None:
    async with opened(server, clock) as (socket, visit):
        visit.cut()
        good = await back(server, socket)
        clock.move(30)
        await good.say("chat", seq=1)
        await socket.wait_for("chat")
        clock.move(30)
        good.cut()
        await back(server, socket)
        assert socket.retry_in_s == 0.0


async def test_goes_on_waiting_longer_after_a_short_connection(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        visit.cut()
        short = await back(server, socket)
        clock.move(20)
        short.cut()
        await clock.sleeper(0.3)


async def test_wake_ends_the_waiting(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        visit.cut()
        await fail(server)
        await clock.sleeper(0.3)
        socket.wake()
        await back(server, socket)


async def test_wake_does_not_end_a_wait_that_the_server_asked_for(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        await visit.bye(4001, action="resume", retry_after_ms=12_000, session_kept=True)
        await clock.sleeper(12)
        socket.wake()
        await asyncio.sleep(0)
        assert socket.state is SocketState.WAITING
        clock.move(12)
        await back(server, socket)


async def test_wake_during_an_attempt_starts_no_second_one(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        visit.cut()
        attempt = await server.visit()
        socket.wake()
        socket.wake()
        await attempt.let_in()
        await socket.until(SocketState.CONNECTED)
        assert server.visits == 2


async def test_draining_server_is_left_for_as_long_as_it_says(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        await visit.bye(4001, action="resume", retry_after_ms=7_500, session_kept=True)
        await clock.sleeper(7.5)
        assert socket.retry_in_s == 7.5


async def test_absurd_wait_is_cut_to_five_minutes(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (_, visit):
        await visit.bye(4001, action="resume", retry_after_ms=10**9)
        await clock.sleeper(300)


@pytest.mark.parametrize("code", [1011, 4008, 4009])
async def test_trouble_of_the_server_is_not_met_at_once(server: ScriptedServer, clock: StillClock, code: int) -> None:
    async with opened(server, clock) as (_, visit):
        await visit.close(code)
        await clock.sleeper(0.3)


@pytest.mark.parametrize("code", [1001, 4001, 4003, 4004, 4005, 4006, 4499])
async def test_codes_that_mean_come_back(server: ScriptedServer, clock: StillClock, code: int) -> None:
    async with opened(server, clock) as (socket, visit):
        await visit.close(code)
        await back(server, socket)
        assert socket.last_ending is not None
        assert (socket.last_ending.code, socket.last_ending.by) == (code, "server")


@pytest.mark.parametrize("code", [1000, 1009, 4503, 4504, 4505, 4506, 4507, 4508, 4509, 4999])
async def test_codes_that_mean_stay_away(server: ScriptedServer, clock: StillClock, code: int) -> None:
    async with opened(server, clock) as (socket, visit):
        await visit.close(code, "because")
        error = await socket.closed()
        assert isinstance(error, Closed)
        assert (error.code, error.reason, server.visits) == (code, "because", 1)


async def test_what_bye_says_goes_over_the_own_registry(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        await visit.bye(4001, name="moved", action="stop", message="This server has moved.")
        error = await socket.closed()
        assert isinstance(error, Closed)
        assert (error.name, error.message) == ("moved", "This server has moved.")


async def test_action_of_a_newer_server_falls_back_to_the_range(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        await visit.bye(4444, action="migrate")
        await back(server, socket)


async def test_bye_counts_even_if_the_close_frame_is_lost(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        await visit.say("bye", code=4506, name="signed_out", action="stop", message="You have been signed out.")
        await visit.say("ping")
        await visit.receive()
        visit.cut()
        error = await socket.closed()
        assert isinstance(error, Closed)
        assert error.code == 4506


async def test_closing_says_1000_and_stays_away(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        await socket.close()
        assert await visit.left() == 1000
        assert (socket.state, clock.asleep) == (SocketState.CLOSED, [])


async def test_closing_ends_a_wait_for_the_next_attempt(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        visit.cut()
        await fail(server)
        await clock.sleeper(0.3)
        await socket.close()
        assert (socket.state, clock.asleep) == (SocketState.CLOSED, [])


async def test_every_state_is_told(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        states: list[SocketState] = []
        socket.on_state(states.append)
        visit.cut()
        await (await back(server, socket)).close(4508)
        await socket.closed()
        assert states == ["waiting", "connecting", "connected", "closed"]


async def test_waiting_for_a_state_of_a_closed_socket_raises_why(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        await visit.close(4507)
        with pytest.raises(Closed, match="4507 forbidden"):
            await socket.until(SocketState.WAITING)
