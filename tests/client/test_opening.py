"""How a socket opens."""

from __future__ import annotations

import asyncio

import pytest
from tornado.testing import bind_unused_port

from ringback_client.errors import ApiError, Closed, Refused, Unreachable
from ringback_client.websocket import RingbackSocket, SocketState
from tests.client.opened import Tokens, opened, opening, socket_to
from tests.client.scripted_server import ScriptedServer
from tests.client.still_clock import StillClock

pytestmark = pytest.mark.gen_test


async def test_token_travels_in_the_first_frame(server: ScriptedServer, clock: StillClock) -> None:
    async with opening(server, clock):
        visit = await server.visit()
        assert await visit.receive() == {"type": "auth", "token": "token-1"}
        assert (visit.query, visit.headers.get("Authorization")) == ({}, None)


async def test_token_travels_in_the_query_where_that_is_chosen(server: ScriptedServer, clock: StillClock) -> None:
    async with opening(server, clock, credentials="query"):
        visit = await server.visit()
        assert (visit.query, visit.headers.get("Authorization")) == ({"token": "token-1"}, None)


async def test_token_travels_in_a_header_where_that_is_chosen(server: ScriptedServer, clock: StillClock) -> None:
    async with opening(server, clock, credentials="header"):
        visit = await server.visit()
        assert (visit.query, visit.headers["Authorization"]) == ({}, "Bearer token-1")


async def test_open_returns_the_terms(server: ScriptedServer, clock: StillClock) -> None:
    async with opening(server, clock) as (_, task):
        heartbeat = {"interval_s": 10, "timeout_s": 5}
        await (await server.visit()).let_in(heartbeat=heartbeat, snapshot={"calls": []})
        terms = await task
        assert (terms.user.username, terms.heartbeat.longest_silence_s, terms.snapshot) == ("alice", 15, {"calls": []})


async def test_no_extension_is_offered(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (_, visit):
        assert "Sec-WebSocket-Extensions" not in visit.headers


async def test_each_attempt_has_a_token_of_its_own(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (_, visit):
        visit.cut()
        assert (await (await server.visit()).receive())["token"] == "token-2"


async def test_opening_gives_up_after_its_time_and_leaves_nothing_behind(
    server: ScriptedServer, clock: StillClock
) -> None:
    socket = socket_to(server, clock)
    giving_up = asyncio.create_task(socket.open(timeout_s=7))
    await clock.sleeper(7)
    clock.move(7)
    with pytest.raises(TimeoutError, match="within 7 s"):
        await giving_up
    assert (socket.state, clock.asleep) == (SocketState.CLOSED, [])


async def test_server_that_never_says_connected_is_left_after_15_s(server: ScriptedServer, clock: StillClock) -> None:
    async with opening(server, clock) as (_, task):
        silent = await server.visit()
        await silent.receive()
        await clock.sleeper(15)
        clock.move(15)
        await silent.left()
        await (await server.visit()).let_in()
        await task


async def test_upgrade_that_is_forbidden_is_not_tried_again(server: ScriptedServer, clock: StillClock) -> None:
    server.refuse_with = [(403, {})]
    with pytest.raises(Refused, match="HTTP 403"):
        await socket_to(server, clock).open()


async def test_upgrade_refused_for_now_is_tried_again_when_the_server_says(
    server: ScriptedServer, clock: StillClock
) -> None:
    server.refuse_with = [(503, {"Retry-After": "20"})]
    async with opening(server, clock) as (_, task):
        await clock.sleeper(20)
        clock.move(20)
        await (await server.visit()).let_in()
        await task


async def test_redirect_is_not_followed_with_a_token(server: ScriptedServer, clock: StillClock) -> None:
    server.refuse_with = [(302, {"Location": f"{server.url}/elsewhere"})]
    async with opening(server, clock, credentials="query"):
        assert (await server.visit()).path == "/api/v1/ws/user"


async def test_server_that_is_not_there_is_tried_again(clock: StillClock) -> None:
    nobody, port = bind_unused_port()
    nobody.close()
    socket = RingbackSocket(f"ws://127.0.0.1:{port}/api/v1/ws/user", Tokens(), clock=clock)
    task = asyncio.create_task(socket.open())
    await socket.until(SocketState.WAITING)
    assert socket.last_ending is not None
    assert (socket.last_ending.by, socket.last_ending.reason) == ("network", "ConnectionRefusedError")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_sign_in_that_is_over_ends_the_socket(server: ScriptedServer, clock: StillClock) -> None:
    async def token() -> str:
        raise ApiError(401, "unauthenticated", "signed out")

    with pytest.raises(ApiError, match="unauthenticated"):
        await socket_to(server, clock, token=token).open()
    assert server.visits == 0


@pytest.mark.parametrize(
    "trouble", [ApiError(503, "unavailable", "later"), ApiError(429, "rate_limited", "later"), Unreachable("no route")]
)
async def test_token_that_cannot_be_had_for_now_is_asked_for_again(
    server: ScriptedServer, clock: StillClock, trouble: Exception
) -> None:
    troubles = [trouble]

    async def token() -> str:
        if troubles:
            raise troubles.pop()
        return "token-2"

    async with opening(server, clock, token=token):
        assert (await (await server.visit()).receive())["token"] == "token-2"


async def test_refused_credentials_end_the_socket(server: ScriptedServer, clock: StillClock) -> None:
    async with opening(server, clock) as (_, task):
        visit = await server.visit()
        await visit.receive()
        await visit.bye(4501, "token used", name="unauthenticated", action="stop", message="Sign in again.")
        with pytest.raises(Closed) as raised:
            await task
        closed = raised.value
        assert (closed.code, closed.name, closed.reason) == (4501, "unauthenticated", "token used")
        assert closed.message == "Sign in again."


async def test_wrong_path_is_tried_once(server: ScriptedServer, clock: StillClock) -> None:
    async with opening(server, clock) as (_, task):
        await (await server.visit()).close(4510, "did you mean /ws/user?")
        with pytest.raises(Closed, match=r"did you mean /ws/user\?"):
            await task
        clock.move(3_600)
        assert (server.visits, clock.asleep) == (1, [])
