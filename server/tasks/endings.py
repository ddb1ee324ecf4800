"""How work at a task ends other than with a result."""

from __future__ import annotations


class TaskFailed(Exception):
    """An honest failure: ``code`` for programs, ``message``, an English sentence, for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Retry(TaskFailed):
    """A step did not succeed and may the next time; it is a failure when it has not after some attempts."""


class Suspended(BaseException):
    """The run ends here, and goes on when a person has decided. No ``except Exception`` of a kind keeps it."""


class LeaseLost(Exception):
    """Somebody else works at this task by now."""


class BrokenOff(Exception):
    """The work ended without a result and without a reason: it is done again."""


class Stopped(BaseException):
    """Somebody has asked for the work to stop. No ``except Exception`` of a kind keeps it."""
