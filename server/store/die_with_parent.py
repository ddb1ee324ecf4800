"""Runs a program that must not outlive its parent: ``die_with_parent.py PARENT_PID PROGRAM ARGUMENT…``.

A script of its own, because code between fork and exec of a process with threads may not do more than this asks for.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2): the signal that the kernel sends when the thread that forked us has ended


def main(parent_pid: int, program: list[str]) -> None:
    """Becomes ``program``, to be killed by the kernel when the parent is gone, however that happened.

    SIGKILL, not SIGTERM: nothing may hold it up, and what MongoDB acknowledged is in its journal.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it went before the line above; nobody would ever end us
        sys.exit("the process that asked for this has ended")
    os.execv(program[0], program)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
