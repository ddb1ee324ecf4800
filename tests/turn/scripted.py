"""A TURN server that answers as a test lays out: for what no coturn can be made to do.

It asks for credentials like any other, and gives addresses out, but relays nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aioice import stun
from aioice.turn import make_integrity_key

from server.turn.credentials import turn_password
from tests.turn.coturn import LOOPBACK, SECRET

REALM, NONCE = "scripted", b"once"
SUCCESS: dict[stun.Method, dict[str, Any]] = {
    stun.Method.BINDING: {"XOR-MAPPED-ADDRESS": (LOOPBACK, 40_000)},
    stun.Method.ALLOCATE: {
        "XOR-RELAYED-ADDRESS": (LOOPBACK, 9),  # where nobody is
        "XOR-MAPPED-ADDRESS": (LOOPBACK, 40_000),
        "LIFETIME": 600,
    },
    stun.Method.REFRESH: {"LIFETIME": 600},
    stun.Method.CREATE_PERMISSION: {},
    stun.Method.CHANNEL_BIND: {},
}


class Refuses(NamedTuple):
    """An answer with an error code; ``challenge`` is what a 401 says of realm and nonce."""

    code: int
    challenge: Mapping[str, Any] = {}


Script = Mapping[stun.Method, Refuses | dict[str, Any]]
CHALLENGE = Refuses(401, {"REALM": REALM, "NONCE": NONCE})


class _Scripted(asyncio.DatagramProtocol):
    def __init__(self, script: Script, stranger: Refuses) -> None:
        self._script = script
        self._stranger = stranger
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        if data[0] & 0xC0:  # a packet to be relayed
            return
        request = stun.parse_message(data)
        username = request.attributes.get("USERNAME", "")
        key = make_integrity_key(username, REALM, turn_password(SECRET, username))
        known = request.message_method == stun.Method.BINDING or request.check_message_integrity(key)
        wanted = self._script.get(request.message_method, SUCCESS[request.message_method])
        answer = _answer(request, wanted if known else self._stranger)
        if known:
            answer.add_message_integrity(key)
        self._transport.sendto(bytes(answer), addr)


def _answer(request: stun.Message, wanted: Refuses | dict[str, Any]) -> stun.Message:
    refused = isinstance(wanted, Refuses)
    attributes = (
        {"ERROR-CODE": (wanted.code, "so it is"), **wanted.challenge} if isinstance(wanted, Refuses) else wanted
    )
    kind = stun.Class.ERROR if refused else stun.Class.RESPONSE
    return stun.Message(request.message_method, kind, request.transaction_id, dict(attributes))


@asynccontextmanager
async def scripted(script: Script | None = None, stranger: Refuses = CHALLENGE) -> AsyncIterator[str]:
    """One that listens; gives its address. ``stranger`` is how it meets whoever shows no good credentials."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Scripted(script or {}, stranger), (LOOPBACK, 0))
    try:
        yield f"turn:{LOOPBACK}:{transport.get_extra_info('sockname')[1]}"
    finally:
        transport.close()
