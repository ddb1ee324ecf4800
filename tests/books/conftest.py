"""Fixtures of the tests of books: ``db`` as in :mod:`tests.store.conftest`, and a running server."""

from __future__ import annotations

from tests.running import _one_database, database, http_client, running, start
from tests.store.conftest import db

__all__ = ["_one_database", "database", "db", "http_client", "running", "start"]
