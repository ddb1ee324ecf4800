"""Where a server is: the address a person gives, turned into the addresses of requests and sockets."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

API_PREFIX = "/api/v1"


def api_url(base_url: str) -> str:
    """`https://calls.example` → `https://calls.example/api/v1`. A path in the address (a proxy's) is kept.

    Raises ValueError unless the address is an http or https one with a host and without a user name or password in it.
    """
    parts = urlsplit(base_url)
    if parts.username is not None or parts.password is not None:
        raise ValueError("a server's address has no user name or password in it")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(f"a server's address is http://host or https://host, not {base_url!r}")
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + API_PREFIX, "", ""))


def socket_url(base_url: str, path: str) -> str:
    """`https://calls.example`, `/ws/user` → `wss://calls.example/api/v1/ws/user`."""
    scheme, rest = api_url(base_url).split(":", 1)
    return ("wss:" if scheme == "https" else "ws:") + rest + path
