"""Credentials for a TURN server that shares a secret with us.

The scheme is TURN REST (draft-uberti-behave-turn-rest-00), which coturn calls ``use-auth-secret``: the user name is
``<expiry>:<user id>``, the password base64(HMAC-SHA1(secret, user name)). coturn counts a person's allocations by
what follows the colon, so quotas hold over several credentials of one person.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import NamedTuple


class Credentials(NamedTuple):
    """What a client shows a TURN server."""

    username: str
    password: str


def turn_credentials(secret: str, user_id: str, expires_at: datetime) -> Credentials:
    """Credentials for one person that a server with the same ``secret`` takes until ``expires_at``."""
    username = f"{int(expires_at.timestamp())}:{user_id}"
    return Credentials(username, turn_password(secret, username))


def turn_password(secret: str, username: str) -> str:
    """The password that goes with a user name, which both servers can work out."""
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
