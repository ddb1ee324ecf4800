"""SIGTERM and SIGINT, while a server runs."""

from __future__ import annotations

import asyncio
import os
import signal

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """`with StopSignals() as signals`: the first one cancels the current task, a second one ends the process at once.

    Also then nothing is left behind: the kernel ends the mongod of ours with this process.
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()

    def __enter__(self) -> StopSignals:
        for number in SIGNALS:
            self._loop.add_signal_handler(number, self._receive, number)
        return self

    def __exit__(self, *_: object) -> None:
        for number in SIGNALS:
            self._loop.remove_signal_handler(number)

    def _receive(self, number: signal.Signals) -> None:
        if self.received is not None:
            os._exit(128 + number)  # as a shell has it for a process that a signal ended
        self.received = number
        assert self._task is not None
        self._task.cancel()
