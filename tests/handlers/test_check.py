"""The page of checks, the relay that it may try without a call, and the bytes with which it measures."""

from __future__ import annotations

import pytest

from handlers.base import API, MAX_BODY_BYTES
from handlers.check import PIECE_BYTES
from server.calls.checks import CHECKS_AT_ONCE
from tests.handlers.browser import Browser
from tests.running import Running, Start

BYTES = {"Content-Type": "application/octet-stream"}


@pytest.mark.gen_test
async def test_the_page_is_for_people_who_are_signed_in(running: Running) -> None:
    answer = await running.fetch("GET", "/check")
    assert (answer.status, answer.headers["Location"]) == (302, "/login?next=%2Fcheck")
    alice = await running.person("alice")
    assert (await (await Browser.of(alice)).get("/check")).status == 200


@pytest.mark.gen_test
async def test_a_relay_can_be_tried_without_a_call(start: Start) -> None:
    running = await start({"ice.turn_urls": ["turn:turn.example.org"], "ice.turn_secret": "shared"})
    alice = await running.person("alice")
    answer = await alice.api("POST", "/check/ice-servers")
    (server,) = answer.document["ice_servers"]
    assert server["username"].endswith(f":check-{alice.id}")
    assert (await alice.api("GET", "/ice-servers")).code == "not_in_call"


@pytest.mark.gen_test
async def test_whoever_tries_too_often_has_to_wait(running: Running) -> None:
    alice = await running.person("alice")
    for _ in range(CHECKS_AT_ONCE):
        assert (await alice.api("POST", "/check/ice-servers")).status == 200
    answer = await alice.api("POST", "/check/ice-servers")
    assert (answer.status, answer.code) == (429, "rate_limited")
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.gen_test
async def test_the_sweep_forgets_who_has_checked(running: Running) -> None:
    alice = await running.person("alice")
    await alice.api("POST", "/check/ice-servers")
    running.clock.move(3600)
    await running.server.sweep()
    assert len(running.server.services.checks) == 0


@pytest.mark.gen_test
async def test_a_piece_of_noise_is_sent_as_it_is(running: Running) -> None:
    alice = await running.person("alice")
    answer = await alice.api("GET", "/check/bytes", **{"Accept-Encoding": "gzip"})
    assert len(answer.body) == PIECE_BYTES
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store, no-transform"


@pytest.mark.gen_test
async def test_a_piece_is_taken_and_thrown_away(running: Running) -> None:
    alice = await running.person("alice")
    answer = await running.fetch("POST", f"{API}/check/bytes", bytes(MAX_BODY_BYTES), {**alice.bearer, **BYTES})
    assert (answer.status, answer.body) == (204, b"")


@pytest.mark.gen_test
async def test_nothing_but_bytes_is_taken(running: Running) -> None:
    alice = await running.person("alice")
    answer = await alice.api("POST", "/check/bytes", {})
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


@pytest.mark.gen_test
async def test_strangers_measure_nothing(running: Running) -> None:
    assert (await running.api("GET", "/check/bytes")).status == 401
    assert (await running.fetch("POST", f"{API}/check/bytes", b"x", BYTES)).status == 401
    assert (await running.api("POST", "/check/ice-servers")).status == 401
