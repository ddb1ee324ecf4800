"""The people of a process that is killed go offline by themselves, for everybody who watches on another one."""

from __future__ import annotations

import signal

import pytest

from ringback_client.client import Client
from tests.cli.shell import Shell
from tests.faults.processes import same_key, stop
from tests.running import PASSWORD, Start

QUICK: dict[str, object] = {
    "people.presence_round_s": 0.1,
    "people.presence_renewal_s": 0.3,
    "people.presence_lease_s": 1,
}


@pytest.mark.gen_test(timeout=60)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_who_hangs_on_a_process_that_ends_is_offline_elsewhere(
    start: Start, shell: Shell, number: signal.Signals
) -> None:
    running = await start(QUICK | {"server.node": "here"})
    alice, bob = await running.people("alice", "bob")
    page = await alice.inbox()
    await page.request("watch", user_ids=[bob.id])
    with shell.serving(settings=dict(same_key(running)) | QUICK | {"server.node": "there"}) as other:
        async with Client(other.url) as client:
            await client.sign_in("bob", PASSWORD)
            async with client.inbox():
                assert (await page.next("presence"))["state"] == "online"
                await stop(other, number)
                assert (await page.next("presence"))["state"] == "offline"
