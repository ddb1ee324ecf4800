"""A real HTTP server whose answers a test lays out beforehand."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import msgspec
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from tests.client.still_clock import PATIENCE_S


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    token: str | None
    body: dict[str, Any] | None


class ScriptedHttp:
    """Answers `METHOD /path` (under the prefix) with what was laid out for it, in that order; the last one stays.

    Attributes:
        asked: the requests so far.
        held: `METHOD /path` → what has to be set before that is answered.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.held: dict[str, asyncio.Event] = {}
        self._answers: dict[str, list[tuple[int, Any, dict[str, str]]]] = {}
        self._server = HTTPServer(
            Application([(r"/api/v1(/.*)", _Answer, {"script": self})], log_function=lambda _: None)
        )
        self._port = 0

    async def __aenter__(self) -> Self:
        listener, self._port = bind_unused_port()
        self._server.add_socket(listener)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.stop()
        await self._server.close_all_connections()

    @property
    def url(self) -> str:
        """The address that a person would give."""
        return f"http://127.0.0.1:{self._port}"

    def lay_out(self, request: str, body: Any = None, *, status: int = 200, **headers: str) -> None:
        """Answer `GET /users` with this; header names are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._answers.setdefault(request, []).append((status, body, named))

    def lay_out_instead(self, request: str, body: Any = None, *, status: int = 200) -> None:
        """Answer with this from now on, whatever was laid out before."""
        self._answers[request] = [(status, body, {})]

    def lay_out_sign_in(self, expires_in: int = 900) -> None:
        """Let anybody in; each refresh gives the next pair: access-1, access-2 …"""
        user = {"id": "u-alice", "username": "alice", "display_name": "Alice"}
        self.lay_out("POST /auth/login", _pair(1, expires_in) | {"user": user})
        for number in range(2, 6):
            self.lay_out("POST /auth/refresh", _pair(number, expires_in))

    async def until_asked(self, path: str) -> None:
        """Wait until somebody has asked for that."""
        async with asyncio.timeout(PATIENCE_S):
            while all(asked.path != path for asked in self.asked):
                await asyncio.sleep(0.001)

    def answer(self, request: str) -> tuple[int, Any, dict[str, str]]:
        """The next answer to that request."""
        answers = self._answers[request]
        return answers.pop(0) if len(answers) > 1 else answers[0]


def _pair(number: int, expires_in: int) -> dict[str, Any]:
    return {
        "access_token": f"access-{number}",
        "refresh_token": f"refresh-{number}",
        "ws_token": f"ws-{number}",
        "token_type": "Bearer",
        "expires_in": expires_in,
    }


class _Answer(RequestHandler):
    def initialize(self, script: ScriptedHttp) -> None:
        self._script = script

    async def _any(self, path: str) -> None:
        request = self.request
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ") or None
        body = msgspec.json.decode(request.body) if request.body else None
        query = {name: values[0].decode() for name, values in request.arguments.items()}
        self._script.asked.append(Asked(str(request.method), path, query, bearer, body))
        name = f"{request.method} {path}"
        if name in self._script.held:
            await self._script.held[name].wait()
        status, answer, headers = self._script.answer(name)
        self.set_status(status)
        for name, value in headers.items():
            self.set_header(name, value)
        if answer is not None:
            self.finish(answer if isinstance(answer, str) else msgspec.json.encode(answer))

    get = post = put = patch = delete = _any
