"""Everybody's written messages: writing in a call, and reading what was written."""

from __future__ import annotations

from typing import NamedTuple

from server.calls.chat import ChatMessage
from server.calls.readable import readable_until
from server.calls.switchboard import Switchboard
from server.clock import Clock
from server.errors import ChatFull
from server.ids import new_id
from server.realtime.bus import Bus, ChatWritten, call_topic
from server.realtime.frames import UserRef
from server.store.chat import ChatStore
from server.store.driver import Duplicate


class ChatPage(NamedTuple):
    """Some messages, newest first, and the ``before`` of the next page: ``None`` on the last."""

    messages: list[ChatMessage]
    next: str | None


class Chats:
    """A message is stored before anybody is told of it, and stays with the call."""

    def __init__(
        self, messages: ChatStore, switchboard: Switchboard, bus: Bus, clock: Clock, max_messages: int
    ) -> None:
        self._messages = messages
        self._switchboard = switchboard
        self._bus = bus
        self._clock = clock
        self._max_messages = max_messages

    async def write(self, call_id: str, user: UserRef, text: str, client_id: str | None = None) -> ChatMessage:
        """Stores a message and tells the room of it; the same ``client_id`` again gives the same message.

        Raises :class:`ChatFull` when as many were written in the call as are kept.
        """
        message = ChatMessage(new_id(), call_id, user, text, self._clock.now(), client_id)
        stored = await self._stored(message)
        # Also a repeated one: the first time, the database's answer may have been lost, and nobody was told.
        self._bus.publish(call_topic(call_id), ChatWritten(stored))
        return stored

    async def _stored(self, message: ChatMessage) -> ChatMessage:
        if message.client_id is not None:
            known = await self._messages.by_client_id(message.call_id, message.user.id, message.client_id)
            if known is not None:
                return known
        if await self._messages.count(message.call_id) >= self._max_messages:
            raise ChatFull()
        try:
            await self._messages.insert(message)
        except Duplicate:  # the same was written at the same time
            return await self._stored(message)
        return message

    async def newest(self, call_id: str, limit: int) -> list[ChatMessage]:
        """The newest messages of a call, oldest first, whoever asks."""
        return (await self._messages.newest(call_id, limit=limit))[::-1]

    async def page(self, user_id: str, call_id: str, *, limit: int, before: str | None = None) -> ChatPage:
        """At most ``limit`` messages, after the one with the id ``before``, for somebody who is or was in the call;
        for whoever has left, those up to then.

        Raises :class:`~server.errors.NotFound` for strangers, :class:`~server.errors.Forbidden` for whoever was called
        and never came.
        """
        until = readable_until(await self._switchboard.of(call_id, user_id), user_id)
        found = await self._messages.newest(call_id, limit=limit + 1, before=before, until=until)
        return ChatPage(found[:limit], found[limit - 1].message_id if len(found) > limit else None)
