"""Somebody who does not read: they are cut off before they cost much, and nobody else notices."""

from __future__ import annotations

import asyncio
import json
from statistics import median
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from server.close_codes import REGISTRY, CloseCode
from server.realtime.bus import ToDevices, user_topic
from server.realtime.connection import Connection
from server.realtime.framing import TEXT
from server.realtime.session import Session
from tests.faults.crowd import call_of
from tests.peer import Frame, Peer
from tests.running import Person, Running, Start
from tests.sockets.raw import RawClient, masked, upgrade_request

MIB = 1 << 20
FAREWELL_BYTES = 1_024
"""Only ``bye`` and the close frame may go beyond what may wait."""
COALESCE_BYTES = 262_144
SMALL: dict[str, object] = {"sockets.close_timeout_s": 0.05, "sockets.max_buffered_bytes": 262_144}
TALKATIVE: dict[str, object] = {
    "sockets.frames_per_s": 10_000,
    "sockets.frames_burst": 100_000,
    "sockets.chats_per_minute": 1_000_000,
}
"""Only so that the test is quick: the same frames at 20 a second come to the same."""
CHAT = "x" * 4096


async def deaf(person: Person, path: str) -> RawClient:
    """A client that upgrades and then reads nothing; its kernel takes as little as it can be told to."""
    client = await RawClient.dial(person.running.port, receive_buffer_bytes=4096)
    await client.request(upgrade_request(f"/api/v1{path}", dict(person.bearer)))
    client.stop_reading()
    return client


def connection_of(running: Running, person: Person) -> Connection:
    """The server's end of that person's one socket."""
    (connection,) = [
        connection
        for connection in running.services.hub.connections
        if connection.session is not None and connection.session.who.user.id == person.id
    ]
    return connection


class Crowd:
    """Twenty in a room; the last one never reads."""

    def __init__(self, running: Running, peers: list[Peer], slow: Connection, slow_leg_id: str) -> None:
        self.running = running
        self.peers = peers
        self.slow = slow
        self.slow_leg_id = slow_leg_id
        self.said: list[str] = []
        self.held_bytes = 0  # the most that ever waited for the slow one
        self.fan_outs_s: list[float] = []

    async def say(self) -> None:
        """One message to everybody: waits until all who read have it."""
        text = f"{len(self.said)} {CHAT}"[:4096]
        self.said.append(text)
        began_s = asyncio.get_running_loop().time()
        await self.peers[0].send("chat", text=text)
        await asyncio.gather(*(peer.next("chat", text=text) for peer in self.peers))
        self.fan_outs_s.append(asyncio.get_running_loop().time() - began_s)
        self.look()

    async def offer(self) -> None:
        """Signaling for the slow one alone."""
        await self.peers[1].request("offer", to=self.slow_leg_id, sdp="x" * 32_000)
        self.look()

    def look(self) -> None:
        """Sees how much waits for the slow one."""
        assert self.slow.session is not None or self.slow.closing
        self.held_bytes = max(self.held_bytes, self.slow.buffered_bytes)


async def crowd(running: Running) -> tuple[Crowd, RawClient]:
    """All twenty have come in."""
    people = await running.people(*(f"user{number}" for number in range(20)))
    call = await call_of(running, people)
    peers = [await person.room(call) for person in people[:-1]]
    raw = await deaf(people[-1], f"/ws/call/{call['call_id']}")
    join = await peers[0].next("join", user_id=people[-1].id)
    return Crowd(running, peers, connection_of(running, people[-1]), join["participant"]["leg_id"]), raw


@pytest.mark.gen_test
async def test_a_reader_that_never_reads_is_cut_off_and_the_others_do_not_notice(start: Start) -> None:
    running = await start(TALKATIVE | {"sockets.close_timeout_s": 0.05})
    room, raw = await crowd(running)
    async with raw:
        for _ in range(20):
            await room.say()
        before_s, room.fan_outs_s = median(room.fan_outs_s), []
        while not room.slow.closing:
            await room.offer()
            await room.say()
        await running.until(lambda: room.slow not in running.services.hub.connections, "its socket is gone")
    assert room.slow.close_code is CloseCode.SLOW_CONSUMER
    assert MIB / 2 < room.held_bytes < MIB + FAREWELL_BYTES
    assert median(room.fan_outs_s) < 2 * before_s + 0.005
    for peer in room.peers:
        await peer.next("participant", leg_id=room.slow_leg_id, connection="reconnecting")
        assert [frame["text"] for frame in peer.frames if frame["type"] == "chat"] == room.said
        numbers = [frame["seq"] for frame in peer.frames if "seq" in frame]
        assert numbers == list(range(1, len(numbers) + 1))
        await peer.close()


def record_of(session: Session, mongo_uri: str, database: str) -> dict[str, Any]:
    """What was stored of its one connection."""
    client: MongoClient[dict[str, Any]]
    with MongoClient(mongo_uri) as client:
        stored: Database[dict[str, Any]] = client[database]
        (record,) = list(stored["connections"].find({"connection_id": session.id}))
        return record


