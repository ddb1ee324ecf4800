"""``/ws/call/{call_id}``: whoever is no longer in a call that goes on is no longer in its room, however they went."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from server.calls.model import Call
from server.calls.quality import QualityRecord
from server.errors import Unavailable
from server.realtime.bus import LegTaken
from server.realtime.frames import PathQuality
from tests.peer import Peer
from tests.running import Person, Running, Start
from tests.sockets.test_groups import state_of, three_in


async def one_lost(running: Running) -> tuple[dict[str, Any], list[Person], list[Peer]]:
    """Three talk; Carol's socket is lost for good, while Bob hears her still."""
    call, people, (mine, theirs, hers) = await three_in(running)
    await theirs.request("stats", leg_id=hers.leg_id, connection="connected")
    hers.cut()
    await running.until_away(hers)
    running.clock.move(31)
    running.services.hub.sweep()
    await mine.settled()
    mine.forget()
    return call, people, [mine, theirs, hers]


class TestSomebodyWhoseSocketIsLost:
    @pytest.mark.gen_test
    async def test_is_gone_for_everybody_when_the_host_sends_them_away(self, running: Running) -> None:
        _, _, (mine, theirs, hers) = await one_lost(running)
        await mine.request("remove", leg_id=hers.leg_id)
        for room in (mine, theirs):
            assert (await room.next("leave", leg_id=hers.leg_id))["reason"] == "removed"

    @pytest.mark.gen_test
    async def test_is_not_shown_to_whoever_comes_after_they_were_sent_away(self, running: Running) -> None:
        call, people, (mine, _, hers) = await one_lost(running)
        await mine.request("remove", leg_id=hers.leg_id)
        present = (await people[1].room(call)).connected["snapshot"]["participants"]
        assert [each["user"]["username"] for each in present] == ["alice"]

    @pytest.mark.gen_test
    async def test_is_gone_for_everybody_when_they_take_another_call(self, running: Running) -> None:
        _, people, (_, theirs, hers) = await one_lost(running)
        dave = await running.person("dave")
        assert (await people[2].do("answer", await dave.place("carol"))).status == 200
        assert (await theirs.next("leave", leg_id=hers.leg_id))["reason"] == "hangup"

    @pytest.mark.gen_test
    async def test_does_not_keep_the_room_of_a_call_that_is_over(self, running: Running) -> None:
        _, _, (mine, theirs, _) = await one_lost(running)
        await mine.request("hangup")
        for room in (mine, theirs):
            await room.closed()
        assert len(running.server.rooms) == 0


@pytest.mark.gen_test
async def test_whoever_is_sent_away_says_nothing_more_while_their_socket_waits_for_an_answer(running: Running) -> None:
    _, _, (mine, theirs, hers) = await three_in(running)
    go_on = asyncio.Event()
    real = running.services.switchboard.of

    async def slow(call_id: str, user_id: str) -> Call:
        await go_on.wait()
        return await real(call_id, user_id)

    running.services.switchboard.of = slow  # type: ignore[method-assign]
    await hers.send("invite", id="waits", usernames=["alice"])
    await mine.request("remove", leg_id=hers.leg_id)
    assert (await hers.request("offer", to=theirs.leg_id, sdp="v=0"))["code"] == "bad_state"
    go_on.set()
    assert (await hers.answer_to("waits"))["type"] == "error"


@pytest.mark.gen_test
async def test_whoever_was_sent_away_is_told_nothing_of_who_comes_then(running: Running) -> None:
    call, people, (mine, _, hers) = await three_in(running)
    inbox = await people[2].inbox()
    await mine.request("remove", leg_id=hers.leg_id)
    await hers.closed()
    await inbox.settled()
    inbox.forget()
    await running.person("dave")
    await mine.request("invite", usernames=["dave"])
    assert await inbox.settled() == []
    assert len((await people[2].api("GET", f"/calls/{call['call_id']}")).document["legs"]) == 3


@pytest.mark.gen_test
@pytest.mark.parametrize("what", ["quality", "chat", "recordings", "transcript"])
async def test_whoever_took_part_and_declined_to_come_back_still_finds_what_belongs_to_it(
    running: Running, what: str
) -> None:
    call, people, (mine, _, hers) = await three_in(running)
    await hers.request("leave")
    await mine.request("invite", usernames=["carol"])
    await people[2].do("decline", call)
    assert (await people[2].api("GET", f"/calls/{call['call_id']}/{what}")).status == 200


