"""``quality``: what participants have measured reaches the others, and stays with the call."""

from __future__ import annotations

from typing import Any

import pytest

from server.calls.quality_log import WRITE_EVERY_S
from tests.peer import Peer
from tests.running import Answer, Person, Running, StallingMongo, Start

GOOD: dict[str, Any] = {
    "score": 4.38,
    "loss": 0.001,
    "jitter_ms": 2.5,
    "rtt_ms": 31.0,
    "kbit_in": 1_200.0,
    "kbit_out": 1_100.0,
    "candidate": "relay",
    "freezes": 1,
    "audio_level": 0.05,
}


async def quality_of(someone: Person, call: dict[str, Any]) -> Answer:
    return await someone.api("GET", f"/calls/{call['call_id']}/quality")


async def paths(someone: Person, call: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Of each leg that has measured anything, its one path."""
    legs = (await quality_of(someone, call)).document["legs"]
    return {leg["leg_id"]: leg["paths"][0] for leg in legs}


async def report(mine: Peer, theirs: Peer, **measured: Any) -> None:
    answer = await mine.request("quality", legs={theirs.leg_id: GOOD | measured})
    assert answer["type"] == "ack", answer


class TestTelling:
    @pytest.mark.gen_test
    async def test_the_others_hear_what_one_has_measured(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        await report(mine, theirs)
        heard = await theirs.next("quality")
        assert (heard["call_id"], heard["user_id"], heard["leg_id"]) == (call["call_id"], alice.id, mine.leg_id)
        assert heard["legs"] == {theirs.leg_id: GOOD}
        assert "quality" not in await mine.settled()

    @pytest.mark.gen_test
    async def test_what_is_left_out_is_null_for_the_others(self, running: Running) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        await mine.request("quality", legs={theirs.leg_id: {}})
        told = (await theirs.next("quality"))["legs"][theirs.leg_id]
        assert told == dict.fromkeys(GOOD) | {"freezes": 0}

    @pytest.mark.gen_test
    async def test_nobody_measures_a_path_to_themselves_or_to_strangers(self, running: Running) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        for leg_id in (mine.leg_id, "a stranger"):
            answer = await mine.request("quality", legs={leg_id: GOOD, theirs.leg_id: GOOD})
            assert (answer["code"], set(answer["errors"])) == ("bad_request", {"legs"})
        assert "quality" not in await theirs.settled()

    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        "measured",
        [
            {"score": 0.9},
            {"score": 4.6},
            {"loss": 1.1},
            {"loss": -0.1},
            {"jitter_ms": -1},
            {"rtt_ms": 600_001},
            {"kbit_in": -1},
            {"kbit_out": "many"},
            {"candidate": "teapot"},
            {"freezes": 0.5},
            {"audio_level": 2},
            {"mood": "good"},
        ],
    )
    async def test_what_cannot_be_measured_is_refused_by_name(
        self, running: Running, measured: dict[str, object]
    ) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        answer = await mine.request("quality", legs={theirs.leg_id: measured})
        assert answer["code"] == "bad_request"
        assert list(answer["errors"]) == [f"legs[...].{name}" if name != "mood" else "legs[...]" for name in measured]

    @pytest.mark.gen_test
    async def test_a_report_of_nothing_is_refused(self, running: Running) -> None:
        _, mine, _ = await running.both_in(*await running.people("alice", "bob"))
        answer = await mine.request("quality", legs={})
        assert (answer["code"], set(answer["errors"])) == ("bad_request", {"legs"})


class TestKeeping:
    @pytest.mark.gen_test
    async def test_it_stays_with_the_call_when_that_is_over(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        await report(mine, theirs, score=4.0)
        await report(mine, theirs, score=3.0)
        await report(theirs, mine)
        await alice.do("hangup", call)
        await running.until(lambda: len(running.services.quality) == 0, "everything is written down")
        for someone in (alice, bob):
            found = await paths(someone, call)
            assert found.keys() == {mine.leg_id, theirs.leg_id}
            assert found[mine.leg_id]["score"] == {"mean": 3.5, "low": 3.0, "high": 4.0}
            assert found[mine.leg_id]["candidates"] == ["relay"]

    @pytest.mark.gen_test
    async def test_it_can_be_read_before_it_is_written_down(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        await report(mine, theirs)
        assert len(running.services.quality) == 1
        assert (await paths(bob, call))[mine.leg_id]["reports"] == 1

    @pytest.mark.gen_test
    async def test_it_is_written_down_once_a_minute(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        await report(mine, theirs)
        assert await stored(running, call) == {}
        running.clock.move(WRITE_EVERY_S)
        await report(mine, theirs)
        await running.until(lambda: len(running.services.background) == 0)
        assert await stored(running, call) == {mine.leg_id: 2}

    @pytest.mark.gen_test
    async def test_whoever_leaves_and_comes_back_goes_on_where_they_were(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        await report(mine, theirs)
        await mine.socket.close(1001)
        again = await alice.room(call)
        await report(again, theirs)
        assert (await paths(bob, call))[again.leg_id]["reports"] == 2

    @pytest.mark.gen_test
    async def test_a_restart_of_the_server_loses_nothing(self, start: Start) -> None:
        first = await start()
        alice, bob = await first.people("alice", "bob")
        call, mine, theirs = await first.both_in(alice, bob)
        await report(mine, theirs)
        await first.server.stop(within_s=2.0)
        second = await start()
        alice_again, bob_again = await second.device(alice.user), await second.device(bob.user)
        mine, theirs = await alice_again.room(call), await bob_again.room(call)
        await report(mine, theirs)
        assert (await paths(bob_again, call))[mine.leg_id]["reports"] == 2

    @pytest.mark.gen_test
    async def test_it_goes_with_the_call_when_nobody_has_that_in_a_history_any_more(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        await report(mine, theirs)
        await alice.do("hangup", call)
        await running.until(lambda: len(running.services.quality) == 0)
        await alice.api("DELETE", f"/calls/{call['call_id']}")
        assert await stored(running, call) == {mine.leg_id: 1}
        await bob.api("DELETE", f"/calls/{call['call_id']}")
        await running.until(lambda: len(running.services.background) == 0, "it is removed")
        assert await stored(running, call) == {}

    @pytest.mark.gen_test
    async def test_a_database_that_is_away_costs_no_report_that_was_taken(
        self, start: Start, stalling: StallingMongo
    ) -> None:
        running = await start(stalling.overrides(timeout_ms=300, server_selection_timeout_ms=300))
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        await report(mine, theirs)
        running.clock.move(WRITE_EVERY_S)
        with stalling.stalled():
            await report(mine, theirs)
            assert (await theirs.next("quality"))["leg_id"] == mine.leg_id
            await running.until(lambda: len(running.services.background) == 0)
        await running.services.background.catch_up()
        assert await stored(running, call) == {mine.leg_id: 2}

    @pytest.mark.gen_test
    async def test_of_somebody_who_leaves_meanwhile_nothing_stays_behind(
        self, start: Start, stalling: StallingMongo
    ) -> None:
        running = await start(stalling.overrides())
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        leg_id = mine.leg_id
        with stalling.stalled():
            await mine.send("quality", legs={theirs.leg_id: GOOD})
            await theirs.next("quality")
            await mine.socket.close(1000)
            await theirs.next("leave")
        await running.until(lambda: len(running.services.background) == 0)
        while await stored(running, call) != {leg_id: 1}:
            pass
        await running.until(lambda: len(running.services.quality) == 0)


async def stored(running: Running, call: dict[str, Any]) -> dict[str, int]:
    """How many reports the database has, by the leg that made them."""
    found = await running.services.database.collection("call_quality").find({"call_id": call["call_id"]})
    return {record["leg_id"]: record["paths"][0]["reports"] for record in found if record["paths"]}


class TestReading:
    @pytest.mark.gen_test
    async def test_a_call_of_which_nothing_was_measured_has_no_legs(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        assert (await quality_of(alice, await running.answered(alice, bob))).document == {"legs": []}

    @pytest.mark.gen_test
    async def test_it_is_nobody_elses_business(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        call = await running.answered(alice, bob)
        answer = await quality_of(carol, call)
        assert (answer.status, answer.code) == (404, "not_found")

    @pytest.mark.gen_test
    async def test_whoever_was_called_and_never_came_does_not_see_it(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        call = await alice.place("bob", "carol")
        await bob.do("answer", call)
        answer = await quality_of(carol, call)
        assert (answer.status, answer.code) == (403, "forbidden")
