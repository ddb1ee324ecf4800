"""The own history of calls over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import msgspec

from handlers.base import ApiHandler, bad_query
from server.calls.details import details
from server.calls.history import Filter, direction_of
from server.calls.model import CallState, view, was_missed_by
from server.calls.outcomes import outcome, peer_of
from server.ids import is_id
from server.languages.sentences import N_, Translate
from server.realtime.frames import Id
from server.store.calls import Entry

MAX_QUERY_CHARACTERS = 64
"""As long as a user name may be."""


class HistoryArguments:
    """What a request asks of the history, read from its query; raises :class:`~server.errors.BadRequest`."""

    def __init__(self, argument: Callable[[str], str | None]) -> None:
        self.kind: Filter = _one_of("filter", argument("filter") or "all", get_args(Filter))
        self.text = (argument("q") or "").strip()
        self.state = argument("state")
        self.before = _call_id("before", argument("before"))
        if len(self.text) > MAX_QUERY_CHARACTERS:
            raise bad_query("q", N_("at most %(count)s characters", count=MAX_QUERY_CHARACTERS))
        if self.state is not None:
            _one_of("state", self.state, get_args(CallState))
            if self.kind != "all" or self.text:
                raise bad_query("state", N_("goes neither with filter nor with q"))


def history_item(entry: Entry, user_id: str, translate: Translate) -> dict[str, Any]:
    """A call as it stands in one person's history; its sentences in their language."""
    call = entry.call
    return view(call, user_id) | {
        "direction": direction_of(call, user_id),
        "missed": was_missed_by(call, user_id),
        "unread": entry.unread,
        "outcome": outcome(call, user_id, translate),
        "details": details(call, user_id, translate),
    }


def history_row(entry: Entry, user_id: str, translate: Translate) -> dict[str, Any]:
    """The same as a page shows it: with the ``peer``, the person on the other side."""
    item: dict[str, Any] = msgspec.to_builtins(history_item(entry, user_id, translate))
    return item | {"peer": msgspec.structs.asdict(peer_of(entry.call, user_id).user)}


class HistoryHandler(ApiHandler):
    """``GET`` and ``DELETE /calls``; whoever places a call does that at the same address."""

    async def get(self) -> None:
        """The own history, newest first, and how many missed calls in it were not yet seen."""
        limit = self.page_limit()
        asked = HistoryArguments(self._argument)
        user_id = self.who.user.id
        page = await self.services.histories.page(
            user_id, limit=limit, kind=asked.kind, text=asked.text, state=asked.state, before=asked.before
        )
        self.reply(
            {
                "items": [history_item(entry, user_id, self.locale.translate) for entry in page.entries],
                "next": page.next,
                "unread": await self.services.histories.unread(user_id),
            }
        )

    async def delete(self) -> None:
        """204; all calls that are over leave the own history."""
        await self.services.histories.forget_all(self.who.user.id, _call_id("until", self._argument("until")))
        self.set_status(204)
        self.finish()

    def _argument(self, name: str) -> str | None:
        return self.get_query_argument(name, None)


class SeenBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /calls/seen``."""

    until: Id | None = None


class SeenHandler(ApiHandler):
    """``POST /calls/seen``."""

    async def post(self) -> None:
        """200 with how many missed calls are still unread: those placed after ``until``."""
        body = self.read(SeenBody)
        until = _call_id("until", body.until)
        self.reply({"missed": await self.services.histories.mark_seen(self.who.user.id, until)})


def _call_id(name: str, text: str | None) -> str | None:
    if text is not None and not is_id(text):
        raise bad_query(name, N_("the next of an earlier page") if name == "before" else N_("the id of a call"))
    return text


def _one_of(name: str, text: str, values: tuple[Any, ...]) -> Any:
    if text not in values:
        raise bad_query(name, N_("one of %(choices)s", choices=", ".join(values)))
    return text
