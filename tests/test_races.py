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
RING_S = 0.05
"""The shortest that a call may ring: here the deadline itself is one of those that race."""


async def at_once(*moves: Any, within_s: float = 0.0) -> list[Any]:
    """Starts ``moves`` in some order, a moment apart or none, or each some time ``within_s``."""
    order = list(range(len(moves)))
    random.shuffle(order)
    tasks: dict[int, asyncio.Task[Any]] = {}
    for index in order:
        tasks[index] = asyncio.ensure_future(moves[index])
        for _ in range(random.randrange(4)):
            await asyncio.sleep(random.uniform(0, within_s / len(moves)) if within_s else 0)
    return [await tasks[index] for index in range(len(moves))]


async def last_seen(inbox: Peer, call_id: str, state: str) -> Frame:
    """The call as an inbox is told of it in the end."""
    while True:
        call: Frame = (await inbox.next("call", call_id=call_id))["call"]
        if call["state"] == state:
            return call


async def newest(person: Person) -> list[Frame]:
    """The newest calls in somebody's history."""
    items: list[Frame] = (await person.api("GET", "/calls?limit=3")).document["items"]
    return items


async def assert_both_agree(people: list[Person], inboxes: list[Peer], call_id: str, state: str) -> Frame:
    """What each was told last is what is stored, and it stands once in each history: as missed, where nobody of the
    called answered or declined."""
    seen = [await last_seen(inbox, call_id, state) for inbox in inboxes]
    stored: Frame = (await people[0].api("GET", f"/calls/{call_id}")).document
    assert seen == [stored] * len(seen)
    for person in people:
        (item,) = [item for item in await newest(person) if item["call_id"] == call_id]
        leg = next(leg for leg in stored["legs"] if leg["user"]["id"] == person.id)
        in_vain = state == "ended" and leg["joined_at"] is None and leg["state"] != "declined"
        assert item["missed"] == in_vain
    return stored


@pytest.mark.gen_test(timeout=240)
async def test_250_answers_and_cancels_at_once_have_one_winner_each(start: Start) -> None:
    random.seed(SEED)
    running = await start(NO_LIMIT)
    people = await running.people("alice", "bob")
    inboxes = [await person.inbox() for person in people]
    won: Counter[str] = Counter()
    for _ in range(250):
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


@pytest.mark.gen_test(timeout=240)
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


@pytest.mark.gen_test(timeout=240)
async def test_250_answers_and_declines_on_two_devices_at_once_have_one_winner_each(start: Start) -> None:
    random.seed(SEED)
    running = await start(NO_LIMIT)
    alice, bob = await running.people("alice", "bob")
    devices = [bob, await running.device(bob.user)]
    mine, first, second = await alice.inbox(), await devices[0].inbox(), await devices[1].inbox()
    won: Counter[str] = Counter()
    for _ in range(250):
        call = await alice.place("bob")
        answered, declined = await at_once(
            first.request("answer", call_id=call["call_id"]), second.request("decline", call_id=call["call_id"])
        )
        by_answer = answered["type"] == "ack"
        loser, refused = (second, declined) if by_answer else (first, answered)
        assert refused["code"] == "already_answered"
        reason = (await loser.next("incoming_stopped", call_id=call["call_id"]))["reason"]
        assert reason == ("answered_elsewhere" if by_answer else "declined_elsewhere")
        won["answer" if by_answer else "decline"] += 1
        if by_answer:
            await alice.do("hangup", call)
        stored = await assert_both_agree([alice, bob], [mine, first, second], call["call_id"], "ended")
        assert stored["end_reason"] == ("hangup" if by_answer else "declined")
    assert len(won) == 2


@pytest.mark.gen_test(timeout=240)
async def test_250_times_an_answer_or_a_decline_a_cancel_and_the_deadline_at_once_have_one_winner(start: Start) -> None:
    random.seed(SEED)
    running = await start(NO_LIMIT | {"calls.ring_timeout_s": RING_S})
    people = await running.people("alice", "bob")
    inboxes = [await person.inbox() for person in people]
    won: Counter[str] = Counter()
    for turn in range(250):
        wish, reason = (("answer", "hangup"), ("decline", "declined"))[turn % 2]
        call = await people[0].place("bob")
        await inboxes[1].next("incoming", call_id=call["call_id"])
        await asyncio.sleep(RING_S)
        wished, cancelled, _ = await at_once(
            inboxes[1].request(wish, call_id=call["call_id"]),
            people[0].do("cancel", call),
            running.server.sweep(),
            within_s=0.01,
        )
        taken, given_up = wished["type"] == "ack", cancelled.status == 200
        assert not (taken and given_up)
        winner = wish if taken else "cancel" if given_up else "deadline"
        won[winner] += 1
        if winner == "answer":
            await people[0].do("hangup", call)
        stored = await assert_both_agree(people, inboxes, call["call_id"], "ended")
        assert stored["end_reason"] == {wish: reason, "cancel": "cancelled", "deadline": "no_answer"}[winner]
    assert sorted(won) == ["answer", "cancel", "deadline", "decline"]


@pytest.mark.gen_test(timeout=240)
async def test_250_pairs_that_dial_each_other_at_once_get_one_call_each(start: Start) -> None:
    random.seed(SEED)
    running = await start(NO_LIMIT)
    people = await running.people("alice", "bob")
    inboxes = [await person.inbox() for person in people]
    first: Counter[str] = Counter()
    for _ in range(250):
        calls = await at_once(people[0].place("bob"), people[1].place("alice"))
        assert calls[0]["call_id"] == calls[1]["call_id"]
        assert sorted(bool(call.get("merged")) for call in calls) == [False, True]
        stored = await assert_both_agree(people, inboxes, calls[0]["call_id"], "connecting")
        assert [leg["state"] for leg in stored["legs"]] == ["joined", "joined"]
        first[stored["created_by"]["username"]] += 1
        live = [item for person in people for item in await newest(person) if item["state"] != "ended"]
        assert {item["call_id"] for item in live} == {stored["call_id"]}
        await people[0].do("hangup", stored)
        await assert_both_agree(people, inboxes, stored["call_id"], "ended")
    assert sorted(first) == ["alice", "bob"]


@pytest.mark.gen_test(timeout=240)
async def test_hangups_by_both_the_sweep_and_a_lost_socket_at_once_end_a_call_once(start: Start) -> None:
    random.seed(SEED)
    running: Running = await start(NO_LIMIT | {"sockets.call_resume_window_s": 0, "calls.connect_timeout_s": 10})
    people = await running.people("alice", "bob")
    inboxes = [await person.inbox() for person in people]
    for _ in range(30):
        call, mine, theirs = await running.both_in(*people)
        running.clock.move(10.5)

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
