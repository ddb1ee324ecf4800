"""Endpoints: the addresses that browsers give to be pushed to, and which of them are taken."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from server.errors import BadRequest
from server.languages.sentences import N_

MAX_ENDPOINT_CHARACTERS = 2048
"""Push services of browsers use a few hundred."""
DEFAULT_PORTS = {"http": 80, "https": 443}

RULE = N_("an https address without user, password, port and fragment, whose host has public addresses only")


class Endpoint(NamedTuple):
    """Where a push message goes: ``origin`` is scheme://host[:port], which the VAPID key vouches for (RFC 8292)."""

    url: str
    origin: str
    host: str
    port: int


class TrustedEndpoints:
    """The origins of ``push.trusted_endpoints``: push services of one's own, whose addresses may be private."""

    def __init__(self, origins: Iterable[str]) -> None:
        self._origins = {_normal(origin) for origin in origins}
        self.places = frozenset((host, port) for _, host, port in self._origins)

    def __contains__(self, url: str) -> bool:
        return _normal(url) in self._origins


def read_endpoint(url: str, trusted: TrustedEndpoints) -> Endpoint:
    """The endpoint that ``url`` is; raises :class:`BadRequest` that names ``endpoint`` if it is none to push to.

    Its host is not looked up here: see :class:`~server.push.resolver.VettingResolver`.
    """
    try:
        scheme, host, port = _normal(url)
    except ValueError:
        raise refused() from None
    if url not in trusted and (scheme != "https" or port != DEFAULT_PORTS["https"]):
        raise refused()
    shown_host = f"[{host}]" if ":" in host else host
    shown_port = "" if port == DEFAULT_PORTS[scheme] else f":{port}"
    return Endpoint(url, f"{scheme}://{shown_host}{shown_port}", host, port)


def refused() -> BadRequest:
    """The refusal of an endpoint: the same for every rule, so that nobody explores the server's network with it."""
    return BadRequest.of("endpoint", RULE)


def _normal(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of ``url``; raises ValueError unless it is an address as browsers give it."""
    plain = url.isascii() and url.isprintable() and not any(character in url for character in " \\@#")
    if not plain or len(url) > MAX_ENDPOINT_CHARACTERS:
        raise ValueError("not an address")
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ValueError("not an address")
    port = DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    return parts.scheme, parts.hostname.rstrip("."), port
