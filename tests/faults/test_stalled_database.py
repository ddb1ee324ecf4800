"""MongoDB does not answer for a while: nobody is cut off, signaling goes on, and what was asked can be asked again."""

from __future__ import annotations

import asyncio

import pytest

from server.close_codes import CloseCode
from server.errors import Unavailable
from tests.faults.crowd import call_of
from tests.peer import Frame, Peer
from tests.running import Person, Running, StallingMongo, Start

QUICK_HEARTBEAT: dict[str, object] = {
    "sockets.heartbeat_interval_s": 0.5,
    "sockets.call_heartbeat_interval_s": 0.5,
    "sockets.heartbeat_timeout_s": 1.5,
}
"""Whoever is silent for two seconds is dead: a handler that waits for the database must not make anybody seem so."""

TALKATIVE: dict[str, object] = {"sockets.frames_per_s": 10_000, "sockets.frames_burst": 100_000}

TIMEOUT_MS = 400
PINGS = 6
"""So many of the server's pings, half a second apart, take longer than it takes to be dead."""


async def two_in_a_room(running: Running, names: tuple[str, str]) -> tuple[Peer, Peer]:
    """Two people in a call of their own, so to speak busy."""
    people = await running.people(*names)
    call = await call_of(running, people)
    mine, theirs = [await person.room(call) for person in people]
    await mine.next("join")
    return mine, theirs


async def talk(mine: Peer, theirs: Peer) -> None:
    """Signaling both ways, acknowledged and arrived."""
    for speaker, listener in ((mine, theirs), (theirs, mine)):
        assert (await speaker.request("offer", to=listener.leg_id, sdp="v=0"))["type"] == "ack"
        await listener.next("offer")


async def hear_pings(peer: Peer, count: int) -> None:
    """Waits until the server has broken its silence so often."""
    for _ in range(count):
        await peer.next("ping")


async def ask(peer: Peer, number: int) -> Frame:
    """Something of the database."""
    return await peer.request("watch", id=f"asked-{number}", user_ids=[])


@pytest.mark.gen_test(timeout=60)
async def test_a_stall_under_120_sockets_closes_none_and_only_refuses_what_needs_the_database(
    start: Start, stalling: StallingMongo
) -> None:
    running = await start(stalling.overrides(timeout_ms=TIMEOUT_MS) | QUICK_HEARTBEAT | TALKATIVE)
    caller = await running.person("somebody")
    idle = [await (await running.device(caller.user)).inbox() for _ in range(40)]
    other = await running.person("another")
    idle += [await (await running.device(other.user)).inbox() for _ in range(50)]
    asking = [await (await running.device(caller.user)).inbox() for _ in range(10)]
    rooms = [await two_in_a_room(running, (f"a{number}", f"b{number}")) for number in range(10)]

    with stalling.stalled():
        refused = [asyncio.create_task(ask(peer, number)) for number, peer in enumerate(asking)]
        while not all(task.done() for task in refused):
            await asyncio.gather(*(talk(*room) for room in rooms))
        await asyncio.gather(*(hear_pings(peer, PINGS) for peer in idle))
        await asyncio.gather(*(talk(*room) for room in rooms))

    for task in refused:
        assert (task.result()["code"], task.result()["retryable"]) == ("unavailable", True)
    for number, peer in enumerate(asking):
        assert (await ask_until_done(peer, number))["type"] == "ack"
    for peer in (*idle, *asking, *(peer for room in rooms for peer in room)):
        assert "bye" not in await peer.settled()
    assert len(running.services.hub.connections) == len(idle) + len(asking) + 2 * len(rooms)


async def ask_until_done(peer: Peer, number: int) -> Frame:
    """The same frame again, with the same id, until the database is really back."""
    while (answer := await ask(peer, number))["type"] == "error":
        assert answer["code"] == "unavailable"
    return answer


@pytest.mark.gen_test
async def test_a_hangup_refused_in_a_stall_is_done_once_when_it_is_sent_again(
    start: Start, stalling: StallingMongo
) -> None:
    running = await start(stalling.overrides(timeout_ms=TIMEOUT_MS))
    mine, theirs = await two_in_a_room(running, ("alice", "bob"))
    with stalling.stalled():
        refused = await mine.request("hangup", id="h")
        assert (refused["code"], refused["retryable"]) == ("unavailable", True)
    while (await mine.request("hangup", id="h"))["type"] == "error":
        pass
    for peer in (mine, theirs):
        assert (await peer.next("ended"))["call"]["end_reason"] == "hangup"


