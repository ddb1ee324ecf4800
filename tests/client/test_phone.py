"""A softphone on a real server, in real time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ringback_client.errors import Closed, Unreachable
from ringback_client.model import IceServer
from tests.client.desk import desk
from tests.client.loopback import dominant_hz, write_tone
from tests.running import Running


@pytest.mark.gen_test
async def test_two_telephones_hear_each_other(running: Running, tmp_path: Path) -> None:
    low, high = write_tone(tmp_path / "440.wav", 440), write_tone(tmp_path / "1000.wav", 1_000)
    async with (
        desk(running, "alice", play=low, record=tmp_path / "alice.wav", talk_s=1.5) as alice,
        desk(running, "bob", play=high, record=tmp_path / "bob.wav") as bob,
    ):
        waiting = asyncio.create_task(bob.phone.wait())
        await bob.said("waiting for a call")
        ended, _ = await asyncio.gather(alice.phone.call("bob"), waiting)
    assert (ended.end_reason, ended.answered_at is not None) == ("hangup", True)
    assert (dominant_hz(tmp_path / "alice.wav"), dominant_hz(tmp_path / "bob.wav")) == (1_000, 440)
    assert alice.told[0] == "calling bob" and alice.told[-1] == "the call is over: hangup"
    assert bob.told[:2] == ["waiting for a call", "alice is calling"]


@pytest.mark.gen_test
async def test_two_telephones_in_one_network_need_no_servers_for_it(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away() -> list[IceServer]:
        raise Unreachable("away")

    async with desk(running, "alice", talk_s=0.5) as alice, desk(running, "bob") as bob:
        monkeypatch.setattr(alice.client.api, "ice_servers", away)
        waiting = asyncio.create_task(bob.phone.wait())
        await bob.said("waiting for a call")
        ended, _ = await asyncio.gather(alice.phone.call("bob"), waiting)
    assert (ended.end_reason, ended.answered_at is not None) == ("hangup", True)


@pytest.mark.gen_test
async def test_declined_call_says_so(running: Running) -> None:
    async with desk(running, "alice") as alice, desk(running, "bob") as bob, bob.client.inbox() as inbox:
        calling = asyncio.create_task(alice.phone.call("bob"))
        await inbox.decline((await inbox.next_incoming()).call.call_id)
        assert (await calling).end_reason == "declined"


@pytest.mark.gen_test
async def test_telephone_that_is_put_down_while_it_rings_cancels(running: Running) -> None:
    async with desk(running, "alice") as alice, desk(running, "bob"):
        calling = asyncio.create_task(alice.phone.call("bob"))
        await alice.said("trying to reach them")
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)
        assert await alice.last_call() == ("ended", "cancelled")


@pytest.mark.gen_test
async def test_nobody_calls(running: Running) -> None:
    async with desk(running, "alice") as alice:
        with pytest.raises(TimeoutError, match=r"an incoming call did not come within 0\.1 s"):
            await alice.phone.wait(timeout_s=0.1)


@pytest.mark.gen_test
async def test_sound_goes_on_while_the_room_is_lost_and_resumed(running: Running) -> None:
    async with desk(running, "alice") as alice, desk(running, "bob") as bob:
        waiting = asyncio.create_task(bob.phone.wait())
        await bob.said("waiting for a call")
        calling = asyncio.create_task(alice.phone.call("bob"))
        await bob.said("talking")
        negotiated = alice.descriptions()
        rooms = [session for session in running.services.hub.sessions() if session.kind == "call"]
        lost = [session.connection for session in rooms if session.connection is not None]
        for connection in lost:
            connection.transport.abort()
        await running.until(lambda: all(session.connection not in (None, *lost) for session in rooms))
        await bob.hears(0.5)
        assert alice.descriptions() == negotiated
        await alice.client.api.hangup((await alice.client.api.calls(limit=1)).items[0].call_id)
        await asyncio.gather(calling, waiting)


@pytest.mark.gen_test
async def test_other_side_that_begins_anew_is_heard_again(running: Running, tmp_path: Path) -> None:
    """As when a page is loaded again: the room sees a newcomer, who offers."""
    low = write_tone(tmp_path / "440.wav", 440)
    async with desk(running, "alice", play=low) as alice, desk(running, "bob", record=tmp_path / "bob.wav") as bob:
        calling = asyncio.create_task(alice.phone.call("bob"))
        async with bob.client.inbox() as inbox:
            call = await inbox.answer((await inbox.next_incoming()).call.call_id)
        first = asyncio.create_task(bob.phone.join(call))
        await bob.hears(0.2)
        second = asyncio.create_task(bob.phone.join(call))
        with pytest.raises(Closed, match="4504 replaced"):
            await first
        await bob.hears(1.0)
        await bob.client.api.hangup(call.call_id)
        await asyncio.gather(calling, second)
    assert dominant_hz(tmp_path / "bob.wav") == 440
