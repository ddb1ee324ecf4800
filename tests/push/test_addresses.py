"""Which addresses are public."""

from __future__ import annotations

import pytest

from server.push.addresses import is_public


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "142.250.185.106",
        "2a00:1450:4001:82a::200a",
        "2002:808:808::1",  # 6to4 of 8.8.8.8
        "64:ff9b::808:808",  # NAT64 of 8.8.8.8
    ],
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",  # the metadata of a cloud's machine
        "100.64.0.1",  # CGNAT
        "192.0.2.1",  # documentation
        "198.18.0.1",  # benchmarks
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd12:3456:789a::1",
        "fec0::1",  # site-local, of old
        "ff02::1",
        "2001:db8::1",
        "2001::1",  # Teredo
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",  # never what a name has; nothing is lost
        "::127.0.0.1",
        "2002:7f00:1::1",  # 6to4 of 127.0.0.1
        "2002:a00:1::1",  # 6to4 of 10.0.0.1
        "64:ff9b::7f00:1",  # NAT64 of 127.0.0.1
        "64:ff9b::a9fe:a9fe",  # NAT64 of 169.254.169.254
        "64:ff9b:1::a00:1",  # NAT64 of a network's own
        "localhost",
        "",
        "1",
    ],
)
def test_any_other_is_not(address: str) -> None:
    assert not is_public(address)
