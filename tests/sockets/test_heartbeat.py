"""Nobody goes unspoken-to for long, the dead are noticed, and the living are left alone."""

from __future__ import annotations

import asyncio

import pytest

from server.close_codes import CloseCode
from server.realtime.framing import PING, TEXT
from server.realtime.heartbeat import TICK_S
from server.settings import JobSettings, SocketSettings
from tests.running import Person, Running, StallingMongo, Start
from tests.sockets.raw import RawClient, upgrade_request

AS_CONFIGURED: dict[str, object] = {
    "sockets.heartbeat_interval_s": 25,
    "sockets.call_heartbeat_interval_s": 3,
    "sockets.heartbeat_timeout_s": 10,
}
QUICK: dict[str, object] = {
    "sockets.heartbeat_interval_s": 0.5,
    "sockets.call_heartbeat_interval_s": 0.5,
    "sockets.heartbeat_timeout_s": 2,
}
"""Whether somebody is heard from is a matter of real time: the living need some to be heard on a busy machine."""


async def deaf_mute(person: Person, path: str) -> RawClient:
    """A client that says nothing any more and answers no ping."""
    client = await RawClient.dial(person.running.port)
    await client.request(upgrade_request(f"/api/v1{path}", dict(person.bearer)))
    assert b'"connected"' in (await client.read_frame()).payload
    return client


async def code_at_the_end(client: RawClient) -> int | None:
    """The code of the close frame, after whatever comes before it."""
    while True:
        opcode, payload = await client.read_frame()
        if opcode not in (TEXT, PING):
            return int.from_bytes(payload[:2], "big")


class TestSilence:
    @pytest.mark.gen_test
    async def test_of_the_server_is_broken_by_a_ping(self, start: Start) -> None:
        running = await start(AS_CONFIGURED)
        inbox = await (await running.person("alice")).inbox()
        running.clock.move(25)
        await running.server.beat()
        ping = await inbox.next("ping")
        assert "seq" not in ping

    @pytest.mark.gen_test
    async def test_is_not_broken_too_early(self, start: Start) -> None:
        running = await start(AS_CONFIGURED)
        inbox = await (await running.person("alice")).inbox()
        running.clock.move(20)
        await running.server.beat()
        assert await inbox.settled() == []

    @pytest.mark.gen_test
    async def test_is_broken_sooner_in_a_call(self, start: Start) -> None:
        running = await start(AS_CONFIGURED)
        alice, _ = await running.people("alice", "bob")
        room = await alice.room(await alice.place("bob"))
        running.clock.move(3)
        await running.server.beat()
        assert await room.next("ping")

    def test_lets_nobody_stay_in_a_call_as_a_ghost_for_more_than_45_s(self) -> None:
        sockets, jobs = SocketSettings(), JobSettings()
        unheard_s = sockets.call_heartbeat_interval_s + sockets.heartbeat_timeout_s + TICK_S
        assert unheard_s + sockets.call_resume_window_s + jobs.sweep_interval_s <= 45

    @pytest.mark.gen_test
    async def test_is_not_what_somebody_was_just_spoken_to_in(self, start: Start) -> None:
        running = await start(AS_CONFIGURED)
        inbox = await (await running.person("alice")).inbox()
        running.clock.move(15)
        await inbox.request("ping")
        running.clock.move(12)
        await running.server.beat()
        assert "ping" not in await inbox.settled()

    @pytest.mark.gen_test
    async def test_of_the_client_ends_the_connection(self, start: Start) -> None:
        running = await start(AS_CONFIGURED)
        inbox = await (await running.person("alice")).inbox()
        running.clock.move(35.5)
        await running.server.beat()
        bye, code, _ = await inbox.closed()
        assert bye is not None
        assert (code, bye["action"], bye["session_kept"]) == (CloseCode.HEARTBEAT_MISSED, "resume", True)

    @pytest.mark.gen_test
    async def test_of_the_client_keeps_the_session(self, start: Start) -> None:
        running = await start(AS_CONFIGURED)
        alice = await running.person("alice")
        inbox = await alice.inbox()
        running.clock.move(35.5)
        await running.server.beat()
        await inbox.closed()
        assert (await alice.again(inbox)).connection_id == inbox.connection_id


