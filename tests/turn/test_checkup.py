"""The check-up of a server: its verdict is what really happened, and each fault has a sentence of its own."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aioice import stun

from server.clock import Clock, SystemClock
from server.turn.address import ServerAddress
from server.turn.checkup import Checkup
from server.turn.client import Allocation
from server.turn.faults import FAULTS, Trouble
from server.turn.pair import Pair
from server.turn.report import Report, Step
from server.turn.target import Target
from tests.clock import ManualClock
from tests.turn.certificates import Certificate, certificate_for
from tests.turn.coturn import LOOPBACK, REACHES_LOOPBACK, SECRET, Coturn, coturn, free_port
from tests.turn.scripted import Refuses, scripted

SYSTEM = SystemClock()
SOON_S = 0.4  # what is silent here, stays silent
STEPS = [
    "name",
    "no credentials",
    "another secret",
    "credentials",
    "address of the relay",
    "permission",
    "through the relay and back",
    "ports of the relay",
    "renewal",
    "release",
]


async def check(
    url: str,
    secret: str = SECRET,
    *,
    clock: Clock = SYSTEM,
    timeout_s: float = 5,
    tls: ssl.SSLContext | None = None,
) -> Report:
    """The report on a TURN server."""
    return await Checkup(url, secret, clock=clock, timeout_s=timeout_s, tls=tls).turn()


def faults(report: Report) -> dict[str, str | None]:
    """The steps that failed, and why."""
    assert report.passed == all(step.state != "failed" for step in report.steps)
    return {step.name: step.fault for step in report.steps if step.state == "failed"}


def step(report: Report, name: str) -> Step:
    """The step of that name."""
    return next(step for step in report.steps if step.name == name)


@asynccontextmanager
async def listening(*, closes: bool) -> AsyncIterator[int]:
    """The port of something that takes connections by TCP, and closes them or says nothing."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 if closes else -1)
        writer.close()

    server = await asyncio.start_server(serve, LOOPBACK, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


# --- A server that works


@pytest.mark.gen_test
async def test_a_good_server_passes_every_step(relay: Coturn) -> None:
    report = await check(relay.url)
    assert report.passed
    assert [(step.name, step.state) for step in report.steps] == [(name, "ok") for name in STEPS]


@pytest.mark.gen_test
async def test_so_it_does_by_tcp(relay: Coturn) -> None:
    assert (await check(f"turn:{relay.host}:{relay.port}?transport=tcp")).passed


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    """A certificate for loopback."""
    return certificate_for(LOOPBACK, tmp_path)


@pytest.mark.gen_test
async def test_so_it_does_by_tls(tmp_path: Path, certificate: Certificate) -> None:
    lines = (f"cert={certificate.cert}", f"pkey={certificate.key}", *REACHES_LOOPBACK)
    trusting = ssl.create_default_context(cafile=str(certificate.cert))
    with coturn(tmp_path, *lines) as server:
        assert (await check(f"turns:{server.host}:{server.tls_port}", tls=trusting)).passed


@pytest.mark.gen_test
async def test_a_packet_comes_back_and_its_time_is_told(relay: Coturn) -> None:
    seen = step(await check(relay.url), "through the relay and back").seen
    assert re.fullmatch(r"32 bytes unharmed, there and back in \d+\.\d ms", seen)


@pytest.mark.gen_test
async def test_each_step_is_told_as_it_is_done(relay: Coturn) -> None:
    told: list[Step] = []
    report = await Checkup(relay.url, SECRET, clock=SYSTEM, timeout_s=5, on_step=told.append).turn()
    assert told == report.steps


@pytest.mark.gen_test
async def test_it_takes_nothing_from_others(tmp_path: Path) -> None:
    with coturn(tmp_path, "user-quota=2", *REACHES_LOOPBACK) as server:
        assert (await check(server.url)).passed
        async with asyncio.timeout(10):  # what is given back is free after a second, and otherwise after ten minutes
            while not (await check(server.url)).passed:
                await asyncio.sleep(0.2)


@pytest.mark.gen_test
async def test_a_stun_server_tells_our_address(shipped: Coturn) -> None:
    report = await Checkup(f"stun:{shipped.host}:{shipped.port}", clock=SYSTEM, timeout_s=5).stun()
    assert report.passed
    assert re.fullmatch(r"we are seen as 127\.0\.0\.1:\d+", step(report, "own address").seen)


# --- Faults in getting there


@pytest.mark.gen_test
async def test_an_address_that_is_none(relay: Coturn) -> None:
    assert faults(await check("turn:host:port")) == {"name": "bad_address"}


@pytest.mark.gen_test
async def test_dtls() -> None:
    assert faults(await check("turns:127.0.0.1?transport=udp")) == {"name": "dtls"}


@pytest.mark.gen_test
async def test_a_name_that_leads_nowhere() -> None:
    assert faults(await check("turn:nowhere.invalid")) == {"name": "unknown_host"}


@pytest.mark.gen_test
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_port_where_nobody_listens(transport: str) -> None:
    report = await check(f"turn:{LOOPBACK}:{free_port()}?transport={transport}", timeout_s=SOON_S)
    assert faults(report) == {"no credentials": "refused"}


@pytest.mark.gen_test
async def test_a_port_from_which_nothing_comes(tmp_path: Path) -> None:
    async with silent() as port:
        assert faults(await check(f"turn:{LOOPBACK}:{port}", timeout_s=SOON_S)) == {"no credentials": "no_answer"}


@asynccontextmanager
async def silent() -> AsyncIterator[int]:
    """The UDP port of somebody who never answers, as behind a firewall."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=(LOOPBACK, 0)
    )
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


@pytest.mark.gen_test
async def test_a_host_to_which_there_is_no_way() -> None:
    assert faults(await check("turn:255.255.255.255?transport=tcp")) == {"no credentials": "unreachable"}


@pytest.mark.gen_test
async def test_something_else_that_listens() -> None:
    async with listening(closes=False) as port:
        report = await check(f"turn:{LOOPBACK}:{port}?transport=tcp", timeout_s=SOON_S)
    assert faults(report) == {"no credentials": "not_turn"}


@pytest.mark.gen_test
async def test_a_connection_that_is_closed() -> None:
    async with listening(closes=True) as port:
        report = await check(f"turn:{LOOPBACK}:{port}?transport=tcp", timeout_s=SOON_S)
    assert faults(report) == {"no credentials": "cut_off"}


@pytest.mark.gen_test
async def test_a_certificate_that_nobody_vouches_for(tmp_path: Path, certificate: Certificate) -> None:
    with coturn(tmp_path, f"cert={certificate.cert}", f"pkey={certificate.key}") as server:
        report = await check(f"turns:{server.host}:{server.tls_port}")
    assert faults(report) == {"no credentials": "bad_certificate"}


@pytest.mark.gen_test
async def test_a_port_without_tls(relay: Coturn) -> None:
    report = await check(f"turns:{relay.host}:{relay.port}", timeout_s=SOON_S)
    assert faults(report) == {"no credentials": "no_tls"}


@pytest.mark.gen_test
async def test_a_port_that_hangs_up_on_tls() -> None:
    async with listening(closes=True) as port:
        report = await check(f"turns:{LOOPBACK}:{port}", timeout_s=SOON_S)
    assert faults(report) == {"no credentials": "no_tls"}


# --- Faults in who is let in


@pytest.mark.gen_test
async def test_a_server_that_lets_anybody_in_is_a_fault_though_it_relays(tmp_path: Path) -> None:
    with coturn(tmp_path, "no-auth", *REACHES_LOOPBACK, secret=None, without="use-auth-secret") as server:
        report = await check(server.url)
    assert faults(report) == {"no credentials": "open_relay", "another secret": "any_secret"}
    assert step(report, "through the relay and back").state == "ok"


@pytest.mark.gen_test
async def test_another_secret_than_the_servers(relay: Coturn) -> None:
    assert faults(await check(relay.url, "another")) == {"credentials": "wrong_secret"}


@pytest.mark.gen_test
async def test_a_server_whose_clock_is_ahead(relay: Coturn) -> None:
    behind = ManualClock(datetime.now(UTC) - timedelta(hours=1))
    assert faults(await check(relay.url, clock=behind)) == {"credentials": "clock_ahead"}


@pytest.mark.gen_test
async def test_a_server_whose_allocations_are_used_up(tmp_path: Path) -> None:
    with coturn(tmp_path, "total-quota=1") as server:
        assert faults(await check(server.url)) == {"credentials": "quota"}


@pytest.mark.gen_test
async def test_a_server_that_only_does_stun(tmp_path: Path) -> None:
    with coturn(tmp_path, "stun-only") as server:
        assert faults(await check(server.url, timeout_s=SOON_S)) == {"no credentials": "no_relay"}


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("code", "fault"),
    [(300, "moved"), (403, "no_relay"), (442, "no_relay"), (508, "no_ports"), (500, "protocol_error")],
)
async def test_a_server_that_refuses_an_allocation(code: int, fault: str) -> None:
    async with scripted({stun.Method.ALLOCATE: Refuses(code)}) as url:
        assert faults(await check(url)) == {"credentials": fault}


@pytest.mark.gen_test
async def test_a_server_that_asks_for_a_password_without_a_realm() -> None:
    async with scripted(stranger=Refuses(401)) as url:
        assert faults(await check(url)) == {"no credentials": "no_realm"}


# --- Faults in what goes through


@pytest.mark.gen_test
async def test_a_relay_that_does_not_send_to_itself(shipped: Coturn) -> None:
    report = await check(shipped.url)
    assert faults(report) == {"permission": "peer_denied"}
    assert f"allowed-peer-ip={LOOPBACK}" in str(step(report, "permission").advice)


@pytest.mark.gen_test
async def test_that_the_relay_keeps_this_machine_out_is_no_fault(shipped: Coturn) -> None:
    outside = step(await check(shipped.url), "ports of the relay")
    assert outside.state == "not_checked"
    assert "403 Forbidden IP" in outside.seen


@pytest.mark.gen_test
async def test_a_relay_that_swallows_packets() -> None:
    async with scripted() as url:
        report = await check(url, timeout_s=SOON_S)
    assert faults(report)["through the relay and back"] == "relay_silent"


@pytest.mark.gen_test
async def test_a_relay_whose_ports_are_closed_from_outside(tmp_path: Path) -> None:
    # Behind an address translation that forwards nothing: the address outside is one that leads nowhere.
    with coturn(tmp_path, f"external-ip=203.0.113.9/{LOOPBACK}", *REACHES_LOOPBACK) as server:
        report = await check(server.url, timeout_s=SOON_S)
    assert faults(report) == {"ports of the relay": "relay_blocked"}


@pytest.mark.gen_test
async def test_a_relay_that_gives_out_a_private_address() -> None:
    target = Target(ServerAddress("turn.example.org", 3478, "udp"), timeout_s=5)
    target.host = "1.1.1.1"
    at = Allocation(("10.0.0.5", 50_000), ("9.9.9.9", 40_000))
    with pytest.raises(Trouble) as trouble:
        await Pair(target, (None, None), (at, at)).judge_address()  # type: ignore[arg-type]
    assert (trouble.value.code, trouble.value.address) == ("private_relay", "10.0.0.5")


@pytest.mark.gen_test
async def test_a_server_that_keeps_allocations_for_seconds_only(tmp_path: Path) -> None:
    with coturn(tmp_path, "max-allocate-lifetime=30", *REACHES_LOOPBACK) as server:
        assert faults(await check(server.url)) == {"renewal": "not_renewed"}


@pytest.mark.gen_test
async def test_a_server_that_does_not_renew() -> None:
    async with scripted({stun.Method.REFRESH: Refuses(500)}) as url:
        assert faults(await check(url, timeout_s=SOON_S))["renewal"] == "not_renewed"


@pytest.mark.gen_test
async def test_a_stun_server_that_does_not_tell_our_address() -> None:
    async with scripted({stun.Method.BINDING: Refuses(401)}) as url:
        report = await Checkup(url.replace("turn:", "stun:"), clock=SYSTEM, timeout_s=5).stun()
    assert faults(report) == {"own address": "no_binding"}


@pytest.mark.gen_test
async def test_an_answer_that_lacks_what_was_asked_for() -> None:
    async with scripted({stun.Method.ALLOCATE: {"LIFETIME": 600}}) as url:
        assert faults(await check(url)) == {"credentials": "protocol_error"}


# --- The sentences


@pytest.mark.gen_test
async def test_a_fault_is_told_with_what_it_means_and_what_to_do(tmp_path: Path) -> None:
    port = free_port()
    failed = step(await check(f"turn:{LOOPBACK}:{port}", timeout_s=SOON_S), "no credentials")
    assert failed.meaning == f"The machine is there, and nobody listens on UDP port {port}."
    assert str(failed.advice).startswith("Start coturn, ")


def test_every_fault_has_sentences_of_its_own() -> None:
    meanings = [fault.meaning for fault in FAULTS.values()]
    assert len(set(meanings)) == len(FAULTS)
    assert all(
        sentence.endswith((".", "?", ")")) for fault in FAULTS.values() for sentence in (fault.meaning, fault.advice)
    )


def test_every_fault_is_brought_about_by_a_test() -> None:
    own_code = Path(__file__).read_text(encoding="utf-8")
    assert [code for code in FAULTS if f'"{code}"' not in own_code] == []


def test_every_fault_stands_in_the_handbook() -> None:
    handbook = (Path(__file__).parents[2] / "docs" / "turn.md").read_text(encoding="utf-8")
    assert [code for code in FAULTS if f"`{code}`" not in handbook] == []
