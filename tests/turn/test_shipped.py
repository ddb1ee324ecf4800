"""`deploy/coturn/turnserver.conf`, as a real coturn understands it."""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

import pytest
from aioice import stun
from aioice.turn import TCP_TRANSPORT

from server.turn.client import TurnClient
from server.turn.credentials import Credentials
from tests.turn.coturn import SECRET, SHIPPED, Coturn, coturn, credentials, stun_binding

ANY_PORT = 40_000

# IANA's registries of special addresses, multicast, and what carries an IPv4 address within IPv6.
SPECIAL_V4 = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
]
SPECIAL_V6 = [
    "::/96",
    "::ffff:0:0/96",
    "::ffff:0:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]
# Where a packet to a special IPv4 address could come out again.
MAPPED = [
    f"::ffff:{host}" for host in ("0.0.0.0", "10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.1.1", "8.8.8.8")
]
TRANSLATED = ["64:ff9b::10.0.0.1", "2002:a00:1::1", "::127.0.0.1", "2001:0:a00:1::1"]

# People are here: just outside of the blocks above.
PUBLIC_V4 = ["1.0.0.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0"]
PUBLIC_V4 += ["169.253.255.255", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "198.20.0.0"]
PUBLIC_V4 += ["203.0.114.0", "223.255.255.255"]
PUBLIC_V6 = ["2001:200::1", "2001:db7::1", "2001:db9::1", "2003::1", "2606:4700::1111", "2a00:1450::1", "3ffe::1"]


def ends(networks: list[str]) -> Iterator[str]:
    """The first, the last and an inner address of each."""
    for network in map(ipaddress.ip_network, networks):
        first, last = int(network.network_address), int(network.broadcast_address)
        yield from (str(type(network.network_address)(number)) for number in (first, (first + last) // 2, last))


@asynccontextmanager
async def allocated(server: Coturn, shown: Credentials | None) -> AsyncIterator[TurnClient]:
    """Somebody with an allocation, who gives it back: kept, it would be in the way of whoever gets the same port."""
    with closing(await server.client(shown)) as client:
        await client.allocate()
        yield client
        await client.release()


async def refusal(server: Coturn, shown: Credentials | None) -> int | None:
    """The error code with which an allocation is refused."""
    with pytest.raises(stun.TransactionFailed) as refused:
        async with allocated(server, shown):
            pass
    return refused.value.response.error_code


async def permission(client: TurnClient, host: str) -> int | None:
    """The error code with which a permission for that host is refused; None if it is given."""
    try:
        await client.permit((host, ANY_PORT))
    except stun.TransactionFailed as refused:
        return refused.response.error_code
    return None


def test_coturn_understands_every_line(shipped: Coturn) -> None:
    said = shipped.log.read_text()
    assert re.findall(r".*(?:bad configuration|unknown|unrecognized|wrong|deprecated).*", said, re.IGNORECASE) == []


def test_there_is_no_secret_in_the_file() -> None:
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if re.match(r"(static-auth-secret|user=|lt-cred-mech|no-auth)", line)] == []


# --- Who is let in


@pytest.mark.gen_test
async def test_credentials_of_ringback_are_taken(shipped: Coturn) -> None:
    with closing(await shipped.client(credentials())) as client:
        assert (await client.allocate()).relayed[0] == shipped.host
        await client.release()


@pytest.mark.gen_test
async def test_without_credentials_nobody_is_let_in(shipped: Coturn) -> None:
    assert await refusal(shipped, None) == 401


@pytest.mark.gen_test
async def test_credentials_of_another_secret_are_refused(shipped: Coturn) -> None:
    assert await refusal(shipped, credentials(secret="another")) == 401


@pytest.mark.gen_test
async def test_credentials_that_have_run_out_are_refused(shipped: Coturn) -> None:
    assert await refusal(shipped, credentials(live_s=-1)) == 401


@pytest.mark.gen_test
async def test_credentials_whose_expiry_was_changed_are_refused(shipped: Coturn) -> None:
    username, password = credentials(live_s=600)
    longer = username.replace(username.partition(":")[0], str(int(username.partition(":")[0]) + 3600))
    assert await refusal(shipped, Credentials(longer, password)) == 401


@pytest.mark.gen_test
async def test_as_long_as_there_is_no_secret_nobody_is_let_in(tmp_path: Path) -> None:
    with coturn(tmp_path, secret=None) as server:
        assert [await refusal(server, credentials(secret=guess)) for guess in ("", SECRET)] == [401, 401]


@pytest.mark.gen_test
async def test_while_a_secret_is_changed_both_are_good(tmp_path: Path) -> None:
    with coturn(tmp_path, "static-auth-secret=the new one") as server:
        for secret in (SECRET, "the new one"):
            async with allocated(server, credentials(secret=secret)):
                pass


@pytest.mark.gen_test
async def test_an_allocation_outlives_its_credentials(shipped: Coturn) -> None:
    shown = credentials(live_s=1)
    async with allocated(shipped, shown) as client:
        while not await is_refused(shipped, shown):  # the clock of coturn cannot be moved
            await asyncio.sleep(0.1)
        assert await client.refresh() == 600


async def is_refused(server: Coturn, shown: Credentials) -> bool:
    """Whether these credentials are no longer good for a new allocation."""
    try:
        async with allocated(server, shown):
            pass
    except stun.TransactionFailed:
        return True
    return False


# --- Where nobody is relayed to


@pytest.mark.gen_test
async def test_no_special_ipv4_address_is_a_peer(shipped: Coturn) -> None:
    async with allocated(shipped, credentials()) as client:
        assert [host for host in ends(SPECIAL_V4) if await permission(client, host) != 403] == []


@pytest.mark.gen_test
async def test_no_special_ipv6_address_is_a_peer(shipped_v6: Coturn) -> None:
    async with allocated(shipped_v6, credentials()) as client:
        assert [host for host in ends(SPECIAL_V6) if await permission(client, host) != 403] == []


@pytest.mark.gen_test
async def test_no_ipv4_address_in_the_dress_of_ipv6_is_a_peer(shipped_v6: Coturn) -> None:
    async with allocated(shipped_v6, credentials()) as client:
        assert [host for host in MAPPED + TRANSLATED if await permission(client, host) != 403] == []


@pytest.mark.gen_test
async def test_ipv4_addresses_of_people_are_peers(shipped: Coturn) -> None:
    async with allocated(shipped, credentials()) as client:
        assert [host for host in PUBLIC_V4 if await permission(client, host) is not None] == []


@pytest.mark.gen_test
async def test_ipv6_addresses_of_people_are_peers(shipped_v6: Coturn) -> None:
    async with allocated(shipped_v6, credentials()) as client:
        assert [host for host in PUBLIC_V6 if await permission(client, host) is not None] == []


@pytest.mark.gen_test
async def test_a_channel_is_no_way_around_it(shipped: Coturn) -> None:
    async with allocated(shipped, credentials()) as client:
        with pytest.raises(stun.TransactionFailed, match="403"):
            await client.send(b"hello", ("169.254.169.254", 80))


@pytest.mark.gen_test
async def test_there_is_no_relay_by_tcp(shipped: Coturn) -> None:
    with closing(await shipped.client(credentials())) as client, pytest.raises(stun.TransactionFailed, match="442"):
        await client._ask(stun.Method.ALLOCATE, {"REQUESTED-TRANSPORT": TCP_TRANSPORT})


# --- How much of it


@pytest.mark.gen_test
async def test_what_one_person_may_hold_is_limited_for_them_alone(shipped: Coturn) -> None:
    quota = int(re.findall(r"^user-quota=(\d+)$", SHIPPED.read_text(encoding="utf-8"), re.MULTILINE)[0])
    async with AsyncExitStack() as open_ones:
        for _ in range(quota):
            await open_ones.enter_async_context(allocated(shipped, credentials("greedy")))
        assert await refusal(shipped, credentials("greedy")) == 486
        await open_ones.enter_async_context(allocated(shipped, credentials("modest")))


@pytest.mark.gen_test
async def test_newer_credentials_of_the_same_person_get_around_no_limit(tmp_path: Path) -> None:
    newer = credentials("greedy", live_s=700)
    with coturn(tmp_path, "user-quota=1") as server:
        async with allocated(server, credentials("greedy")):
            assert await refusal(server, newer) == 486


@pytest.mark.gen_test
async def test_what_all_may_hold_is_limited(tmp_path: Path) -> None:
    with coturn(tmp_path, "total-quota=1") as server:
        async with allocated(server, credentials("alice")):
            assert await refusal(server, credentials("bob")) == 486


# --- What it tells


def test_a_binding_tells_the_address_and_no_more(shipped: Coturn) -> None:
    answer = stun_binding(shipped.host, shipped.port)
    assert answer.attributes.keys() == {"XOR-MAPPED-ADDRESS", "FINGERPRINT"}


@pytest.mark.gen_test
async def test_a_refusal_does_not_tell_what_software_it_is(shipped: Coturn) -> None:
    with closing(await shipped.client(None)) as client:
        with pytest.raises(stun.TransactionFailed) as refused:
            await client.allocate()
        assert "SOFTWARE" not in refused.value.response.attributes
