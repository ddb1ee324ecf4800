"""Finds a Chromium for the tests, or brings one: ``python -m tools.browser`` prints its path.

One that is there is taken. Without one, root gets Debian's by apt-get, or Playwright's where the distribution has none
(Ubuntu's package is a snap); everybody else gets the commands to choose from, and exit code 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
PLAYWRIGHT_INSTALL = [sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"]
ADVICE = (
    "make test needs Chromium. Any of these brings it:\n"
    "  sudo apt-get install chromium                                     (Debian)\n"
    "  sudo .venv/bin/python -m playwright install-deps chromium && .venv/bin/python -m playwright install chromium\n"
    "  or set CHROMIUM=/path/to/chromium"
)


def find_browser() -> str | None:
    """The path of a Chromium that runs: $CHROMIUM, one on the PATH, or Playwright's; None when there is none."""
    return next((path for path in _candidates() if _runs(path)), None)


def main() -> int:
    """Prints the path; the exit code is 1 when there is no browser and none can be brought."""
    path = find_browser() or (_install() if os.geteuid() == 0 else None)
    if path is None:
        print(ADVICE, file=sys.stderr)
        return 1
    print(path)
    return 0


def _candidates() -> Iterator[str]:
    if "CHROMIUM" in os.environ:
        yield os.environ["CHROMIUM"]
        return
    yield from (path for name in NAMES if (path := shutil.which(name)))
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache/ms-playwright")
    yield from (str(path) for path in sorted(cache.glob("chromium-*/chrome-linux*/chrome"), reverse=True))


def _runs(path: str) -> bool:
    """A snap's stand-in is a file of that name which only says that the snap is missing."""
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and "Chrom" in answer.stdout


def _install() -> str | None:
    print("Bringing Chromium for the tests: apt-get install chromium", file=sys.stderr)
    if shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
            subprocess.run(["apt-get", "-q", *command], env=environment, stdout=sys.stderr, check=False)
    path = find_browser()
    if path is None:
        print("Not so; Playwright's own instead", file=sys.stderr)
        subprocess.run(PLAYWRIGHT_INSTALL, stdout=sys.stderr, check=False)
        path = find_browser()
    return path


if __name__ == "__main__":
    sys.exit(main())
