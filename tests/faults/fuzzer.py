"""Somebody who is signed in and in a call sends mutated frames, and what became of the server meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
from collections import Counter
from typing import Any

import msgspec

from handlers.base import API
from ringback_client.errors import Closed
from server.close_codes import REGISTRY
from server.realtime.framing import CLOSE, TEXT
from tests.faults.conversation import Participant
from tests.faults.crowd import call_of
from tests.faults.mutations import Document, Mutator, valid_frames
from tests.peer import PATIENCE_S
from tests.running import Person, Running
from tests.sockets.raw import RawClient, masked, upgrade_request

LIFTED: dict[str, object] = {
    "sockets.frames_per_s": 10_000,
    "sockets.chats_per_minute": 1_000_000,
    "sockets.frames_burst": 100_000,
    "sockets.limited_frames_per_10_s": 100_000,
    "sockets.bad_frames_per_minute": 10_000,
    "sockets.close_timeout_s": 0.05,
    "calls.connect_timeout_s": 600,  # the call beside it, in which nobody says that media flows, outlives the fuzzing
    "calls.calls_per_minute": 10_000,
    "calls.calls_per_pair_per_minute": 10_000,
    # What is remembered for somebody who may come back is forgotten soon, so that memory shows what is kept for good.
    "sockets.resume_window_s": 1,
    "sockets.call_resume_window_s": 1,
    "sockets.idempotency_window_s": 1,
}
"""So that frames are read and not counted. Ten thousand bad ones in a minute still close a socket."""

BATCH = 50
WIRE_SHARE = 0.02
"""Most mutations of the wire cost a connection."""
HTTP_SHARE = 0.01
GROWTH_MIB = 16.0
"""Between the second tenth and the last. The allocator's arenas come in steps; what is kept for each frame or each
connection comes to far more."""


class Errors(logging.Handler):
    """Keeps whatever is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """See :class:`logging.Handler`."""
        self.messages.append(self.format(record))

    def __enter__(self) -> Errors:
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)


class Report(msgspec.Struct):
    """What came of it.

    ``closings`` counts close codes (``None``: we hung up first), ``answers`` frames by type or error, ``statuses``
    those of HTTP; ``broken`` holds how the other one's client ended, where that was not in peace; ``memory_mib`` is
    resident memory after each tenth.
    """

    frames: int = 0
    closings: Counter[int | None] = msgspec.field(default_factory=Counter)
    answers: Counter[str] = msgspec.field(default_factory=Counter)
    statuses: Counter[int] = msgspec.field(default_factory=Counter)
    broken: list[str] = msgspec.field(default_factory=list)
    errors: list[str] = msgspec.field(default_factory=list)
    memory_mib: list[float] = msgspec.field(default_factory=list)

    def problems(self) -> list[str]:
        """What must not have happened."""
        strange = set(self.closings) - set(REGISTRY) - {None}
        faults = [f"HTTP {status}" for status in self.statuses if status >= 500]
        grown_mib = self.memory_mib[-1] - self.memory_mib[1]
        return [
            *(f"logged: {error}" for error in self.errors),
            *(f"the other one's client ended: {ending}" for ending in self.broken),
            *(f"closed with {code}, which is not in the registry" for code in strange),
            *(f"{fault} was answered" for fault in faults),
            *([f"memory grew by {grown_mib:.0f} MiB"] if grown_mib > GROWTH_MIB else []),
        ]


