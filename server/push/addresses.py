"""Which addresses of the internet a push message may be sent to: only those that anybody could reach anyway.

An endpoint is given by a browser, so by anybody who is signed in. Without this, they could let the server knock at
what only the server can reach (server-side request forgery).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

GLOBAL_UNICAST = IPv6Network("2000::/3")
"""What IANA has given out of IPv6 for addresses of single machines (RFC 4291 §2.4)."""
NAT64 = IPv6Network("64:ff9b::/96")
"""Where the last 32 bits are the IPv4 address that is meant (RFC 6052): all of IPv4, seen from a network without it."""


def is_public(address: str) -> bool:
    """Whether ``address`` (IPv4 or IPv6, with a zone or without) is one that everybody reaches the same machine by.

    False for loopback, private, link-local, shared (CGNAT), multicast, reserved and documentation addresses, for
    IPv6 that stands for such an IPv4 address (mapped, 6to4, NAT64), for Teredo, and for what is no address.
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return _is_public_v4(parsed) if isinstance(parsed, IPv4Address) else _is_public_v6(parsed)


def _is_public_v4(address: IPv4Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved


def _is_public_v6(address: IPv6Address) -> bool:
    if address in NAT64:
        return _is_public_v4(IPv4Address(int(address) & 0xFFFF_FFFF))
    if address.sixtofour is not None:
        return _is_public_v4(address.sixtofour)
    # IPv4-mapped addresses (::ffff:0:0/96) are outside of this, and so is everything local.
    return address in GLOBAL_UNICAST and address.is_global and address.teredo is None
