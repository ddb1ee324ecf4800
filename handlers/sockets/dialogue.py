"""``/ws/dialogue/{session_id}``: a written dialogue."""

from __future__ import annotations

from handlers.sockets.base import SocketHandler


class DialogueSocketHandler(SocketHandler):
    """One per open dialogue; what is said here is :class:`server.dialogues.endpoint.DialogueEndpoint`'s."""

    kind = "dialogue"
