"""Races in a call of several, over a real MongoDB: whoever is first wins, and nobody rings for a call that is over."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.running import Start, _one_database, database, http_client, running, stalling, start
from tests.test_races import NO_LIMIT, SEED, at_once

__all__ = ["_one_database", "database", "http_client", "running", "stalling", "start"]  # the fixtures

TURNS = 40
SPREAD_S = 0.02
"""Longer than a request takes on a quiet machine: sometimes the one is first, sometimes the other."""


@pytest.mark.gen_test(timeout=120)
async def test_two_who_call_somebody_into_the_last_place_at_once_bring_one_in(start: Start) -> None:
    random.seed(SEED)
    running = await start(NO_LIMIT | {"calls.max_participants": 3})
    alice, bob, carol, dave = await running.people("alice", "bob", "carol", "dave")
    call = await running.answered(alice, bob)
    path = f"/calls/{call['call_id']}/invite"
    won: Counter[str] = Counter()
    for _ in range(TURNS):
        answers = await at_once(
            alice.api("POST", path, {"usernames": ["carol"]}), bob.api("POST", path, {"usernames": ["dave"]})
        )
        assert sorted(answer.status for answer in answers) == [200, 409]
        winner, loser = (0, 1) if answers[0].status == 200 else (1, 0)
        assert answers[loser].code == "call_full"
        ringing = [leg for leg in answers[winner].document["legs"] if leg["state"] in ("invited", "ringing")]
        assert len(ringing) == 1
        won[ringing[0]["user"]["username"]] += 1
        assert (await (carol, dave)[winner].do("decline", call)).status == 200
    assert len(won) == 2  # else it was no race


@pytest.mark.gen_test(timeout=120)
async def test_a_call_that_grows_while_somebody_hangs_up_either_ends_or_goes_on_with_them(start: Start) -> None:
    random.seed(SEED)
    running = await start(NO_LIMIT)
    alice, bob, carol = await running.people("alice", "bob", "carol")
    won: Counter[str] = Counter()
    for _ in range(TURNS):
        call = await running.answered(alice, bob)
        await alice.api("POST", f"/calls/{call['call_id']}/invite", {"usernames": ["carol"]})
        answered, hung_up = await at_once(carol.do("answer", call), bob.do("hangup", call), within_s=SPREAD_S)
        stored = (await alice.api("GET", f"/calls/{call['call_id']}")).document
        if answered.status == 200:
            assert (hung_up.status, stored["state"]) == (200, "connecting")  # they leave it: it is not theirs to end
            assert [leg["state"] for leg in stored["legs"]] == ["joined", "left", "joined"]
            await alice.do("hangup", call)
        else:
            assert (answered.code, hung_up.status, stored["end_reason"]) == ("call_ended", 200, "hangup")
            assert stored["legs"][2]["state"] == "missed"
        won["answer" if answered.status == 200 else "hangup"] += 1
    assert len(won) == 2


@pytest.mark.gen_test(timeout=120)
async def test_nobody_rings_for_a_call_that_ended_while_they_were_called_in(start: Start) -> None:
    random.seed(SEED)
    running = await start(NO_LIMIT)
    alice, bob, carol = await running.people("alice", "bob", "carol")
    inbox = await carol.inbox()
    won: Counter[int] = Counter()
    for _ in range(TURNS):
        call = await running.answered(alice, bob)
        invited, _ = await at_once(
            alice.api("POST", f"/calls/{call['call_id']}/invite", {"usernames": ["carol"]}),
            bob.do("hangup", call),
            within_s=SPREAD_S,
        )
        won[invited.status] += 1
        await inbox.settled()
        heard = [frame["type"] for frame in inbox.frames if frame.get("call_id") == call["call_id"]]
        rang = [kind for kind in heard if kind.startswith("incoming")]
        assert rang == (["incoming", "incoming_stopped"] if invited.status == 200 else [])
    assert sorted(won) == [200, 409]
