"""``python -m server.cli``: the command without an installation."""

from __future__ import annotations

from server.cli import main

if __name__ == "__main__":  # and not where a process for work that burns CPU looks for what it is to do
    main(prog_name="ringback")
