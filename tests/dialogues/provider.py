"""An OpenAI-compatible provider: a real HTTP server that streams, stalls, breaks off and refuses as it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from tests.peer import PATIENCE_S

KEY = "sk-a-key-that-nobody-sees"


class Says:
    """One answer. Each of ``words`` is a delta; ``None`` among them holds it up until :meth:`go_on`.

    ``breaks_off``: the connection is cut behind the last of them. ``line`` comes behind them as it is. ``kind`` is
    the type of it all.
    """

    def __init__(
        self,
        *words: str | None,
        breaks_off: bool = False,
        line: str = "data: [DONE]\n\n",
        kind: str = "text/event-stream",
    ) -> None:
        self.kind = kind
        self.words = words
        self.breaks_off = breaks_off
        self.line = line
        self._more = asyncio.Semaphore(0)
        self.is_left = False
        """Whoever asked does not listen any more."""

    def go_on(self) -> None:
        """Ends one wait."""
        self._more.release()

    async def wait(self) -> None:
        """Until :meth:`go_on`, or the other side is gone."""
        await self._more.acquire()


class Refuses:
    """A refusal."""

    def __init__(self, status: int, **headers: str) -> None:
        self.status = status
        self.headers = headers


class Provider:
    """Answers as it will, in turn, and then with one word. ``asked`` are the bodies of all requests, ``keys`` what came
    as authorization, ``cookies`` as cookies."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.cookies: list[str] = []
        self._plan: list[Says | Refuses] = []
        self._http: HTTPServer | None = None
        self.port = 0

    def will(self, *answers: Says | Refuses) -> Any:
        """What the next requests are answered with; returns the last of them."""
        self._plan += answers
        return answers[-1]

    def next_answer(self) -> Says | Refuses:
        """The next of the plan."""
        return self._plan.pop(0) if self._plan else Says("Yes.")

    def overrides(self, **settings: object) -> dict[str, object]:
        """What `start` takes for a server that asks it."""
        own = {f"dialogues.{key}": value for key, value in settings.items()}
        return {
            "dialogues.responder": "openai",
            "dialogues.openai_url": f"http://127.0.0.1:{self.port}/v1",
            "dialogues.openai_key": KEY,
            "dialogues.openai_model": "a-model",
        } | own

    async def start(self) -> None:
        """Listens."""
        socket, self.port = bind_unused_port()
        rules = [("/v1/chat/completions", _Completions, {"provider": self})]
        self._http = HTTPServer(Application(rules, log_function=lambda _: None))
        self._http.add_socket(socket)

    async def stop(self) -> None:
        """Stops."""
        assert self._http is not None
        self._http.stop()
        await self._http.close_all_connections()


class _Completions(RequestHandler):
    def initialize(self, provider: Provider) -> None:
        self.provider = provider
        self.says: Says | None = None

    async def post(self) -> None:
        self.provider.asked.append(json.loads(self.request.body))
        self.provider.keys.append(self.request.headers.get("Authorization", ""))
        self.provider.cookies.append(self.request.headers.get("Cookie", ""))
        self.set_header("Set-Cookie", "who=somebody; Path=/")
        answer = self.provider.next_answer()
        if isinstance(answer, Refuses):
            self.set_status(answer.status)
            for name, value in answer.headers.items():
                self.set_header(name.replace("_", "-"), value)
            await self.finish({"error": {"message": "no"}})
            return
        self.says = answer
        self.set_header("Content-Type", answer.kind)
        try:
            await self._say(answer)
        except StreamClosedError:
            answer.is_left = True

    async def _say(self, answer: Says) -> None:
        await self._line(": a comment\n\n")
        for word in answer.words:
            if word is None:
                await answer.wait()
            else:
                await self._line(f"data: {json.dumps({'id': 'x', 'choices': [{'delta': {'content': word}}]})}\n\n")
        if answer.breaks_off:
            self.request.connection.stream.close()  # type: ignore[attr-defined]
            return
        await self.finish(answer.line)

    async def _line(self, line: str) -> None:
        self.write(line)
        await self.flush()

    def on_connection_close(self) -> None:
        if self.says is not None:
            self.says.is_left = True
            self.says.go_on()

    def log_exception(self, *_: Any) -> None:
        """What is cut off on purpose is no news."""


async def until(is_so: Callable[[], bool]) -> None:
    """Waits for that."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():
            await asyncio.sleep(0.001)
