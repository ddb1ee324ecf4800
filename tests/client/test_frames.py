"""How a program gets its frames."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ringback_client.errors import Closed
from ringback_client.frames import FrameQueue
from tests.client.opened import opened
from tests.client.scripted_server import ScriptedServer
from tests.client.still_clock import StillClock

pytestmark = pytest.mark.gen_test


async def test_iteration_gives_all_and_ends_with_1000(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        await visit.say("join", seq=1)
        await visit.say("ended", seq=2)
        await visit.close(1000)
        assert [frame["type"] async for frame in socket] == ["connected", "join", "ended"]


async def test_iteration_raises_any_other_end_after_the_last_frame(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        await visit.say("join", seq=1)
        await visit.close(4507)
        seen = []
        with pytest.raises(Closed, match="4507"):
            async for frame in socket:
                seen.append(frame["type"])
        assert seen == ["connected", "join"]


async def test_wait_for_takes_the_first_that_fits_and_leaves_the_others(
    server: ScriptedServer, clock: StillClock
) -> None:
    async with opened(server, clock) as (socket, visit):
        await visit.say("presence", seq=1, user_id="u-bob", state="online")
        await visit.say("presence", seq=2, user_id="u-carol", state="online")
        await visit.say("presence", seq=3, user_id="u-carol", state="in_call")
        assert (await socket.wait_for("presence", user_id="u-carol"))["seq"] == 2
        assert (await socket.wait_for("presence", where=lambda frame: frame["seq"] > 1))["seq"] == 3
        assert (await socket.wait_for("presence"))["seq"] == 1


async def test_wait_for_says_what_came_instead(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, _):
        waiting = asyncio.create_task(socket.wait_for("join", timeout_s=3))
        await clock.sleeper(3)
        clock.move(3)
        with pytest.raises(TimeoutError, match="`join` did not come within 3 s; there were: connected"):
            await waiting


async def test_wait_for_ends_with_the_socket(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        waiting = asyncio.create_task(socket.wait_for("join"))
        await visit.close(1000)
        with pytest.raises(Closed, match="1000"):
            await waiting


async def test_error_that_answers_nothing_is_a_frame(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        await visit.say("error", code="rate_limited", message="Slow down.", retryable=True)
        assert (await socket.wait_for("error"))["code"] == "rate_limited"


async def test_listener_is_told_before_who_waits(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        told: list[str] = []
        socket.on_frame(lambda frame: told.append(frame["type"]))
        await visit.say("join", seq=1)
        await socket.wait_for("join")
        assert told == ["join"]


async def test_listener_that_fails_ends_the_socket(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        socket.on_frame(lambda frame: frame["no such field"])
        await visit.say("join", seq=1)
        with pytest.raises(KeyError, match="no such field"):
            await socket.wait_for("ended")
        assert await visit.left() is None


async def test_heartbeats_acks_and_byes_are_no_frames_of_the_program(server: ScriptedServer, clock: StillClock) -> None:
    async with opened(server, clock) as (socket, visit):
        await visit.say("ping")
        await visit.say("pong")
        await visit.say("ack", id="nobody-asked")
        await visit.bye(1000, action="stop")
        assert [frame["type"] async for frame in socket] == ["connected"]


async def test_only_the_newest_are_kept_for_a_program_that_takes_none(caplog: pytest.LogCaptureFixture) -> None:
    queue = FrameQueue(kept_frames=2)
    for seq in range(5):
        queue.put({"type": "chat", "seq": seq})
    queue.close()

    def anything(frame: dict[str, Any]) -> bool:
        return True

    assert [await queue.take(anything), await queue.take(anything), await queue.take(anything)] == [
        {"type": "chat", "seq": 3},
        {"type": "chat", "seq": 4},
        None,
    ]
    assert (queue.dropped, caplog.text.count("only the newest 2 are kept")) == (3, 1)
