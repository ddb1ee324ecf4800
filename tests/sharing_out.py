"""How the tests are shared out to two processes, one for each core of a small machine.

The journeys share a server and a browser, which take seconds to start: one process has them, from the beginning to the
end. The other has everything else, file by file. What is left when one of the two has finished is the other's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

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


def sendable(value: Any) -> Any:
    """A report of a test as one process can send it to another: no lone surrogates in its texts.

    A failed test that has one in its values would otherwise end the whole run, and nobody would learn what failed.
    """
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode("utf-8")
        case dict():
            return {sendable(key): sendable(each) for key, each in value.items()}
        case list() | tuple():
            return type(value)(sendable(each) for each in value)
    return value
