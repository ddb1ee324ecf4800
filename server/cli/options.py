"""The options that commands share, and the settings that come of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from server import log
from server.config import load_settings
from server.settings import Settings

CONFIG_FILE = "config.yaml"

Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
password_stdin_option = click.option(
    "--password-stdin", "from_stdin", is_flag=True, help="Read the password from standard input, up to its first line."
)


def settings_options(command: Command) -> Command:
    """Adds ``--config`` and ``--data-dir``, which arrive as ``config`` and ``data_dir``."""
    config = click.option(
        "--config",
        type=click.Path(path_type=Path),
        envvar="RINGBACK_CONFIG",
        metavar="FILE",
        help="Configuration file; else the one that RINGBACK_CONFIG names, else ./config.yaml, else the defaults.",
    )
    data_dir = click.option(
        "--data-dir", metavar="FOLDER", help="Folder for database and keys (server.data_dir); else ./ringback-data."
    )
    return config(data_dir(command))


def config_file(given: Path | None) -> Path | None:
    """The configuration file that is in force; None where the defaults are."""
    own = Path(CONFIG_FILE)
    return given or (own if own.is_file() else None)


def load(config: Path | None, data_dir: str | None) -> Settings:
    """The settings of a command beside the server; from here on only warnings are logged.

    Raises ConfigError.
    """
    settings = load_settings(config_file(config), os.environ, {"server.data_dir": data_dir})
    level = settings.log.level
    log.configure("warning" if level == "info" else level, settings.log.format)  # info is what a server has to say
    return settings


def load_for_server(config: Path | None, data_dir: str | None, host: str | None, port: int | None) -> Settings:
    """The settings of the server itself; from here on it logs as they say. Raises ConfigError."""
    flags = {"server.data_dir": data_dir, "server.host": host, "server.port": port}
    settings = load_settings(config_file(config), os.environ, flags)
    log.configure(settings.log.level, settings.log.format)
    return settings
