"""A sign-out reaches every socket within two seconds, also one that another process has written."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from server.close_codes import CloseCode
from tests.cli.shell import Shell
from tests.faults.processes import same_key
from tests.peer import Peer
from tests.running import Person, Running, Start

WITHIN_S = 2.0
AS_CONFIGURED: dict[str, object] = {"jobs.revocation_interval_s": 1}


async def sockets_of(person: Person, other: Person) -> list[Peer]:
    """Twenty devices, and the room of a call."""
    call = await person.running.answered(person, other)
    return [await person.room(call), *[await person.inbox() for _ in range(20)]]


async def all_signed_out(peers: list[Peer]) -> float:
    """Waits until the server has closed them all, as signed out; returns how long that took, in seconds."""
    began_s = asyncio.get_running_loop().time()
    for closing in await asyncio.gather(*(peer.closed() for peer in peers)):
        assert closing.bye is not None
        assert (closing.code, closing.bye["action"]) == (CloseCode.SIGNED_OUT, "stop")
    return asyncio.get_running_loop().time() - began_s


@pytest.mark.gen_test
async def test_a_logout_closes_every_socket_of_the_sign_in_at_once(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    peers = await sockets_of(alice, bob)
    elsewhere = await (await running.device(alice.user)).inbox()
    assert (await alice.api("POST", "/auth/logout")).status == 204
    assert await all_signed_out(peers) < WITHIN_S / 4
    assert "bye" not in await elsewhere.settled()


@pytest.mark.gen_test(timeout=60)
async def test_a_logout_at_another_server_closes_them_within_two_seconds(start: Start, shell: Shell) -> None:
    running = await start(AS_CONFIGURED)
    alice, bob = await running.people("alice", "bob")
    peers = await sockets_of(alice, bob)
    with shell.serving(settings=same_key(running)) as other:
        async with httpx2.AsyncClient() as http:
            answer = await http.post(f"{other.url}/api/v1/auth/logout", headers=alice.bearer)
        assert answer.status_code == 204
        assert await all_signed_out(peers) < WITHIN_S


@pytest.mark.gen_test(timeout=60)
async def test_disabling_an_account_from_the_shell_closes_them_within_two_seconds(start: Start, shell: Shell) -> None:
    running = await start(AS_CONFIGURED)
    alice, bob = await running.people("alice", "bob")
    peers = await sockets_of(alice, bob)
    finished = await asyncio.to_thread(shell.apart, "users", "disable", "alice")
    assert finished.code == 0, finished.stderr
    assert await all_signed_out(peers) < WITHIN_S
    assert (await (await alice.open("/ws/user")).closed()).code == CloseCode.UNAUTHENTICATED
