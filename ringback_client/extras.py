"""The way into what needs the extra `media`, for an installation that may lack it."""

from __future__ import annotations

import sys

from .errors import MediaMissing


def softphone() -> None:
    """The command `ringback-softphone`; one line, and exit code 1, where the extra is not installed."""
    try:
        from .softphone import main
    except MediaMissing as missing:
        sys.exit(f"ringback-softphone: {missing}")
    main()