@pytest.mark.gen_test
async def test_whoever_was_cut_off_has_a_record_that_says_why_and_may_come_back(
    start: Start, mongo_uri: str, database: str
) -> None:
    running = await start(TALKATIVE | SMALL)
    alice, bob = await running.people("alice", "bob")
    call = await running.answered(alice, bob)
    mine = await alice.room(call)
    async with await deaf(bob, f"/ws/call/{call['call_id']}"):
        leg_id = (await mine.next("join"))["participant"]["leg_id"]
        slow = connection_of(running, bob)
        session = slow.session
        assert session is not None
        while not slow.closing:
            await mine.request("offer", to=leg_id, sdp="x" * 32_000)
        await running.until(lambda: slow not in running.services.hub.connections)
    await running.server.records.flush()
    record = record_of(session, mongo_uri, database)
    assert (record["code_sent"], record["initiator"], record["clean"]) == (CloseCode.SLOW_CONSUMER, "server", False)
    assert record["reason"] == REGISTRY[CloseCode.SLOW_CONSUMER].message
    assert session.buffer.size_bytes <= running.services.settings.sockets.resume_bytes
    back = await bob.open(f"/ws/call/{call['call_id']}", resume=session.id, last_seq=str(session.buffer.last_seq - 3))
    assert (await back.next("resumed"))["complete"] is True
    assert "offer" in back.unread


@pytest.mark.gen_test
async def test_a_reader_whose_oldest_frame_waits_for_ten_seconds_is_cut_off(start: Start) -> None:
    running = await start(TALKATIVE | {"sockets.close_timeout_s": 0.05})
    alice, bob = await running.people("alice", "bob")
    call = await running.answered(alice, bob)
    mine = await alice.room(call)
    async with await deaf(bob, f"/ws/call/{call['call_id']}"):
        leg_id = (await mine.next("join"))["participant"]["leg_id"]
        slow = connection_of(running, bob)
        while slow.transport.blocked_since is None:
            await mine.request("offer", to=leg_id, sdp="x" * 32_000)
        running.clock.move(9)
        await running.server.beat()
        assert not slow.closing
        running.clock.move(2)
        await running.server.beat()
        assert slow.close_code is CloseCode.SLOW_CONSUMER
        await running.until(lambda: slow not in running.services.hub.connections)


class Device:
    """A device of Alice's that watches Bob and reads only now and then."""

    def __init__(self, alice: Person, bob: Person, raw: RawClient) -> None:
        self._alice = alice
        self._bob = bob
        self._raw = raw
        self.connection = connection_of(alice.running, alice)
        self.calls = 0

    async def watch(self) -> None:
        """From now on it is told of Bob."""
        await self._raw.send(
            masked(TEXT, json.dumps({"type": "watch", "id": "w", "user_ids": [self._bob.id]}).encode())
        )
        await self.read_until("w")

    def ring(self) -> None:
        """Something that must not be lost is said to it, as large as a call of many people."""
        self.calls += 1
        body = json.dumps({"type": "call", "timestamp": "", "call_id": str(self.calls), "call": "x" * 8_000}).encode()
        self._alice.running.server.bus.publish(user_topic(self._alice.id), ToDevices(self._alice.id, body))

    async def flip(self, times: int) -> None:
        """Bob does not want to be disturbed, or does again; an odd number of times."""
        for number in range(times):
            answer = await self._bob.api("PATCH", "/users/me", {"do_not_disturb": number % 2 == 0})
            assert answer.status == 200, answer

    async def read_until(self, id: str) -> list[Frame]:
        """What waits for it, up to the answer to ``id``."""
        frames: list[Frame] = []
        while not frames or frames[-1].get("id") != id:
            frames.append(await self.read())
        return frames

    async def read(self) -> Frame:
        """The next frame."""
        opcode, payload = await self._raw.read_frame()
        assert opcode == TEXT
        frame: Frame = json.loads(payload)
        return frame

    async def read_all(self) -> list[Frame]:
        """Everything that waits for it; what was held back comes when the server sees that there is room again."""
        await self._raw.send(masked(TEXT, b'{"type":"ping","id":"all"}'))
        frames = await self.read_until("all")
        await self._alice.running.server.beat()
        await self._raw.send(masked(TEXT, b'{"type":"ping","id":"held back"}'))
        return frames + await self.read_until("held back")


@pytest.mark.gen_test
async def test_presence_is_coalesced_for_a_slow_reader_and_nothing_else_is(start: Start) -> None:
    running = await start(TALKATIVE)
    alice, bob = await running.people("alice", "bob")
    await bob.inbox()
    async with await RawClient.dial(running.port, receive_buffer_bytes=4096) as raw:
        await raw.request(upgrade_request("/api/v1/ws/user", dict(alice.bearer)))
        await raw.read_frame()
        device = Device(alice, bob, raw)
        await device.watch()
        await device.flip(3)
        assert [frame["type"] for frame in await device.read_all()].count("presence") == 3
        await device.flip(1)
        await device.read_all()
        while device.connection.buffered_bytes <= COALESCE_BYTES:
            device.ring()
        before_bytes = device.connection.buffered_bytes
        await device.flip(5)
        assert device.connection.buffered_bytes == before_bytes
        device.ring()
        frames = [frame for frame in await device.read_all() if "seq" in frame]
        assert [frame["call_id"] for frame in frames[:-1]] == [str(number + 1) for number in range(device.calls)]
        assert (frames[-1]["type"], frames[-1]["state"]) == ("presence", "do_not_disturb")
        assert [frame["seq"] for frame in frames] == list(range(frames[0]["seq"], frames[0]["seq"] + len(frames)))
