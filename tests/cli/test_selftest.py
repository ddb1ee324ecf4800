"""``ringback selftest``: what it says when something is wrong."""

from __future__ import annotations

import json
import socket
from typing import Any

import pymongo
import pytest

from ringback_client.selftest import Step
from server.cli.selftest import line
from tests.cli.shell import Shell, wrong_usage

PASSWORDS = "korrekt-horse\nkorrekt-horse\n"


@pytest.fixture
def nowhere() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def test_fails_where_there_is_no_server(shell: Shell, nowhere: str) -> None:
    finished = shell("selftest", nowhere)
    assert finished.code == 1
    assert finished.stdout.startswith("FAILED the server is well: expected healthy; seen Unreachable: ")
    assert finished.stderr == f"Error: 1 of 1 steps failed at {nowhere}\n"


def test_prints_json_of_a_failure_too(shell: Shell, nowhere: str) -> None:
    finished = shell("selftest", nowhere, "--json")
    result = json.loads(finished.stdout)
    assert (finished.code, result["passed"], result["steps"][0]["ok"]) == (1, False, False)


def test_removes_the_people_it_has_made_after_a_failure_too(shell: Shell, nowhere: str) -> None:
    shell("selftest", nowhere)
    assert shell.json("users", "list") == []


def test_removes_their_calls(shell: Shell, mongo_uri: str, database: str) -> None:
    client: pymongo.MongoClient[dict[str, Any]]
    with shell.serving() as server, pymongo.MongoClient(mongo_uri) as client:
        assert shell.json("selftest", server.url)["passed"]
        assert client[database].calls.count_documents({}) == 0


def test_says_so_when_that_server_has_another_database(shell: Shell, bare: Shell) -> None:
    with shell.serving() as server:
        finished = bare("selftest", server.url)
    assert finished.code == 1
    assert finished.stderr.endswith(
        "(the two people are in another database than that server's: see --data-dir and --user)\n"
    )


def test_goes_to_the_port_of_the_configuration(shell: Shell, nowhere: str) -> None:
    port = nowhere.rpartition(":")[2]
    assert shell("selftest", settings={"server.port": port}).stderr.endswith(f" failed at http://localhost:{port}\n")


def test_refuses_an_address_that_is_none(shell: Shell) -> None:
    said = wrong_usage(shell("selftest", "calls.example"))
    assert said == "Invalid value for URL: a server's address is http://host or https://host, not 'calls.example'"


def test_refuses_to_guess_the_port(shell: Shell) -> None:
    said = wrong_usage(shell("selftest", settings={"server.port": 0}))
    assert said == "give the URL: server.port is 0, which is any free port"


@pytest.mark.parametrize("count", [1, 3])
def test_refuses_any_number_of_people_but_two(shell: Shell, count: int) -> None:
    said = wrong_usage(shell("selftest", *["--user", "dora"] * count, "--password-stdin", stdin=PASSWORDS))
    assert said == "--user is given twice: the one who calls, the one who is called"


def test_refuses_a_password_that_is_missing(shell: Shell) -> None:
    said = wrong_usage(shell("selftest", *["--user", "dora", "--user", "emil"], "--password-stdin", stdin="one\n"))
    assert said == "--password-stdin: 2 line(s) of standard input are wanted, each a password"


def test_shows_what_was_expected_and_what_was_seen() -> None:
    step = Step("dora signs in", "signed in as dora", "401 invalid_credentials", ok=False, duration_ms=12.3)
    assert line(step).endswith(" dora signs in: expected signed in as dora; seen 401 invalid_credentials (12 ms)")
