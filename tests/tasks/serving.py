"""``ringback`` with one more kind of task, ``gated``: ``python -m tests.tasks.serving``."""

from __future__ import annotations

from server.command import main


def with_gates() -> None:
    """Lets every server of this process have that kind."""
    from server import app
    from tests.tasks.gated import WithGates

    vars(app)["TaskArea"] = WithGates


if __name__ == "__main__":
    with_gates()
    main()
