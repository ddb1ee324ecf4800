"""``GET /ws/status``: which sockets are open, for whoever wonders."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from handlers.base import ApiHandler
from server.errors import Unauthenticated
from server.realtime.connection import Connection
from server.realtime.session import Session
from server.wire import rfc3339


class SocketStatusHandler(ApiHandler):
    """The caller's open connections and, for an administrator, everybody's totals."""

    async def _identify(self) -> None:
        """A bearer token or the page's cookie, or a ws token as ``?token=``, which is used up by it."""
        token = self.get_query_argument("token", None)
        if token is None:
            await super()._identify()
            return
        sign_ins = self.services.sign_ins
        claims = sign_ins.tokens.check("ws", token)
        self.identity = await sign_ins.resolve(claims)
        if not await sign_ins.spend(claims):
            raise Unauthenticated("This token was used before")

    def get(self) -> None:
        """``{connections: […], totals?: {…}}``."""
        hub = self.services.hub
        answer: dict[str, Any] = {
            "connections": [
                self._shown(session, session.connection)
                for session in hub.sessions_of(self.who.user.id)
                if session.connection is not None
            ]
        }
        if self.who.admin:
            kinds = Counter(connection.kind for connection in hub.connections)
            people = {session.who.user.id for session in hub.sessions() if session.connection is not None}
            answer["totals"] = {
                "connections": len(hub.connections),
                "by_kind": dict(kinds),
                "sessions": len(hub),
                "people": len(people),
            }
        self.reply(answer)

    def _shown(self, session: Session, connection: Connection) -> dict[str, Any]:
        now, now_s = self.services.clock.now(), self.services.clock.monotonic()
        transport = connection.transport
        return {
            "connection_id": session.id,
            "kind": connection.kind,
            "room": connection.resource or None,
            "device": session.who.device,
            "node": self.services.node,
            "connected_at": rfc3339(now - timedelta(seconds=now_s - connection.opened_at_s)),
            "last_seen": rfc3339(now - timedelta(seconds=max(0.0, now_s - transport.last_received))),
            "rtt_ms": connection.rtt_ms,
            "received": {"frames": transport.frames_received, "bytes": transport.bytes_received},
            "sent": {"frames": transport.frames_sent, "bytes": transport.bytes_sent},
        }
