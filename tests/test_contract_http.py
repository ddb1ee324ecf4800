"""What the wire contract says of HTTP, held against a running server from outside."""

from __future__ import annotations

import pytest

from handlers.base import API
from tests.running import Running, _one_database, database, http_client, running, stalling, start
from tests.sockets.raw import RawClient, upgrade_request

__all__ = ["_one_database", "database", "http_client", "running", "stalling", "start"]  # the fixtures

SOCKETS = ["/ws/user", "/ws/call/01890a5d-ac96-774b-bcce-b302099a8057"]


@pytest.mark.gen_test
async def test_a_body_that_is_no_json_is_an_error_that_names_it(running: Running) -> None:
    answer = await running.fetch("POST", f"{API}/auth/login", "{", {"Content-Type": "application/json"})
    assert (answer.status, answer.code, answer.document["errors"]) == (400, "bad_request", {"body": "not JSON"})


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/users/me", "/calls", "/ws/status"])
async def test_a_401_says_how_to_sign_in(running: Running, path: str) -> None:
    answer = await running.api("GET", path)
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


class TestASocketsAddress:
    @pytest.mark.gen_test
    @pytest.mark.parametrize("path", SOCKETS)
    async def test_answers_a_plain_request_with_a_problem(self, running: Running, path: str) -> None:
        answer = await running.api("GET", path)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert (answer.status, answer.document["status"], answer.code) == (400, 400, "bad_request")
        assert answer.document["request_id"] == answer.headers["X-Request-Id"]

    @pytest.mark.gen_test
    @pytest.mark.parametrize("path", SOCKETS)
    @pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "HEAD"])
    async def test_takes_no_other_method(self, running: Running, path: str, method: str) -> None:
        answer = await running.api(method, path)
        assert (answer.status, answer.headers["Allow"]) == (405, "GET")
        assert answer.headers["Content-Type"] == "application/problem+json"

    @pytest.mark.gen_test
    @pytest.mark.parametrize("path", SOCKETS)
    async def test_refuses_a_foreign_origin_with_a_problem(self, running: Running, path: str) -> None:
        answer = await running.api("GET", path, Origin="http://evil.example")
        assert (answer.status, answer.code) == (403, "origin_refused")

    @pytest.mark.gen_test
    @pytest.mark.parametrize("path", SOCKETS)
    async def test_refuses_a_foreign_host_that_comes_without_an_origin(self, running: Running, path: str) -> None:
        async with await RawClient.dial(running.port) as client:
            await client.request(upgrade_request(API + path, {"Host": "evil.example"}))
            assert client.status == 421


@pytest.mark.gen_test
async def test_a_call_that_found_no_device_stands_as_missed_in_the_callees_history(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    await alice.place("bob")
    running.clock.move(45.0)
    await running.server.sweep()
    mine, theirs = [(await person.history())[0] for person in (alice, bob)]
    assert (theirs["end_reason"], theirs["missed"], mine["missed"]) == ("unreachable", True, False)
