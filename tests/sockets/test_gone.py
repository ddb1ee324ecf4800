"""``/ws/call/{call_id}``: whoever is no longer in a call that goes on is no longer in its room, however they went."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from server.calls.model import Call
from tests.peer import Peer
from tests.running import Person, Running
from tests.sockets.test_groups import three_in


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
async def test_whoever_took_part_and_declined_to_come_back_may_still_see_how_good_it_was(running: Running) -> None:
    call, people, (mine, _, hers) = await three_in(running)
    await hers.request("leave")
    await mine.request("invite", usernames=["carol"])
    await people[2].do("decline", call)
    assert (await people[2].api("GET", f"/calls/{call['call_id']}/quality")).status == 200


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
