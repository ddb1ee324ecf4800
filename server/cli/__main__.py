"""``python -m server.cli``: the command without an installation."""

from __future__ import annotations

from server.cli import main

main(prog_name="ringback")
