"""One WebSocket connection: the `websockets` library, set up as Ringback wants it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import cast

from websockets.asyncio.client import ClientConnection, connect

# At DEBUG the library logs whole requests and frames, with the credentials in them: it is never let down to DEBUG.
logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)

UPGRADE_TIMEOUT_S = 10.0
# The close handshake is a courtesy; a peer that does not return it within this time is left.
CLOSE_TIMEOUT_S = 2.0
# A server lets at most 1 MiB wait for one connection, so no honest frame is larger.
MAX_FRAME_BYTES = 1 << 20


class Wire(ClientConnection):
    """A connection that tells of every byte it hears: a protocol ping is a sign of life as good as a frame."""

    on_data: Callable[[], None] | None = None

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        if self.on_data is not None:
            self.on_data()
        super().data_received(data)

    def cut(self) -> None:
        """End the connection without a word, where nobody listens any more."""
        self.transport.abort()


class _Dial(connect):
    """Opening a connection, without following redirects: a credential goes only where the person sent it."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def dial(url: str, headers: dict[str, str]) -> Wire:
    """Open a connection to a `ws:` or `wss:` address.

    Raises OSError, TimeoutError or the library's InvalidHandshake (InvalidStatus for an HTTP answer other than 101).
    """
    connection = await _Dial(
        url,
        additional_headers=headers,
        compression=None,  # Ringback negotiates no extension
        open_timeout=UPGRADE_TIMEOUT_S,
        ping_interval=None,  # the server pings; this side notices its silence
        close_timeout=CLOSE_TIMEOUT_S,
        max_size=MAX_FRAME_BYTES,
        logger=logger,
        create_connection=Wire,
    )
    return cast(Wire, connection)
