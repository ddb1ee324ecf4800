"""The task kind ``history_export``: all that is held about a person, in one zip file that they alone can fetch."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

from server.calls.outcomes import peer_of
from server.clock import Clock
from server.errors import BadRequest, BadState
from server.exports.archive import ROWS, make_archive
from server.exports.catalogue import TABLES
from server.exports.exports import folder_of
from server.exports.holdings import Holdings, Row, Stores
from server.exports.model import Export
from server.ids import new_id
from server.languages.choice import Languages
from server.languages.language import Language
from server.languages.sentences import N_, Sentence, filled
from server.realtime.frames import UserRef
from server.settings import ExportSettings
from server.store.driver import Duplicate, NoSuchFile
from server.store.exports import ExportStore
from server.tasks.endings import LeaseLost
from server.tasks.work import Work
from server.wire import encode, rfc3339

ROWS_AT_A_TIME = 500
READ_BYTES = 1024 * 1024
COLLECTED, WITH_MEDIA, WRITTEN = 0.6, 0.8, 0.9
"""How far the work is when a stage is over."""
OPEN = ["queued", "running"]
LEFT_OUT = "media_left_out"
"""The table of files for which there was no room."""


class HistoryExport:
    """Makes exports."""

    name = "history_export"
    stages = ("collect", "media", "write", "keep")
    deadline_s = 4 * 3600.0

    def __init__(
        self,
        store: ExportStore,
        stores: Stores,
        folder: Path,
        languages: Languages,
        clock: Clock,
        settings: ExportSettings,
        prefix: str,
    ) -> None:
        """``folder`` is where files are put together, ``prefix`` what the paths of the API begin with."""
        self._store = store
        self._stores = stores
        self._folder = folder
        self._languages = languages
        self._clock = clock
        self._settings = settings
        self._prefix = prefix

    def title(self, params: dict[str, Any]) -> Sentence:
        """See :class:`~server.tasks.kinds.Kind`."""
        return N_("Export of your data")

    async def check(self, params: dict[str, Any], user: UserRef) -> dict[str, Any]:
        """Takes no parameters; raises :class:`BadRequest`, and :class:`BadState` while one is being made."""
        if params:
            raise BadRequest.of("params", N_("There is no field `%(name)s`", name=next(iter(params))))
        page = await self._stores.tasks.list_of(user.id, states=OPEN)
        # What has just ended may be in the list still, as over.
        if any(task.kind == self.name and not task.is_over for task in page.tasks):
            raise BadState(N_("An export of your data is being made already"))
        return {}

    async def run(self, work: Work) -> dict[str, Any]:
        """See the module; ``{url, title, export_id, size_bytes}``."""
        kept: dict[str, Any] = await work.step("archive", lambda: self._made(work))
        return {"url": f"{self._prefix}/exports/{kept['export_id']}/file", "title": "ringback-export.zip"} | kept

    async def _made(self, work: Work) -> dict[str, Any]:
        """The export of this task; what an earlier run has kept, if it came so far."""
        folder = folder_of(self._folder, work.user_id, work.task.task_id)
        try:
            known = await self._store.of_task(work.task.task_id) or await self._make(work, folder)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, True)
        return {"export_id": known.export_id, "size_bytes": known.size_bytes}

    async def _make(self, work: Work, folder: Path) -> Export:
        rows, target = folder / "rows", folder / "export.zip"
        await asyncio.to_thread(_make_anew, folder)
        await asyncio.to_thread(rows.mkdir)
        language = await self._language(work.user_id)
        holdings = Holdings(self._stores, work.user_id, language.translate)
        await self._collect(work, holdings, rows)
        await self._copy_media(work, holdings, rows)
        readme, summaries = self._readme(language), await self._summaries(holdings, work.user_id, language)
        await work.progress(WITH_MEDIA, "write", "export_written", "Writing the files")
        size_bytes = await work.cpu(make_archive, str(rows), str(target), readme, summaries)
        await work.progress(WRITTEN, "keep", "export_kept", "Keeping the file where only you can fetch it")
        return await self._keep(work, target, size_bytes)

    async def _language(self, user_id: str) -> Language:
        user = await self._stores.users.get(user_id)
        return self._languages.of(user.locale if user else None) or self._languages.english

    async def _collect(self, work: Work, holdings: Holdings, folder: Path) -> None:
        for number, table in enumerate(TABLES, 1):
            await _write_rows(folder / f"{table.name}{ROWS}", holdings.rows(table.name))
            await work.progress(
                COLLECTED * number / len(TABLES),
                "collect",
                "export_collected",
                "Collected %(number)s of %(count)s kinds of data",
                number=number,
                count=len(TABLES),
            )

    async def _copy_media(self, work: Work, holdings: Holdings, folder: Path) -> None:
        room = self._settings.max_media_bytes
        left_out: list[Row] = []
        copied = 0
        async for medium in holdings.media():
            if medium.size_bytes > room:
                left_out.append({"file": medium.path, "size_bytes": medium.size_bytes})
                continue
            room -= medium.size_bytes
            try:
                await _write_pieces(folder / medium.path, medium.pieces())
            except NoSuchFile:  # it was deleted meanwhile
                continue
            copied += 1
            await work.progress(COLLECTED, "media", "export_media", "Copied %(count)s recordings", count=copied)
        if left_out:
            await _write_rows(folder / f"{LEFT_OUT}{ROWS}", _each(left_out))

    def _readme(self, language: Language) -> str:
        made = self._clock.now()
        title = language.translate("What Ringback holds about you, as of %(moment)s") % {"moment": rfc3339(made)}
        lines = [title, ""]
        lines += [f"{table.name}.json, {table.name}.csv: {language.translate(table.about)}" for table in TABLES]
        lines.append("calls.ics: " + language.translate("Your calls as a calendar"))
        lines.append(f"{LEFT_OUT}.json: " + language.translate("Files that were too large for this export, if any"))
        return "\n".join(lines) + "\n"

    async def _summaries(self, holdings: Holdings, user_id: str, language: Language) -> dict[str, str]:
        sentence = language.translate("Call with %(name)s")
        return {
            call.call_id: filled(sentence, {"name": peer_of(call, user_id).user.display_name})
            async for call in holdings.every_call()
        }

    async def _keep(self, work: Work, target: Path, size_bytes: int) -> Export:
        now = self._clock.now()
        export = Export(
            export_id=new_id(),
            user_id=work.user_id,
            task_id=work.task.task_id,
            file_id=new_id(),
            size_bytes=size_bytes,
            created_at=now,
            expires_at=now + timedelta(days=self._settings.keep_days),
        )
        file = self._store.new_file(export.file_id)
        with await asyncio.to_thread(target.open, "rb") as source:
            while piece := await asyncio.to_thread(source.read, READ_BYTES):
                await file.write(piece)
        await file.close()
        # The work may be stopped while the database carries this out: then it is looked at nevertheless, and whatever
        # comes of it concerns nobody.
        inserting = asyncio.ensure_future(self._insert(export))
        inserting.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(inserting)

    async def _insert(self, export: Export) -> Export:
        try:
            await self._store.insert(export)
        except Duplicate:  # a run that was taken for dead has been faster
            await self._store.remove_file(export.file_id)
            known = await self._store.of_task(export.task_id)
            assert known is not None
            return known
        if not await self._stores.tasks.exists(export.task_id):  # the account was removed meanwhile, with its tasks
            await self._store.remove_of(export.user_id)
            raise LeaseLost
        await self._store.remove_others(export.user_id, export.export_id)
        return export


def _make_anew(folder: Path) -> None:
    """An empty folder that nobody else can look into."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)


async def _each(rows: list[Row]) -> AsyncIterator[Row]:
    for row in rows:
        yield row


async def _write_rows(path: Path, rows: AsyncIterator[Row]) -> None:
    """Each row as JSON in a line, some at a time."""
    with await asyncio.to_thread(path.open, "wb") as file:
        waiting: list[Row] = []
        async for row in rows:
            waiting.append(row)
            if len(waiting) == ROWS_AT_A_TIME:
                await asyncio.to_thread(_write_lines, file, waiting)
                waiting = []
        await asyncio.to_thread(_write_lines, file, waiting)


def _write_lines(file: BinaryIO, rows: list[Row]) -> None:
    file.write(b"".join(encode(row) + b"\n" for row in rows))


async def _write_pieces(path: Path, pieces: AsyncIterator[bytes]) -> None:
    await asyncio.to_thread(path.parent.mkdir, 0o700, True, True)
    with await asyncio.to_thread(path.open, "wb") as file:
        async for piece in pieces:
            await asyncio.to_thread(file.write, piece)
