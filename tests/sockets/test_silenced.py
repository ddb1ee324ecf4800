"""A device that its person has silenced does not ring, and shows everything else."""

from __future__ import annotations

import pytest

from server.realtime.bus import SIGN_INS, DeviceChanged
from tests.running import Person, Running


async def silence(person: Person, silenced: bool = True) -> None:
    """The person silences their device, or lets it ring again."""
    answer = await person.api("PATCH", f"/devices/{person.sign_in_id}", {"silenced": silenced})
    assert (answer.status, answer.document["silenced"]) == (200, silenced)


@pytest.mark.gen_test
async def test_it_is_not_told_of_a_call_that_rings_while_the_others_are(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    telephone = await running.device(bob.user)
    silent, loud = await bob.inbox(), await telephone.inbox()
    await silence(bob)
    await alice.place("bob")
    await loud.next("incoming")
    assert "incoming" not in await silent.settled()


@pytest.mark.gen_test
async def test_it_does_not_find_the_call_among_those_that_ring_when_it_connects(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    await silence(bob)
    call = await alice.place("bob")
    snapshot = (await bob.inbox()).frames[0]["snapshot"]
    assert (snapshot["incoming"], [each["call_id"] for each in snapshot["calls"]]) == ([], [call["call_id"]])


@pytest.mark.gen_test
async def test_it_learns_what_becomes_of_the_call_and_can_take_it(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    silent = await bob.inbox()
    await silence(bob)
    call = await alice.place("bob")
    ack = await silent.request("answer", call_id=call["call_id"])
    assert ack["call"]["state"] == "connecting"
    assert (await silent.next("call"))["call"]["state"] == "connecting"


@pytest.mark.gen_test
async def test_it_stops_ringing_when_it_is_silenced(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    inbox = await bob.inbox()
    call = await alice.place("bob")
    await inbox.next("incoming")
    await silence(bob)
    stopped = await inbox.next("incoming_stopped")
    assert (stopped["call_id"], stopped["reason"]) == (call["call_id"], "silenced")


@pytest.mark.gen_test
async def test_it_begins_to_ring_when_it_may_again(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    await silence(bob)
    inbox = await bob.inbox()
    call = await alice.place("bob")
    await silence(bob, False)
    assert (await inbox.next("incoming"))["call_id"] == call["call_id"]


@pytest.mark.gen_test
async def test_it_does_not_begin_to_ring_with_less_than_three_seconds_left(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    await silence(bob)
    inbox = await bob.inbox()
    await alice.place("bob")
    running.clock.move(42.5)
    await silence(bob, False)
    assert "incoming" not in await inbox.settled()


@pytest.mark.gen_test
async def test_a_person_with_silenced_devices_only_could_not_be_reached(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    await bob.inbox()
    await silence(bob)
    await alice.place("bob")
    running.clock.move(45)
    await running.server.sweep()
    assert (await alice.history())[0]["end_reason"] == "unreachable"


@pytest.mark.gen_test
async def test_what_another_process_silenced_is_found_by_the_job(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    inbox = await bob.inbox()
    services = running.services
    now = services.clock.now()
    await services.devices._store.change(bob.sign_in_id, bob.id, silenced=True, device="Kitchen", changed_at=now)
    assert await services.devices.notice_changes() == 1
    assert services.hub.get(inbox.connection_id).who.device == "Kitchen"  # type: ignore[union-attr]
    await alice.place("bob")
    assert "incoming" not in await inbox.settled()


@pytest.mark.gen_test
async def test_to_hear_of_the_same_change_twice_changes_nothing(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    inbox = await bob.inbox()
    await alice.place("bob")
    await inbox.next("incoming")
    await silence(bob)
    await inbox.next("incoming_stopped")
    running.server.bus.publish(SIGN_INS, DeviceChanged(bob.sign_in_id, "a device", True))
    assert "incoming_stopped" not in await inbox.settled()
