"""Exports of what is held about a person, over HTTP: for that person alone."""

from __future__ import annotations

from handlers.base import ApiHandler
from handlers.ranged import RangedHandler
from server.exports.model import export_view


class ExportsHandler(ApiHandler):
    """``GET /exports``."""

    async def get(self) -> None:
        """200 with the own exports that can be fetched, newest first."""
        exports = await self.services.exports.of(self.who.user.id)
        self.reply({"items": [export_view(export) for export in exports]})


class ExportHandler(ApiHandler):
    """``/exports/{export_id}``."""

    async def get(self, export_id: str) -> None:
        """200 the export."""
        self.reply(export_view(await self.services.exports.get(export_id, self.who.user.id)))

    async def delete(self, export_id: str) -> None:
        """204; it is gone."""
        await self.services.exports.remove(export_id, self.who.user.id)
        self.no_content()


class ExportFileHandler(RangedHandler):
    """``GET /exports/{export_id}/file``."""

    async def get(self, export_id: str) -> None:
        """The zip file; see :meth:`RangedHandler.send`."""
        exports = self.services.exports
        export = await exports.get(export_id, self.who.user.id)
        day = export.created_at.date().isoformat()
        await self.send(
            lambda begin, end: exports.read(export, begin, end),
            export.size_bytes,
            "application/zip",
            f'attachment; filename="ringback-{day}.zip"',
            export.file_id,
        )
