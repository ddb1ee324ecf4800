"""The registry of close codes, and the rule who comes back.

Application codes lie in 4000–4999 (RFC 6455 §7.4.2). 4000–4499 mean «come back», 4500–4999 «do not», so that a client
decides rightly on a code that it has never seen. What answers a single request without ending the connection is
another catalogue: :mod:`server.errors`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

import msgspec

Action = Literal["resume", "reconnect", "stop"]


class CloseCode(IntEnum):
    """Every code that Ringback sends or expects."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    INVALID_TEXT = 1007
    TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    DRAINING = 4001
    TOKEN_EXPIRED = 4003
    SLOW_CONSUMER = 4004
    HEARTBEAT_MISSED = 4005
    STATE_LOST = 4006
    RATE_LIMITED = 4008
    UNAVAILABLE = 4009
    AUTH_TIMEOUT = 4500
    UNAUTHENTICATED = 4501
    BAD_MESSAGES = 4503
    REPLACED = 4504
    TOO_MANY_CONNECTIONS = 4505
    SIGNED_OUT = 4506
    FORBIDDEN = 4507
    ENDED = 4508
    NOT_FOUND = 4509
    NO_SUCH_ENDPOINT = 4510


class CloseRule(msgspec.Struct, frozen=True):
    """What a code means: ``action`` for the client, ``session_kept`` on the server, ``message`` for the person."""

    action: Action
    session_kept: bool
    message: str
    retry_after_ms: int = 0


REGISTRY: dict[CloseCode, CloseRule] = {
    CloseCode.NORMAL: CloseRule("stop", False, "Done."),
    CloseCode.GOING_AWAY: CloseRule("resume", True, "The page was left."),
    CloseCode.PROTOCOL_ERROR: CloseRule("stop", False, "The client broke the WebSocket protocol."),
    CloseCode.UNSUPPORTED_DATA: CloseRule("stop", False, "This server takes text frames only."),
    CloseCode.INVALID_TEXT: CloseRule("stop", False, "A text frame was not UTF-8."),
    CloseCode.TOO_BIG: CloseRule("stop", False, "A frame was larger than the limit."),
    CloseCode.INTERNAL_ERROR: CloseRule("reconnect", False, "The server failed.", 1_000),
    CloseCode.DRAINING: CloseRule("resume", True, "This server is restarting."),
    CloseCode.TOKEN_EXPIRED: CloseRule("resume", True, "The token has expired; fetch a new one."),
    CloseCode.SLOW_CONSUMER: CloseRule("resume", True, "The connection is too slow for what it receives.", 1_000),
    CloseCode.HEARTBEAT_MISSED: CloseRule("resume", True, "Nothing was heard for too long."),
    CloseCode.STATE_LOST: CloseRule("reconnect", False, "The server no longer knows this connection."),
    CloseCode.RATE_LIMITED: CloseRule("resume", True, "Too many frames in a short time.", 5_000),
    CloseCode.UNAVAILABLE: CloseRule("reconnect", False, "The database is away.", 2_000),
    CloseCode.AUTH_TIMEOUT: CloseRule("stop", False, "No credentials came in time."),
    CloseCode.UNAUTHENTICATED: CloseRule("stop", False, "The token is not valid; sign in again."),
    CloseCode.BAD_MESSAGES: CloseRule("stop", False, "Too many frames could not be understood."),
    CloseCode.REPLACED: CloseRule("stop", False, "A newer connection took this one over."),
    CloseCode.TOO_MANY_CONNECTIONS: CloseRule("stop", False, "Too many connections for one person."),
    CloseCode.SIGNED_OUT: CloseRule("stop", False, "This sign-in has ended."),
    CloseCode.FORBIDDEN: CloseRule("stop", False, "This is not yours."),
    CloseCode.ENDED: CloseRule("stop", False, "It is over."),
    CloseCode.NOT_FOUND: CloseRule("stop", False, "There is no such thing."),
    CloseCode.NO_SUCH_ENDPOINT: CloseRule("stop", False, "There is no socket at this address."),
}


def comes_back(code: int) -> bool:
    """Whether a client that was closed with ``code`` should connect again, also for codes not in the registry."""
    if code in REGISTRY:
        return REGISTRY[CloseCode(code)].action != "stop"
    return not 4500 <= code <= 4999
