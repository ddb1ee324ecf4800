"""Calls over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec

from handlers.auth import NoBody
from handlers.base import ApiHandler
from handlers.history import HistoryHandler
from server.calls.ice import ice_servers
from server.calls.model import Call, MediaKind, view
from server.errors import NotInCall


class PlaceBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /calls``."""

    callees: Annotated[list[Annotated[str, msgspec.Meta(max_length=64)]], msgspec.Meta(min_length=1, max_length=50)]
    media: MediaKind
    client_key: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None


class CallsHandler(HistoryHandler):
    """``/calls``: placing one, and the history."""

    async def post(self) -> None:
        """201 the call; 200 for a repeated ``client_key``, or with ``merged`` when the callee was dialling us."""
        body = self.read(PlaceBody)
        placed = await self.services.dialling.place(self.who, body.callees, body.media, body.client_key)
        answer = view(placed.call, self.who.user.id)
        if placed.merged:
            answer["merged"] = True
        self.reply(answer, 201 if placed.created else 200)


class CallHandler(ApiHandler):
    """``/calls/{call_id}``."""

    async def get(self, call_id: str) -> None:
        """The call, for whoever is in it."""
        user_id = self.who.user.id
        self.reply(view(await self.services.switchboard.of(call_id, user_id), user_id))

    async def delete(self, call_id: str) -> None:
        """204; the call leaves the own history, and stays in the others'."""
        await self.services.histories.forget(self.who.user.id, call_id)
        self.set_status(204)
        self.finish()


class InviteBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /calls/{call_id}/invite``."""

    usernames: Annotated[list[Annotated[str, msgspec.Meta(max_length=64)]], msgspec.Meta(min_length=1, max_length=50)]


class InviteHandler(ApiHandler):
    """``POST /calls/{call_id}/invite``."""

    async def post(self, call_id: str) -> None:
        """200 with the call as it is then: those who were called ring; 409 ``call_full``."""
        body = self.read(InviteBody)
        self.reply(view(await self.services.dialling.invite(self.who, call_id, body.usernames), self.who.user.id))


class CallActionHandler(ApiHandler):
    """``POST /calls/{call_id}/answer | decline | cancel | hangup | leave``."""

    async def post(self, call_id: str, action: str) -> None:
        """200 with the call as it is then; 409 ``already_answered`` or ``call_ended`` for whoever comes too late."""
        self.read(NoBody)
        self.reply(view(await self._action(action)(call_id), self.who.user.id))

    def _action(self, name: str) -> Callable[[str], Awaitable[Call]]:
        switchboard, who = self.services.switchboard, self.who
        actions: dict[str, Callable[[str], Awaitable[Call]]] = {
            "answer": lambda call_id: switchboard.answer(call_id, who, who.sign_in_id),
            "decline": lambda call_id: switchboard.decline(call_id, who, who.sign_in_id),
            "cancel": lambda call_id: switchboard.cancel(call_id, who),
            "hangup": lambda call_id: switchboard.hang_up_or_go(call_id, who),
            "leave": lambda call_id: switchboard.go(call_id, who),
        }
        return actions[name]


class IceServersHandler(ApiHandler):
    """``GET /ice-servers``."""

    async def get(self) -> None:
        """STUN and TURN servers with credentials that live minutes; 403 ``not_in_call`` for whoever has no call."""
        if not await self.services.switchboard.live_of(self.who.user.id):
            raise NotInCall()
        self.reply(ice_servers(self.services.settings.ice, self.who.user.id, self.services.clock))
