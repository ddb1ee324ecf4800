"""Commands beside a server that runs: they share its database, and it acts on what they do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from server.store import embedded
from tests.cli.shell import PATIENCE_S, Process, Shell, has_ended, refusal, sign_in
from tests.conftest import CHEAP_HASHING

PASSWORD = "korrekt-horse"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Runs commands in the folder of the server."""
    return Shell(tmp_path_factory.mktemp("beside"), CHEAP_HASHING | {"jobs.revocation_interval_s": 0.05})


@pytest.fixture(scope="module")
def server(shell: Shell) -> Iterator[Process]:
    """A server with a mongod of its own, which these tests share."""
    with shell.serving(patience_s=10 * PATIENCE_S) as process:
        yield process


@pytest.fixture
def dora(shell: Shell, server: Process) -> Iterator[str]:
    """The name of somebody who has an account; they can do nothing more after the test."""
    name = f"dora-{len(shell.json('users', 'list'))}"
    shell.json("users", "add", name, "--password-stdin", stdin=PASSWORD)
    yield name
    shell.json("users", "disable", name)


@contextmanager
def inbox(server: Process, token: str, *, in_address: bool = False) -> Iterator[ClientConnection]:
    """The socket on which devices ring, opened with the token in its address or in a header."""
    address = server.url.replace("http:", "ws:") + "/api/v1/ws/user" + (f"?token={token}" if in_address else "")
    headers = None if in_address else {"Authorization": f"Bearer {token}"}
    with connect(address, additional_headers=headers, proxy=None) as socket:
        yield socket


def frame(socket: ClientConnection) -> dict[str, Any]:
    """The next frame."""
    decoded: dict[str, Any] = json.loads(socket.recv(PATIENCE_S))
    return decoded


def close_code(socket: ClientConnection) -> int | None:
    """Reads to the end: the code it was closed with."""
    with pytest.raises(ConnectionClosed) as ended:
        while True:
            socket.recv(PATIENCE_S)
    return ended.value.rcvd.code if ended.value.rcvd else None


# --- users ----------------------------------------------------------------------------------------------------------


def test_somebody_who_is_added_can_sign_in_at_once(server: Process, dora: str) -> None:
    assert sign_in(server.url, dora, PASSWORD).status_code == 200


def test_a_new_password_is_the_one_that_counts(shell: Shell, server: Process, dora: str) -> None:
    shell("users", "passwd", dora, "--password-stdin", stdin="another-one")
    assert sign_in(server.url, dora, PASSWORD).status_code == 401
    assert sign_in(server.url, dora, "another-one").status_code == 200


@pytest.mark.parametrize("command", ["passwd", "disable"])
def test_a_new_password_and_a_disabled_account_close_the_sockets(
    shell: Shell, server: Process, dora: str, command: str
) -> None:
    token = shell("token", dora, "--kind", "access").stdout.strip()
    options = ["--password-stdin"] if command == "passwd" else []
    with inbox(server, token) as socket:
        assert frame(socket)["type"] == "connected"
        shell("users", command, dora, *options, stdin="another-one")
        assert close_code(socket) == 4506


def test_somebody_who_is_enabled_again_can_sign_in(shell: Shell, server: Process, dora: str) -> None:
    shell("users", "disable", dora)
    assert sign_in(server.url, dora, PASSWORD).status_code == 401
    shell("users", "enable", dora)
    assert sign_in(server.url, dora, PASSWORD).status_code == 200


# --- token ----------------------------------------------------------------------------------------------------------


def test_prints_the_token_and_nothing_else(shell: Shell, dora: str) -> None:
    finished = shell("token", dora, "--kind", "access")
    assert (finished.code, finished.stderr) == (0, "")
    assert finished.stdout.count("\n") == 1 and finished.stdout.count(".") == 2


