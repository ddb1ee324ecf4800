"""``ringback users``: who may sign in."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import click

from server.app import Server
from server.cli.failures import Failure
from server.cli.options import json_option, load, password_stdin_option, settings_options
from server.cli.output import print_json, print_table
from server.cli.passwords import new_password
from server.cli.running import run_with_server
from server.store.users import User
from server.wire import rfc3339

SERVICE_PASSWORD_BYTES = 64  # longer than any auth.password_min_length asks for


@click.group()
def users() -> None:
    """People and service accounts."""


@users.command()
@click.argument("name")
@click.option("--display-name", metavar="TEXT", help="What others see; else NAME.")
@click.option("--admin", is_flag=True, help="May do what only administrators may.")
@click.option("--service", is_flag=True, help="Another program: no password, it comes with a token (ringback token).")
@password_stdin_option
@json_option
@settings_options
def add(
    name: str,
    display_name: str | None,
    admin: bool,
    service: bool,
    from_stdin: bool,
    as_json: bool,
    config: Path | None,
    data_dir: str | None,
) -> None:
    """Add somebody called NAME."""
    settings = load(config, data_dir)
    if service and from_stdin:
        raise click.UsageError("a service account has no password: leave out --password-stdin")
    # Nobody knows it: sign-in by password is refused to services, and this is the second lock on that door.
    password = secrets.token_urlsafe(SERVICE_PASSWORD_BYTES) if service else new_password(from_stdin)

    async def work(server: Server) -> User:
        return await server.services.accounts.add(name, password, display_name, admin=admin, service=service)

    _report("added", run_with_server(settings, work), as_json)


@users.command(name="list")
@json_option
@settings_options
def list_users(as_json: bool, config: Path | None, data_dir: str | None) -> None:
    """Show everybody."""

    async def work(server: Server) -> list[User]:
        return await server.services.users.all()

    people = run_with_server(load(config, data_dir), work)
    if as_json:
        print_json([shown(user) for user in people])
    elif people:
        rows = [(user.username, user.display_name, _marks(user), rfc3339(user.created_at)) for user in people]
        print_table(("name", "display name", "", "added"), rows)
    else:
        click.echo("Nobody is here yet: ringback users add NAME --admin")


@users.command()
@click.argument("name")
@password_stdin_option
@json_option
@settings_options
def passwd(name: str, from_stdin: bool, as_json: bool, config: Path | None, data_dir: str | None) -> None:
    """Give NAME a new password. All their devices are signed out."""
    settings = load(config, data_dir)
    password = new_password(from_stdin)

    async def work(server: Server) -> User:
        accounts = server.services.accounts
        user = await accounts.named(name)
        if user.service:
            raise Failure(f"{user.username} is a service account and has no password; see: ringback token --help")
        await accounts.set_password(user, password)
        return user

    _report("new password for", run_with_server(settings, work), as_json)


@users.command()
@click.argument("name")
@json_option
@settings_options
def disable(name: str, as_json: bool, config: Path | None, data_dir: str | None) -> None:
    """Shut the account of NAME. All their devices are signed out, within seconds."""
    _set_disabled(name, True, as_json, config, data_dir)


@users.command()
@click.argument("name")
@json_option
@settings_options
def enable(name: str, as_json: bool, config: Path | None, data_dir: str | None) -> None:
    """Open the account of NAME again."""
    _set_disabled(name, False, as_json, config, data_dir)


def shown(user: User) -> dict[str, Any]:
    """Somebody as JSON shows them: ``{id, username, display_name, admin, service, disabled, created_at}``."""
    return {
        "id": user.user_id,
        "username": user.username,
        "display_name": user.display_name,
        "admin": user.admin,
        "service": user.service,
        "disabled": user.disabled,
        "created_at": rfc3339(user.created_at),
    }


def _set_disabled(name: str, disabled: bool, as_json: bool, config: Path | None, data_dir: str | None) -> None:
    async def work(server: Server) -> User:
        accounts = server.services.accounts
        await accounts.set_disabled(await accounts.named(name), disabled)
        return await accounts.named(name)

    _report("disabled" if disabled else "enabled", run_with_server(load(config, data_dir), work), as_json)


def _report(what: str, user: User, as_json: bool) -> None:
    if as_json:
        print_json(shown(user))
    else:
        click.echo(f"{what} {user.username}")


def _marks(user: User) -> str:
    """What is special about an account."""
    marks = {"admin": user.admin, "service": user.service, "disabled": user.disabled}
    return ", ".join(mark for mark, is_set in marks.items() if is_set)
