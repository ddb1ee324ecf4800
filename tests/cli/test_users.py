"""``ringback users``: who may sign in."""

from __future__ import annotations

import os
import pty
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cli.shell import PATIENCE_S, Shell, refusal, wrong_usage

PASSWORD = "korrekt-horse"


def add(shell: Shell, name: str, *options: str, password: str = PASSWORD) -> None:
    """Adds somebody."""
    shell.json("users", "add", name, "--password-stdin", *options, stdin=password)


def names(shell: Shell) -> list[str]:
    """Everybody's user names."""
    return [user["username"] for user in shell.json("users", "list")]


# --- add ------------------------------------------------------------------------------------------------------------


def test_adds_somebody_and_says_so(shell: Shell) -> None:
    finished = shell("users", "add", "dora", "--password-stdin", stdin=PASSWORD)
    assert (finished.code, finished.stdout, finished.stderr) == (0, "added dora\n", "")


def test_adds_an_administrator_with_a_display_name(shell: Shell) -> None:
    user = shell.json("users", "add", "dora", "--admin", "--display-name", "Dora D", "--password-stdin", stdin=PASSWORD)
    assert (user["username"], user["display_name"], user["admin"]) == ("dora", "Dora D", True)
    assert PASSWORD not in str(user)


def test_adds_a_service_without_a_password(shell: Shell) -> None:
    user = shell.json("users", "add", "worker", "--service")
    assert user["service"] and not user["admin"]


def test_adds_a_service_where_passwords_must_be_as_long_as_can_be(shell: Shell) -> None:
    finished = shell("users", "add", "worker", "--service", settings={"auth.password_min_length": 64})
    assert finished.stdout == "added worker\n"


def test_refuses_a_password_for_a_service(shell: Shell) -> None:
    said = wrong_usage(shell("users", "add", "worker", "--service", "--password-stdin", stdin=PASSWORD))
    assert said == "a service account has no password: leave out --password-stdin"


def test_refuses_a_name_that_is_taken(shell: Shell) -> None:
    add(shell, "dora")
    assert refusal(shell("users", "add", "Dora", "--password-stdin", stdin=PASSWORD), 1) == "That user name is taken"


def test_refuses_a_name_that_breaks_the_rule(shell: Shell) -> None:
    said = refusal(shell("users", "add", "do ra", "--password-stdin", stdin=PASSWORD), 2)
    assert said == "username: 2 to 64 letters, digits, '.', '_' or '-'"


def test_refuses_a_password_that_is_too_short(shell: Shell) -> None:
    said = refusal(shell("users", "add", "dora", "--password-stdin", stdin="short"), 2)
    assert said == "password: At least 8 characters"
    assert names(shell) == []


def test_refuses_a_password_that_is_not_there(shell: Shell) -> None:
    said = wrong_usage(shell("users", "add", "dora", "--password-stdin", stdin="\n"))
    assert said == "--password-stdin: 1 line(s) of standard input are wanted, each a password"


def test_refuses_a_password_that_is_not_text(shell: Shell) -> None:
    said = wrong_usage(shell("users", "add", "dora", "--password-stdin", stdin=b"caf\xe9 au lait\n"))
    assert said == "--password-stdin: the password is not UTF-8"


def test_refuses_to_ask_where_there_is_no_terminal(shell: Shell) -> None:
    said = wrong_usage(shell("users", "add", "dora"))
    assert said == "there is no terminal to ask for the password on; pipe it in with --password-stdin"


# --- the terminal ---------------------------------------------------------------------------------------------------


