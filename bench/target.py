"""A server under test: started on a core of its own, and what a generator needs to know of it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import IO, Any, NamedTuple

import jwt

from bench.bare_tornado import SECRET
from bench.peers import Peer, Process

SDP_BYTES = 220  # with the envelope about 300 bytes a frame, a candidate's size
SERVER_CORE, GENERATOR_CORE = 0, 1
MARK = b"@"
ANSWER_WITHIN_S = 20.0  # what takes longer has gone wrong, and ends the run
CALL_PATH = "/api/v1/ws/call/"

Figures = dict[str, float]


class Target(NamedTuple):
    """A running server: where it is, its process, and what the generator needs to come in."""

    name: str
    port: int
    process: Process
    rooms: list[dict[str, Any]]
    people: list[dict[str, Any]]
    worker: dict[str, Any]
    log: IO[str]

    @property
    def is_ringback(self) -> bool:
        """Whether it is ours: the other one knows nothing but relaying."""
        return self.name == "Ringback"

    def errors_logged(self) -> int:
        """How many lines the server has written to its log so far, in which only errors are."""
        self.log.seek(0)
        return len(self.log.readlines())

    def path(self, room: int, member: int) -> tuple[str, str]:
        """The address of a room for one member, and their bearer token."""
        if self.is_ringback:
            return CALL_PATH + self.rooms[room]["call_id"], self.rooms[room]["members"][member]["token"]
        claims = {"sub": f"r{room}m{member}", "room": str(room), "exp": time.time() + 3600}
        return f"/ws/call/{room}?token={jwt.encode(claims, SECRET, algorithm='HS256')}", ""

    def message(self, room: int, to: int) -> Callable[[], bytes]:
        """Makes frames for one member of a room; each carries the moment it was made."""
        pad = "x" * (SDP_BYTES - 21)
        if self.is_ringback:
            head = f'{{"type":"offer","to":"{self.rooms[room]["members"][to]["leg_id"]}","sdp":"@'.encode()
        else:
            head = b'{"type":"offer","sdp":"@'
        tail = pad.encode() + b'"}'
        return lambda: head + b"%020d" % time.perf_counter_ns() + tail


@asynccontextmanager
async def serve(name: str, *command: str) -> AsyncIterator[Target]:
    """Starts a server on its core; it ends with its standard input. What it logs is shown at the end."""
    with tempfile.TemporaryFile("a+") as log:  # to append: reading it here does not move where the server writes
        async with _started(name, command, log) as target:
            yield target


@asynccontextmanager
async def _started(name: str, command: Sequence[str], log: IO[str]) -> AsyncIterator[Target]:
    process = subprocess.Popen(
        ["taskset", "-c", str(SERVER_CORE), sys.executable, "-m", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = json.loads(await asyncio.get_running_loop().run_in_executor(None, process.stdout.readline))
        made = said.get("rooms", []), said.get("people", []), said.get("worker", {})
        yield Target(name, said["port"], Process(process.pid), *made, log)
    finally:
        process.communicate(timeout=60)
        log.seek(0)
        sys.stderr.write(log.read())


def age_ms(payload: bytes) -> float | None:
    """Milliseconds since a relayed frame was made; ``None`` for any other frame."""
    at = payload.find(MARK)
    return (time.perf_counter_ns() - int(payload[at + 1 : at + 21])) / 1e6 if at >= 0 else None


def leave(peers: list[Peer]) -> None:
    """Hangs up."""
    for peer in peers:
        peer.transport.abort()
