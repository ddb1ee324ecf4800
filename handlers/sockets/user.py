"""``/ws/user``: where a device rings."""

from __future__ import annotations

from handlers.sockets.base import SocketHandler


class UserSocketHandler(SocketHandler):
    """One per device; what is said here is :class:`server.calls.inbox.Inbox`'s."""

    kind = "user"
