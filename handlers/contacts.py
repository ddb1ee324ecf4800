"""Contacts over HTTP: lists, requests, favourites and blocks."""

from __future__ import annotations

from typing import Annotated, get_args

import msgspec

from handlers.auth import NoBody
from handlers.base import ApiHandler, bad_query
from server.languages.sentences import N_
from server.store.contacts import ContactList


class RequestBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /contacts``."""

    username: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class ContactsHandler(ApiHandler):
    """``/contacts``."""

    async def get(self) -> None:
        """One list of the own contacts, requests, blocks or favourites."""
        which = self.get_query_argument("state", "contacts")
        if which not in get_args(ContactList):
            raise bad_query("state", N_("one of %(choices)s", choices=", ".join(get_args(ContactList))))
        page = await self.services.contacts.page(
            self.who.user.id,
            which,  # type: ignore[arg-type]  # one of them, as was just found
            self.page_limit(),
            self.get_query_argument("before", None),
        )
        self.reply({"items": page.items, "next": page.next})

    async def post(self) -> None:
        """201 with the item for a request; 200 where there is one already, or where it makes both contacts."""
        body = self.read(RequestBody)
        requested = await self.services.contacts.request(self.who.user, body.username)
        self.reply(requested.item, 201 if requested.created else 200)


class ContactHandler(ApiHandler):
    """``/contacts/{user_id}``."""

    async def delete(self, user_id: str) -> None:
        """204: the own request is withdrawn, or the contact ended; 404 if there was neither."""
        self.read(NoBody)
        await self.services.contacts.remove(self.who.user.id, user_id)
        self.set_status(204)
        self.finish()


class ContactAnswerHandler(ApiHandler):
    """``POST /contacts/{user_id}/accept | decline``."""

    async def post(self, user_id: str, action: str) -> None:
        """200 with the item; 409 ``bad_state`` where nothing was asked."""
        self.read(NoBody)
        contacts = self.services.contacts
        act = contacts.accept if action == "accept" else contacts.decline
        self.reply(await act(self.who.user.id, user_id))


class FavouriteHandler(ApiHandler):
    """``/contacts/{user_id}/favourite``."""

    async def put(self, user_id: str) -> None:
        """200 with the item, which is a favourite now; 409 ``bad_state`` for somebody blocked."""
        self.read(NoBody)
        self.reply(await self.services.contacts.set_favourite(self.who.user.id, user_id, True))

    async def delete(self, user_id: str) -> None:
        """200 with the item, which is a favourite no longer."""
        self.read(NoBody)
        self.reply(await self.services.contacts.set_favourite(self.who.user.id, user_id, False))


class BlockHandler(ApiHandler):
    """``/contacts/{user_id}/block``."""

    async def put(self, user_id: str) -> None:
        """200 with the item, which is blocked now: what rings from there stops."""
        self.read(NoBody)
        item = await self.services.contacts.block(self.who.user.id, user_id)
        await self.services.switchboard.block(self.who.user.id, user_id)
        self.reply(item)

    async def delete(self, user_id: str) -> None:
        """200 with the item, which is blocked no longer."""
        self.read(NoBody)
        self.reply(await self.services.contacts.unblock(self.who.user.id, user_id))