@pytest.mark.gen_test
async def test_a_device_that_ignored_one_ring_rings_when_called_again(running: Running) -> None:
    alice, bob, carol = await running.people("alice", "bob", "carol")
    call, mine, _ = await running.both_in(alice, bob)
    inbox = await carol.inbox()
    await mine.request("invite", usernames=["carol"])
    await inbox.next("incoming")
    await inbox.request("ignore", call_id=call["call_id"])
    await mine.request("remove", leg_id=(await mine.next("call"))["call"]["legs"][2]["leg_id"])
    await mine.request("invite", usernames=["carol"])
    assert len((await carol.inbox()).connected["snapshot"]["incoming"]) == 1


@pytest.mark.gen_test
async def test_whoever_comes_back_before_it_is_stored_that_they_left_is_still_in_it(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> bool:
        raise Unavailable()

    call, people, (mine, _, hers) = await three_in(running)
    with monkeypatch.context() as while_away:
        while_away.setattr(running.services.switchboard._calls, "replace", away)
        await hers.close()
        await mine.next("leave", leg_id=hers.leg_id)
        await running.until(lambda: not len(running.services.background))
    await people[2].room(call)
    assert await running.services.background.catch_up() > 0
    assert (await state_of(people[0], call))["legs"][2]["state"] == "joined"


@pytest.mark.gen_test
async def test_of_whoever_left_while_the_database_was_asked_nothing_stays_in_memory(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, (mine, _, hers) = await three_in(running)
    log, go_on = running.server.quality, asyncio.Event()
    real = log._store.begun

    async def slow(record: QualityRecord) -> QualityRecord:
        await go_on.wait()
        return await real(record)

    monkeypatch.setattr(log._store, "begun", slow)
    await hers.send("quality", legs={mine.leg_id: {"score": 4.0}})
    await mine.next("quality")
    await hers.close()
    await mine.next("leave", leg_id=hers.leg_id)
    go_on.set()
    await running.until(lambda: not len(running.services.background))
    assert len(log) == 0


@pytest.mark.gen_test
async def test_of_two_first_reports_at_once_none_is_lost(running: Running) -> None:
    call, _, (mine, theirs, _) = await three_in(running)
    log, legs = running.server.quality, {theirs.leg_id: PathQuality(score=4.0)}
    await asyncio.gather(*(log.note(call["call_id"], mine.leg_id, legs) for _ in range(2)))
    assert log._entries[call["call_id"], mine.leg_id].record.paths[0].reports == 2


@pytest.mark.gen_test
async def test_a_room_whose_last_member_goes_on_elsewhere_is_closed(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call = await running.answered(alice, bob)
    room = await alice.room(call)
    taken = LegTaken(call["call_id"], room.leg_id, "a session of another node")
    running.services.hub._bus.publish(f"call:{call['call_id']}", taken)
    await room.closed()
    assert len(running.server.rooms) == 0


class TestWhatAnInvitationCosts:
    @pytest.mark.gen_test
    async def test_is_nothing_where_it_is_refused(self, start: Start) -> None:
        running = await start({"calls.calls_per_minute": 2, "calls.max_participants": 3})
        _, _, (_, _, hers) = await three_in(running)
        await running.person("dave")
        for _ in range(3):
            assert (await hers.request("invite", usernames=["dave"]))["code"] == "call_full"

    @pytest.mark.gen_test
    async def test_is_a_call_for_each_who_is_called(self, start: Start) -> None:
        running = await start({"calls.calls_per_minute": 2})
        alice, bob, _, _ = await running.people("alice", "bob", "carol", "dave")
        _, mine, _ = await running.both_in(alice, bob)
        assert (await mine.request("invite", usernames=["carol", "dave"]))["code"] == "too_many_calls"


@pytest.mark.gen_test
async def test_whoever_leaves_while_they_are_called_in_is_called_back(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, (mine, _, hers) = await three_in(running)
    real = running.services.dialling._people

    async def carol_leaves(*args: Any) -> Any:
        found = await real(*args)
        await hers.request("leave")
        return found

    monkeypatch.setattr(running.services.dialling, "_people", carol_leaves)
    ack = await mine.request("invite", usernames=["carol"])
    assert ack["call"]["legs"][2]["state"] == "invited"
