"""A server with people who have lived on it for some days: what the pictures of the pages are taken of."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from handlers.base import API
from server.app import Server, open_database
from server.clock import SystemClock
from server.config import load_settings
from server.store.users import User
from server.tasks.model import EventDraft

PASSWORD = "only for the pictures"
SETTINGS: dict[str, object] = {
    "server.port": 0,
    "log.level": "error",
    # Time is moved here by hand; nothing shall end a call of three minutes that took a second.
    "jobs.sweep_interval_s": 3600,
    "calls.ring_timeout_s": 110,  # four pictures of a call that rings
    "tasks.stalled_after_s": 3600,  # what another program does goes on while the pictures are taken
}
PEOPLE = {
    "en": {
        "mara": "Mara Lindqvist",
        "jonas": "Jonas Weber",
        "priya": "Priya Nair",
        "tom": "Tom Okafor",
        "elena": "Elena Rossi",
        "sam": "Sam Carter",
        "yuki": "Yuki Tanaka",
        "leo": "Leo Martin",
    },
    "zh": {
        "xiaoyu": "林晓雨",
        "siyuan": "陈思远",
        "jiayi": "王嘉怡",
        "mingzhe": "李明哲",
        "zhangxue": "张雪",
        "yiming": "赵一鸣",
        "zihan": "周子涵",
        "wutong": "吴桐",
    },
}
"""By language: user name and display name. The first is the one whose pages are shown, the second calls her."""
LOCALES = {"en": "en", "zh": "zh-Hans"}
SAID = {
    "en": (
        "We have to get the summer catalogue to the printer",
        "Let's print 48 pages, not 64",
        "Agreed, 48 pages it is",
        "I will send the last twelve photos by Friday",
        "I'll check the prices against the shop on Thursday",
        "Who translates the foreword?",
        "The launch stays on 4 June, that is decided",
    ),
    "zh": (
        "夏季目录要送到印厂了",
        "我们决定印 48 页，不印 64 页",
        "同意，就 48 页",
        "我周五之前把最后十二张照片发给你",
        "我周四核对一遍价格",
        "前言谁来翻译？",
        "决定了，发布日期还是 6 月 4 日",
    ),
}
"""What is written in the call of which a roadmap is made, by the two in turn."""
ROADMAP = {"en": "Roadmap of the call with Priya Nair", "zh": "与王嘉怡通话的路线图"}
FILM = {
    "en": ("Film of the workshop", ("upload", "encode", "publish"), "Encoding at 1080p"),
    "zh": ("工作坊的视频", ("上传", "转码", "发布"), "正在转码为 1080p"),
}
"""A task of another program: its title, its stages, and what it says while it works."""
RECORDING = b"OggS\x00" + bytes(23) + b"OpusHead" + bytes(60_000)
"""A recording by its first bytes; nobody plays it."""
WAVEFORM = ",".join(str(abs((7 * step * step + 31 * step) % 83 - 40) + 12) for step in range(96))
POLL_S = 0.05
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"


class PastClock(SystemClock):
    """The clock of this machine, some days behind until it is moved."""

    def __init__(self) -> None:
        self.behind = timedelta()

    def now(self) -> datetime:
        """See :meth:`server.clock.Clock.now`."""
        return super().now() - self.behind

    def pass_(self, **time: float) -> None:
        """Lets time pass, as ``timedelta`` takes it, but never into the future."""
        self.behind = max(timedelta(), self.behind - timedelta(**time))


class Someone(NamedTuple):
    """One of the people, signed in on one device."""

    user: User
    sign_in_id: str


class World:
    """The server, its people, and what they do."""

    def __init__(self, server: Server, clock: PastClock, language: str) -> None:
        self.services = server.services
        self.clock = clock
        self.language = language
        self.port = 0
        self.people: list[Someone] = []
        self._talked = ""
        """The call in which something was written."""
        self._sockets: list[WebSocketClientConnection] = []

    @property
    def origin(self) -> str:
        """Where the pages are."""
        return f"http://localhost:{self.port}"

    def cookie(self, someone: Someone) -> dict[str, Any]:
        """What signs a browser in, as Playwright takes it."""
        token = self.services.sign_ins.tokens.issue("page", someone.user.user_id, someone.sign_in_id)
        return {"name": "ringback_session", "value": token, "url": self.origin}

    async def populate(self) -> None:
        """Adds everybody, and lets some days pass in which they call each other."""
        self.clock.behind = timedelta(days=3, hours=2)
        accounts, sign_ins = self.services.accounts, self.services.sign_ins
        for username, name in PEOPLE[self.language].items():
            user = await accounts.add(username, PASSWORD, name)
            await accounts.change_profile(user.user_id, locale=LOCALES[self.language])
            sign_in = await sign_ins.begin(user, "Chrome on Linux")
            self.people.append(Someone(user, sign_in.sign_in_id))
        me, *_ = self.people
        await sign_ins.begin(me.user, "Firefox on Windows")
        await sign_ins.begin(me.user, "Chrome on Android")
        await self._befriend()
        await self._come_online(me)
        await self._call_each_other()
        self._sockets.pop().close()
        self.clock.behind = timedelta()
        for someone in self.people[1:6]:
            await self._come_online(someone)
        await self._api(self.people[4], "PATCH", "/users/me", {"do_not_disturb": True})
        self._sockets[2].write_message(json.dumps({"type": "presence", "id": "1", "state": "away"}))

    async def begin_tasks(self) -> None:
        """An export that is done, a roadmap that waits for a review, and what another program does meanwhile."""
        me, tasks = self.people[0], self.services.tasks
        self.clock.behind = timedelta(hours=3)
        await self._api(me, "POST", "/tasks", {"kind": "history_export"})
        while await tasks.open_of(me.user.user_id):
            await asyncio.sleep(POLL_S)
        self.clock.behind = timedelta(minutes=14)
        params = {"call_id": self._talked, "time_zone": "Europe/Berlin"}
        roadmap = {"kind": "call_roadmap", "title": ROADMAP[self.language], "params": params}
        await self._api(me, "POST", "/tasks", roadmap)
        while not await tasks.waiting(me.user.user_id):
            await asyncio.sleep(POLL_S)
        title, stages, message = FILM[self.language]
        self.clock.behind = timedelta(minutes=6)
        film = await tasks.create(me.user.user_id, "external", {}, title=title, stages=stages, user=me.user.ref)
        await tasks.append(film.task_id, EventDraft(type="started", stage=stages[0]))
        self.clock.behind = timedelta(minutes=2)
        await tasks.append(film.task_id, EventDraft(type="progress", stage=stages[1], progress=0.64, message=message))
        self.clock.behind = timedelta()

    async def leave(self) -> None:
        """Everybody goes."""
        for socket in self._sockets:
            socket.close()

    async def _befriend(self) -> None:
        me, first, second, third, fourth, fifth, sixth, _ = self.people
        for other in (first, second, third, fourth, fifth):
            await self._api(other, "POST", "/contacts", {"username": me.user.username})
            await self._api(me, "POST", f"/contacts/{other.user.user_id}/accept")
        for favourite in (first, second, fourth):
            await self._api(me, "PUT", f"/contacts/{favourite.user.user_id}/favourite")
        await self._api(sixth, "POST", "/contacts", {"username": me.user.username})

    async def _call_each_other(self) -> None:
        me, first, second, third, fourth, fifth, *_ = self.people
        await self._talk(first, me, minutes=12.4, media="video")
        self.clock.pass_(hours=5)
        await self._talk(me, fifth, minutes=3.2, media="audio")
        self.clock.pass_(hours=19)
        call = await self._place(me, third, "video")
        await self._api(third, "POST", f"/calls/{call}/decline")
        self.clock.pass_(hours=3)
        await self._message(fourth, me, seconds=17)
        self.clock.pass_(hours=21)
        await self._talk(me, second, minutes=47.9, media="video", said=SAID[self.language])
        await self._api(me, "POST", "/calls/seen")
        self.clock.pass_(hours=23)
        await self._talk(fourth, me, minutes=1.6, media="audio")
        self.clock.behind = timedelta(hours=1, minutes=20)
        await self._message(third, me, seconds=34)
        self.clock.behind = timedelta(minutes=26)
        await self._message(first, me, seconds=9)

    async def _place(self, caller: Someone, callee: Someone, media: str) -> str:
        body = {"callees": [callee.user.username], "media": media}
        call_id: str = (await self._api(caller, "POST", "/calls", body))["call_id"]
        return call_id

    async def _talk(
        self, caller: Someone, callee: Someone, *, minutes: float, media: str, said: tuple[str, ...] = ()
    ) -> None:
        call_id = await self._place(caller, callee, media)
        await self._api(callee, "POST", f"/calls/{call_id}/answer")
        for number, text in enumerate(said):
            self.clock.pass_(minutes=minutes / (len(said) + 1))
            await self.services.chats.write(call_id, (caller, callee)[number % 2].user.ref, text)
            self._talked = call_id
        self.clock.pass_(minutes=minutes / (len(said) + 1))
        await self._api(callee, "POST", f"/calls/{call_id}/hangup")

    async def _message(self, caller: Someone, callee: Someone, *, seconds: int) -> None:
        """Nobody answers, and the caller says what it was about."""
        call_id = await self._place(caller, callee, "video")
        self.clock.pass_(minutes=2)
        await self.services.switchboard.sweep()
        path = f"/calls/{call_id}/voicemail?duration_ms={seconds * 1000}&waveform={WAVEFORM}"
        await self._api(caller, "POST", path, RECORDING)

    async def _come_online(self, someone: Someone) -> None:
        url = f"ws://127.0.0.1:{self.port}{API}/ws/user"
        self._sockets.append(await websocket_connect(HTTPRequest(url, headers=self._bearer(someone))))

    def _bearer(self, someone: Someone) -> dict[str, str]:
        token = self.services.sign_ins.tokens.issue("access", someone.user.user_id, someone.sign_in_id)
        return {"Authorization": f"Bearer {token}", "User-Agent": USER_AGENT}

    async def _api(self, who: Someone, method: str, path: str, document: Any = None) -> Any:
        is_recording = isinstance(document, bytes)
        headers = self._bearer(who) | {"Content-Type": "audio/ogg" if is_recording else "application/json"}
        body = document if is_recording else None if document is None else json.dumps(document)
        answer = await AsyncHTTPClient().fetch(
            f"http://127.0.0.1:{self.port}{API}{path}",
            method=method,
            headers=headers,
            body=body,
            allow_nonstandard_methods=True,
        )
        return json.loads(answer.body) if answer.body else None


@asynccontextmanager
async def example_world(folder: Path, language: str) -> AsyncIterator[World]:
    """A server of its own in ``folder``, populated, whose people speak ``language`` (``en`` or ``zh``)."""
    settings = load_settings(None, {}, SETTINGS | {"server.data_dir": str(folder)})
    clock = PastClock()
    async with open_database(settings, folder) as database:
        server = Server(settings, database, "a key for the pictures only, of 32+", clock=clock)
        await server.prepare()
        server.unpack()
        world = World(server, clock, language)
        world.port = await server.start()
        try:
            await world.populate()
            await world.begin_tasks()
            yield world
        finally:
            await world.leave()
            await server.stop()
