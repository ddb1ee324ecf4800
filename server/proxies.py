"""Whose word about a client's address is believed: only that of the reverse proxies that the configuration names."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from tornado.httputil import HTTPServerRequest

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Proxies:
    """The trusted proxies, as addresses or networks (CIDR)."""

    def __init__(self, names: Iterable[str]) -> None:
        self._networks: list[Network] = [ipaddress.ip_network(name, strict=False) for name in names]

    def apply(self, request: HTTPServerRequest) -> None:
        """Puts the client's own address and scheme into ``request`` if a trusted proxy brought it."""
        if not self._networks or not self._trusts(request.remote_ip or ""):
            return
        # From the right: what our own proxies added is true, what stands left of the first stranger anybody may write.
        for address in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
            address = address.strip()
            if not _is_address(address):
                break
            request.remote_ip = address
            if not self._trusts(address):
                break
        scheme = request.headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower()
        if scheme in ("http", "https"):
            request.protocol = scheme

    def _trusts(self, address: str) -> bool:
        return _is_address(address) and any(ipaddress.ip_address(address) in network for network in self._networks)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
