"""Contacts with the reference client, on a real server."""

from __future__ import annotations

import asyncio

import pytest

from ringback_client.api import Api
from ringback_client.client import Client
from ringback_client.errors import ApiError
from ringback_client.user import UserInbox
from tests.peer import PATIENCE_S
from tests.running import PASSWORD, Running


async def state_of(inbox: UserInbox, user_id: str, state: str) -> None:
    """Waits until an inbox was told that somebody is that to its person."""
    async with asyncio.timeout(PATIENCE_S):
        while user_id not in inbox.contacts or inbox.contacts[user_id].state != state:
            await asyncio.sleep(0.001)


@pytest.mark.gen_test
async def test_two_people_become_contacts_and_part_again(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    async with Client(running.origin) as ringing, Api(running.origin) as api:
        await ringing.sign_in("alice", PASSWORD)
        await api.sign_in("bob", PASSWORD)
        async with ringing.inbox() as inbox:
            assert (await api.add_contact("Alice")).state == "sent"
            await state_of(inbox, bob.id, "received")
            assert (await ringing.api.accept_contact(bob.id)).state == "contacts"
            assert (await api.set_favourite(alice.id, True)).favourite
            assert [each.user.id for each in (await api.contacts("favourites")).items] == [alice.id]
            assert (await ringing.api.set_blocked(bob.id, True)).blocked
            assert not (await ringing.api.set_blocked(bob.id, False)).blocked
            with pytest.raises(ApiError, match="not_found"):
                await api.remove_contact(alice.id)
            [person] = (await api.users("ali")).items
            assert (person.contact, person.favourite, person.blocked) == ("none", True, False)


@pytest.mark.gen_test
async def test_a_device_that_is_not_used_is_seen_to_be_away(running: Running) -> None:
    alice, _ = await running.people("alice", "bob")
    async with Client(running.origin) as client, Api(running.origin) as api:
        await client.sign_in("alice", PASSWORD)
        await api.sign_in("bob", PASSWORD)
        async with client.inbox() as inbox:
            for used, presence in ((False, "away"), (True, "online")):
                await inbox.use(used)
                [person] = (await api.users("ali")).items
                assert (person.id, person.presence) == (alice.id, presence)
