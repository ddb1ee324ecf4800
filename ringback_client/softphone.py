"""The command `ringback-softphone`: a telephone for the shell, for tests and for machines. Part of the extra `media`.

ringback-softphone call bob --play hello.wav --record answer.wav --url https://calls.example --username alice
ringback-softphone wait --play welcome.wav --for 30
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from .client import Client
from .errors import MediaMissing, RingbackError
from .model import Call

try:
    import click
except ModuleNotFoundError as missing:
    raise MediaMissing(missing.name or "click") from None

from .phone import Phone
from .sound import Recorder, Voice

DEFAULT_URL = "http://localhost:8000"
PASSWORD_VARIABLE = "RINGBACK_PASSWORD"

Command = Callable[..., None]


def _common(command: Command) -> Command:
    """The options of both commands."""
    sound_in = click.Path(exists=True, dir_okay=False, path_type=Path)
    sound_out = click.Path(dir_okay=False, writable=True, path_type=Path)
    for option in reversed(
        (
            click.option("--url", envvar="RINGBACK_URL", default=DEFAULT_URL, show_default=True, help="The server."),
            click.option("--username", envvar="RINGBACK_USERNAME", required=True, help="Who you are."),
            click.option("--password-stdin", is_flag=True, help="Read the password from the first line of the input."),
            click.option(
                "--password-env",
                metavar="NAME",
                default=PASSWORD_VARIABLE,
                show_default=True,
                help="Read the password from this environment variable.",
            ),
            click.option("--play", type=sound_in, help="The sound file to play; without one you are silent."),
            click.option("--record", type=sound_out, help="The wav file to record the other side to."),
            click.option("--for", "talk_s", type=click.FloatRange(min=0), help="Hang up after so many seconds."),
        )
    ):
        command = option(command)
    return command


@click.group()
def main() -> None:
    """A telephone for a Ringback server, from the shell.

    Exit code 0 after a call in which both could talk, else 1.
    """


@main.command()
@click.argument("callee")
@_common
def call(callee: str, **options: Any) -> None:
    """Call CALLEE by user name."""
    _run(options, lambda phone: phone.call(callee))


@main.command()
@click.option("--timeout", "timeout_s", type=click.FloatRange(min=0), help="Give up after so many seconds.")
@_common
def wait(timeout_s: float | None, **options: Any) -> None:
    """Wait for a call and answer it."""
    _run(options, lambda phone: phone.wait(timeout_s))


def _run(options: dict[str, Any], use: Callable[[Phone], Awaitable[Call]]) -> None:
    """Do one call, and leave with its exit code."""
    password = _password(options["username"], options["password_env"], from_stdin=options["password_stdin"])
    try:
        ended = asyncio.run(_telephone(options, password, use))
    except (RingbackError, OSError, ValueError) as error:  # a TimeoutError is an OSError
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        raise click.ClickException("hung up") from None
    if ended.end_reason != "hangup" or ended.answered_at is None:
        sys.exit(1)


async def _telephone(options: dict[str, Any], password: str, use: Callable[[Phone], Awaitable[Call]]) -> Call:
    voice = Voice(options["play"])
    with contextlib.closing(voice), contextlib.closing(Recorder(options["record"])) as recorder:
        async with Client(options["url"]) as client:
            await client.sign_in(options["username"], password, device="ringback-softphone")
            try:
                phone = Phone(client, voice=voice, recorder=recorder, tell=click.echo, talk_s=options["talk_s"])
                return await use(phone)
            finally:
                with contextlib.suppress(RingbackError):
                    await client.api.logout()


def _password(username: str, variable: str, *, from_stdin: bool) -> str:
    """From the input, else from the environment, else asked for; never from the command line, which others can see."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return os.environ.get(variable) or click.prompt(f"Password of {username}", hide_input=True, err=True)
