"""Which hosts this server answers to, and whose pages may open sockets and change state.

Tornado compares an ``Origin`` with the ``Host`` that came with it, so a page whose name was rebound to this machine's
address passes its check. Here both are held against lists.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from server.settings import ServerSettings

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
WILDCARDS = frozenset({"0.0.0.0", "::"})
"""Addresses that mean every interface; nobody can put them into an address bar to any use."""


class Origins:
    """The allow-lists of one server. ``port`` is the one really listened on."""

    def __init__(self, settings: ServerSettings, port: int) -> None:
        self.public_url = settings.public_url
        names = {name.lower() for name in settings.allowed_hosts} or _own_names(settings)
        self._names = names
        origins = settings.allowed_origins or _own_origins(settings, names, port)
        self._origins = {_normal(origin) for origin in origins}

    def allows_host(self, host: str) -> bool:
        """Whether a ``Host`` header (``name`` or ``name:port``) is one of ours."""
        return _name_of(host) in self._names

    def allows_origin(self, origin: str) -> bool:
        """Whether a page of ``origin`` (``scheme://host[:port]``) is one of ours."""
        return _normal(origin) in self._origins

    def origins(self) -> list[str]:
        """The allowed origins, for the message to an operator."""
        return sorted(self._origins)


def _own_names(settings: ServerSettings) -> set[str]:
    names = set(LOOPBACK_NAMES)
    if settings.host not in WILDCARDS:
        names.add(settings.host.lower())
    if settings.public_url:
        names.add((urlsplit(settings.public_url).hostname or "").lower())
    return names


def _own_origins(settings: ServerSettings, names: Iterable[str], port: int) -> set[str]:
    origins = {f"http://{f'[{name}]' if ':' in name else name}:{port}" for name in names}
    if settings.public_url:
        origins.add(settings.public_url)
    return origins


def _normal(origin: str) -> str:
    """An origin as browsers write it: lower-case, without the port that its scheme has anyway (RFC 6454 §6.2)."""
    origin = origin.lower()
    return origin.removesuffix(":443" if origin.startswith("https:") else ":80")


def _name_of(host: str) -> str:
    """``name`` of ``name:port``, lower-case, an IPv6 address without brackets; empty for what is no host."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
