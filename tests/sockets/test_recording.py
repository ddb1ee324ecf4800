"""``recording`` and ``consent``: one asks, all others are told and say whether they agree."""

from __future__ import annotations

from typing import Any

import pytest

from tests.peer import Frame, Peer
from tests.running import Running, StallingMongo, Start

pytestmark = pytest.mark.gen_test


async def asked(mine: Peer) -> str:
    """Asks to record; returns the recording's id."""
    answer = await mine.request("recording", action="ask", media="video")
    assert answer["type"] == "ack", answer
    return str(answer["recording_id"])


async def agreed(theirs: Peer, recording_id: str, agree: bool = True) -> Frame:
    return await theirs.request("consent", recording_id=recording_id, agree=agree)


def names(told: Frame) -> list[str]:
    """Who has said anything."""
    return [consent["user"]["username"] for consent in told["consents"]]


async def test_everybody_is_told_who_asks(running: Running) -> None:
    call, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
    recording_id = await asked(mine)
    for peer in (mine, theirs):
        told = await peer.next("recording")
        assert (told["call_id"], told["recording_id"], told["state"]) == (call["call_id"], recording_id, "asked")
        assert (told["by"]["username"], names(told)) == ("alice", ["alice"])


async def test_everybody_is_told_when_it_begins_and_what_the_call_says_is_the_same(running: Running) -> None:
    _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
    recording_id = await asked(mine)
    assert (await agreed(theirs, recording_id))["type"] == "ack"
    for peer in (mine, theirs):
        told = await peer.next("recording", state="on")
        assert names(told) == ["alice", "bob"]
        await peer.settled()
        shown = [frame["call"]["recording"] for frame in peer.frames if frame["type"] == "call"][-1]
        assert (shown["state"], shown["consents"], shown["media"]) == ("on", told["consents"], "video")


async def test_who_does_not_agree_ends_it_for_everybody(running: Running) -> None:
    _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
    await agreed(theirs, await asked(mine), agree=False)
    for peer in (mine, theirs):
        assert (await peer.next("recording", state="declined"))["reason"] == "declined"


async def test_consent_is_withdrawn_at_any_time(running: Running) -> None:
    _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
    recording_id = await asked(mine)
    await agreed(theirs, recording_id)
    await agreed(theirs, recording_id, agree=False)
    assert (await mine.next("recording", state="stopped"))["reason"] == "withdrawn"


async def test_whoever_asked_stops_it_and_says_why(running: Running) -> None:
    _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
    await agreed(theirs, await asked(mine))
    await mine.request("recording", action="stop", reason="interrupted")
    assert (await theirs.next("recording", state="stopped"))["reason"] == "interrupted"


async def test_nobody_else_stops_it(running: Running) -> None:
    _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
    await asked(mine)
    assert (await theirs.request("recording", action="stop"))["code"] == "forbidden"


async def test_whoever_comes_in_is_shown_it_and_it_waits_for_them(running: Running) -> None:
    alice, bob, carol = await running.people("alice", "bob", "carol")
    call = await alice.place("bob", "carol")
    await bob.do("answer", call)
    mine, theirs = await alice.room(call), await bob.room(call)
    recording_id = await asked(mine)
    await agreed(theirs, recording_id)
    await carol.do("answer", call)
    hers = await carol.room(call)
    assert hers.connected["snapshot"]["call"]["recording"]["state"] == "paused"
    assert (await mine.next("recording", state="paused"))["recording_id"] == recording_id
    mine.forget()
    await agreed(hers, recording_id)
    assert names(await mine.next("recording", state="on")) == ["alice", "bob", "carol"]


async def test_whoever_was_called_and_has_not_come_does_not_learn_who_records(running: Running) -> None:
    alice, bob, carol = await running.people("alice", "bob", "carol")
    call = await alice.place("bob", "carol")
    await bob.do("answer", call)
    mine, hers = await alice.room(call), await carol.room(call)
    await asked(mine)
    assert "recording" not in await hers.settled()
    shown = [frame["call"]["recording"] for frame in hers.frames if frame["type"] == "call"]
    shown.append((await carol.api("GET", f"/calls/{call['call_id']}")).document["recording"])
    assert (len(shown) >= 2, {*shown}) == (True, {None})


async def test_it_pauses_while_the_socket_of_whoever_makes_it_is_away(running: Running) -> None:
    _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
    await agreed(theirs, await asked(mine))
    await theirs.next("recording", state="on")
    mine.cut()
    assert (await theirs.next("recording", state="paused"))["by"]["username"] == "alice"


async def test_consent_is_withdrawn_also_while_the_database_is_away(start: Start, stalling: StallingMongo) -> None:
    running = await start(stalling.overrides(timeout_ms=1000))
    _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
    recording_id = await asked(mine)
    await agreed(theirs, recording_id)
    await mine.next("recording", state="on")
    with stalling.stalled():
        assert (await agreed(theirs, recording_id, agree=False))["code"] == "unavailable"
        told = await mine.next("recording", state="paused")
        assert [consent["user"]["username"] for consent in told["consents"] if consent["refused_at"]] == ["bob"]
        await running.until(lambda: len(running.services.background) == 0, "it is owed")
    await running.server.sweep()
    assert (await mine.next("recording", state="stopped"))["reason"] == "withdrawn"


async def test_nothing_is_said_after_the_end(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call, mine, theirs = await running.both_in(alice, bob)
    await agreed(theirs, await asked(mine))
    await bob.do("hangup", call)
    await mine.closed()
    kinds = [frame["type"] for frame in mine.frames]
    assert kinds[-3:] == ["recording", "ended", "bye"]
    assert mine.frames[-2]["call"]["recording"]["reason"] == "call_ended"


async def test_a_restart_of_the_server_ends_no_recording(start: Start) -> None:
    first = await start()
    alice, bob = await first.people("alice", "bob")
    call, mine, theirs = await first.both_in(alice, bob)
    await agreed(theirs, await asked(mine))
    await first.server.stop(within_s=2.0)
    second = await start()
    again = await (await second.device(alice.user)).room(call)
    recording_id = again.connected["snapshot"]["call"]["recording"]["recording_id"]
    assert (await again.next("recording", state="on"))["recording_id"] == recording_id


async def test_where_recording_is_off_nobody_asks(start: Start) -> None:
    running = await start({"recordings.enabled": False})
    _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
    assert (await mine.request("recording", action="ask"))["code"] == "forbidden"
    assert "recording" not in await theirs.settled()


@pytest.mark.parametrize(
    ("frame", "fields"),
    [
        ("recording", {"action": "begin"}),
        ("recording", {"action": "ask", "media": "smell"}),
        ("recording", {"action": "stop", "reason": "withdrawn"}),
        ("consent", {"recording_id": "x"}),
        ("consent", {"recording_id": "x", "agree": "yes"}),
    ],
)
async def test_what_makes_no_sense_is_refused(running: Running, frame: str, fields: dict[str, Any]) -> None:
    _, mine, _ = await running.both_in(*await running.people("alice", "bob"))
    assert (await mine.request(frame, **fields))["code"] == "bad_request"


async def test_nobody_agrees_to_a_recording_of_another_call(running: Running) -> None:
    _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
    await asked(mine)
    assert (await agreed(theirs, "another"))["code"] == "bad_state"
