"""``ringback serve``: from its first line to its exit code."""

from __future__ import annotations

import os
import signal
import socket

import httpx2
import pytest

from server.cli.serve import url_of
from server.settings import ServerSettings
from tests.cli.shell import Shell, has_ended, refusal

# --- ready ----------------------------------------------------------------------------------------------------------


def test_says_that_it_is_ready_when_a_request_succeeds(shell: Shell) -> None:
    with shell.serving() as server:
        health = httpx2.get(f"{server.url}/api/v1/health")
        assert (health.status_code, health.json()["status"]) == (200, "healthy")


def test_says_how_to_add_the_first_person(shell: Shell) -> None:
    with shell.serving("--data-dir", "my data") as server:
        _, rest = server.stop()
    assert rest == "Nobody can sign in yet: ringback users add NAME --admin --data-dir 'my data'\n"


def test_says_nothing_else_once_there_is_somebody(shell: Shell) -> None:
    shell("users", "add", "dora", "--password-stdin", stdin="korrekt-horse")
    with shell.serving() as server:
        _, rest = server.stop()
    assert rest == ""


def test_says_what_other_machines_need(shell: Shell) -> None:
    with shell.serving("--host", "0.0.0.0") as server:
        _, rest = server.stop()
    assert server.url.startswith("http://localhost:")
    assert "set server.public_url" in rest


def test_logs_json_and_nothing_else_on_standard_error(shell: Shell) -> None:
    with shell.serving() as server:
        server.stop()
    assert [line["event"] for line in server.log if line["logger"] == "server"] == ["ready", "stopping", "stopped"]
    assert server.errors == []


def test_listens_where_the_flags_say_and_not_where_the_file_does(shell: Shell) -> None:
    (shell.folder / "config.yaml").write_text("server: {host: 192.0.2.1, port: 1}")
    with shell.serving("--host", "127.0.0.1") as server:
        assert httpx2.get(f"{server.url}/api/v1/livez").status_code == 200


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://localhost:80"),
        ("::", "http://localhost:80"),
        ("127.0.0.2", "http://127.0.0.2:80"),
        ("2001:db8::1", "http://[2001:db8::1]:80"),
        ("Calls.example", "http://calls.example:80"),
    ],
)
def test_gives_the_address_that_a_browser_takes(host: str, url: str) -> None:
    assert url_of(ServerSettings(host=host), 80) == url


# --- the end --------------------------------------------------------------------------------------------------------


def test_a_signal_stops_it_and_its_database(bare: Shell) -> None:
    with bare.serving() as server:
        code, _ = server.stop(signal.SIGTERM)
        assert (code, server.errors) == (0, [])
        assert has_ended(server.mongod, timeout_s=0)
    assert not (bare.folder / "ringback-data" / "mongo.json").exists()


def test_an_interrupt_stops_it_too(shell: Shell) -> None:
    with shell.serving() as server:
        code, _ = server.stop(signal.SIGINT)
        assert (code, server.errors) == (0, [])


def test_a_signal_stops_a_start_too(bare: Shell) -> None:
    with bare.start("serve", "--port", "0") as server:
        mongod = server.mongod
        code, _ = server.stop()
    assert (code, server.errors) == (0, [])
    assert has_ended(mongod, timeout_s=0)


def test_a_second_signal_ends_it_at_once(bare: Shell) -> None:
    with bare.serving() as server:
        os.kill(server.mongod, signal.SIGSTOP)  # nothing that can be waited for
        server.send(signal.SIGTERM)
        server.wait_for_log("stopping")
        code, _ = server.stop(signal.SIGINT)
        assert code == -signal.SIGINT
        assert has_ended(server.mongod)


def test_leaves_no_database_behind_when_it_is_killed(bare: Shell) -> None:
    with bare.serving() as server:
        server.stop(signal.SIGKILL)
        assert has_ended(server.mongod)


def test_ends_when_its_database_does(bare: Shell) -> None:
    with bare.serving() as server:
        os.kill(server.mongod, signal.SIGKILL)
        code, _ = server.end()
    assert code == 1
    (said,) = server.errors
    assert said.startswith("Error: the database in ") and said.endswith("see mongo.log there, and start again")
    assert "database_ended" in [line["event"] for line in server.log]


# --- refusals -------------------------------------------------------------------------------------------------------


def test_refuses_a_port_that_is_taken(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refusal(shell.apart("serve", "--port", str(port)), 1)
    assert said == f"port {port} of 127.0.0.1 is in use: stop what listens there, or take another (--port)"


def test_refuses_an_address_that_is_not_this_machines(shell: Shell) -> None:
    said = refusal(shell.apart("serve", "--host", "192.0.2.1"), 1)
    assert said == "cannot listen on port 8000 of 192.0.2.1: Cannot assign requested address"


def test_refuses_a_port_that_is_none(shell: Shell) -> None:
    said = refusal(shell("serve", "--port", "99999"), 2)
    assert said.endswith("must be a whole number from 0 to 65535 (from the command line)")


def test_refuses_to_begin_without_a_database(shell: Shell) -> None:
    nobody = {"mongo.uri": "mongodb://127.0.0.1:9", "mongo.timeout_ms": 100}
    assert refusal(shell("serve", "--port", "0", settings=nobody), 1).startswith("the database is away: ")
