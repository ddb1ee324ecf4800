"""Races over real sockets and a real MongoDB: whoever is first wins, everybody agrees, and it is written down once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any

import pytest

from tests.peer import Frame, Peer
from tests.running import Person, Running, Start, _one_database, database, http_client, running, stalling, start

__all__ = ["_one_database", "database", "http_client", "running", "stalling", "start"]  # the fixtures

NO_LIMIT: dict[str, object] = {
    "calls.calls_per_minute": 10_000,
    "calls.calls_per_pair_per_minute": 10_000,
    "sockets.frames_per_s": 10_000,
    "sockets.frames_burst": 10_000,
}
SEED = 20261120


async def at_once(*moves: Any) -> list[Any]:
    """Starts ``moves`` in some order, a moment apart or none."""
    order = list(range(len(moves)))
    random.shuffle(order)
    tasks: dict[int, asyncio.Task[Any]] = {}
    for index in order:
        tasks[index] = asyncio.ensure_future(moves[index])
        for _ in range(random.randrange(4)):
            await asyncio.sleep(0)
    return [await tasks[index] for index in range(len(moves))]


async def last_seen(inbox: Peer, call_id: str, state: str) -> Frame:
    """The call as an inbox is told of it in the end."""
    while True:
        call: Frame = (await inbox.next("call", call_id=call_id))["call"]
        if call["state"] == state:
            return call


async def assert_both_agree(people: list[Person], inboxes: list[Peer], call_id: str, state: str) -> Frame:
    """What each was told last is what is stored, and it stands once in each history."""
    seen = [await last_seen(inbox, call_id, state) for inbox in inboxes]
    stored: Frame = (await people[0].api("GET", f"/calls/{call_id}")).document
    assert seen == [stored] * len(seen)
    for person in people:
        assert [item["call_id"] for item in await person.history()].count(call_id) == 1
    return stored


@pytest.mark.gen_test(timeout=120)
async def test_200_answers_and_cancels_at_once_have_one_winner_each(start: Start) -> None:
    random.seed(SEED)
    running = await start(NO_LIMIT)
    people = await running.people("alice", "bob")
    inboxes = [await person.inbox() for person in people]
    won: Counter[str] = Counter()
    for _ in range(200):
        call = await people[0].place("bob")
        await inboxes[1].next("incoming", call_id=call["call_id"])
        answered, cancelled = await at_once(
            inboxes[1].request("answer", call_id=call["call_id"]), people[0].do("cancel", call)
        )
        by_answer = answered["type"] == "ack"
        assert by_answer != (cancelled.status == 200)
        won["answer" if by_answer else "cancel"] += 1
        if by_answer:
            assert cancelled.code == "already_answered"
            assert (await inboxes[0].request("ping"))["type"] == "ack"
            await people[0].do("hangup", call)
        else:
            assert answered["code"] == "call_ended"
            assert (await inboxes[1].next("incoming_stopped", call_id=call["call_id"]))["reason"] == "cancelled"
        stored = await assert_both_agree(people, inboxes, call["call_id"], "ended")
        assert stored["end_reason"] == ("hangup" if by_answer else "cancelled")
        assert (stored["answered_at"] is not None) == by_answer
    assert len(won) == 2  # else it was no race


@pytest.mark.gen_test(timeout=60)
async def test_100_answers_on_two_devices_at_once_have_one_winner_each(start: Start) -> None:
    random.seed(SEED)
    running = await start(NO_LIMIT)
    alice, bob = await running.people("alice", "bob")
    devices = [bob, await running.device(bob.user)]
    inboxes = [await device.inbox() for device in devices]
    won: Counter[int] = Counter()
    for _ in range(100):
        call = await alice.place("bob")
        answers = await at_once(*(inbox.request("answer", call_id=call["call_id"]) for inbox in inboxes))
        winner = [answer["type"] for answer in answers].index("ack")
        assert answers[1 - winner]["code"] == "already_answered"
        stopped = await inboxes[1 - winner].next("incoming_stopped", call_id=call["call_id"])
        assert stopped["reason"] == "answered_elsewhere"
        won[winner] += 1
        await devices[winner].do("hangup", call)
        stored = await assert_both_agree([alice, bob], inboxes, call["call_id"], "ended")
        assert stored["end_reason"] == "hangup"
    assert sorted(won) == [0, 1]


@pytest.mark.gen_test(timeout=60)
async def test_50_pairs_that_dial_each_other_at_once_get_one_call_each(start: Start) -> None:
    random.seed(SEED)
    running = await start(NO_LIMIT)
    people = await running.people("alice", "bob")
    inboxes = [await person.inbox() for person in people]
    first: Counter[str] = Counter()
    for _ in range(50):
        calls = await at_once(people[0].place("bob"), people[1].place("alice"))
        assert calls[0]["call_id"] == calls[1]["call_id"]
        assert sorted(bool(call.get("merged")) for call in calls) == [False, True]
        stored = await assert_both_agree(people, inboxes, calls[0]["call_id"], "connecting")
        assert [leg["state"] for leg in stored["legs"]] == ["joined", "joined"]
        first[stored["created_by"]["username"]] += 1
        live = [item for person in people for item in await person.history() if item["state"] != "ended"]
        assert {item["call_id"] for item in live} == {stored["call_id"]}
        await people[0].do("hangup", stored)
        await assert_both_agree(people, inboxes, stored["call_id"], "ended")
    assert sorted(first) == ["alice", "bob"]


@pytest.mark.gen_test(timeout=60)
async def test_hangups_by_both_the_sweep_and_a_lost_socket_at_once_end_a_call_once(start: Start) -> None:
    random.seed(SEED)
    running: Running = await start(NO_LIMIT | {"sockets.call_resume_window_s": 0})
    people = await running.people("alice", "bob")
    inboxes = [await person.inbox() for person in people]
    for _ in range(30):
        call, mine, theirs = await running.both_in(*people)
        running.clock.move(20.5)

        async def cut(peer: Peer = theirs) -> None:
            peer.cut()

        answers = await at_once(
            people[0].do("hangup", call), people[1].do("hangup", call), running.server.sweep(), cut()
        )
        assert {answer.status for answer in answers[:2]} <= {200, 409}
        await mine.closed()
        assert [frame["type"] for frame in mine.frames].count("ended") == 1
        assert [frame["type"] for frame in mine.frames][-2:] == ["ended", "bye"]
        await assert_both_agree(people, inboxes, call["call_id"], "ended")
