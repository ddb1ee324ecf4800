"""``ringback`` as a shell runs it: commands that end, and servers that run until they are told to stop."""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
from click.testing import CliRunner

from server.cli import main

REPOSITORY = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "server.cli"]
PATIENCE_S = 30  # far beyond what anything here takes; what waits longer has hung


class Finished(NamedTuple):
    """What came of a command."""

    code: int
    stdout: str
    stderr: str


class Shell:
    """Runs ``ringback`` in one folder with one environment, in which nothing of the one who runs the tests is left."""

    def __init__(self, folder: Path, settings: Mapping[str, object]) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self._settings = settings

    def __call__(
        self, *arguments: str, stdin: str | bytes = "", settings: Mapping[str, object] | None = None
    ) -> Finished:
        """Runs a command to its end, in this process. ``settings`` go over those of the shell, by the environment."""
        ambient = dict.fromkeys(name for name in os.environ if name.startswith("RINGBACK_"))
        with chdir(self.folder), log_as_it_was():
            result = CliRunner(env=ambient | self._variables(settings)).invoke(
                main, list(arguments), input=stdin, prog_name="ringback"
            )
        return Finished(result.exit_code, result.stdout, result.stderr)

    def json(self, *arguments: str, stdin: str = "") -> Any:
        """What a command that succeeds prints, as JSON."""
        finished = self(*arguments, "--json", stdin=stdin)
        assert finished.code == 0, finished.stderr
        return json.loads(finished.stdout)

    def popen(
        self, *arguments: str, settings: Mapping[str, object] | None = None, **options: Any
    ) -> subprocess.Popen[str]:
        """Begins a command in a process of its own; ``options`` are those of ``Popen``."""
        environment = {"HOME": str(self.folder), "PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)}
        return subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=environment | self._variables(settings),
            text=True,
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options,
        )

    def apart(self, *arguments: str) -> Finished:
        """Runs a command to its end, in a process of its own."""
        with self.popen(*arguments) as process:
            stdout, stderr = process.communicate(timeout=PATIENCE_S)
        return Finished(process.returncode, stdout, stderr)

    def start(self, *arguments: str, settings: Mapping[str, object] | None = None) -> Process:
        """Begins a command whose log is to be watched; use it in a ``with``."""
        return Process(self.popen(*arguments, settings=settings))

    @contextmanager
    def serving(
        self, *arguments: str, settings: Mapping[str, object] | None = None, patience_s: float = PATIENCE_S
    ) -> Iterator[Process]:
        """A server on a free port that is ready; it is killed in the end, unless it has ended."""
        with Process(self.popen("serve", "--port", "0", *arguments, settings=settings), patience_s) as process:
            process.wait_until_ready()
            yield process

    def _variables(self, settings: Mapping[str, object] | None) -> dict[str, str]:
        return {variable(key): str(value) for key, value in {**self._settings, **(settings or {})}.items()}


class Process:
    """A ``ringback`` that runs. Its log is read as it is written."""

    def __init__(self, process: subprocess.Popen[str], patience_s: float = PATIENCE_S) -> None:
        self._process = process
        self.pid = process.pid
        self.url = ""
        self.log: list[dict[str, Any]] = []
        self.errors: list[str] = []  # what else it says on standard error
        self._grown = threading.Condition()
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._watchdog = threading.Timer(patience_s, process.kill)  # no read of a test waits for ever

    def __enter__(self) -> Process:
        self._reader.start()
        self._watchdog.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._watchdog.cancel()
        self._reader.join()
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()

    def wait_until_ready(self) -> None:
        """Reads the line that says so, which must be the first."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith("Ringback is ready on http://"), (line, self.errors)
        self.url = line.split()[-1]

    def read_until(self, text: str) -> str:
        """What it prints on standard output, up to the line with ``text`` in it."""
        assert self._process.stdout is not None
        printed = ""
        for line in self._process.stdout:
            printed += line
            if text in line:
                break
        return printed

    def wait_for(self, done: Callable[[list[dict[str, Any]]], bool]) -> None:
        """Waits until the log, as a list of its lines, is such that ``done``."""
        with self._grown:
            assert self._grown.wait_for(lambda: done(self.log), PATIENCE_S), self.log

    def wait_for_log(self, event: str) -> dict[str, Any]:
        """The first line of the log with that event."""
        self.wait_for(lambda log: any(line["event"] == event for line in log))
        return next(line for line in self.log if line["event"] == event)

    def send(self, number: signal.Signals) -> None:
        """Sends a signal."""
        self._process.send_signal(number)

    def end(self) -> tuple[int, str]:
        """Waits until it has ended by itself: its exit code, and what it has printed since it was ready."""
        assert self._process.stdout is not None
        rest = self._process.stdout.read()
        code = self._process.wait(PATIENCE_S)
        self._reader.join()
        return code, rest

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Sends the signal and waits; see ``end``."""
        self.send(number)
        return self.end()

    @property
    def mongod(self) -> int:
        """The process id of the mongod that it has started."""
        return int(self.wait_for_log("mongod_ready")["pid"])

    def _read_log(self) -> None:
        assert self._process.stderr is not None
        for text in self._process.stderr:
            with self._grown:
                try:
                    self.log.append(json.loads(text))
                except json.JSONDecodeError:
                    self.errors.append(text.rstrip("\n"))
                self._grown.notify_all()


def variable(key: str) -> str:
    """``server.port`` as the environment has it."""
    return "RINGBACK_" + key.replace(".", "__").upper()


@contextmanager
def log_as_it_was() -> Iterator[None]:
    """Afterwards the log of this process goes where it went before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:], root.level = handlers, level
        logging.captureWarnings(False)


def refusal(finished: Finished, code: int) -> str:
    """What a command that failed with ``code`` has said: one line, and nothing on standard output."""
    assert (finished.code, finished.stdout) == (code, ""), finished.stderr
    line, end = finished.stderr.split("\n")
    assert end == ""
    return line.removeprefix("Error: ")


def wrong_usage(finished: Finished) -> str:
    """What a command says, below how it is used, that was called wrongly."""
    assert (finished.code, finished.stdout) == (2, ""), finished.stderr
    assert finished.stderr.startswith("Usage: ")
    return finished.stderr.splitlines()[-1].removeprefix("Error: ")


def has_ended(pid: int, timeout_s: float = PATIENCE_S) -> bool:
    """Whether a process, any one, ends within the time; at once when it has."""
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            return bool(select.select([descriptor], [], [], timeout_s)[0])
        finally:
            os.close(descriptor)
    return True


def sign_in(url: str, username: str, password: str) -> httpx2.Response:
    """A sign-in over HTTP."""
    return httpx2.post(f"{url}/api/v1/auth/login", json={"username": username, "password": password})


def login_page(url: str) -> str:
    """The page on which people sign in."""
    return httpx2.get(f"{url}/login").text
