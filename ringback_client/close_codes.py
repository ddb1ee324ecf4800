"""The close codes of a Ringback socket and what a client does after each.

The registry is that of the wire contract. A code that is not in it is decided by its range, so that a client built
today does the right thing with a code invented tomorrow: 4000-4499 come back, 4500-4999 do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What a client does after a close. The words are those of the `bye` frame."""

    RESUME = "resume"  # connect again and ask for the frames missed meanwhile
    RECONNECT = "reconnect"  # connect again and start from the new snapshot
    STOP = "stop"  # stay away and tell the person


@dataclass(frozen=True, slots=True)
class CloseCode:
    """One code, or what a range says about a code that nobody has named.

    Attributes:
        code: the number in the close frame.
        name: its snake_case name.
        action: what to do next.
        sentence: the same for a person.
        at_once: False where the server is in trouble or has asked for patience, so that even the first attempt waits.
    """

    code: int
    name: str
    action: Action
    sentence: str
    at_once: bool = True


_RESUME, _RECONNECT, _STOP = Action.RESUME, Action.RECONNECT, Action.STOP

CLOSE_CODES: dict[int, CloseCode] = {
    entry.code: entry
    for entry in (
        CloseCode(1000, "normal", _STOP, "This is over."),
        CloseCode(1001, "going_away", _RESUME, "The other side went away for a moment."),
        CloseCode(1002, "protocol_error", _STOP, "The connection was garbled."),
        CloseCode(1003, "unsupported_data", _STOP, "The server takes text only."),
        CloseCode(1007, "invalid_text", _STOP, "A message was not text."),
        CloseCode(1009, "too_big", _STOP, "A message was larger than the server takes."),
        CloseCode(1011, "internal_error", _RECONNECT, "The server made a mistake.", at_once=False),
        CloseCode(4001, "draining", _RESUME, "This server is being restarted."),
        CloseCode(4003, "token_expired", _RESUME, "The sign-in has to be renewed."),
        CloseCode(4004, "slow_consumer", _RESUME, "This connection was too slow for what it had to carry."),
        CloseCode(4005, "heartbeat_missed", _RESUME, "Nothing was heard from this device for too long."),
        CloseCode(4006, "state_lost", _RECONNECT, "The server no longer knows this connection."),
        CloseCode(4008, "rate_limited", _RESUME, "Too much was sent in a short time.", at_once=False),
        CloseCode(4009, "unavailable", _RECONNECT, "A part of the server is away.", at_once=False),
        CloseCode(4500, "auth_timeout", _STOP, "No credentials were given in time."),
        CloseCode(4501, "unauthenticated", _STOP, "Please sign in again."),
        CloseCode(4503, "bad_messages", _STOP, "The server did not understand this program."),
        CloseCode(4504, "replaced", _STOP, "This was opened somewhere else."),
        CloseCode(4505, "too_many_connections", _STOP, "Too many connections are open for this person."),
        CloseCode(4506, "signed_out", _STOP, "You have been signed out."),
        CloseCode(4507, "forbidden", _STOP, "This belongs to somebody else."),
        CloseCode(4508, "ended", _STOP, "The call is over."),
        CloseCode(4509, "not_found", _STOP, "There is no such call."),
        CloseCode(4510, "no_such_endpoint", _STOP, "This address does not exist on the server."),
    )
}


def lookup(code: int) -> CloseCode:
    """What `code` means. Never fails: an unknown code is decided by its range.

    Outside 4500-4999 that is to come back: 1005 and 1006 are the network, 1012-1014 a proxy.
    """
    known = CLOSE_CODES.get(code)
    if known is not None:
        return known
    if 4500 <= code <= 4999:
        return CloseCode(code, "unknown", _STOP, "The server ended this connection for good.")
    if 4000 <= code <= 4499:
        return CloseCode(code, "unknown", _RESUME, "The server ended this connection for now.")
    return CloseCode(code, "connection_lost", _RESUME, "The connection was lost.")
