"""How the tests are shared out to two processes, one for each core of a small machine.

The journeys share a server and a browser, which take seconds to start: one process has them, from the beginning to the
end. The other has everything else, file by file. What is left when one of the two has finished is the other's.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

JOURNEYS = "tests/journeys"


class SharingOut(LoadScopeScheduling):
    """Gives out whole files, and the journeys as two: what walks through pages, and what looks at single modules."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        if not path.startswith(JOURNEYS):
            return path
        return f"{JOURNEYS} of modules" if path.endswith("_modules.py") else JOURNEYS


def in_order(items: list[pytest.Item]) -> list[pytest.Item]:
    """The journeys first, because they take the longest; those of modules last."""

    def rank(item: pytest.Item) -> int:
        path = Path(item.path).as_posix()
        return 1 if JOURNEYS not in path else 2 if path.endswith("_modules.py") else 0

    return sorted(items, key=rank)