class Terminal:
    """A terminal on which a command asks, and somebody types."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._unread = ""
        self.shown = ""

    def expect(self, text: str) -> None:
        """Reads until ``text`` is shown."""
        while text not in self._unread:
            assert select.select([self._descriptor], [], [], PATIENCE_S)[0], f"{text!r} is not shown: {self.shown!r}"
            shown = os.read(self._descriptor, 1024).decode()
            self._unread += shown
            self.shown += shown
        self._unread = self._unread.partition(text)[2]

    def type(self, line: str) -> None:
        """Types a line."""
        os.write(self._descriptor, line.encode() + b"\n")


@contextmanager
def on_a_terminal(shell: Shell, *arguments: str) -> Iterator[tuple[Terminal, subprocess.Popen[str]]]:
    """A command whose standard input and standard error are a terminal."""
    ours, its = pty.openpty()
    with shell.popen(*arguments, stdin=its, stderr=its, start_new_session=True) as process:
        os.close(its)
        try:
            yield Terminal(ours), process
        finally:
            process.kill()
            os.close(ours)


def test_asks_twice_on_a_terminal_and_shows_nothing(shell: Shell) -> None:
    with on_a_terminal(shell, "users", "add", "dora") as (terminal, process):
        terminal.expect("Password: ")
        terminal.type(PASSWORD)
        terminal.expect("The same once more: ")
        terminal.type(PASSWORD)
        assert process.stdout is not None and process.stdout.read() == "added dora\n"
        assert process.wait() == 0
    assert PASSWORD not in terminal.shown


def test_asks_again_when_the_two_differ(shell: Shell) -> None:
    with on_a_terminal(shell, "users", "add", "dora") as (terminal, process):
        terminal.expect("Password: ")
        terminal.type(PASSWORD)
        terminal.expect("The same once more: ")
        terminal.type("another one")
        terminal.expect("do not match")
        terminal.expect("Password: ")
    assert names(shell) == [] and process.returncode != 0


# --- list -----------------------------------------------------------------------------------------------------------


def test_lists_everybody_by_name_with_what_is_special_about_them(shell: Shell) -> None:
    add(shell, "emil", "--admin")
    add(shell, "dora")
    shell("users", "disable", "emil")
    lines = [line.split()[:-1] for line in shell("users", "list").stdout.splitlines()[2:]]
    assert lines == [["dora", "dora"], ["emil", "emil", "admin,", "disabled"]]


def test_lists_nobody_with_the_way_to_change_that(shell: Shell) -> None:
    assert shell("users", "list").stdout == "Nobody is here yet: ringback users add NAME --admin\n"
    assert names(shell) == []


def test_lists_a_name_as_it_is(shell: Shell) -> None:
    add(shell, "dora", "--display-name", "[red]Dora[/red] :cat:")
    assert "[red]Dora[/red] :cat:" in shell("users", "list").stdout


def test_lists_a_long_name_whole_for_a_pipe(shell: Shell) -> None:
    add(shell, "d" * 64, "--display-name", "D" * 100)
    line = shell("users", "list").stdout.splitlines()[-1]
    assert "d" * 64 in line and "D" * 100 in line


def test_never_shows_a_password_or_its_hash(shell: Shell) -> None:
    add(shell, "dora")
    assert "argon2" not in shell("users", "list", "--json").stdout
    assert set(shell.json("users", "list")[0]) == {
        "id",
        "username",
        "display_name",
        "admin",
        "service",
        "disabled",
        "created_at",
    }


# --- passwd, disable, enable ----------------------------------------------------------------------------------------


def test_gives_somebody_a_new_password(shell: Shell) -> None:
    add(shell, "dora")
    finished = shell("users", "passwd", "DORA", "--password-stdin", stdin="another-one")
    assert (finished.code, finished.stdout) == (0, "new password for dora\n")


def test_refuses_a_new_password_that_is_too_short(shell: Shell) -> None:
    add(shell, "dora")
    said = refusal(shell("users", "passwd", "dora", "--password-stdin", stdin="short"), 2)
    assert said == "password: At least 8 characters"


def test_refuses_a_new_password_for_a_service(shell: Shell) -> None:
    shell.json("users", "add", "worker", "--service")
    said = refusal(shell("users", "passwd", "worker", "--password-stdin", stdin=PASSWORD), 1)
    assert said == "worker is a service account and has no password; see: ringback token --help"


def test_disables_and_enables_somebody(shell: Shell) -> None:
    add(shell, "dora")
    assert shell("users", "disable", "dora").stdout == "disabled dora\n"
    assert shell.json("users", "list")[0]["disabled"]
    assert shell("users", "enable", "dora").stdout == "enabled dora\n"
    assert not shell.json("users", "enable", "dora")["disabled"]


@pytest.mark.parametrize("command", ["passwd", "disable", "enable"])
def test_refuses_a_name_that_nobody_has(shell: Shell, command: str) -> None:
    options = ["--password-stdin"] if command == "passwd" else []
    said = refusal(shell("users", command, "nobody", *options, stdin=PASSWORD), 1)
    assert said == "There is nobody called 'nobody'"


def test_works_without_a_server_and_leaves_no_database_behind(bare: Shell) -> None:
    add(bare, "dora", "--data-dir", "data")
    assert not (bare.folder / "data" / "mongo.json").exists()
    assert [user["username"] for user in bare.json("users", "list", "--data-dir", "data")] == ["dora"]
