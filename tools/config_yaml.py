"""Writes config.yaml from the registry of settings: ``python -m tools.config_yaml > config.yaml``."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import groupby

import yaml

from server.config import SettingInfo, describe

HEAD = """\
# Every setting of Ringback with its default. What is left out keeps the default.
#
# The environment goes over this file (RINGBACK_SERVER__PORT=9000 sets server.port; a list is written a,b), and the
# flags of the command line go over both. Secrets are better kept in the environment than here.
# Made from server/settings.py by tools/config_yaml.py.
"""
LINE_CHARACTERS = 118


def render() -> str:
    """The text of config.yaml."""
    sections = groupby(describe(), key=lambda info: info.key.partition(".")[0])
    return HEAD + "".join(_section(name, infos) for name, infos in sections)


def comment(info: SettingInfo) -> str:
    """What stands above a key: the explanation, and what is allowed with its unit."""
    allowed = "" if info.allowed == "text" else f" Allowed: {info.allowed}"
    return info.description + allowed


def _section(name: str, infos: Iterator[SettingInfo]) -> str:
    return f"\n{name}:\n" + "\n".join(_entry(info) for info in infos)


def _entry(info: SettingInfo) -> str:
    lines = textwrap.wrap(comment(info), LINE_CHARACTERS, initial_indent="  # ", subsequent_indent="  # ")
    default = list(info.default) if isinstance(info.default, tuple) else info.default
    value = yaml.safe_dump(default, default_flow_style=True).removesuffix("\n...\n").strip()
    value = value.replace("''", '""')
    return "\n".join([*lines, f"  {info.key.partition('.')[2]}: {value}"]) + "\n"


if __name__ == "__main__":
    print(render(), end="")
