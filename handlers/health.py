"""Is it alive, can it serve, what are its figures."""

from __future__ import annotations

import hmac
import ipaddress

from handlers.base import ApiHandler
from server.errors import Forbidden, NotFound, RingbackError, Unavailable
from server.metrics import CONTENT_TYPE
from server.version import VERSION


class LivezHandler(ApiHandler):
    """``GET /livez``: the process runs; never asks a database."""

    public = True

    def get(self) -> None:
        """200."""
        self.reply({"status": "healthy", "version": VERSION})


class ReadyzHandler(ApiHandler):
    """``GET /readyz``: it can take people; 503 while draining or without a database."""

    public = True

    async def get(self) -> None:
        """200 or 503."""
        if self.services.draining():
            raise Unavailable("This node is stopping", retry_after_s=5.0)
        await self.services.database.ping()
        self.reply({"status": "healthy", "version": VERSION})


class HealthHandler(ApiHandler):
    """``GET /health``: each part."""

    public = True

    async def get(self) -> None:
        """200 ``healthy`` or ``degraded``; 503 ``unhealthy`` unless it can serve."""
        checks = {"mongo": "ok", "draining": "yes" if self.services.draining() else "no"}
        try:
            await self.services.database.ping()
        except RingbackError as error:
            checks["mongo"] = error.code
        can_serve = checks["mongo"] == "ok"
        if not can_serve:
            self.set_header("Retry-After", "2")
        status = "unhealthy" if not can_serve else "degraded" if self.services.draining() else "healthy"
        self.reply({"status": status, "version": VERSION, "checks": checks}, 200 if can_serve else 503)


class MetricsHandler(ApiHandler):
    """``GET /metrics``: for Prometheus, with a token, or for this machine alone where there is none."""

    public = True

    async def _identify(self) -> None:
        """The token here is the operator's, not a person's."""

    def get(self) -> None:
        """Prometheus' text format."""
        wanted = self.services.settings.metrics.token
        if wanted:
            given = self.request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(given.encode(), wanted.encode()):
                raise Forbidden("metrics.token is asked for")
        elif not _is_loopback(self.request.remote_ip or ""):
            raise Forbidden("Set metrics.token to read the figures from elsewhere")
        self.set_header("Content-Type", CONTENT_TYPE)
        self.finish(self.services.metrics.text())


class NoSuchApiHandler(ApiHandler):
    """Any other address under the prefix."""

    public = True

    def prepare(self) -> None:  # type: ignore[override]
        """404, whoever asks."""
        raise NotFound("There is no such address; see docs/protocol.md")


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
