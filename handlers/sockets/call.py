"""``/ws/call/{call_id}``: the room of a call."""

from __future__ import annotations

from handlers.sockets.base import SocketHandler


class CallSocketHandler(SocketHandler):
    """One per participant; what is said here is :class:`server.rooms.endpoint.CallEndpoint`'."""

    kind = "call"
