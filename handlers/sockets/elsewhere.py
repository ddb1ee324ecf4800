"""Any other path on which a WebSocket upgrade arrives: accepted, and closed with 4510 and the nearest real path.

A refused upgrade would tell a page nothing, and it would try for ever.
"""

from __future__ import annotations

import difflib
import re

from handlers.base import API, browser_language
from handlers.sockets.wire import WireHandler
from server.close_codes import CloseCode
from server.languages.sentences import N_
from server.realtime.connection import Connection
from server.services import Services

SOCKET_PATHS = (
    f"{API}/ws/user",
    f"{API}/ws/call/{{call_id}}",
    f"{API}/ws/task/{{task_id}}",
    f"{API}/ws/tasks/{{user_id}}",
    f"{API}/ws/dialogue/{{session_id}}",
)
"""The real ones, as :mod:`handlers.routes` registers them; a test compares the two."""


class ElsewhereHandler(WireHandler):
    """Says where the sockets really are."""

    def initialize(self, services: Services) -> None:
        """Gives the handler the server's services."""
        self.services = services

    def check_origin(self, origin: str) -> bool:
        """Nothing is to be had here, so everybody may be told so."""
        return True

    def open(self, *args: str, **kwargs: str) -> None:
        """Explains and closes."""
        services = self.services
        connection = Connection(
            self.wire,
            "elsewhere",
            "",
            0.0,
            services.stamp,
            services.clock.monotonic,
            translate=browser_language(self, services).translate,
        )
        self._connection = connection
        near = nearest(self.request.path)
        connection.close(CloseCode.NO_SUCH_ENDPOINT, N_("No socket here; did you mean %(path)s?", path=near))

    def on_close(self) -> None:
        """Leaves a record, as every connection does."""
        self.services.hub.closed(self._connection)

    def on_text(self, data: bytes) -> None:
        """Whatever is said here is too late."""


def nearest(path: str) -> str:
    """The real socket path that ``path`` was most likely meant to be."""
    own = re.sub(r"/[0-9a-f-]{36}(?=/|$)", "/{}", path.lower())
    tail = own[own.rfind("/ws/") :] if "/ws/" in own else own
    ends = {re.sub(r"{\w+}", "{}", real.removeprefix(API)): real for real in SOCKET_PATHS}
    close = difflib.get_close_matches(tail, list(ends), n=1, cutoff=0.0)
    return ends[close[0]] if close else SOCKET_PATHS[0]
