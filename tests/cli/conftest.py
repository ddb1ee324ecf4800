"""Fixtures of the command's tests.

shell      runs ``ringback`` on an empty database of the mongod that all tests share
bare       runs it in an empty folder with nothing set: it brings a mongod of its own
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.shell import Shell
from tests.conftest import CHEAP_HASHING


@pytest.fixture
def shell(tmp_path: Path, mongo_overrides: dict[str, object]) -> Shell:
    """Runs ``ringback`` on an empty database of the mongod that all tests share."""
    return Shell(tmp_path / "folder", CHEAP_HASHING | mongo_overrides)


@pytest.fixture
def bare(tmp_path: Path) -> Shell:
    """Runs ``ringback`` in an empty folder with nothing set: it brings a mongod of its own."""
    return Shell(tmp_path / "folder", CHEAP_HASHING)
