"""``ringback config``, and which configuration is in force."""

from __future__ import annotations

import yaml

from server.config import describe
from server.log import HIDDEN
from server.paths import default_config
from tests.cli.shell import Shell, refusal

SECRET = "kanarienvogel" * 3


def write(shell: Shell, name: str, text: str) -> str:
    """A configuration file in the folder of the shell."""
    (shell.folder / name).write_text(text)
    return name


def port(shell: Shell, *options: str, settings: dict[str, object] | None = None) -> str:
    """The ``server.port`` that is in force."""
    lines = shell("config", "show", *options, settings=settings).stdout.splitlines()
    return next(line for line in lines if line.startswith("server.port: ")).split()[1]


# --- check ----------------------------------------------------------------------------------------------------------


def test_finds_the_defaults_right(bare: Shell) -> None:
    finished = bare("config", "check", settings={"auth.argon2_memory_kib": 19456, "auth.argon2_time_cost": 2})
    assert finished.code == 0
    assert finished.stdout == "The configuration is right (no config.yaml, the defaults)\n"


def test_shows_what_differs_from_the_defaults(bare: Shell) -> None:
    write(bare, "config.yaml", "server:\n  port: 9000\nice:\n  stun_urls: ['stun:a', 'stun:b']\n")
    lines = bare("config", "check").stdout.splitlines()
    assert lines[0] == "The configuration is right (file config.yaml)"
    assert "server.port: 9000 (default: 8000)" in lines
    assert 'ice.stun_urls: stun:a, stun:b (default: "")' in lines


def test_prints_what_differs_as_json(bare: Shell) -> None:
    differing = bare.json("config", "check", "--data-dir", "elsewhere")
    assert differing == {"server.data_dir": "elsewhere", "auth.argon2_memory_kib": 8, "auth.argon2_time_cost": 1}


def test_never_shows_a_secret(bare: Shell) -> None:
    settings = {"auth.secret": SECRET, "mongo.uri": f"mongodb://ringback:{SECRET}@localhost"}
    for command in ("check", "show"):
        for form in ((), ("--json",)):
            finished = bare("config", command, *form, settings=settings)
            assert finished.stdout.count(HIDDEN) == 2
            assert "kanarienvogel" not in finished.stdout + finished.stderr


def test_changes_nothing(bare: Shell) -> None:
    bare("config", "check")
    assert list(bare.folder.iterdir()) == []


def test_refuses_an_unknown_key_in_one_line(bare: Shell) -> None:
    write(bare, "config.yaml", "server:\n  prot: 9000\n")
    said = refusal(bare("config", "check"), 2)
    assert said == "server.prot: no such setting; did you mean server.port? (from file config.yaml)"


def test_refuses_a_wrong_value_in_one_line(bare: Shell) -> None:
    said = refusal(bare("config", "check", settings={"server.port": "many"}), 2)
    assert said.startswith("server.port: 'many' cannot be used; must be a whole number from 0 to 65535 ")


def test_refuses_a_key_that_is_too_short_without_showing_it(bare: Shell) -> None:
    said = refusal(bare("config", "check", settings={"auth.secret": "kanarienvogel"}), 2)
    assert said.startswith("auth.secret: the value (hidden) cannot be used; ") and "kanarienvogel" not in said


def test_every_command_refuses_a_wrong_configuration_in_the_same_line(bare: Shell) -> None:
    commands = (["serve"], ["users", "list"], ["token", "dora", "--kind", "ws"], ["sweep"], ["selftest"])
    wrong = {"server.port": "many"}
    said = {refusal(bare(*command, settings=wrong), 2) for command in (*commands, ["config", "show"])}
    assert len(said) == 1


# --- which file -----------------------------------------------------------------------------------------------------


def test_takes_the_file_that_it_is_given(bare: Shell) -> None:
    write(bare, "config.yaml", "server: {port: 9001}")
    write(bare, "named.yaml", "server: {port: 9002}")
    write(bare, "given.yaml", "server: {port: 9003}")
    named: dict[str, object] = {"config": "named.yaml"}
    assert port(bare, "--config", "given.yaml", settings=named) == "9003"
    assert port(bare, settings=named) == "9002"
    assert port(bare) == "9001"


def test_takes_the_environment_over_the_file(bare: Shell) -> None:
    write(bare, "config.yaml", "server: {port: 9001}")
    assert port(bare, settings={"server.port": 9004}) == "9004"


def test_refuses_a_file_that_is_not_there(bare: Shell) -> None:
    said = refusal(bare("config", "check", "--config", "gone.yaml"), 2)
    assert said.startswith("configuration file: cannot be read: No such file or directory; ")


# --- show, example --------------------------------------------------------------------------------------------------


def test_shows_every_setting(bare: Shell) -> None:
    assert set(bare.json("config", "show")) == {info.key for info in describe()}


def test_prints_an_example_that_can_be_used(bare: Shell) -> None:
    example = bare("config", "example").stdout
    assert example == default_config().read_text()
    assert set(yaml.safe_load(example)) >= {"server", "mongo", "auth"}