class Fuzzer:
    """Mallory, who sends; Peggy, who is in a call with him and uses the reference client."""

    def __init__(self, running: Running, mallory: Person, peggy: Person, seed: int) -> None:
        self._running = running
        self._mallory, self._peggy = mallory, peggy
        self._mutator = Mutator(seed)
        self._other: Participant | None = None
        self._call: dict[str, Any] = {}
        self._clients: dict[str, RawClient] = {}
        self._fences = 0
        self.report = Report()

    async def run(self, count: int) -> Report:
        """Sends ``count`` mutations."""
        report = self.report
        with Errors() as errors:
            try:
                while report.frames < count:
                    await self._round()
                    if report.frames * 10 // count > len(report.memory_mib):
                        await self._running.server.sweep()
                        await self._running.server.records.flush()
                        report.memory_mib.append(resident_mib())
            finally:
                await self._leave()
            report.errors = errors.messages
        return report

    async def _round(self) -> None:
        for kind in ("call", "user"):
            await self._send_batch(kind)
        if self._mutator.chance(HTTP_SHARE * BATCH):
            await self._send_http()

    # ── the sockets ──

    async def _connect(self, kind: str) -> RawClient:
        """The socket of that kind; a new one if the last one is closed, and a new call if the last one is over."""
        while kind not in self._clients:
            if kind == "call" and not await self._is_in_a_call():
                await self._begin_a_call()
            path = f"{API}/ws/user" if kind == "user" else f"{API}/ws/call/{self._call['call_id']}"
            client = await RawClient.dial(self._running.port)
            await client.request(upgrade_request(path, dict(self._mallory.bearer)))
            _, payload = await client.read_frame()
            frame = json.loads(payload)
            if frame["type"] == "connected":
                self._clients[kind] = client
            else:  # the call has ended since: what ends it may still be under way
                self.report.closings[frame["code"]] += 1
                await client.hang_up()
        return self._clients[kind]

    async def _is_in_a_call(self) -> bool:
        if not self._call:
            return False
        stored = await self._running.services.calls.get(self._call["call_id"])
        return stored is not None and not stored.is_over

    async def _begin_a_call(self) -> None:
        await self._see_other_out()
        self._call = await call_of(self._running, [self._mallory, self._peggy])
        self._other = Participant(self._peggy, self._call, self._running.port)
        await self._other.room.open(PATIENCE_S)

    async def _see_other_out(self) -> None:
        """The call is over: her client must have ended with it, in peace."""
        if self._other is not None:
            async with asyncio.timeout(PATIENCE_S):
                ending = await self._other.room.socket.closed()
            if not (isinstance(ending, Closed) and ending.name in ("normal", "ended")):
                self.report.broken.append(repr(ending))
            self._other = None

    async def _leave(self) -> None:
        """Every socket ends, and the call."""
        for client in self._clients.values():
            await client.hang_up()
        if await self._is_in_a_call():
            await self._mallory.do("hangup", self._call)
        await self._see_other_out()

    # ── what is sent ──

    def _valid(self, kind: str) -> list[Document]:
        leg_id = self._call["legs"][1]["leg_id"]
        return valid_frames(kind, leg_id, self._call["call_id"], self._peggy.id)

    async def _send_batch(self, kind: str) -> None:
        """Text frames up to one that ends the connection; else a ping, whose answer shows that all were dealt with."""
        client = await self._connect(kind)
        valid, mutator = self._valid(kind), self._mutator
        batch: list[bytes] = []
        last = b""
        while len(batch) < BATCH and not last:
            text = mutator.text(valid)
            if mutator.chance(WIRE_SHARE):
                last = mutator.wire(valid)
            elif is_utf8(text):
                batch.append(masked(TEXT, text))
            else:
                last = masked(TEXT, text)
        self.report.frames += len(batch) + bool(last)
        self._fences += 1
        fence = "" if last else f"fence-{self._fences}"
        ping = masked(TEXT, json.dumps({"type": "ping", "id": fence}).encode())
        with contextlib.suppress(ConnectionError):
            await client.send(b"".join(batch) + (last or ping))
            if last:
                client.shut_down_writing()
        await self._read(kind, client, fence)

    async def _read(self, kind: str, client: RawClient, fence: str) -> None:
        """Reads up to the answer to ``fence``, or the end."""
        code = None
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    opcode, payload = await client.read_frame()
                    if opcode == CLOSE:
                        code = int.from_bytes(payload[:2], "big")
                    elif opcode == TEXT:
                        frame = json.loads(payload)
                        self.report.answers[frame["code"] if frame["type"] == "error" else frame["type"]] += 1
                        if fence and frame.get("id") == fence:
                            return
        self.report.closings[code] += 1
        del self._clients[kind]
        await client.hang_up()

    async def _send_http(self) -> None:
        """The same documents as bodies, where something is changed."""
        targets: list[tuple[str, str, Document]] = [
            ("POST", "/calls", {"callees": ["nobody"], "media": "audio", "client_key": "k"}),
            ("POST", "/auth/login", {"username": "nobody", "password": "x", "device": "d"}),
            ("POST", "/auth/refresh", {"refresh_token": "x"}),
            ("PATCH", "/users/me", {"display_name": "Mallory", "do_not_disturb": False}),
        ]
        for method, path, document in targets:
            body = self._mutator.text([document])
            headers = {**self._mallory.bearer, "Content-Type": "application/json"}
            self.report.frames += 1
            answer = await self._running.fetch(method, API + path, body, headers)
            self.report.statuses[answer.status] += 1


def is_utf8(text: bytes) -> bool:
    """Whether it may be in a text frame."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def resident_mib() -> float:
    """Memory of this process that is in use, without what is only waiting to be collected."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


async def fuzz(running: Running, count: int, seed: int) -> Report:
    """Sends ``count`` mutations made from ``seed`` to a server that was started with `LIFTED`."""
    mallory, peggy = await running.people("mallory", "peggy")
    return await Fuzzer(running, mallory, peggy, seed).run(count)
