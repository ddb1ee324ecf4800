"""What a mongod of Ringback's own keeps in a data directory, and who may use it.

``mongo/`` is the database, ``mongo.log`` and ``mongo.out`` what it says, ``mongo.lock`` is held (flock) by the process
that runs it for as long as that lives, ``mongo.json`` tells other processes where it listens, and ``mongo.guests`` is
held, shared, by those that use it meanwhile.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO, Any

import msgspec

MAX_LOG_BYTES = 10 * 1024 * 1024  # above it the log is put aside at the next start


class MongoState(msgspec.Struct, frozen=True):
    """``mongo.json``: the process id of the mongod, the path of its socket, and whether it takes writes yet."""

    pid: int
    socket: str
    ready: bool


class MongoDir:
    """The files of the mongod on one data directory."""

    def __init__(self, data_dir: Path) -> None:
        self.root = data_dir.resolve()
        self.database = self.root / "mongo"
        self.log = self.root / "mongo.log"
        self.output = self.root / "mongo.out"  # what is said before there is a log, by the dynamic linker say
        self._log_start = 0  # where the lines of this run begin, in bytes
        self._lock = self.root / "mongo.lock"
        self._guests = self.root / "mongo.guests"
        self._state = self.root / "mongo.json"

    def try_lock(self) -> IO[str] | None:
        """The lock of the directory, to be closed by whoever got it; None while another process has it."""
        self.database.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = _try_flock(self._lock, fcntl.LOCK_EX)
        if file is not None:
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
        return file

    def try_join(self) -> IO[str] | None:
        """Makes this process a guest until it closes the result; None when the owner is about to stop."""
        return _try_flock(self._guests, fcntl.LOCK_SH)

    def try_be_alone(self) -> IO[str] | None:
        """Lets no guest in until the result is closed; None while there are guests."""
        return _try_flock(self._guests, fcntl.LOCK_EX)

    def is_locked(self) -> bool:
        """Whether a living process has the lock. Asking takes it, shared, for a moment: ``try_lock`` is repeated."""
        try:
            with self._lock.open(encoding="ascii") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False
        return False

    def owner(self) -> str:
        """The process id of the one that has, or last had, the lock."""
        return self._lock.read_text(encoding="ascii").strip()

    def read_state(self) -> MongoState | None:
        """What was written last; None when there is nothing, or nothing that can be read."""
        try:
            return msgspec.json.decode(self._state.read_bytes(), type=MongoState)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def write_state(self, state: MongoState) -> None:
        """Replaces the state as a whole: a reader sees the one before or this one."""
        draft = self._state.with_suffix(".json.new")
        draft.write_bytes(msgspec.json.encode(state))
        draft.replace(self._state)

    def clear_state(self) -> None:
        """There is no mongod any more."""
        self._state.unlink(missing_ok=True)

    def runs(self, pid: int) -> bool:
        """Whether process ``pid`` is a mongod on this very directory: an id is used again, a command line says more."""
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return b"--dbpath" in arguments and os.fsencode(self.database) in arguments

    def begin_log(self) -> None:
        """A new run begins: puts a large log aside, over the one that was put aside before."""
        if self.log.exists() and self.log.stat().st_size > MAX_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        self._log_start = self.log.stat().st_size if self.log.exists() else 0

    def last_error(self) -> str:
        """The last error that this run logged, in words; empty when there is none."""
        lines = self.log.read_bytes()[self._log_start :].splitlines() if self.log.exists() else []
        for line in reversed(lines):
            entry = _log_entry(line)
            if entry.get("s") in ("E", "F"):
                attributes = entry.get("attr") or {}
                return f"{entry.get('msg')} {attributes.get('error', '')}".strip()
        return ""


def _try_flock(path: Path, kind: int) -> IO[str] | None:
    file = path.open("a+", encoding="ascii")
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _log_entry(line: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError:  # a line cut short by a crash
        return {}
