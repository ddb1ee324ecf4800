"""A server that is killed in the middle of a reply: what had come of it is there, marked, and asked for again."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from tornado.ioloop import IOLoop

from handlers.base import API
from tests.cli.shell import Process, Shell
from tests.dialogues.provider import Provider, Says
from tests.dialogues.talking import QUESTION, Talking, begin, over, seen_by
from tests.faults.processes import port_of, same_key, stop
from tests.peer import Peer
from tests.running import Running

SOON: dict[str, object] = {"dialogues.lease_s": 0.4, "dialogues.round_s": 0.1}
"""A dead process is missed soon."""


@pytest.fixture
def provider(io_loop: IOLoop) -> Iterator[Provider]:
    made = Provider()
    io_loop.run_sync(made.start)
    yield made
    io_loop.run_sync(made.stop)


async def come(talking: Talking, server: Process) -> Peer:
    """Its owner at the dialogue, on that server."""
    peer = await Peer.connect(f"ws://127.0.0.1:{port_of(server)}{API}{talking.path}", headers=talking.alice.bearer)
    await peer.next("connected")
    return peer


@pytest.mark.gen_test(timeout=60)
async def test_a_reply_outlives_a_server_that_is_killed(running: Running, shell: Shell, provider: Provider) -> None:
    talking = await begin(running)
    settings = {**same_key(running), **provider.overrides(), **SOON}
    provider.will(Says("The keeper ", None), Says("Whole."), Says("Later."))
    with shell.serving(settings=settings) as server:
        peer = await come(talking, server)
        cut_off, waiting = [(await peer.request("message", text=QUESTION))["reply_id"] for _ in range(2)]
        await peer.next("reply_delta")
        await stop(server, signal.SIGKILL)
    with shell.serving(settings=settings) as server:
        peer = await come(talking, server)
        while any(message["state"] in ("waiting", "streaming") for message in seen_by(peer).messages):
            await peer.next_of("message", "reply_delta", "reply", "reply_failed")
        by_id = {message["message_id"]: message for message in seen_by(peer).messages}
        assert (by_id[cut_off]["state"], by_id[cut_off]["text"]) == ("interrupted", "The keeper ")
        assert (by_id[waiting]["state"], by_id[waiting]["text"]) == ("complete", "Whole.")
        again = await peer.request("ask_again", message_id=cut_off)
        assert (await over(peer, again["message_id"]))["text"] == "Later."
