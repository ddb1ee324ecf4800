"""``ringback doctor turn``: what it says of servers that work, and of those that do not."""

from __future__ import annotations

import json

import pytest

from tests.cli.shell import Finished, Shell, refusal, wrong_usage
from tests.turn.coturn import LOOPBACK, SECRET, Coturn, free_port


@pytest.fixture
def doctor(bare: Shell) -> Doctor:
    """Runs ``ringback doctor turn`` with settings of ``ice``."""
    return Doctor(bare)


class Doctor:
    """The command, in an empty folder."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def __call__(self, *options: str, **ice: str) -> Finished:
        settings = {f"ice.{name}": value for name, value in {"turn_secret": SECRET, **ice}.items()}
        return self._shell("doctor", "turn", *options, settings=settings)


def test_a_server_that_works_passes(doctor: Doctor, relay: Coturn) -> None:
    finished = doctor(turn_urls=relay.url)
    assert (finished.code, finished.stderr) == (0, "")
    assert finished.stdout.startswith(f"{relay.url}\n  ok          name ")
    assert finished.stdout.endswith("\nThe server works\n")


def test_lines_in_a_pipe_are_as_long_as_what_they_say(doctor: Doctor, relay: Coturn) -> None:
    lines = doctor(turn_urls=relay.url).stdout.splitlines()
    assert [line for line in lines if line != line.rstrip()] == []


def test_every_configured_server_is_checked(doctor: Doctor, relay: Coturn) -> None:
    address = f"{relay.host}:{relay.port}"
    urls = f"turn:{address}?transport=udp,turn:{address}?transport=tcp"
    finished = doctor(turn_urls=urls, stun_urls=f"stun:{address}")
    assert finished.code == 0
    assert finished.stdout.endswith("\nAll 3 servers work\n")


def test_a_server_that_fails_is_told_with_what_it_means_and_what_to_do(doctor: Doctor) -> None:
    url = f"turn:{LOOPBACK}:{free_port()}"
    finished = doctor("--timeout", "0.3", turn_urls=url)
    assert finished.code == 1
    assert "FAILED      no credentials" in finished.stdout
    assert "The machine is there, and nobody listens on UDP port" in finished.stdout
    assert "What to do: Start coturn" in finished.stdout
    assert finished.stderr == f"Error: 1 of 1 servers failed: {url}\n"


def test_one_of_two_that_fails_fails_it(doctor: Doctor, relay: Coturn) -> None:
    closed = f"turn:{LOOPBACK}:{free_port()}"
    finished = doctor("--timeout", "0.3", turn_urls=f"{relay.url},{closed}")
    assert (finished.code, finished.stderr) == (1, f"Error: 1 of 2 servers failed: {closed}\n")


def test_another_secret_fails_it(doctor: Doctor, relay: Coturn) -> None:
    finished = doctor(turn_urls=relay.url, turn_secret="another")
    assert finished.code == 1
    assert "its secret is another one than ice.turn_secret" in finished.stdout


def test_json_has_every_step_with_its_fault(doctor: Doctor, relay: Coturn) -> None:
    finished = doctor("--json", turn_urls=relay.url, turn_secret="another")
    result = json.loads(finished.stdout)
    (server,) = result["servers"]
    assert (finished.code, result["passed"], server["passed"], server["url"]) == (1, False, False, relay.url)
    assert [(step["name"], step["state"], step["fault"]) for step in server["steps"]][-1] == (
        "credentials",
        "failed",
        "wrong_secret",
    )


def test_json_of_what_works_is_alone_on_standard_output(doctor: Doctor, relay: Coturn) -> None:
    finished = doctor("--json", turn_urls=relay.url)
    assert (finished.code, json.loads(finished.stdout)["passed"]) == (0, True)


def test_the_secret_is_told_to_nobody(doctor: Doctor, relay: Coturn) -> None:
    finished = doctor("--json", turn_urls=relay.url)
    assert SECRET not in finished.stdout + finished.stderr


def test_without_a_server_there_is_nothing_to_check(doctor: Doctor) -> None:
    said = refusal(doctor(), 1)
    assert said.startswith("no TURN server is configured (ice.turn_urls is empty): ")


def test_it_does_not_wait_for_ever(doctor: Doctor) -> None:
    assert "is not in the range" in wrong_usage(doctor("--timeout", "3600"))