def test_an_access_token_is_taken_by_the_api(shell: Shell, server: Process, dora: str) -> None:
    token = shell("token", dora, "--kind", "access").stdout.strip()
    answer = httpx2.get(f"{server.url}/api/v1/users/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["username"] == dora


def test_a_ws_token_opens_one_socket_once(shell: Shell, server: Process, dora: str) -> None:
    token = shell("token", dora, "--kind", "ws").stdout.strip()
    with inbox(server, token, in_address=True) as socket:
        assert frame(socket)["user"]["username"] == dora
    with inbox(server, token, in_address=True) as socket:
        assert close_code(socket) == 4501


def test_a_service_gets_a_token_and_no_sign_in(shell: Shell, server: Process) -> None:
    shell.json("users", "add", "worker", "--service")
    token = shell("token", "worker", "--kind", "access").stdout.strip()
    assert httpx2.get(f"{server.url}/api/v1/users/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_refuses_a_token_for_nobody(shell: Shell, server: Process) -> None:
    assert refusal(shell("token", "nobody", "--kind", "ws"), 1) == "There is nobody called 'nobody'"


def test_refuses_a_token_for_a_disabled_account(shell: Shell, dora: str) -> None:
    shell("users", "disable", dora)
    said = refusal(shell("token", dora, "--kind", "ws"), 1)
    assert said == f"the account {dora} is disabled: ringback users enable {dora}"


def test_refuses_a_kind_of_token_that_is_not_handed_out(shell: Shell) -> None:
    finished = shell("token", "dora", "--kind", "page")
    assert (finished.code, finished.stdout) == (2, "")
    assert "'page' is not one of 'access', 'refresh', 'ws'" in finished.stderr


def test_a_service_renews_its_token_by_itself(shell: Shell, server: Process) -> None:
    shell.json("users", "add", "crm", "--service")
    token = shell("token", "crm", "--kind", "refresh").stdout.strip()
    pair = httpx2.post(f"{server.url}/api/v1/auth/refresh", json={"refresh_token": token}).json()
    bearer = {"Authorization": f"Bearer {pair['access_token']}"}
    assert httpx2.get(f"{server.url}/api/v1/users/me", headers=bearer).json()["username"] == "crm"


def test_no_token_is_in_the_log(shell: Shell, server: Process, dora: str) -> None:
    tokens = [shell("token", dora, "--kind", kind).stdout.strip() for kind in ("access", "ws")]
    for token, in_address in zip(tokens, (False, True), strict=True):
        with inbox(server, token, in_address=in_address) as socket:
            frame(socket)
    assert not any(token in str(server.log) for token in tokens)


# --- sweep, selftest ------------------------------------------------------------------------------------------------


def test_sweeps(shell: Shell, server: Process) -> None:
    assert shell("sweep").stdout == "0 calls past the deadline ended\n"


def test_the_self_test_passes_and_leaves_nothing_behind(shell: Shell, server: Process) -> None:
    people = shell.json("users", "list")
    finished = shell("selftest", server.url)
    assert finished.code == 0, finished.stdout
    lines = finished.stdout.splitlines()
    assert lines[0].startswith("ok     the server is well: expected healthy; seen healthy (")
    assert lines[-1] == f"All {len(lines) - 1} steps passed at {server.url}"
    assert shell.json("users", "list") == people


def test_the_self_test_can_be_done_as_two_who_are_there(shell: Shell, server: Process, dora: str) -> None:
    shell.json("users", "add", "emil", "--password-stdin", stdin=PASSWORD)
    result = shell.json(
        "selftest", server.url, "--user", dora, "--user", "emil", "--password-stdin", stdin=f"{PASSWORD}\n{PASSWORD}\n"
    )
    assert result["passed"] and result["url"] == server.url
    assert {step["ok"] for step in result["steps"]} == {True}
    assert any(dora in step["name"] for step in result["steps"])


# --- the server itself ----------------------------------------------------------------------------------------------


def test_refuses_a_second_server_on_the_same_folder(
    shell: Shell, server: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "LOCK_TIMEOUT_S", 0.2)
    said = refusal(shell("serve", "--port", "0"), 1)
    assert f"is in use by process {server.pid}: stop that, or take another data directory (--data-dir)" in said


def test_no_command_has_ended_the_servers_database(shell: Shell, server: Process) -> None:
    shell("users", "list")
    assert not has_ended(server.mongod, timeout_s=0)
    assert httpx2.get(f"{server.url}/api/v1/health").json()["status"] == "healthy"
