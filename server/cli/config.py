"""``ringback config``: is it right, and what is in force."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from server.cli.options import CONFIG_FILE, config_file, json_option, load, settings_options
from server.cli.output import print_json
from server.config import SettingInfo, describe
from server.log import HIDDEN
from server.paths import default_config
from server.settings import Settings


@click.group()
def config() -> None:
    """The configuration."""


@config.command()
@json_option
@settings_options
def check(as_json: bool, config: Path | None, data_dir: str | None) -> None:
    """Check the configuration, and show what differs from the defaults.

    The exit code is 0 when a server can start with it, else 2.
    """
    changed = [(info, value) for info, value in _values(load(config, data_dir)) if value != info.default]
    if as_json:
        print_json(_shown(changed))
        return
    path = config_file(config)
    click.echo(f"The configuration is right ({f'file {path}' if path else f'no {CONFIG_FILE}, the defaults'})")
    for info, value in changed:
        click.echo(f"{info.key}: {_text(info, value)} (default: {_text(info, info.default)})")


@config.command()
@json_option
@settings_options
def show(as_json: bool, config: Path | None, data_dir: str | None) -> None:
    """Show every setting with the value that is in force. Secrets are hidden."""
    values = _values(load(config, data_dir))
    if as_json:
        print_json(_shown(values))
    else:
        for info, value in values:
            click.echo(f"{info.key}: {_text(info, value)}")


@config.command()
def example() -> None:
    """Print a config.yaml to begin with: every setting with its default and what it means."""
    click.echo(default_config().read_text(encoding="utf-8"), nl=False)


def _values(settings: Settings) -> list[tuple[SettingInfo, Any]]:
    """Every setting and its value."""
    found = []
    for info in describe():
        section, _, name = info.key.partition(".")
        found.append((info, getattr(getattr(settings, section), name)))
    return found


def _shown(values: Iterable[tuple[SettingInfo, Any]]) -> dict[str, Any]:
    return {info.key: HIDDEN if info.secret and value else value for info, value in values}


def _text(info: SettingInfo, value: Any) -> str:
    """The value as the environment would take it; ``""`` for nothing."""
    if info.secret and value:
        return HIDDEN
    text = ", ".join(value) if isinstance(value, tuple) else str(value)
    return text or '""'
