"""``ringback sweep``: what the server does every second, once, for cron."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from server.app import Server
from server.calls.model import Call
from server.cli.options import json_option, load, settings_options
from server.cli.output import print_json, print_table
from server.cli.running import run_with_server
from server.wire import optional_rfc3339


class Swept(msgspec.Struct, frozen=True):
    """What was found and done: the ids of calls past their deadline, and how many of them this sweep has ended."""

    dry_run: bool
    overdue: list[str]
    ended: int


@click.command()
@click.option("--dry-run", is_flag=True, help="Only show the calls, end none.")
@json_option
@settings_options
def sweep(dry_run: bool, as_json: bool, config: Path | None, data_dir: str | None) -> None:
    """End the calls that are past their deadline, once.

    A running server does it by itself every second. Both at once end a call once.
    """

    async def work(server: Server) -> tuple[list[Call], int]:
        overdue = await server.services.calls.due(server.services.clock.now())
        return overdue, 0 if dry_run else await _end_all(server)

    overdue, ended = run_with_server(load(config, data_dir), work)
    if as_json:
        print_json(Swept(dry_run, [call.call_id for call in overdue], ended))
    elif dry_run:
        _list(overdue)
    else:
        click.echo(f"{_count(ended)} past the deadline ended")


async def _end_all(server: Server) -> int:
    """Sweeps until nothing is left to do: one sweep takes a bounded number of calls."""
    ended = 0
    while expired := (await server.services.switchboard.sweep()).expired:
        ended += expired
    return ended


def _list(overdue: Sequence[Call]) -> None:
    if overdue:
        rows = [(call.call_id, call.state, optional_rfc3339(call.deadline) or "") for call in overdue]
        print_table(("call", "state", "deadline"), rows)
    else:
        click.echo("No call is past its deadline")


def _count(number: int) -> str:
    return f"{number} call" + ("" if number == 1 else "s")
