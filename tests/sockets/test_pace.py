"""How much one participant may say in a call: what is beyond it is refused, and is in nobody else's way."""

from __future__ import annotations

from typing import Any

import pytest
from tornado.ioloop import IOLoop

from server.rooms.pace import RATES, Rate
from tests.peer import Frame, Peer
from tests.running import Running, Start

pytestmark = pytest.mark.gen_test

CHAT: dict[str, Any] = {"text": "hello"}
FINAL: dict[str, Any] = {"segment": "1", "text": "hello", "final": True}
INTERIM: dict[str, Any] = FINAL | {"final": False}


async def second_one(peer: Peer, frame: str, **fields: Any) -> Frame:
    """The answer to the second of two."""
    assert (await peer.request(frame, **fields))["type"] == "ack"
    return await peer.request(frame, **fields)


@pytest.fixture
def running(io_loop: IOLoop, start: Start, monkeypatch: pytest.MonkeyPatch) -> Running:
    """A server that takes one of each kind in a minute."""
    for kind in RATES:
        monkeypatch.setitem(RATES, kind, Rate(1, 60.0))
    return io_loop.run_sync(lambda: start({"sockets.chats_per_minute": 1}))


@pytest.mark.parametrize(("frame", "fields"), [("chat", CHAT), ("caption", FINAL), ("caption", INTERIM)])
async def test_what_is_too_much_is_refused_and_told_to_nobody(
    running: Running, frame: str, fields: dict[str, Any]
) -> None:
    _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
    assert (await second_one(mine, frame, **fields))["code"] == "rate_limited"
    assert (await theirs.settled()).count(frame) == 1


async def test_too_many_reports_of_quality_are_refused(running: Running) -> None:
    _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
    assert (await second_one(mine, "quality", legs={theirs.leg_id: {}}))["code"] == "rate_limited"


async def test_one_who_says_too_much_is_in_nobodys_way(running: Running) -> None:
    _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
    await second_one(mine, "chat", **CHAT)
    assert (await theirs.request("chat", **CHAT))["type"] == "ack"


async def test_each_kind_is_counted_by_itself(running: Running) -> None:
    _, mine, _ = await running.both_in(*await running.people("alice", "bob"))
    for frame, fields in (("chat", CHAT), ("caption", FINAL), ("caption", INTERIM)):
        assert (await mine.request(frame, **fields))["type"] == "ack"


async def test_after_a_while_one_may_go_on(running: Running) -> None:
    _, mine, _ = await running.both_in(*await running.people("alice", "bob"))
    await second_one(mine, "chat", **CHAT)
    running.clock.move(60)
    assert (await mine.request("chat", **CHAT))["type"] == "ack"


async def test_to_come_back_gets_around_nothing(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call, mine, _ = await running.both_in(alice, bob)
    await mine.request("chat", **CHAT)
    again = await alice.room(call)
    assert (await again.request("chat", **CHAT))["code"] == "rate_limited"
