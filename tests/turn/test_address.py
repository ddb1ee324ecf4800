"""Addresses of STUN and TURN servers (RFC 7064, RFC 7065)."""

from __future__ import annotations

import pytest

from server.turn.address import ServerAddress, parse


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("turn:turn.example.org", ServerAddress("turn.example.org", 3478, "udp")),
        ("turn:turn.example.org:80?transport=tcp", ServerAddress("turn.example.org", 80, "tcp")),
        ("turn:192.0.2.1:3478?transport=udp", ServerAddress("192.0.2.1", 3478, "udp")),
        ("turns:turn.example.org", ServerAddress("turn.example.org", 5349, "tls")),
        ("turns:turn.example.org:443?transport=tcp", ServerAddress("turn.example.org", 443, "tls")),
        ("turns:turn.example.org?transport=udp", ServerAddress("turn.example.org", 5349, "dtls")),
        ("turn:[2001:db8::1]:3478", ServerAddress("2001:db8::1", 3478, "udp")),
        ("stun:stun.example.org", ServerAddress("stun.example.org", 3478, "udp")),
        ("stuns:stun.example.org", ServerAddress("stun.example.org", 5349, "tls")),
    ],
)
def test_an_address_is_read_with_its_defaults(url: str, address: ServerAddress) -> None:
    assert parse(url) == address


@pytest.mark.parametrize(
    "url", ["", "turn:", "http://host", "turn:host:port", "turn:host:0", "turn:host:65536", "turn:host?transport=sctp"]
)
def test_what_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is no stun:"):
        parse(url)
