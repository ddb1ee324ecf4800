"""The fixtures of a running server, see :mod:`tests.running`."""

from __future__ import annotations

from tests.running import _one_database, database, http_client, running, stalling, start

__all__ = ["_one_database", "database", "http_client", "running", "stalling", "start"]
