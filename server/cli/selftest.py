"""``ringback selftest``: does a running server do what two people who call each other need of it?"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import click

from ringback_client import selftest as client_selftest
from ringback_client.address import api_url
from ringback_client.selftest import Login, Step
from server.app import Server
from server.cli.failures import Failure
from server.cli.options import json_option, load, settings_options
from server.cli.output import print_json
from server.cli.passwords import read_passwords
from server.cli.running import run, run_with_server
from server.cli.serve import url_of
from server.settings import Settings

ROLES = ("caller", "callee")
PASSWORD_BYTES = 48  # 64 characters: as long as the longest auth.password_min_length


@click.command()
@click.argument("url", required=False)
@click.option(
    "--user",
    "names",
    multiple=True,
    metavar="NAME",
    help="Somebody to do it as, given twice. Else two people are made for it in the database, and removed again.",
)
@click.option(
    "--password-stdin", "from_stdin", is_flag=True, help="Read their passwords from standard input, one a line."
)
@json_option
@settings_options
def selftest(
    url: str | None, names: Sequence[str], from_stdin: bool, as_json: bool, config: Path | None, data_dir: str | None
) -> None:
    """Place calls on the server at URL, and show each step.

    URL is its address, http://localhost:PORT unless it is given. The exit code is 0 only if all steps passed.
    """
    if len(names) not in (0, len(ROLES)):
        raise click.UsageError("--user is given twice: the one who calls, the one who is called")
    settings = load(config, data_dir)
    url = url or _own_url(settings)
    try:
        api_url(url)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="URL") from None

    def show(step: Step) -> None:
        if not as_json:
            click.echo(line(step))

    async def with_temporary_people(server: Server) -> list[Step]:
        async with temporary_people(server) as people:
            return await client_selftest.run(url, people, on_step=show)

    if names:
        people = [Login(name, password) for name, password in zip(names, _passwords(names, from_stdin), strict=True)]
        steps = run(client_selftest.run(url, people, on_step=show))
    else:
        steps = run_with_server(settings, with_temporary_people)
    _report(url, steps, as_json, made_people=not names)


@asynccontextmanager
async def temporary_people(server: Server) -> AsyncIterator[list[Login]]:
    """Two people who exist as long as this context; neither they nor their calls stay."""
    accounts = server.services.accounts
    made = []
    people = []
    try:
        for role in ROLES:
            login = Login(f"selftest-{role}-{secrets.token_hex(3)}", secrets.token_urlsafe(PASSWORD_BYTES))
            made.append(await accounts.add(login.username, login.password))
            people.append(login)
        yield people
    finally:
        for user in made:
            await accounts.remove(user)
        await server.services.calls.remove_forgotten()


def line(step: Step) -> str:
    """A step as people read it: whether it passed, what was done, expected, and seen."""
    mark = click.style("ok    ", fg="green") if step.ok else click.style("FAILED", fg="red", bold=True)
    return f"{mark} {step.name}: expected {step.expected}; seen {step.seen} ({step.duration_ms:.0f} ms)"


def _report(url: str, steps: Sequence[Step], as_json: bool, *, made_people: bool) -> None:
    failed = [step for step in steps if not step.ok]
    passed = bool(steps) and not failed
    if as_json:
        print_json({"url": url, "passed": passed, "steps": steps})
    elif passed:
        click.echo(f"All {len(steps)} steps passed at {url}")
    if not passed:
        hint = ""
        if made_people and any("invalid_credentials" in step.seen for step in failed):
            hint = " (the two people are in another database than that server's: see --data-dir and --user)"
        raise Failure(f"{len(failed)} of {len(steps)} steps failed at {url}{hint}")


def _own_url(settings: Settings) -> str:
    if settings.server.port == 0:
        raise click.UsageError("give the URL: server.port is 0, which is any free port")
    return url_of(settings.server, settings.server.port)


def _passwords(names: Sequence[str], from_stdin: bool) -> list[str]:
    if from_stdin:
        return read_passwords(len(names))
    return [click.prompt(f"Password of {name}", hide_input=True, err=True) for name in names]
