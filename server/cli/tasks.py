"""``ringback tasks``: what takes minutes, and how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, get_args

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from server.app import Server
from server.cli.failures import Failure
from server.cli.options import json_option, load, settings_options
from server.cli.output import UNLIMITED_COLUMNS, print_json, print_table
from server.cli.running import run_with_server
from server.tasks.model import State, Task, TaskEvent, event_view
from server.wire import encode, rfc3339

LOOK_EVERY_S = 0.5
"""A command hears nothing of the bus of a running server: it looks into the database, one indexed question a time."""
SHOWN = 50


@click.group()
def tasks() -> None:
    """Long tasks: exports, imports, roadmaps, and those of other programs."""


@tasks.command(name="list")
@click.option("--user", "name", metavar="NAME", help="Only those of this person.")
@click.option("--state", type=click.Choice(get_args(State)), help="Only those in this state.")
@click.option(
    "--limit", type=click.IntRange(1, 1_000), default=SHOWN, show_default=True, help="How many, the newest first."
)
@json_option
@settings_options
def list_tasks(
    name: str | None, state: str | None, limit: int, as_json: bool, config: Path | None, data_dir: str | None
) -> None:
    """Show everybody's tasks, the newest first."""

    async def work(server: Server) -> tuple[list[Task], dict[str, str]]:
        services = server.services
        user_id = None if name is None else (await services.accounts.named(name)).user_id
        found = await services.tasks.newest(limit, user_id=user_id, states=None if state is None else [state])
        people = await services.users.by_ids({task.user_id for task in found})
        return found, {user.user_id: user.username for user in people}

    found, names = run_with_server(load(config, data_dir), work)
    if as_json:
        print_json([shown(task, names.get(task.user_id)) for task in found])
    elif found:
        rows = [
            (
                task.task_id,
                names.get(task.user_id, ""),
                task.kind,
                printable(task.title),
                "stalled" if task.stalled else task.state,
                f"{task.progress:.0%}",
                rfc3339(task.updated_at),
            )
            for task in found
        ]
        print_table(("task", "of", "kind", "title", "state", "", "last heard of"), rows)
    else:
        click.echo("There is no such task")


@tasks.command()
@click.argument("task_id", metavar="ID")
@json_option
@settings_options
def watch(task_id: str, as_json: bool, config: Path | None, data_dir: str | None) -> None:
    """Show what has happened in the task ID, and what happens, until it ends.

    The exit code is 0 only if it is completed. With --json each event is one line.
    """

    async def work(server: Server) -> TaskEvent | None:
        task = await server.services.tasks.load(task_id)
        events = follow(server, task.task_id)
        return await (_print_lines(events) if as_json else _show(task, events))

    last = run_with_server(load(config, data_dir), work)
    if last is None:
        raise Failure("the task was removed")
    if last.type != "completed":
        raise Failure(f"the task is {last.type}: {printable(last.message or last.code or '')}")


async def follow(server: Server, task_id: str) -> AsyncIterator[TaskEvent]:
    """Every event of a task, as soon as it is found, up to the final one; ends also when the task is gone."""
    number = 0
    while True:
        for event in await server.services.tasks.events(task_id, number):
            yield event
            number = event.number
            if event.is_final:
                return
        await asyncio.sleep(LOOK_EVERY_S)
        if not await server.services.tasks.exists(task_id):
            return


def shown(task: Task, username: str | None) -> dict[str, Any]:
    """A task as JSON shows it: ``{id, user, kind, title, state, stalled, progress, stage, message, …}``."""
    return {
        "id": task.task_id,
        "user": username,
        "kind": task.kind,
        "title": task.title,
        "state": task.state,
        "stalled": task.stalled,
        "progress": task.progress,
        "stage": task.stage,
        "message": task.message,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "ended_at": task.ended_at,
    }


def printable(text: str) -> str:
    """What another program or a person has written, without what would steer a terminal."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def line(event: TaskEvent) -> str:
    """An event as people read it: when, how far, and what."""
    at = event.timestamp.astimezone().strftime("%H:%M:%S")
    words = [event.stage, event.message or event.code or event.type]
    return f"{at} {event.progress:>4.0%} {printable(': '.join(word for word in words if word))}"


async def _print_lines(events: AsyncIterator[TaskEvent]) -> TaskEvent | None:
    last = None
    async for last in events:
        click.echo(encode(event_view(last)).decode())
    return last


async def _show(task: Task, events: AsyncIterator[TaskEvent]) -> TaskEvent | None:
    """A line for each event, and below them, on a terminal, a bar."""
    terminal = Console()
    console = terminal if terminal.is_terminal else Console(width=UNLIMITED_COLUMNS)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    last = None
    with Progress(*columns, console=console, disable=not terminal.is_terminal, transient=True) as bars:
        bar = bars.add_task(printable(task.title), total=1.0)
        async for last in events:
            console.print(Text(line(last)))
            bars.update(bar, completed=last.progress, description=printable(_headline(task, last)))
    return last


def _headline(task: Task, event: TaskEvent) -> str:
    return f"{task.title} – {event.stage}" if event.stage else task.title
