"""STUN and TURN servers for people in a call, with credentials that live minutes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from server.calls.model import Call
from server.clock import Clock
from server.settings import IceSettings
from server.turn.credentials import turn_credentials
from server.wire import rfc3339


def may_connect(call: Call, user_id: str) -> bool:
    """Whether that person is in the call, or can still come to be: nobody else gets credentials for a relay."""
    leg = call.leg_of(user_id)
    return leg is not None and not call.is_over and (leg.is_in_call or leg.is_ringable)


def ice_servers(settings: IceSettings, name: str, clock: Clock, ttl_s: int | None = None) -> dict[str, Any]:
    """``{ice_servers: [RTCIceServer…], policy, expires_at, expires_in}`` for one person: their id is the ``name`` by
    which the relay counts what they hold.

    The list is empty where nothing is configured. ``expires_in``, in seconds, is for clients whose clock is wrong.
    Credentials live ``ttl_s`` seconds if that is less than what is configured.
    """
    lives_s = min(settings.credential_ttl_s, ttl_s or settings.credential_ttl_s)
    expires_at = clock.now() + timedelta(seconds=lives_s)
    servers: list[dict[str, Any]] = []
    if settings.stun_urls:
        servers.append({"urls": list(settings.stun_urls)})
    if settings.turn_urls:
        shown = turn_credentials(settings.turn_secret, name, expires_at)
        servers.append({"urls": list(settings.turn_urls), "username": shown.username, "credential": shown.password})
    return {
        "ice_servers": servers,
        "policy": settings.policy,
        "expires_at": rfc3339(expires_at),
        "expires_in": lives_s,
    }
