"""SIGTERM and SIGINT, while a server runs."""

from __future__ import annotations

import asyncio
import signal

from server.log import get_logger

SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = get_logger("server")


class StopSignals:
    """``with StopSignals() as signals``: the first one cancels the current task; a second one ends the process at once.

    Also then nothing is left behind: the kernel ends the mongod of ours with this process.
    """

    def __init__(self) -> None:
        self.received = False
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
        self.received = True
        for each in SIGNALS:  # the next one is the kernel's: it works also while a call blocks the loop
            self._loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)
        log.info("stopping", signal=number.name)
        assert self._task is not None
        self._task.cancel()
