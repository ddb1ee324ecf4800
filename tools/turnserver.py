"""Finds a coturn for the tests, or brings one: ``python -m tools.turnserver`` prints its path.

One that is there is taken. Without one, root gets Debian's by apt-get; everybody else gets the command to run, and
exit code 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

ADVICE = (
    "make test needs coturn. Either of these brings it:\n"
    "  sudo apt-get install coturn     (then: sudo systemctl disable --now coturn, unless you want it to run)\n"
    "  or set TURNSERVER=/path/to/turnserver"
)


def find_turnserver() -> str | None:
    """The path of a coturn that runs: $TURNSERVER or one on the PATH; None when there is none."""
    path = os.environ.get("TURNSERVER") or shutil.which("turnserver")
    return path if path and _runs(path) else None


def main() -> int:
    """Prints the path; the exit code is 1 when there is no coturn and none can be brought."""
    path = find_turnserver() or (_install() if os.geteuid() == 0 else None)
    if path is None:
        print(ADVICE, file=sys.stderr)
        return 1
    print(path)
    return 0


def _runs(path: str) -> bool:
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def _install() -> str | None:
    print("Bringing coturn for the tests: apt-get install coturn", file=sys.stderr)
    if shutil.which("systemctl"):
        # Debian's package starts a relay that is open to everybody; on a developer's machine nobody asked for one.
        print("Its service is masked; systemctl unmask coturn undoes that", file=sys.stderr)
        subprocess.run(["systemctl", "mask", "coturn.service"], stdout=sys.stderr, check=False)
    if shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "-y", "--no-install-recommends", "coturn"]):
            subprocess.run(["apt-get", "-q", *command], env=environment, stdout=sys.stderr, check=False)
    return find_turnserver()


if __name__ == "__main__":
    sys.exit(main())