class TestThePulse:
    @pytest.mark.gen_test
    async def test_is_taken_of_everybody(self, start: Start) -> None:
        running = await start(AS_CONFIGURED)
        alice = await running.person("alice")
        await alice.inbox()
        running.clock.move(25)
        await running.server.beat()
        (connection,) = running.services.hub.connections
        await running.until(lambda: connection.rtt_ms is not None)
        (shown,) = (await alice.api("GET", "/ws/status")).document["connections"]
        assert 0 <= shown["rtt_ms"] < 1000

    @pytest.mark.gen_test
    async def test_of_the_dead_is_missed_and_that_of_the_living_is_not(self, start: Start) -> None:
        running = await start(QUICK)
        alice, bob = await running.people("alice", "bob")
        living = await bob.inbox()
        async with await deaf_mute(alice, "/ws/user") as dead:
            assert await code_at_the_end(dead) == CloseCode.HEARTBEAT_MISSED
        assert "bye" not in await living.settled()

    @pytest.mark.gen_test
    async def test_is_missed_by_the_others_in_a_call(self, start: Start) -> None:
        running = await start(QUICK)
        alice, bob = await running.people("alice", "bob")
        call = await running.answered(alice, bob)
        mine = await alice.room(call)
        async with await deaf_mute(bob, f"/ws/call/{call['call_id']}"):
            shown = await mine.next("participant")
        assert (shown["user_id"], shown["connection"]) == (bob.id, "reconnecting")

    @pytest.mark.gen_test
    async def test_of_the_living_is_felt_though_the_database_stalls(
        self, start: Start, stalling: StallingMongo
    ) -> None:
        running = await start(stalling.overrides(timeout_ms=2000) | QUICK)
        alice, bob = await running.people("alice", "bob")
        idle, busy = await alice.inbox(), await bob.inbox()
        with stalling.stalled():
            answer = await busy.request("watch", user_ids=[])  # 2 s later; who is silent for one is dead
        assert answer["code"] == "unavailable"
        for peer in (idle, busy):
            assert "bye" not in await peer.settled()

    @pytest.mark.gen_test
    async def test_is_any_frame(self, start: Start) -> None:
        running = await start(QUICK)
        alice, bob = await running.people("alice", "bob")
        async with await deaf_mute(alice, "/ws/user") as talking, await deaf_mute(bob, "/ws/user") as silent:
            ending = asyncio.create_task(code_at_the_end(silent))
            while not ending.done():
                await talking.send(b"\x8a\x80\x00\x00\x00\x00")  # a pong that nobody has asked for
                await asyncio.wait([ending], timeout=0.1)
            (session,) = running.services.hub.sessions_of(alice.id)
            assert session.connection is not None
        assert ending.result() == CloseCode.HEARTBEAT_MISSED


@pytest.mark.gen_test
async def test_a_client_that_never_reads_is_cut_off(start: Start) -> None:
    running: Running = await start({"sockets.max_buffered_bytes": 65_536, "sockets.coalesce_bytes": 65_536})
    alice, bob = await running.people("alice", "bob")
    call = await running.answered(alice, bob)
    mine = await alice.room(call)
    async with await RawClient.dial(running.port, receive_buffer_bytes=4096) as slow:
        await slow.request(upgrade_request(f"/api/v1/ws/call/{call['call_id']}", dict(bob.bearer)))
        leg_id = (await mine.next("join"))["participant"]["leg_id"]
        while "participant" not in mine.unread:
            await mine.request("offer", to=leg_id, sdp="x" * 30_000)
            running.clock.move(1)
        assert (await mine.next("participant"))["connection"] == "reconnecting"
