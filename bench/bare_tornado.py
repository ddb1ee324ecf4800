"""The yardstick: a relay as Tornado's documentation would have one write it, in one file.

It checks a JWT when a socket opens, parses each frame, and passes it on to the others in the room. It has no sequence
numbers, no limits, no resume buffer, no heartbeat and no database.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections import defaultdict
from typing import Any, ClassVar

import jwt
import tornado.web
import tornado.websocket

SECRET = "a benchmark needs no secret worth the name"


class RelayHandler(tornado.websocket.WebSocketHandler):
    """One participant of one room."""

    rooms: ClassVar[defaultdict[str, set[RelayHandler]]] = defaultdict(set)

    def check_origin(self, origin: str) -> bool:
        """Everybody may come."""
        return True

    def open(self, room: str) -> None:
        """Checks the token and joins."""
        claims = jwt.decode(self.get_query_argument("token"), SECRET, algorithms=["HS256"])
        self.room = room
        self.user = claims["sub"]
        self.rooms[room].add(self)
        self.write_message(json.dumps({"type": "connected", "user": self.user}))

    def on_message(self, message: str | bytes) -> None:
        """Passes a frame on to the others."""
        frame: dict[str, Any] = json.loads(message)
        frame["from"] = self.user
        text = json.dumps(frame)
        for other in list(self.rooms[self.room]):
            if other is not self:
                with contextlib.suppress(tornado.websocket.WebSocketClosedError):  # its on_close has not come yet
                    other.write_message(text)

    def on_close(self) -> None:
        """Leaves."""
        self.rooms[self.room].discard(self)


async def main() -> None:
    """Serves on a free port of loopback, prints it, and goes on until standard input ends."""
    application = tornado.web.Application([(r"/ws/call/([^/]+)", RelayHandler)])
    server = application.listen(0, "127.0.0.1")
    port = next(iter(server._sockets.values())).getsockname()[1]
    print(json.dumps({"port": port}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
