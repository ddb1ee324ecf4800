"""``/check``: will a call work from this device, in this network?"""

from __future__ import annotations

import os

from handlers.auth import NoBody
from handlers.base import ApiHandler
from handlers.pages import PageHandler
from server.errors import UnsupportedMediaType

PIECE_BYTES = 256 * 1024
"""Takes 20 ms at 100 Mbit/s and 2 s at 1 Mbit/s: worth measuring in both."""
PIECE = os.urandom(PIECE_BYTES)
"""Noise: nothing on the way makes it smaller."""


class CheckPageHandler(PageHandler):
    """``/check``."""

    page = "check"

    async def get(self) -> None:
        """The page; everything on it is done by its scripts."""
        self.render_page("check.html", unread=await self.unread())


class CheckIceServersHandler(ApiHandler):
    """``POST /check/ice-servers``."""

    def post(self) -> None:
        """200 as ``GET /ice-servers``, for somebody without a call; 429 for whoever asks too often."""
        self.read(NoBody)
        self.reply(self.services.checks.ice_servers(self.who.user.id))


class CheckBytesHandler(ApiHandler):
    """``/check/bytes``: how fast is the line to this server, each way?"""

    def get(self) -> None:
        """200 with :data:`PIECE_BYTES` of noise; 429 for whoever asks too often."""
        self.services.checks.count_transfer(self.who.user.id)
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Cache-Control", "no-store, no-transform")
        self.finish(PIECE)

    def post(self) -> None:
        """204 when the body has come; it is thrown away."""
        if self.request.headers.get("Content-Type") != "application/octet-stream":
            raise UnsupportedMediaType("The body has to be bytes (Content-Type: application/octet-stream)")
        self.services.checks.count_transfer(self.who.user.id)
        self.no_content()
