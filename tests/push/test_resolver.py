"""Names become addresses that may be connected to, or none."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpclient import HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.testing import bind_unused_port

from server.clock import Clock, SystemClock
from server.push.endpoints import TrustedEndpoints
from server.push.resolver import FAILURE_KEPT_S, KEPT_S, THREADS, LookUp, RefusedAddress, VettingResolver, look_up
from tests.running import MovableClock

PUBLIC, PRIVATE, LOOPBACK = "8.8.8.8", "10.0.0.1", "127.0.0.1"


def names(*addresses: str) -> LookUp:
    """A name server that knows every name by these addresses."""
    return lambda host, port: [(int(socket.AF_INET), (address, port)) for address in addresses]


def resolver(
    looking_up: LookUp = look_up, trusted: tuple[str, ...] = (), clock: Clock | None = None
) -> VettingResolver:
    """One that asks `looking_up`."""
    now_s = (clock or SystemClock()).monotonic
    return VettingResolver(trusted=TrustedEndpoints(trusted), look_up=looking_up, now_s=now_s)


class NameServer:
    """Knows every name by a public address, but says nothing of "silent" ones until it is `awake`."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.awake = threading.Event()

    def __call__(self, host: str, port: int) -> list[tuple[int, Any]]:
        self.asked.append(host)
        if host.startswith("silent"):
            self.awake.wait()
            raise OSError("nobody answers")
        return names(PUBLIC)(host, port)


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
    clock = MovableClock()
    vetting = resolver(rebinding, clock=clock)
    assert await vetting.resolve("push.example", port)  # when the browser subscribed
    clock.move(KEPT_S)
    client = SimpleAsyncHTTPClient(force_instance=True, resolver=vetting)
    with pytest.raises(RefusedAddress):
        await client.fetch(HTTPRequest(f"https://push.example:{port}/", "POST", body=b""))
    with pytest.raises(BlockingIOError):
        listener.accept()
    client.close()
    listener.close()


@pytest.mark.gen_test
async def test_a_name_server_that_is_silent_holds_up_no_name_that_is_known() -> None:
    server = NameServer()
    vetting = resolver(server)
    known = await vetting.resolve("push.example", 443)
    waiting = [asyncio.ensure_future(vetting.resolve(f"silent{number}", 443)) for number in range(2 * THREADS)]
    await asyncio.sleep(0)
    assert await vetting.resolve("PUSH.example.", 443) == known
    server.awake.set()
    assert {type(each) for each in await asyncio.gather(*waiting, return_exceptions=True)} == {OSError}


@pytest.mark.gen_test
async def test_names_that_are_only_checked_hold_up_nothing_that_is_sent() -> None:
    server = NameServer()
    vetting = resolver(server)
    waiting = [asyncio.ensure_future(vetting.check(f"silent{number}", 443)) for number in range(2 * THREADS)]
    checking = asyncio.ensure_future(vetting.check("push.example", 443))
    await asyncio.sleep(0)
    assert await vetting.resolve("push.example", 443)
    assert not checking.done()
    server.awake.set()
    await asyncio.gather(*waiting, checking, return_exceptions=True)


@pytest.mark.gen_test
async def test_a_name_is_looked_up_once_for_all_who_ask_and_again_after_five_minutes() -> None:
    server, clock = NameServer(), MovableClock()
    vetting = resolver(server, clock=clock)
    await asyncio.gather(*(vetting.resolve("push.example", 443) for _ in range(5)))
    await vetting.resolve("push.example", 443)
    assert server.asked == ["push.example"]
    clock.move(KEPT_S)
    await vetting.resolve("push.example", 443)
    assert server.asked == ["push.example"] * 2


@pytest.mark.gen_test
async def test_whoever_waits_no_longer_for_a_name_takes_it_from_nobody_else() -> None:
    server = NameServer()
    vetting = resolver(server)
    impatient, patient = (asyncio.ensure_future(vetting.resolve("silent", 443)) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    server.awake.set()
    with pytest.raises(OSError, match="no address"):
        await patient
    assert server.asked == ["silent"]


@pytest.mark.gen_test
@pytest.mark.parametrize(("moved_s", "asked"), [(FAILURE_KEPT_S - 1, 1), (FAILURE_KEPT_S, 2)])
async def test_a_failure_is_remembered_for_half_a_minute(moved_s: float, asked: int) -> None:
    server, clock = NameServer(), MovableClock()
    server.awake.set()
    vetting = resolver(server, clock=clock)
    for pause_s in (moved_s, 0.0):
        with pytest.raises(OSError, match="no address"):
            await vetting.resolve("silent", 443)
        clock.move(pause_s)
    assert len(server.asked) == asked
