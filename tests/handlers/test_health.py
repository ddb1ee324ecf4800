"""Whether it lives, whether it can serve, and its figures."""

from __future__ import annotations

import asyncio

import pytest

from server.version import VERSION
from tests.peer import PATIENCE_S
from tests.running import Running, StallingMongo, Start


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/livez", "/readyz", "/health"])
async def test_a_server_that_can_serve_is_healthy(running: Running, path: str) -> None:
    answer = await running.api("GET", path)
    assert (answer.status, answer.document["status"], answer.document["version"]) == (200, "healthy", VERSION)


@pytest.mark.gen_test
async def test_health_names_each_part(running: Running) -> None:
    assert (await running.api("GET", "/health")).document["checks"] == {"mongo": "ok", "draining": "no"}


@pytest.mark.gen_test
async def test_nobody_has_to_sign_in_to_ask(running: Running) -> None:
    answer = await running.api("GET", "/readyz", Cookie="ringback_session=nonsense")
    assert answer.status == 200


class TestWithoutADatabase:
    @pytest.mark.gen_test
    async def test_it_lives(self, start: Start, stalling: StallingMongo) -> None:
        running = await start(stalling.overrides(timeout_ms=500))
        with stalling.stalled():
            assert (await running.api("GET", "/livez")).status == 200

    @pytest.mark.gen_test
    async def test_it_is_not_ready(self, start: Start, stalling: StallingMongo) -> None:
        running = await start(stalling.overrides(timeout_ms=500))
        with stalling.stalled():
            answer = await running.api("GET", "/readyz")
        assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "unavailable", "2")

    @pytest.mark.gen_test
    async def test_it_is_unhealthy(self, start: Start, stalling: StallingMongo) -> None:
        running = await start(stalling.overrides(timeout_ms=500))
        with stalling.stalled():
            answer = await running.api("GET", "/health")
        assert (answer.status, answer.document["status"]) == (503, "unhealthy")
        assert answer.document["checks"]["mongo"] == "unavailable"

    @pytest.mark.gen_test
    async def test_it_is_ready_again_when_the_database_is(self, start: Start, stalling: StallingMongo) -> None:
        running = await start(stalling.overrides(timeout_ms=500))
        with stalling.stalled():
            await running.api("GET", "/readyz")
        async with asyncio.timeout(PATIENCE_S):  # it wakes up; nobody says how quickly
            while (await running.api("GET", "/readyz")).status != 200:
                pass


class TestWhileDraining:
    @pytest.mark.gen_test
    async def test_it_is_not_ready(self, running: Running) -> None:
        running.server.is_draining = True
        answer = await running.api("GET", "/readyz")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")

    @pytest.mark.gen_test
    async def test_it_is_degraded_and_still_serves(self, running: Running) -> None:
        running.server.is_draining = True
        answer = await running.api("GET", "/health")
        assert (answer.status, answer.document["status"]) == (200, "degraded")
        assert (await running.api("GET", "/livez")).status == 200

    @pytest.mark.gen_test
    async def test_a_new_socket_is_sent_elsewhere(self, running: Running) -> None:
        alice = await running.person("alice")
        running.server.is_draining = True
        bye, code, _ = await (await alice.open("/ws/user")).closed()
        assert bye is not None
        assert (code, bye["action"]) == (4001, "resume")


class TestMetrics:
    @pytest.mark.gen_test
    async def test_are_shown_to_this_machine(self, running: Running) -> None:
        await (await running.person("alice")).inbox()
        answer = await running.api("GET", "/metrics")
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        assert b"\nringback_sockets_open 1.0\n" in answer.body

    @pytest.mark.gen_test
    async def test_are_not_shown_to_others(self, start: Start) -> None:
        running = await start({"server.trusted_proxies": ["127.0.0.1"]})
        answer = await running.api("GET", "/metrics", **{"X-Forwarded-For": "203.0.113.7"})
        assert (answer.status, answer.code) == (403, "forbidden")

    @pytest.mark.gen_test
    async def test_are_shown_to_whoever_has_the_token(self, start: Start) -> None:
        running = await start({"metrics.token": "a token for Prometheus"})
        answer = await running.api("GET", "/metrics", Authorization="Bearer a token for Prometheus")
        assert answer.status == 200

    @pytest.mark.gen_test
    @pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Bearer", "Bearer a token for Prometheus!"])
    async def test_ask_for_their_token_where_there_is_one(self, start: Start, authorization: str) -> None:
        running = await start({"metrics.token": "a token for Prometheus"})
        answer = await running.api("GET", "/metrics", Authorization=authorization)
        assert answer.status == 403

    @pytest.mark.gen_test
    async def test_count_how_sockets_were_closed(self, start: Start) -> None:
        running = await start({"sockets.auth_timeout_s": 0.05})
        await (await running.open("/ws/user")).closed()
        await running.until(lambda: not running.services.hub.connections)
        text = (await running.api("GET", "/metrics")).body
        assert b'ringback_sockets_closed_total{code="4500",kind="user"} 1.0' in text

    @pytest.mark.gen_test
    async def test_hold_nothing_of_a_person(self, running: Running) -> None:
        alice = await running.person("alice")
        await alice.inbox()
        text = (await running.api("GET", "/metrics")).body.decode()
        assert "alice" not in text
        assert alice.id not in text


class TestSocketStatus:
    @pytest.mark.gen_test
    async def test_shows_the_own_sockets(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await alice.inbox()
        await bob.inbox()
        shown = (await alice.api("GET", "/ws/status")).document
        assert [socket["connection_id"] for socket in shown["connections"]] == [inbox.connection_id]
        assert "totals" not in shown

    @pytest.mark.gen_test
    async def test_shows_the_totals_to_an_administrator(self, running: Running) -> None:
        root = await running.person("root", admin=True)
        await (await running.person("alice")).inbox()
        assert (await root.api("GET", "/ws/status")).document["totals"] == {
            "connections": 1, "by_kind": {"user": 1}, "sessions": 1, "people": 1,
        }  # fmt: skip

    @pytest.mark.gen_test
    async def test_takes_a_ws_token_once(self, running: Running) -> None:
        token = (await running.person("alice")).ws_token()
        assert (await running.api("GET", f"/ws/status?token={token}")).status == 200
        assert (await running.api("GET", f"/ws/status?token={token}")).status == 401

    @pytest.mark.gen_test
    async def test_is_for_people_who_are_signed_in(self, running: Running) -> None:
        assert (await running.api("GET", "/ws/status")).status == 401
