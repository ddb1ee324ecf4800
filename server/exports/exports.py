"""Everybody's exports: listed, read, removed by whom they are of, and thrown away when their time is over."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from server.clock import Clock
from server.errors import NotFound
from server.exports.model import Export
from server.ids import is_id, lowest_id_at
from server.log import get_logger
from server.store.driver import NoSuchFile
from server.store.exports import ExportStore
from server.store.users import UserStore

log = get_logger("exports")

CLEAN_EVERY_S = 3600.0
"""Exports are kept for days: an hour more or less is nothing."""
MADE_WITHIN_S = 6 * 3600.0
"""What is older than that and belongs to no export was left by a crash."""
AT_A_TIME = 100


class Exports:
    """Exports that are kept. ``folder`` is where they are put together."""

    def __init__(self, store: ExportStore, users: UserStore, folder: Path, clock: Clock) -> None:
        self._store = store
        self._users = users
        self._folder = folder
        self._clock = clock

    async def of(self, user_id: str) -> list[Export]:
        """Those of that person, newest first."""
        return await self._store.of(user_id)

    async def get(self, export_id: str, user_id: str) -> Export:
        """The export, for whom it is of; raises :class:`NotFound` for everybody else, as if there were none."""
        export = await self._store.get(export_id, user_id) if is_id(export_id) else None
        if export is None or export.expires_at <= self._clock.now():
            raise NotFound("There is no such export")
        return export

    async def read(self, export: Export, begin: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from ``begin`` up to and without ``end``; raises :class:`NotFound` if it was removed meanwhile."""
        try:
            async for piece in self._store.read(export.file_id, begin, end):
                yield piece
        except NoSuchFile:
            raise NotFound("There is no such export") from None

    async def remove(self, export_id: str, user_id: str) -> None:
        """Removes it; raises :class:`NotFound`."""
        if not is_id(export_id) or not await self._store.remove_one(user_id, export_id):
            raise NotFound("There is no such export")

    async def remove_of(self, user_id: str) -> int:
        """Removes every export of that person, also one that is being made."""
        await asyncio.to_thread(_remove_folders_of, self._folder, user_id)
        return await self._store.remove_of(user_id)

    async def clean(self) -> int:
        """Removes exports whose time is over or whose person is gone, and what a crash has left; returns how many
        exports that were."""
        now = self._clock.now()
        removed = await self._store.remove_ended(now) + await self._remove_of_nobody()
        before, after = lowest_id_at(now - timedelta(seconds=MADE_WITHIN_S)), ""
        while ids := await self._store.file_ids(after=after, before=before, limit=AT_A_TIME):
            after = ids[-1]
            kept = await self._store.kept_among(ids)
            for orphan in [each for each in ids if each not in kept]:
                await self._store.remove_file(orphan)
        await asyncio.to_thread(_remove_before, self._folder, now.timestamp() - MADE_WITHIN_S)
        if removed:
            log.info("exports_cleaned", expired=removed)
        return removed

    async def _remove_of_nobody(self) -> int:
        """Of those that were kept at the very moment in which the account was removed."""
        removed, after = 0, ""
        while page := await self._store.owners(after=after, limit=AT_A_TIME):
            after = page[-1][0]
            owners = {user_id for _, user_id in page}
            known = {user.user_id for user in await self._users.by_ids(list(owners))}
            for user_id in owners - known:
                removed += await self._store.remove_of(user_id)
        return removed


def folder_of(folder: Path, user_id: str, task_id: str) -> Path:
    """Where that task puts an export together: whatever it leaves behind, it is known whose it is."""
    return folder / f"{user_id}.{task_id}"


def _remove_folders_of(folder: Path, user_id: str) -> None:
    for left in folder.glob(f"{user_id}.*"):
        shutil.rmtree(left, ignore_errors=True)


def _remove_before(folder: Path, moment_s: float) -> None:
    for left in folder.glob("*"):
        with suppress(OSError):  # it is removed by whoever made it
            if left.stat().st_mtime >= moment_s:
                continue
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink()
