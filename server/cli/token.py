"""``ringback token``: a token for a program, or for a look at the API by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from server.app import Server
from server.cli.failures import Failure
from server.cli.options import load, settings_options
from server.cli.running import run_with_server

DEVICE = "ringback token"  # how the sign-in is called in the list of the person's devices


@click.command()
@click.argument("name", metavar="USER")
@click.option(
    "--kind",
    type=click.Choice(["access", "refresh", "ws"]),
    required=True,
    help="access is for the API (Authorization: Bearer); refresh gets access tokens (POST /auth/refresh); ws opens one "
    "socket, once.",
)
@settings_options
def token(name: str, kind: Literal["access", "refresh", "ws"], config: Path | None, data_dir: str | None) -> None:
    """Print a token for USER, and nothing else.

    It is as good as a password until it runs out (auth.access_token_ttl_s, auth.sign_in_ttl_days,
    auth.ws_token_ttl_s); disabling the account ends it at once.
    """

    async def work(server: Server) -> str:
        user = await server.services.accounts.named(name)
        if user.disabled:
            raise Failure(f"the account {user.username} is disabled: ringback users enable {user.username}")
        sign_ins = server.services.sign_ins
        sign_in = await sign_ins.begin(user, DEVICE)
        return sign_ins.tokens.issue(kind, user.user_id, sign_in.sign_in_id, sign_in.refresh_number)

    click.echo(run_with_server(load(config, data_dir), work))
