"""Thousands of frames that are almost right, from somebody who is let in. ``python -m bench.fuzz`` sends 100,000."""

from __future__ import annotations

import asyncio

import pytest

from tests.faults.fuzzer import LIFTED, fuzz
from tests.running import Running, Start

SEED = 20_261_120
FRAMES = 5_000


def held(running: Running) -> dict[str, int]:
    """Everything of which there could be more afterwards."""
    services = running.services
    return {
        "tasks": len(asyncio.all_tasks()),
        "connections": len(services.hub.connections),
        "watched": len(services.heartbeat),
        "sessions": len(services.hub),
        "rooms": len(running.server.rooms),
        "topics": len(running.server.bus),
    }


@pytest.mark.gen_test(timeout=60)
async def test_mutated_frames_break_nothing_and_leave_nothing_behind(start: Start) -> None:
    running = await start(LIFTED)
    alice, bob = await running.people("alice", "bob")
    call, *rooms = await running.both_in(alice, bob)
    others = [*rooms, await alice.inbox()]
    before = held(running)

    report = await fuzz(running, FRAMES, SEED)

    assert report.problems() == []
    assert report.answers["ack"] > FRAMES / 20, f"too little was understood: {report}"
    assert report.answers["bad_request"] > FRAMES / 20, f"too little was refused: {report}"
    # The others have heard nothing of it, and their call goes on.
    assert [await peer.settled() for peer in others] == [[]] * 3
    stored = (await alice.api("GET", f"/calls/{call['call_id']}")).document
    assert (stored["state"], stored["rev"]) == (call["state"], call["rev"])
    # Once the windows have passed, nothing is left.
    running.clock.move(200)
    await running.server.sweep()
    await running.until(lambda: all(count <= before[name] for name, count in held(running).items()))
    assert (await running.api("GET", "/health")).status == 200
