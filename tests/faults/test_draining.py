"""A server that is told to stop: it sends everybody away in peace, and their calls go on at the next one."""

from __future__ import annotations

import asyncio
import signal

import httpx2
import pytest

from server.close_codes import CloseCode
from tests.cli.shell import Shell
from tests.faults.processes import again, port_of, same_key, stop, talk
from tests.peer import Closing, Peer
from tests.running import Person, Running
from tests.sockets.raw import RawClient, upgrade_request

SOCKETS = 50
"""Of each of two people: as many as one may have."""


async def stubborn(person: Person, port: int) -> RawClient:
    """A client that does not answer a close: it holds the server up for as long as it may."""
    client = await RawClient.dial(port)
    await client.request(upgrade_request("/api/v1/ws/user", dict(person.bearer)))
    await client.read_frame()
    return client


async def inbox(person: Person, port: int) -> Peer:
    """A device's socket at ``port``."""
    peer = await Peer.connect(f"ws://127.0.0.1:{port}/api/v1/ws/user", headers=person.bearer)
    await peer.next_of("connected", "bye")
    return peer


@pytest.mark.gen_test(timeout=60)
async def test_sigterm_sends_a_hundred_sockets_away_spread_over_time(running: Running, shell: Shell) -> None:
    alice, bob, carol = await running.people("alice", "bob", "carol")
    loop = asyncio.get_running_loop()
    with shell.serving(settings=same_key(running)) as server:
        port = port_of(server)
        peers = [await inbox(person, port) for person in (alice, bob) for _ in range(SOCKETS)]
        async with await stubborn(carol, port):
            began_s = loop.time()
            server.send(signal.SIGTERM)
            closings: list[Closing] = await asyncio.gather(*(peer.closed() for peer in peers))
            async with httpx2.AsyncClient() as http:
                ready = (await http.get(f"{server.url}/api/v1/readyz")).status_code
            late = await (await inbox(carol, port)).closed()
        code, _ = await asyncio.to_thread(server.end)
        took_s = loop.time() - began_s
    byes = [closing.bye for closing in closings]
    assert {closing.code for closing in closings} == {CloseCode.DRAINING}
    assert {(bye["name"], bye["action"], bye["session_kept"]) for bye in byes if bye} == {("draining", "resume", True)}
    times_ms = sorted(bye["retry_after_ms"] for bye in byes if bye)
    assert len(set(times_ms)) == len(peers) and times_ms[-1] <= 20_000
    assert (ready, late.code, late.bye and late.bye["action"]) == (503, CloseCode.DRAINING, "resume")
    assert (code, server.errors) == (0, [])
    assert took_s < 30
    # An answer of 503 is logged as an error, and is none here.
    assert [line for line in server.log if line["level"] == "error" and line["event"] != "request"] == []


@pytest.mark.gen_test
async def test_a_second_signal_ends_it_though_a_client_holds_it_up(running: Running, shell: Shell) -> None:
    alice = await running.person("alice")
    with shell.serving(settings=same_key(running)) as server:
        async with await stubborn(alice, port_of(server)):
            server.send(signal.SIGTERM)
            await asyncio.to_thread(server.wait_for_log, "stopping")
            began_s = asyncio.get_running_loop().time()
            code, _ = await stop(server, signal.SIGTERM)
            assert asyncio.get_running_loop().time() - began_s < 2
    assert code == -signal.SIGTERM


@pytest.mark.gen_test(timeout=60)
async def test_a_call_outlives_a_restart(running: Running, shell: Shell) -> None:
    await running.people("alice", "bob")
    with shell.serving() as server:
        port = port_of(server)
        async with talk(server) as talking:
            code, _ = await stop(server, signal.SIGTERM)
            assert code == 0
            assert talking.endings[:2] == ["draining"] * 2
            with again(shell, port) as anew:
                await talking.until_it_goes_on()
                await talking.offer("v=0")
                await talking.hang_up()
                assert (await stop(anew, signal.SIGTERM))[0] == 0
