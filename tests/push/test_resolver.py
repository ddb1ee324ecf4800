"""Names become addresses that may be connected to, or none."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpclient import HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.testing import bind_unused_port

from server.push.endpoints import TrustedEndpoints
from server.push.resolver import LookUp, RefusedAddress, VettingResolver, look_up

PUBLIC, PRIVATE, LOOPBACK = "8.8.8.8", "10.0.0.1", "127.0.0.1"


def names(*addresses: str) -> LookUp:
    """A name server that knows every name by these addresses."""
    return lambda host, port: [(int(socket.AF_INET), (address, port)) for address in addresses]


def resolver(looking_up: LookUp = look_up, trusted: tuple[str, ...] = ()) -> VettingResolver:
    """One that asks `looking_up`."""
    return VettingResolver(trusted=TrustedEndpoints(trusted), look_up=looking_up)


@pytest.mark.gen_test
async def test_public_addresses_come_out_as_they_are() -> None:
    assert await resolver(names(PUBLIC)).resolve("push.example", 443) == [(socket.AF_INET, (PUBLIC, 443))]


@pytest.mark.gen_test
@pytest.mark.parametrize("addresses", [(PRIVATE,), (LOOPBACK,), (PUBLIC, PRIVATE), (PRIVATE, PUBLIC), ()])
async def test_a_name_with_any_other_address_is_refused(addresses: tuple[str, ...]) -> None:
    with pytest.raises(RefusedAddress) as raised:
        await resolver(names(*addresses)).resolve("push.example", 443)
    assert not any(address in str(raised.value) for address in addresses)


@pytest.mark.gen_test
@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "::1", "localhost", "0"])
async def test_an_address_in_place_of_a_name_is_looked_at_as_well(host: str) -> None:
    with pytest.raises(RefusedAddress):
        await resolver().resolve(host, 443)


@pytest.mark.gen_test
@pytest.mark.parametrize("host", ["no-such-name.invalid", "x" * 64 + ".example"])
async def test_a_name_that_there_is_not_is_an_error_of_the_system(host: str) -> None:
    with pytest.raises(OSError):
        await resolver().resolve(host, 443)


@pytest.mark.gen_test
async def test_a_trusted_place_may_have_any_address() -> None:
    trusting = resolver(names(PRIVATE), ("http://push.lan:9000",))
    assert await trusting.resolve("Push.LAN.", 9000) == [(socket.AF_INET, (PRIVATE, 9000))]
    with pytest.raises(RefusedAddress):
        await trusting.resolve("push.lan", 9001)


@pytest.mark.gen_test
async def test_a_name_that_points_elsewhere_the_second_time_is_not_connected_to() -> None:
    listener, port = bind_unused_port()
    listener.setblocking(False)
    answers = [PUBLIC, LOOPBACK]
    rebinding: Callable[[str, int], list[tuple[int, Any]]] = lambda host, port: names(answers.pop(0))(host, port)  # noqa: E731
    vetting = resolver(rebinding)
    assert await vetting.resolve("push.example", port)  # when the browser subscribed
    client = SimpleAsyncHTTPClient(force_instance=True, resolver=vetting)
    with pytest.raises(RefusedAddress):
        await client.fetch(HTTPRequest(f"https://push.example:{port}/", "POST", body=b""))
    with pytest.raises(BlockingIOError):
        listener.accept()
    client.close()
    listener.close()
