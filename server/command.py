"""Where the command ``ringback`` begins. Importing this imports nothing: the processes for work that burns CPU import
what the command began with, and need a fifth of the memory, and start at once, without the whole server in them."""

from __future__ import annotations


def main() -> None:
    """Runs the command."""
    from server.cli import main as command

    command(prog_name="ringback")
