"""How results are printed: as a table for people, as JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click
import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from server.wire import encode

UNLIMITED_COLUMNS = 10_000  # what goes into a pipe or a file is not cut to anybody's screen


def print_json(document: Any) -> None:
    """Prints ``document``, anything that ``server.wire.encode`` takes, indented."""
    click.echo(msgspec.json.format(encode(document)).decode())


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints ``rows`` under ``columns``. A cell is shown as it is: nothing in it is taken for markup."""
    table = Table(*columns, box=SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(cell, overflow="fold") for cell in row))
    Console(width=None if sys.stdout.isatty() else UNLIMITED_COLUMNS).print(table)
