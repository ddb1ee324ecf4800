"""Somebody takes a call along to another of their devices, or comes back to it as somebody new."""

from __future__ import annotations

from typing import Any

import pytest

from tests.running import Running

MUTED: dict[str, Any] = {"audio": False, "video": True, "screen": False, "hand": False}


@pytest.mark.gen_test
async def test_the_others_hear_on_which_device_the_call_goes_on(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call, mine, _ = await running.both_in(alice, bob)
    await (await running.device(bob.user, "a tablet")).room(call)
    told = await mine.next("call")
    assert [leg["device"] for leg in told["call"]["legs"]] == ["a device", "a tablet"]


@pytest.mark.gen_test
async def test_a_second_window_of_one_device_is_no_news(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call, mine, _ = await running.both_in(alice, bob)
    await bob.room(call)
    await mine.next("join")
    assert await mine.settled() == []


@pytest.mark.gen_test
async def test_what_was_sent_by_the_device_of_before_stands_in_the_snapshot_of_the_next(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call, _, theirs = await running.both_in(alice, bob)
    await theirs.request("media", **MUTED)
    tablet = await (await running.device(bob.user, "a tablet")).room(call)
    assert tablet.connected["snapshot"]["media"] == MUTED


@pytest.mark.gen_test
async def test_nothing_is_known_of_what_somebody_sends_who_was_not_there(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    _, mine, _ = await running.both_in(alice, bob)
    assert mine.connected["snapshot"]["media"] is None


@pytest.mark.gen_test
async def test_to_the_others_they_send_what_they_sent_until_they_say_otherwise(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call, mine, theirs = await running.both_in(alice, bob)
    await theirs.request("media", **MUTED)
    await (await running.device(bob.user, "a tablet")).room(call)
    assert (await mine.next("join"))["participant"]["media"] == MUTED