@pytest.mark.gen_test
async def test_a_socket_that_comes_in_a_stall_is_told_to_come_again(start: Start, stalling: StallingMongo) -> None:
    running = await start(stalling.overrides(timeout_ms=TIMEOUT_MS))
    alice = await running.person("alice")
    with stalling.stalled():
        bye, code, _ = await (await alice.open("/ws/user")).closed()
    assert bye is not None
    assert (code, bye["name"], bye["action"]) == (4009, "unavailable", "reconnect")
    assert bye["retry_after_ms"] > 0
    await alice.inbox()


@pytest.mark.gen_test
async def test_a_session_that_comes_back_in_a_stall_is_kept_for_the_next_try(
    start: Start, stalling: StallingMongo
) -> None:
    running = await start(stalling.overrides(timeout_ms=TIMEOUT_MS))
    mine, theirs = await two_in_a_room(running, ("alice", "bob"))
    bob = await person_of(running, theirs)
    theirs.cut()
    await running.until_away(theirs)
    path = f"/ws/call/{theirs.connected['snapshot']['call']['call_id']}"
    with stalling.stalled():
        assert (await mine.request("offer", to=theirs.leg_id, sdp="while you were away"))["type"] == "ack"
        refused = await bob.open(path, resume=theirs.connection_id, last_seq=str(theirs.last_seq))
        assert (await refused.closed()).code == 4009
    back = await bob.again(theirs)
    assert (await back.next("resumed"))["complete"] is True
    assert "offer" in back.unread


async def person_of(running: Running, peer: Peer) -> Person:
    """Whose socket it is."""
    session = running.services.hub.get(peer.connection_id)
    assert session is not None
    user = await running.services.users.get(session.who.user.id)
    assert user is not None
    return Person(running, user, session.who.sign_in_id)


@pytest.mark.gen_test
async def test_media_that_begins_to_flow_in_a_stall_counts_when_the_database_is_back(
    start: Start, stalling: StallingMongo
) -> None:
    running = await start(stalling.overrides(timeout_ms=TIMEOUT_MS))
    mine, theirs = await two_in_a_room(running, ("alice", "bob"))
    with stalling.stalled():
        await mine.request("stats", leg_id=theirs.leg_id, connection="connected")
        await theirs.request("stats", leg_id=mine.leg_id, connection="connected")
        await running.until(lambda: not len(running.services.background), "they could not be stored")
    running.clock.move(21)  # past the time that a call may take to connect
    await running.server.sweep()
    calls = [(await peer.next("call"))["call"] for peer in (mine, theirs) for _ in range(2)]
    assert {call["state"] for call in calls} == {"connecting", "active"}


@pytest.mark.gen_test
async def test_somebody_who_is_lost_in_a_stall_has_left_when_the_database_is_back(
    start: Start, stalling: StallingMongo
) -> None:
    running = await start(stalling.overrides(timeout_ms=TIMEOUT_MS))
    mine, theirs = await two_in_a_room(running, ("alice", "bob"))
    with stalling.stalled():
        await theirs.close(1000)
        await mine.next("leave", leg_id=theirs.leg_id)
        await running.until(lambda: not len(running.services.background), "it could not be stored")
    await running.server.sweep()
    assert (await mine.next("ended"))["call"]["end_reason"] == "hangup"


@pytest.mark.gen_test
async def test_a_sign_out_that_another_process_wrote_just_before_a_stall_is_noticed_after_it(
    start: Start, stalling: StallingMongo
) -> None:
    overrides = stalling.overrides(timeout_ms=TIMEOUT_MS)
    running, other = await start(overrides), await start(overrides)
    alice = await running.person("alice")
    inbox = await alice.inbox()
    await other.services.sign_ins.end(alice.sign_in_id, "logout")
    with stalling.stalled():
        for _ in range(3):  # the job runs in vain, every few seconds
            running.clock.move(4)
            with pytest.raises(Unavailable):
                await running.services.sign_ins.notice_revocations()
    await running.services.sign_ins.notice_revocations()
    assert (await inbox.closed()).code == CloseCode.SIGNED_OUT
