"""``ringback doctor``: does what Ringback needs from others really work?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from server.cli.failures import Failure
from server.cli.options import json_option, load, settings_options
from server.cli.output import UNLIMITED_COLUMNS, print_json
from server.cli.running import run
from server.clock import SystemClock
from server.settings import IceSettings
from server.turn.checkup import Checkup
from server.turn.report import Report, Step

MARKS = {
    "ok": ("ok         ", "green"),
    "failed": ("FAILED     ", "bold red"),
    "not_checked": ("not checked", "yellow"),
}
NAME_COLUMNS = 28
SHORTEST_S, LONGEST_S = 0.2, 60.0


@click.group()
def doctor() -> None:
    """Check what Ringback needs from other servers."""


@doctor.command()
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(SHORTEST_S, LONGEST_S),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="Longest wait for one answer.",
)
@json_option
@settings_options
def turn(timeout_s: float, as_json: bool, config: Path | None, data_dir: str | None) -> None:
    """Check the STUN and TURN servers of ice.stun_urls and ice.turn_urls.

    Allocates on each with fresh credentials, sends a packet through the relay and back, and sees that nobody gets in
    with another secret. The exit code is 0 only if all of them work.
    """
    ice = load(config, data_dir).ice
    if not ice.turn_urls:
        raise Failure(
            "no TURN server is configured (ice.turn_urls is empty): people in different networks will often not reach "
            "each other; docs/turn.md tells how to set one up"
        )
    show = Show(silent=as_json)
    reports = run(_check(ice, timeout_s, show))
    _report(reports, as_json, show)


class Show:
    """Prints steps as they come, for people; nothing in them is taken for markup."""

    def __init__(self, *, silent: bool) -> None:
        width = None if sys.stdout.isatty() else UNLIMITED_COLUMNS
        self._console = Console(width=width, quiet=silent, highlight=False, markup=False)

    def server(self, url: str) -> None:
        """The beginning of one check-up."""
        self._console.print(Text(url, style="bold"))

    def step(self, step: Step) -> None:
        """One step and, where it failed, what that means and what to do."""
        mark, style = MARKS[step.state]
        line = Text.assemble((mark, style), f" {step.name:<{NAME_COLUMNS}}{step.seen} ({step.duration_ms:.0f} ms)")
        self._console.print(Padding(line, (0, 0, 0, 2), expand=False))
        if step.meaning and step.advice:
            words = Text.assemble(step.meaning, "\n", ("What to do: ", "bold"), step.advice)
            self._console.print(Padding(words, (0, 0, 0, 2 + len(mark) + 1), expand=False))

    def verdict(self, words: str) -> None:
        """The last line."""
        self._console.print(Text(words))


async def _check(ice: IceSettings, timeout_s: float, show: Show) -> list[Report]:
    reports = []
    clock = SystemClock()
    for url in ice.stun_urls:
        show.server(url)
        reports.append(await Checkup(url, clock=clock, timeout_s=timeout_s, on_step=show.step).stun())
    for url in ice.turn_urls:
        show.server(url)
        checkup = Checkup(url, ice.turn_secret, clock=clock, timeout_s=timeout_s, on_step=show.step)
        reports.append(await checkup.turn())
    return reports


def _report(reports: Sequence[Report], as_json: bool, show: Show) -> None:
    failed = [report.url for report in reports if not report.passed]
    if as_json:
        print_json({"passed": not failed, "servers": reports})
    elif not failed:
        show.verdict("The server works" if len(reports) == 1 else f"All {len(reports)} servers work")
    if failed:
        raise Failure(f"{len(failed)} of {len(reports)} servers failed: {', '.join(failed)}")
