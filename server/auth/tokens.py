"""Tokens: signed statements of who somebody is, for one purpose and one time each (RFC 7519, RFC 8725).

Five kinds, told apart by their audience: ``access`` for the API, ``ws`` to open one socket, ``page`` in the browser's
cookie, ``refresh`` for the next pair, ``push`` to say that a browser whose page is closed rings for one call. The
algorithm is pinned, and every claim is required and checked.
"""

from __future__ import annotations

import hashlib
import math
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

import jwt
import msgspec

from server.clock import Clock
from server.errors import TokenExpired, Unauthenticated
from server.ids import is_id, new_id
from server.settings import AuthSettings

Kind = Literal["access", "ws", "page", "refresh", "push"]
KINDS: tuple[Kind, ...] = get_args(Kind)

ALGORITHM = "HS256"
REQUIRED = ["iss", "aud", "sub", "exp", "iat", "jti", "sid"]
MAX_REMEMBERED = 4096
"""Tokens whose signature was checked and is not checked again (24 µs each); about 2 MiB."""

PUSH_LIFE = timedelta(minutes=10)
"""The longest that a call may ring (``calls.ring_timeout_s``)."""


class Claims(msgspec.Struct, frozen=True):
    """What a good token says: who, in which sign-in, until when; ``number`` counts refresh tokens, ``call_id``
    is the one call of a push token."""

    user_id: str
    sign_in_id: str
    token_id: str
    issued_at_s: int
    expires_at_s: int
    number: int = 0
    call_id: str = ""


class Tokens:
    """Issues and checks tokens. ``secret`` signs; ``previous_secret`` is only believed until its tokens run out."""

    def __init__(self, settings: AuthSettings, secret: str, clock: Clock) -> None:
        self._issuer = settings.issuer
        self._leeway_s = settings.leeway_s
        self._clock = clock
        self._keys = {_key_id(key): key for key in (secret, settings.previous_secret) if key}
        self._signing_key_id = _key_id(secret)
        days = timedelta(days=settings.sign_in_ttl_days)
        self.life: dict[Kind, timedelta] = {
            "access": timedelta(seconds=settings.access_token_ttl_s),
            "ws": timedelta(seconds=settings.ws_token_ttl_s),
            "page": days,
            "refresh": days,
            "push": PUSH_LIFE,
        }
        self._remembered: dict[tuple[Kind, str], Claims] = {}

    def issue(self, kind: Kind, user_id: str, sign_in_id: str, number: int = 0, call_id: str = "") -> str:
        """A new token of ``kind``; ``number`` is for refresh tokens, ``call_id`` for push tokens."""
        now = self._clock.now()
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": kind,
            "sub": user_id,
            "sid": sign_in_id,
            "jti": new_id(),
            "iat": _seconds(now),
            "exp": _seconds(now + self.life[kind]),
        }
        if kind == "refresh":
            claims["n"] = number
        if kind == "push":
            claims["call"] = call_id
        key = self._keys[self._signing_key_id]
        return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": self._signing_key_id})

    def check(self, kind: Kind, token: str) -> Claims:
        """What ``token`` says, if it is a good one of ``kind``; raises :class:`TokenExpired` for one that was,
        and :class:`Unauthenticated`, always the same way, for any other."""
        claims = self._remembered.get((kind, token)) or self._read(kind, token)
        if claims.expires_at_s + self._leeway_s <= _seconds(self._clock.now()):
            raise TokenExpired()
        return claims

    def _read(self, kind: Kind, token: str) -> Claims:
        try:
            key = self._keys[str(jwt.get_unverified_header(token)["kid"])]
            said = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=kind,
                issuer=self._issuer,
                # Time is checked below, by our own clock.
                options={"require": REQUIRED, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
            claims = self._claims(kind, said)
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, UnicodeError, RecursionError):
            raise Unauthenticated("The token is not valid") from None
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered.clear()
        if kind == "access":
            self._remembered[kind, token] = claims
        return claims

    def _claims(self, kind: Kind, said: dict[str, Any]) -> Claims:
        issued, expires, number = said["iat"], said["exp"], said.get("n", 0)
        if not (_is_whole(issued) and _is_whole(expires) and _is_whole(number)):
            raise ValueError("not a whole number")
        if not 0 < expires - issued <= self.life[kind].total_seconds() or said["aud"] != kind:
            raise ValueError("lives longer than any that was issued")
        if issued > _seconds(self._clock.now()) + self._leeway_s:
            raise ValueError("from the future")
        call_id = said.get("call", "")
        if not isinstance(call_id, str):
            raise ValueError("not an id")
        ids = (said["sub"], said["sid"], said["jti"])
        if not all(isinstance(each, str) and is_id(each) for each in ids):
            raise ValueError("not an id")
        return Claims(*ids, issued_at_s=issued, expires_at_s=expires, number=number, call_id=call_id)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _seconds(moment: datetime) -> int:
    return math.floor(moment.timestamp())


def _key_id(key: str) -> str:
    """A public name for a secret key: tells keys apart and nothing about them."""
    return hashlib.sha256(b"ringback key id " + key.encode()).hexdigest()[:16]
