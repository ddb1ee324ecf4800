"""Asking for a password: on the terminal, or on standard input for a program. Arguments can be seen by everybody."""

from __future__ import annotations

import sys

import click


def new_password(from_stdin: bool) -> str:
    """A password for somebody; asked for twice on a terminal."""
    if from_stdin:
        return read_passwords(1)[0]
    if not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask for the password on; pipe it in with --password-stdin")
    answer: str = click.prompt("Password", hide_input=True, confirmation_prompt="The same once more", err=True)
    return answer


def read_passwords(count: int) -> list[str]:
    """The first ``count`` lines of standard input, without their ends; raises UsageError for one that is empty."""
    lines = [sys.stdin.buffer.readline().rstrip(b"\r\n") for _ in range(count)]
    if not all(lines):
        raise click.UsageError(f"--password-stdin: {count} line(s) of standard input are wanted, each a password")
    try:
        return [line.decode() for line in lines]
    except UnicodeDecodeError:
        raise click.UsageError("--password-stdin: the password is not UTF-8") from None
