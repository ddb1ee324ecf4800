"""``ringback serve --demo``: three people to try it with, on this machine only."""

from __future__ import annotations

import pytest

from handlers.pages import DEMO_PEOPLE
from server.cli.demo import demo_password, require_loopback
from tests.cli.shell import Process, Shell, login_page, refusal, sign_in

SECRET = "s" * 43


def password_of(server: Process) -> str:
    """The password that the demo has printed."""
    return server.read_until("The password is").split()[-1]


def test_three_people_can_sign_in_with_the_password_it_prints(shell: Shell) -> None:
    with shell.serving("--demo") as server:
        password = password_of(server)
        assert [sign_in(server.url, name, password).status_code for name in DEMO_PEOPLE] == [200, 200, 200]


def test_says_what_to_open_and_what_to_do(shell: Shell) -> None:
    with shell.serving("--demo") as server:
        _, rest = server.stop()
    assert f"Open {server.url} in two browsers" in rest
    assert "Sign in as alice" in rest and "Click Call bob" in rest and "carol" in rest


def test_the_page_to_sign_in_shows_the_password(shell: Shell) -> None:
    with shell.serving("--demo") as server:
        assert password_of(server) in login_page(server.url)


def test_has_the_same_password_and_people_at_the_next_start(shell: Shell) -> None:
    with shell.serving("--demo") as server:
        first = password_of(server)
        server.stop()
    people = shell.json("users", "list")
    with shell.serving("--demo") as server:
        assert password_of(server) == first
        assert sign_in(server.url, "alice", first).status_code == 200
    assert shell.json("users", "list") == people


def test_without_it_nobody_is_shown_the_password_any_more(shell: Shell) -> None:
    with shell.serving("--demo") as server:
        password = password_of(server)
        server.stop()
    with shell.serving() as server:
        assert password not in login_page(server.url)
        assert password not in server.stop()[1]


def test_the_password_is_in_no_line_of_the_log(shell: Shell) -> None:
    with shell.serving("--demo", settings={"log.level": "debug"}) as server:
        password = password_of(server)
        sign_in(server.url, "alice", password)
        login_page(server.url)
        server.stop()
    assert server.log and server.errors == []
    assert password not in str(server.log)


def test_leaves_somebody_of_that_name_alone_and_says_so(shell: Shell) -> None:
    shell("users", "add", "bob", "--password-stdin", stdin="korrekt-horse")
    with shell.serving("--demo") as server:
        assert sign_in(server.url, "bob", "korrekt-horse").status_code == 200
        _, rest = server.stop()
    assert "With a password of their own: bob (" in rest


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "calls.example", "localhost.example"])
def test_refuses_every_host_but_this_one(shell: Shell, host: str) -> None:
    said = refusal(shell("serve", "--demo", "--host", host), 2)
    assert said.startswith("--demo shows a password to everybody who comes, so it listens on 127.0.0.1 only, not on ")


def test_refuses_another_host_of_the_configuration_too(shell: Shell) -> None:
    (shell.folder / "config.yaml").write_text("server: {host: 0.0.0.0}")
    assert "not on 0.0.0.0" in refusal(shell("serve", "--demo"), 2)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost", "LOCALHOST"])
def test_takes_every_name_of_this_machine(host: str) -> None:
    require_loopback(host)


def test_each_installation_has_a_password_of_its_own() -> None:
    assert demo_password(SECRET, 8) != demo_password("t" * 43, 8)


def test_the_password_is_as_long_as_passwords_must_be() -> None:
    assert (len(demo_password(SECRET, 8)), len(demo_password(SECRET, 64))) == (12, 64)
