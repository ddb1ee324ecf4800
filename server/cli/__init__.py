"""The command ``ringback``: one file a command, or a group of them.

What a command was asked for goes to standard output, everything else (logs, questions, errors) to standard error. Every
command works beside a running server and without one.
"""

from __future__ import annotations

import click

from server.cli import config, doctor, routes, selftest, serve, sweep, tasks, token, users
from server.cli.failures import Commands
from server.version import VERSION


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="ringback", message="%(prog)s %(version)s")
def main() -> None:
    """Ringback, a calling server of your own."""


main.add_command(serve.serve)
main.add_command(users.users)
main.add_command(token.token)
main.add_command(routes.routes)
main.add_command(sweep.sweep)
main.add_command(tasks.tasks)
main.add_command(config.config)
main.add_command(selftest.selftest)
main.add_command(doctor.doctor)
