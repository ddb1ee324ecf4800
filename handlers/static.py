"""The files of the pages: scripts, styles, pictures."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import tornado.web

from handlers.base import SECURITY_HEADERS

COMPUTING_WORKER = "js/captions/worker.js"
COMPUTING_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"
"""A worker has a policy of its own. This one may run WebAssembly, load what lies here, and talk to nobody else."""


class StaticHandler(tornado.web.StaticFileHandler):
    """Tornado's, with the headers that everything has, and errors that tell nobody more than their status."""

    def set_default_headers(self) -> None:
        """See :data:`handlers.base.SECURITY_HEADERS`."""
        self.clear_header("Server")
        for name, value in SECURITY_HEADERS.items():
            self.set_header(name, value)

    def set_extra_headers(self, path: str) -> None:
        """Modules import each other without a version: those are asked for anew, so that an upgrade never mixes two."""
        if "v" not in self.request.arguments:
            self.set_header("Cache-Control", "no-cache")
        if path == COMPUTING_WORKER:
            self.set_header("Content-Security-Policy", COMPUTING_POLICY)

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """404 for what no file can be called, too."""
        if "\0" in absolute_path:
            raise tornado.web.HTTPError(404)
        return super().validate_absolute_path(root, absolute_path)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """The status, in plain text: no page links to a file that there is not."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code}\n")

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """A refusal is no news."""
        if not isinstance(value, tornado.web.HTTPError):
            super().log_exception(typ, value, tb)


class ServiceWorkerHandler(StaticHandler):
    """``/service-worker.js``: at the root, because a worker is responsible for the paths below its own."""

    async def get(self, path: str = "service-worker.js", include_body: bool = True) -> None:
        """The worker."""
        await super().get(path, include_body)

    def head(self, path: str = "service-worker.js") -> Awaitable[None]:
        """As ``get``, without the body."""
        return self.get(path, include_body=False)

    def set_extra_headers(self, path: str) -> None:
        """Asked for anew each time, whatever the address: an old worker would stay for a day."""
        self.set_header("Cache-Control", "no-cache")
