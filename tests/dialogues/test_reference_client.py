"""A dialogue by the reference client, over HTTP and its socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from ringback_client.backoff import Backoff
from ringback_client.client import Client
from ringback_client.dialogues import DialogueMessage
from ringback_client.errors import ApiError, Closed, FrameError
from tests.dialogues.provider import Provider, Says
from tests.dialogues.talking import QUESTION, Talking
from tests.peer import PATIENCE_S
from tests.running import PASSWORD

WHOLE = "The wick, every four hours [1]."


@asynccontextmanager
async def alice_of(talking: Talking) -> AsyncIterator[Client]:
    """Alice, signed in with the client."""
    async with Client(talking.running.origin, backoff=lambda: Backoff(lambda: 0.0)) as client:
        await client.sign_in("alice", PASSWORD)
        yield client


@pytest.mark.gen_test
async def test_a_reply_is_watched_as_it_grows_and_is_in_the_history(asking: Talking, provider: Provider) -> None:
    says = provider.will(Says("The wick", None, ", every four hours [1]."))
    async with alice_of(asking) as client:
        dialogue = await client.dialogues.start(asking.book_id)
        async with client.dialogues.open(dialogue.session_id) as room:
            texts = []
            async for message in room.growing(await room.ask(QUESTION, "mine")):
                texts.append(message.text)
                if message.text == "The wick":
                    says.go_on()
            assert texts[-1] == WHOLE and "The wick" in texts and message.sources[0].n == 1
            history = (await client.dialogues.get(dialogue.session_id)).messages
            assert list(history) == room.history
        listed = (await client.dialogues.list()).items
        assert (listed[0].session_id, listed[0].title) == (dialogue.session_id, QUESTION)
        await client.dialogues.delete(dialogue.session_id)
        with pytest.raises(ApiError, match="not_found"):
            await client.dialogues.get(dialogue.session_id)


@pytest.mark.gen_test
async def test_a_connection_that_is_cut_in_the_middle_costs_no_letter(asking: Talking, provider: Provider) -> None:
    says = provider.will(Says("The wick", None, ", every", None, " four hours [1]."))
    hub = asking.running.services.hub
    async with alice_of(asking) as client, client.dialogues.open(asking.session_id) as room:
        seen: list[DialogueMessage] = []
        async for message in room.growing(await room.ask(QUESTION)):
            seen.append(message)
            if message.text in ("The wick", "The wick, every"):
                for connection in list(hub.connections):
                    connection.transport.abort()
                says.go_on()
        assert seen[-1].text == WHOLE
        assert all(later.text.startswith(earlier.text) for earlier, later in pairwise(seen))


@pytest.mark.gen_test
async def test_cancelling_and_asking_again(asking: Talking, provider: Provider) -> None:
    provider.will(Says("The wick", None), Says(WHOLE))
    async with alice_of(asking) as client, client.dialogues.open(asking.session_id) as room:
        reply_id = await room.ask(QUESTION)
        async for message in room.growing(reply_id):
            if message.text and not message.is_over:
                await room.cancel()
        assert message.state == "cancelled"
        again = await room.reply(await room.ask_again(reply_id), PATIENCE_S)
        assert (again.state, again.text, again.reply_to) == ("complete", WHOLE, message.reply_to)
        with pytest.raises(FrameError, match="bad_state"):
            await room.cancel()


@pytest.mark.gen_test
async def test_a_dialogue_that_is_deleted_ends_the_wait(asking: Talking, provider: Provider) -> None:
    provider.will(Says("The wick", None))
    async with alice_of(asking) as client, client.dialogues.open(asking.session_id) as room:
        reply_id = await room.ask(QUESTION)
        await client.dialogues.delete(asking.session_id)
        with pytest.raises(Closed) as ended:
            await room.reply(reply_id, PATIENCE_S)
        assert ended.value.name == "ended"


@pytest.mark.gen_test
async def test_a_message_has_a_name_by_which_it_can_be_said_again(asking: Talking) -> None:
    async with alice_of(asking) as client, client.dialogues.open(asking.session_id) as room:
        await room.ask(QUESTION)
    (turn,) = await asking.store.turns(asking.session_id, limit=5)
    assert len(turn.client_id or "") == 36
