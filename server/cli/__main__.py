"""``python -m server.cli``: the command without an installation."""

from __future__ import annotations

from server.command import main

if __name__ == "__main__":  # and not in a process for work that burns CPU, which imports this: see server.command
    main()
