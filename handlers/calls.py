"""Calls over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, get_args

import msgspec

from handlers.auth import NoBody
from handlers.base import ApiHandler, bad_query
from server.calls.ice import ice_servers
from server.calls.model import Call, CallState, MediaKind, view, was_missed_by
from server.ids import is_id
from server.languages.sentences import N_


class PlaceBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /calls``."""

    callees: Annotated[list[Annotated[str, msgspec.Meta(max_length=64)]], msgspec.Meta(min_length=1, max_length=50)]
    media: MediaKind
    client_key: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None


class CallsHandler(ApiHandler):
    """``/calls``."""

    async def post(self) -> None:
        """201 the call; 200 for a repeated ``client_key``, or with ``merged`` when the callee was dialling us."""
        body = self.read(PlaceBody)
        placed = await self.services.switchboard.place(self.who, body.callees, body.media, body.client_key)
        answer = view(placed.call)
        if placed.merged:
            answer["merged"] = True
        self.reply(answer, 201 if placed.created else 200)

    async def get(self) -> None:
        """The own history, newest first."""
        limit = self.page_limit()
        state = self.get_query_argument("state", None)
        if state is not None and state not in get_args(CallState):
            raise bad_query("state", N_("one of %(choices)s", choices=", ".join(get_args(CallState))))
        before = self.get_query_argument("before", None)
        if before is not None and not is_id(before):
            raise bad_query("before", N_("the next of an earlier page"))
        user_id = self.who.user.id
        found = await self.services.calls.history(user_id, limit=limit + 1, before=before, state=state)
        calls = found[:limit]
        self.reply(
            {
                "items": [history_item(call, user_id) for call in calls],
                "next": calls[-1].call_id if len(found) > limit else None,
            }
        )


def history_item(call: Call, user_id: str) -> dict[str, Any]:
    """A call as it stands in one person's history."""
    return view(call) | {
        "direction": "outgoing" if call.created_by.id == user_id else "incoming",
        "missed": was_missed_by(call, user_id),
    }


class CallHandler(ApiHandler):
    """``GET /calls/{call_id}``."""

    async def get(self, call_id: str) -> None:
        """The call, for whoever is in it."""
        self.reply(view(await self.services.switchboard.of(call_id, self.who.user.id)))


class CallActionHandler(ApiHandler):
    """``POST /calls/{call_id}/answer | decline | cancel | hangup``."""

    async def post(self, call_id: str, action: str) -> None:
        """200 with the call as it is then; 409 ``already_answered`` or ``call_ended`` for whoever comes too late."""
        self.read(NoBody)
        self.reply(view(await self._action(action)(call_id)))

    def _action(self, name: str) -> Callable[[str], Awaitable[Call]]:
        switchboard, who = self.services.switchboard, self.who
        actions: dict[str, Callable[[str], Awaitable[Call]]] = {
            "answer": lambda call_id: switchboard.answer(call_id, who, who.sign_in_id),
            "decline": lambda call_id: switchboard.decline(call_id, who, who.sign_in_id),
            "cancel": lambda call_id: switchboard.cancel(call_id, who),
            "hangup": lambda call_id: switchboard.hang_up(call_id, who),
        }
        return actions[name]


class IceServersHandler(ApiHandler):
    """``GET /ice-servers``."""

    def get(self) -> None:
        """STUN and TURN servers with credentials that live minutes."""
        self.reply(ice_servers(self.services.settings.ice, self.who.user.id, self.services.clock))
