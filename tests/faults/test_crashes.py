"""A server that is killed: its calls are taken up by the next one, or ended within 45 s."""

from __future__ import annotations

import signal

import pytest

from tests.cli.shell import Shell
from tests.faults.crowd import call_of
from tests.faults.processes import again, port_of, stop, talk
from tests.running import Running, Start

LEASE_S = 45


@pytest.mark.gen_test(timeout=60)
async def test_a_call_outlives_a_server_that_is_killed_and_its_database_with_it(bare: Shell) -> None:
    with bare.serving("--demo") as server:
        password = server.read_until("password is").split("password is ")[1].split()[0]
        async with talk(server, password) as talking:
            code, _ = await stop(server, signal.SIGKILL)
            assert code == -signal.SIGKILL
            with again(bare, port_of(server)):
                await talking.until_it_goes_on()
                await talking.offer("v=0")
                await talking.hang_up()


@pytest.mark.gen_test(timeout=60)
async def test_a_call_to_which_nobody_comes_back_ends_within_45_s(running: Running, shell: Shell) -> None:
    await running.people("alice", "bob")
    with shell.serving() as server:
        async with talk(server) as talking:
            await stop(server, signal.SIGKILL)
            for room in talking.rooms:
                await room.close()
            await running.server.sweep()
            stored = await running.services.calls.get(talking.call_id)
            assert stored is not None and stored.state == "active"
            running.clock.move(LEASE_S)
            await running.server.sweep()
            ended = await running.services.calls.get(talking.call_id)
    assert ended is not None
    assert (ended.state, ended.end_reason) == ("ended", "connection_lost")


@pytest.mark.gen_test
async def test_a_call_to_which_one_comes_back_waits_for_the_other_as_long_as_for_a_resume(start: Start) -> None:
    running = await start()
    alice, bob = await running.people("alice", "bob")
    call = await call_of(running, [alice, bob], is_active=True)  # as another server has left it
    mine = await alice.room(call)
    await running.server.sweep()
    running.clock.move(29)
    await running.server.jobs.jobs["leases"].body()
    await running.server.sweep()
    assert await mine.settled() == []
    running.clock.move(2)
    await running.server.sweep()
    assert (await mine.next("ended"))["call"]["end_reason"] == "connection_lost"


@pytest.mark.gen_test
async def test_somebody_who_comes_back_in_time_is_not_lost(start: Start) -> None:
    running = await start()
    alice, bob = await running.people("alice", "bob")
    call = await call_of(running, [alice, bob], is_active=True)
    mine = await alice.room(call)
    await running.server.sweep()
    running.clock.move(29)
    await running.server.sweep()
    theirs = await bob.room(call)
    running.clock.move(10)
    await running.server.sweep()
    assert await theirs.settled() == []
    assert "ended" not in await mine.settled()
