"""STUN and TURN servers for clients, with credentials that live minutes.

The scheme is TURN REST (draft-uberti-behave-turn-rest-00), which coturn calls ``use-auth-secret``: the user name is
``<expiry>:<user id>``, the password base64(HMAC-SHA1(secret, user name)).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta
from typing import Any

from server.clock import Clock
from server.settings import IceSettings
from server.wire import rfc3339


def ice_servers(settings: IceSettings, user_id: str, clock: Clock) -> dict[str, Any]:
    """``{ice_servers: [RTCIceServer…], policy, expires_at}`` for one person; empty where nothing is configured."""
    expires_at = clock.now() + timedelta(seconds=settings.credential_ttl_s)
    servers: list[dict[str, Any]] = []
    if settings.stun_urls:
        servers.append({"urls": list(settings.stun_urls)})
    if settings.turn_urls:
        username = f"{int(expires_at.timestamp())}:{user_id}"
        digest = hmac.new(settings.turn_secret.encode(), username.encode(), hashlib.sha1).digest()
        servers.append(
            {
                "urls": list(settings.turn_urls),
                "username": username,
                "credential": base64.b64encode(digest).decode(),
            }
        )
    return {"ice_servers": servers, "policy": settings.policy, "expires_at": rfc3339(expires_at)}
