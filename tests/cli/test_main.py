"""The command as a whole: its version, its help, and how it fails."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from pymongo.errors import ConfigurationError, OperationFailure

from server.cli import main
from server.cli.failures import Commands, failure
from server.version import VERSION
from tests.cli.shell import Shell, refusal, wrong_usage

GROUPS = {
    "users": {"add", "list", "passwd", "disable", "enable"},
    "config": {"check", "show", "example"},
    "tasks": {"list", "watch"},
}


def test_says_its_version(bare: Shell) -> None:
    assert bare("--version").stdout == f"ringback {VERSION}\n"


def test_has_every_command() -> None:
    commands = {"serve", "users", "token", "routes", "sweep", "tasks", "config", "doctor", "selftest"}
    assert set(main.commands) == commands
    for name, names in GROUPS.items():
        group = main.commands[name]
        assert isinstance(group, click.Group) and set(group.commands) == names


def test_every_command_says_what_it_is_for() -> None:
    groups = [main, *(group for group in main.commands.values() if isinstance(group, click.Group))]
    commands = [command for group in groups for command in group.commands.values()]
    assert [command.name for command in commands if not command.help] == []
    options = [option for command in commands for option in command.params if isinstance(option, click.Option)]
    assert [option.opts for option in options if not option.help] == []


def test_refuses_a_command_that_is_none(bare: Shell) -> None:
    assert wrong_usage(bare("dial")) == "No such command 'dial'."


def test_says_in_one_line_that_the_database_is_away(bare: Shell) -> None:
    nobody = {"mongo.uri": "mongodb://127.0.0.1:9", "mongo.timeout_ms": 100}
    assert refusal(bare("users", "list", settings=nobody), 1).startswith("the database is away: ")


@pytest.mark.parametrize("uri", ["mongodb://alice:half/kanarienvogel@host", "mongodb://alice:k@narienvogel@host"])
def test_refuses_an_address_of_mongodb_that_is_none_without_showing_it(bare: Shell, uri: str) -> None:
    said = refusal(bare("users", "list", settings={"mongo.uri": uri}), 2)
    assert said.startswith("mongo.uri: the value (hidden) cannot be used; ")
    assert not any(piece in said for piece in ("kanarienvogel", "half", "narien"))


def test_says_in_one_line_that_the_data_folder_cannot_be_used(bare: Shell) -> None:
    (bare.folder / "taken").write_text("a file")
    said = refusal(bare("users", "list", "--data-dir", "taken"), 2)
    assert said.startswith("server.data_dir: ") and "taken" in said


def test_says_in_one_line_that_the_key_cannot_be_used(bare: Shell) -> None:
    data_dir = bare.folder / "data"
    data_dir.mkdir()
    (data_dir / "secret").touch(mode=0o600)
    said = refusal(bare("users", "list", "--data-dir", "data"), 2)
    assert said.startswith("auth.secret: there is no key in the file; ")


def test_says_why_mongodb_refuses() -> None:
    refused = OperationFailure("a long text", 18, {"errmsg": "Authentication failed."})
    assert failure(refused).message == "MongoDB refuses: Authentication failed."


def test_says_that_the_hosts_of_mongodb_cannot_be_found() -> None:
    said = failure(ConfigurationError("The DNS query name does not exist: _mongodb._tcp.nowhere."))
    assert said.exit_code == 2 and said.message.startswith("mongo.uri: The DNS query name")


def test_names_the_file_that_cannot_be_read(tmp_path: Path) -> None:
    error = FileNotFoundError(2, "No such file or directory", "/nowhere")
    assert failure(error).message == "/nowhere: No such file or directory"


@click.group(cls=Commands)
def faulty() -> None:
    """A command of which every subcommand fails."""


@faulty.command()
def stumble() -> None:
    """Meets what nobody has thought of."""
    raise LookupError("first line\nsecond line")


@faulty.command()
def interrupted() -> None:
    """Is interrupted."""
    raise KeyboardInterrupt


def test_shows_what_nobody_has_thought_of_as_one_line_too() -> None:
    result = CliRunner().invoke(faulty, ["stumble"])
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: unexpected LookupError: first line second line (")
    assert result.stderr.count("\n") == 1


def test_logs_where_that_was_for_whoever_asks(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "cli"):
        CliRunner().invoke(faulty, ["stumble"])
    assert "command_failed" in caplog.text and "exc_info" in caplog.text


def test_an_interrupted_command_ends_as_a_shell_expects() -> None:
    assert CliRunner().invoke(faulty, ["interrupted"]).exit_code == 130


def test_does_not_mind_a_reader_that_has_gone(bare: Shell) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with bare.popen("routes", stdout=writer) as process:
        os.close(writer)
        assert process.stderr is not None and process.stderr.read() == ""
    assert process.returncode == 1
