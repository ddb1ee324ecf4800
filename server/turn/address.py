"""The addresses of STUN and TURN servers (RFC 7064, RFC 7065), as they stand in ``ice.stun_urls`` and ``turn_urls``."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

Transport = Literal["udp", "tcp", "tls", "dtls"]

PATTERN = re.compile(
    r"(?P<scheme>stuns?|turns?):(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\]\s/?]+)(:(?P<port>\d{1,5}))?"
    r"(\?transport=(?P<transport>udp|tcp))?"
)
PLAIN_PORT, TLS_PORT = 3478, 5349
MAX_PORT = 65_535


class ServerAddress(msgspec.Struct, frozen=True):
    """Where a STUN or TURN server is, and how it is spoken to; ``host`` is a name or an IP without brackets."""

    host: str
    port: int
    transport: Transport


def parse(url: str) -> ServerAddress:
    """The address in ``url``; raises ValueError for what is none."""
    found = PATTERN.fullmatch(url)
    port = int(found["port"]) if found and found["port"] else None
    if found is None or (port is not None and not 0 < port <= MAX_PORT):
        raise ValueError(f"{url} is no stun:, stuns:, turn: or turns: with a host and perhaps a port")
    secure = found["scheme"].endswith("s")
    return ServerAddress(
        host=found["host"].strip("[]"),
        port=port or (TLS_PORT if secure else PLAIN_PORT),
        transport=_transport(secure, found["transport"]),
    )


def _transport(secure: bool, asked: str | None) -> Transport:
    if secure:  # RFC 7065: TLS where nothing else is asked for
        return "dtls" if asked == "udp" else "tls"
    return "tcp" if asked == "tcp" else "udp"
