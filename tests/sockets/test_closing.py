"""How sockets end: announced, explained, recorded, and without leaving anything behind."""

from __future__ import annotations

import asyncio
import gc
import os
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from server.close_codes import REGISTRY, CloseCode
from server.realtime.framing import CLOSE, CONTINUATION, MAX_REASON_BYTES, PING, TEXT
from tests.running import Person, Running, Start
from tests.sockets.raw import RawClient, masked, upgrade_request


class TestWhatTheServerCloses:
    @pytest.mark.gen_test
    async def test_for_a_frame_that_is_too_big_is_announced(self, running: Running) -> None:
        inbox = await (await running.person("alice")).inbox()
        await inbox.send_text("x" * 65_537)
        bye, code, reason = await inbox.closed()
        assert bye is not None
        assert (code, bye["name"], bye["action"], reason) == (1009, "too_big", "stop", bye["message"])

    @pytest.mark.gen_test
    async def test_for_a_frame_far_too_big_is_announced_as_well(self, running: Running) -> None:
        inbox = await (await running.person("alice")).inbox()
        await inbox.send_text("x" * 300_000)
        bye, code, _ = await inbox.closed()
        assert bye is not None
        assert (code, bye["code"]) == (1009, 1009)

    @pytest.mark.gen_test
    async def test_is_not_a_frame_of_exactly_the_limit(self, running: Running) -> None:
        inbox = await (await running.person("alice")).inbox()
        await inbox.send_text('{"type":"ping","id":"p"}'.ljust(65_536))
        assert (await inbox.answer_to("p"))["type"] == "ack"

    @pytest.mark.gen_test
    async def test_for_a_binary_frame_is_announced(self, running: Running) -> None:
        inbox = await (await running.person("alice")).inbox()
        await inbox.socket.send(b'{"type":"ping"}')
        bye, code, _ = await inbox.closed()
        assert bye is not None
        assert (code, bye["name"], bye["action"]) == (1003, "unsupported_data", "stop")

    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        ("frame", "code"),
        [
            (masked(TEXT, b"\xff\xfe"), 1007),
            (masked(TEXT, b"x", reserved=0x40), 1002),
            (masked(3, b"x"), 1002),
            (masked(TEXT, b"x", mask=None), 1002),
            (masked(CONTINUATION, b"x"), 1002),
            (masked(PING, b"x" * 126), 1002),
            (masked(CLOSE, b"\x03"), 1002),
            (masked(CLOSE, b"\x03\xed"), 1002),
            (masked(TEXT, b"", form=127)[:2] + b"\x7f" + b"\xff" * 7 + b"\x00" * 4, 1009),
        ],
        ids=["utf-8", "reserved bit", "opcode", "unmasked", "continuation", "long ping", "short close", "1005", "huge"],
    )
    async def test_for_a_broken_protocol_is_announced(self, running: Running, frame: bytes, code: int) -> None:
        alice = await running.person("alice")
        async with await RawClient.dial(running.port) as client:
            await client.request(upgrade_request("/api/v1/ws/user", dict(alice.bearer)))
            await client.read_frame()
            await client.send(frame)
            opcode, payload = await client.read_frame()
            assert (opcode, f'"code":{code}' in payload.decode()) == (TEXT, True)
            assert (await client.read_close())[0] == code

    @pytest.mark.gen_test
    async def test_in_a_hurry_is_announced_too(self, running: Running) -> None:
        peers = [await (await running.person(name)).inbox() for name in ("alice", "bob")]
        running.server.send_home()
        closings = [await peer.closed() for peer in peers]
        assert [closing.code for closing in closings] == [CloseCode.DRAINING] * 2
        retries = [closing.bye["retry_after_ms"] for closing in closings if closing.bye]
        assert sorted(retries) == [20, 40]  # one after the other

    @pytest.mark.gen_test
    async def test_has_a_reason_that_fits_the_frame(self, running: Running) -> None:
        inbox = await (await running.person("alice")).inbox()
        (connection,) = running.services.hub.connections
        running.services.hub.close(connection, CloseCode.FORBIDDEN, "é" * 100)
        bye, _, reason = await inbox.closed()
        assert bye is not None
        assert (bye["message"], reason) == ("é" * 100, "é" * (MAX_REASON_BYTES // 2))

    @pytest.mark.parametrize("code", REGISTRY, ids=lambda code: code.name)
    @pytest.mark.gen_test
    async def test_says_with_every_code_what_to_do(self, running: Running, code: CloseCode) -> None:
        inbox = await (await running.person("alice")).inbox()
        (connection,) = running.services.hub.connections
        running.services.hub.close(connection, code)
        bye, closed_with, reason = await inbox.closed()
        rule = REGISTRY[code]
        assert (closed_with, reason) == (code, rule.message)
        assert bye == {
            "type": "bye",
            "timestamp": bye and bye["timestamp"],
            "code": code,
            "name": code.name.lower(),
            "message": rule.message,
            "action": rule.action,
            "retry_after_ms": rule.retry_after_ms,
            "session_kept": rule.session_kept,
        }

    @pytest.mark.gen_test
    async def test_twice_is_closed_once(self, running: Running) -> None:
        inbox = await (await running.person("alice")).inbox()
        (connection,) = running.services.hub.connections
        running.services.hub.close(connection, CloseCode.FORBIDDEN)
        running.services.hub.close(connection, CloseCode.ENDED)
        assert (await inbox.closed()).code == CloseCode.FORBIDDEN
        assert [frame["type"] for frame in inbox.frames] == ["connected", "bye"]

    @pytest.mark.gen_test
    async def test_does_not_wait_for_ever_for_the_other_half(self, start: Start) -> None:
        running = await start({"sockets.close_timeout_s": 0.05, "sockets.auth_timeout_s": 0.05})
        async with await RawClient.connect(running.port, "/api/v1/ws/user") as client:
            assert (await client.read_frame()).opcode == TEXT
            assert (await client.read_close())[0] == CloseCode.AUTH_TIMEOUT
            await running.until(lambda: not running.services.hub.connections)


class TestWhatTheClientCloses:
    @pytest.mark.gen_test
    async def test_for_good_ends_the_session(self, running: Running) -> None:
        inbox = await (await running.person("alice")).inbox()
        await inbox.close(1000)
        await running.until(lambda: len(running.services.hub) == 0)

    @pytest.mark.gen_test
    @pytest.mark.parametrize("code", [1001, 3000, 4000])
    async def test_otherwise_keeps_the_session(self, running: Running, code: int) -> None:
        alice = await running.person("alice")
        inbox = await alice.inbox()
        await inbox.close(code)
        await running.until_away(inbox)
        assert (await alice.again(inbox)).connection_id == inbox.connection_id

    @pytest.mark.gen_test
    async def test_is_answered_in_kind(self, running: Running) -> None:
        inbox = await (await running.person("alice")).inbox()
        await inbox.close(4321)
        assert inbox.socket.close_code == 4321

    @pytest.mark.gen_test
    async def test_while_it_opens_leaves_nobody_behind(self, start: Start) -> None:
        running = await start({"sockets.resume_window_s": 0.05})
        alice = await running.person("alice")
        for _ in range(20):
            (await alice.open("/ws/user")).cut()
        hub = running.services.hub
        await running.until(lambda: not hub.connections and hub.sweep() >= 0 and len(hub) == 0)


class TestRecords:
    async def records(self, running: Running, mongo_uri: str, database: str) -> list[dict[str, Any]]:
        """What is in the database of sockets that are closed by now, oldest first."""
        await running.until(lambda: not running.services.hub.connections)
        await running.server.records.flush()
        client: MongoClient[dict[str, Any]]
        with MongoClient(mongo_uri) as client:
            stored: Database[dict[str, Any]] = client[database]
            return list(stored["connections"].find(sort=[("_id", 1)]))

    @pytest.mark.gen_test
    async def test_say_how_a_server_closed(self, running: Running, mongo_uri: str, database: str) -> None:
        alice = await running.person("alice")
        inbox = await alice.inbox()
        await inbox.socket.send(b"binary")
        await inbox.closed()
        (record,) = await self.records(running, mongo_uri, database)
        assert (record["initiator"], record["code_sent"], record["clean"]) == ("server", 1003, True)
        assert (record["user_id"], record["connection_id"], record["kind"]) == (alice.id, inbox.connection_id, "user")
        assert record["reason"] == REGISTRY[CloseCode.UNSUPPORTED_DATA].message
        assert (record["frames_received"], record["device"]) == (2, "a device")  # the client's half of the close, too

    @pytest.mark.gen_test
    async def test_say_how_a_client_closed(self, running: Running, mongo_uri: str, database: str) -> None:
        inbox = await (await running.person("alice")).inbox()
        await inbox.close(1001)
        (record,) = await self.records(running, mongo_uri, database)
        assert (record["initiator"], record["code_received"], record["clean"]) == ("client", 1001, True)
        assert record.get("code_sent") is None

    @pytest.mark.gen_test
    async def test_say_when_the_network_failed(self, running: Running, mongo_uri: str, database: str) -> None:
        inbox = await (await running.person("alice")).inbox()
        inbox.cut()
        (record,) = await self.records(running, mongo_uri, database)
        assert (record["initiator"], record["clean"]) == ("network", False)
        assert record.get("code_received") is None

    @pytest.mark.gen_test
    async def test_say_who_was_never_let_in(self, start: Start, mongo_uri: str, database: str) -> None:
        running = await start({"sockets.auth_timeout_s": 0.05})
        await (await running.open("/ws/user")).closed()
        (record,) = await self.records(running, mongo_uri, database)
        assert record["code_sent"] == CloseCode.AUTH_TIMEOUT
        assert record.get("user_id") is None

    @pytest.mark.gen_test
    async def test_say_what_went_wrong_last(self, running: Running, mongo_uri: str, database: str) -> None:
        inbox = await (await running.person("alice")).inbox()
        await inbox.request("nonsense")
        await inbox.close()
        (record,) = await self.records(running, mongo_uri, database)
        assert record["last_error"] == "unknown_type"

    @pytest.mark.gen_test
    async def test_are_one_for_each_socket(self, running: Running, mongo_uri: str, database: str) -> None:
        alice = await running.person("alice")
        inbox = await alice.inbox()
        again = await alice.again(inbox)
        await inbox.closed()
        await again.close()
        records = await self.records(running, mongo_uri, database)
        assert [record["connection_id"] for record in records] == [inbox.connection_id] * 2
        assert [record.get("code_sent") for record in records] == [CloseCode.REPLACED, None]

    @pytest.mark.gen_test
    async def test_hold_no_token(self, running: Running, mongo_uri: str, database: str) -> None:
        alice = await running.person("alice")
        token = alice.ws_token()
        peer = await running.open("/ws/user", token=token)
        await peer.next("connected")
        await peer.close()
        assert token not in str(await self.records(running, mongo_uri, database))


class TestStopping:
    @pytest.mark.gen_test
    async def test_sends_everybody_away_and_ends_calls_for_nobody(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        running.server.send_home()
        for peer in (mine, theirs):
            bye, code, _ = await peer.closed()
            assert bye is not None
            assert (code, bye["action"], bye["session_kept"]) == (CloseCode.DRAINING, "resume", True)
        assert (await alice.api("GET", f"/calls/{call['call_id']}")).document["state"] == "connecting"

    @pytest.mark.gen_test
    async def test_takes_no_longer_than_it_may(self, running: Running) -> None:
        for number in range(3):
            await (await running.person(f"user{number}")).inbox()
        began_s = asyncio.get_running_loop().time()
        await running.server.stop(within_s=1.0)
        assert asyncio.get_running_loop().time() - began_s < 1.0
        assert not running.services.hub.connections


def descriptors() -> int:
    """How many files and sockets this process has open."""
    return len(os.listdir("/proc/self/fd"))


class TestTwoThousandSockets:
    """What was opened and closed leaves nothing."""

    @staticmethod
    def held(running: Running) -> dict[str, int]:
        """Everything of which there could be more and more."""
        server = running.server
        return {
            "tasks": len(asyncio.all_tasks()),
            "descriptors": len(os.listdir("/proc/self/fd")),
            "connections": len(server.services.hub.connections),
            "sessions": len(server.services.hub),
            "rooms": len(server.rooms),
            "topics": len(server.bus),
            "background": len(server.services.background),
        }

    @staticmethod
    async def visit(person: Person, way: int) -> None:
        """Opens the inbox and ends it in one of the ways there are."""
        peer = await person.inbox()
        match way % 4:
            case 0:
                await peer.close(1000)
            case 1:
                await peer.close(1001)
            case 2:
                peer.cut()
            case _:
                await peer.socket.send(b"binary")
                await peer.closed()

    @staticmethod
    async def talk(caller: Person, callee: Person, way: int) -> None:
        """A whole call, which ends in one of the ways there are."""
        call, mine, theirs = await caller.running.both_in(caller, callee)
        match way % 3:
            case 0:
                await mine.request("hangup")
            case 1:
                await theirs.close(1000)
            case _:
                mine.cut()
                await callee.do("hangup", call)
        await theirs.closed()

    async def visits(self, running: Running, people: list[Person], count: int) -> None:
        """``count`` sockets, many at a time; then the resume windows pass."""
        for first in range(0, count, len(people)):
            await asyncio.gather(*(self.visit(person, first + index) for index, person in enumerate(people)))
        for first in range(0, count // 40):
            await self.talk(people[0], people[1], first)
        await running.until(lambda: not running.services.hub.connections)
        running.clock.move(130)
        await running.server.sweep()
        await running.until(lambda: not len(running.services.background))

    @pytest.mark.gen_test(timeout=120)
    async def test_leave_everything_at_its_base(self, start: Start) -> None:
        running = await start({"calls.calls_per_minute": 10_000, "calls.calls_per_pair_per_minute": 10_000})
        people = await running.people(*(f"user{number}" for number in range(20)))
        await self.visits(running, people, 80)
        before = self.held(running)
        await self.visits(running, people, 2000)
        gc.collect()

        def grown() -> dict[str, int]:
            return {name: count for name, count in self.held(running).items() if count > before[name]}

        await running.until(lambda: not grown(), f"{grown()} where it was {before}")
