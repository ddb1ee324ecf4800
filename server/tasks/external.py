"""Tasks of the kind ``external``: another program does the work, and says how it goes."""

from __future__ import annotations

from typing import Any

from server.languages.sentences import N_
from server.realtime.frames import UserRef
from server.tasks.endings import TaskFailed
from server.tasks.model import EXTERNAL
from server.tasks.work import Work

DEADLINE_S = 7 * 86_400.0
"""A week: nobody here knows how long the work of others takes."""


class External:
    """The kind whose work is done elsewhere; the runner leaves it alone."""

    name = EXTERNAL
    stages: tuple[str, ...] = ()
    deadline_s = DEADLINE_S

    def title(self, params: dict[str, Any]) -> str:
        """See :class:`~server.tasks.kinds.Kind`."""
        return N_("Task of another program")

    async def check(self, params: dict[str, Any], user: UserRef) -> dict[str, Any]:
        """Whatever they are, they are for the other program."""
        return params

    async def run(self, work: Work) -> dict[str, Any]:
        """Never called."""
        raise TaskFailed("not_here", "Another program does this work")
