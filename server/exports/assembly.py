"""All that exports need, put together."""

from __future__ import annotations

from pathlib import Path

from server.clock import Clock
from server.exports.exports import Exports
from server.exports.holdings import Stores
from server.exports.kind import HistoryExport
from server.languages.choice import Languages
from server.settings import ExportSettings
from server.tasks.kinds import Kinds

FOLDER = "exports"
"""In the data folder: where exports are put together, and nothing stays."""


def open_exports(
    stores: Stores,
    kinds: Kinds,
    data_dir: Path,
    languages: Languages,
    clock: Clock,
    settings: ExportSettings,
    prefix: str,
) -> Exports:
    """Everybody's exports; the kind of task that makes them is known to ``kinds`` from now on. ``prefix`` is what the
    paths of the API begin with."""
    folder = data_dir / FOLDER
    kinds.register(HistoryExport(stores.exports, stores, folder, languages, clock, settings, prefix))
    return Exports(stores.exports, stores.users, folder, clock)
