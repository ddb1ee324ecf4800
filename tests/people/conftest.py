"""The fixtures of a running server, see :mod:`tests.running`, and of what MongoDB did for it."""

from __future__ import annotations

from tests.running import _one_database, database, http_client, running, stalling, start
from tests.store.conftest import plans

__all__ = ["_one_database", "database", "http_client", "plans", "running", "stalling", "start"]
