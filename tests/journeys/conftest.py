"""Fixtures of the journeys: a server started as a user starts it, and people with browsers of their own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.journeys.browsing import CHROMIUM_FLAGS, Person

READY_WITHIN_S = 60
MakePerson = Callable[[str], Person]


class Demo(NamedTuple):
    """A running ``ringback serve --demo``: where it is, the password of alice, bob and carol, and its process."""

    url: str
    password: str
    pid: int


@contextmanager
def serving(folder: Path, port: int = 0, **environment: str) -> Iterator[Demo]:
    """``ringback serve --demo`` in a process of its own; settings as environment variables. The ``folder`` is empty, or
    that of one that was killed. Without a ``port`` a free one is taken."""
    command = [sys.executable, "-m", "server.cli", "serve", "--demo", "--port", str(port)]
    command += ["--data-dir", str(folder / "data")]
    # The same two people call each other in one journey after the other, faster than any people do.
    limits = {"RINGBACK_CALLS__CALLS_PER_MINUTE": "10000", "RINGBACK_CALLS__CALLS_PER_PAIR_PER_MINUTE": "10000"}
    everything = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])} | limits | environment
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, cwd=folder, env=everything, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            yield _wait_until_ready(process, folder / "log")
        finally:  # a test that fails in the block must not wait for a server that goes on
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=READY_WITHIN_S)


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A server as a newcomer starts it."""
    with serving(tmp_path_factory.mktemp("demo")) as demo:
        yield demo


@pytest.fixture(scope="package")
def hasty_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A server whose calls ring for six seconds only, for what comes after nobody has answered."""
    with serving(tmp_path_factory.mktemp("hasty"), RINGBACK_CALLS__RING_TIMEOUT_S="6") as demo:
        yield demo


def _wait_until_ready(process: subprocess.Popen[str], log: Path) -> Demo:
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        url = re.search(r"http://localhost:\d+", said)
        password = re.search(r"password is (\S+)", said)
        if url and password:
            return Demo(url.group(), password.group(1), process.pid)
    raise AssertionError(f"the server did not start: {said}\n{log.read_text()}")


# Not for the whole session: Playwright keeps an event loop running in this thread, which other tests need for theirs.
@pytest.fixture(scope="package")
def _playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def browser(_playwright: Playwright, chromium_path: str) -> Iterator[Browser]:
    """Debian's Chromium with a fake camera and microphone that nobody is asked about."""
    browser = _playwright.chromium.launch(executable_path=chromium_path, args=CHROMIUM_FLAGS)
    yield browser
    browser.close()


@contextmanager
def people_on(browser: Browser, demo: Demo) -> Iterator[MakePerson]:
    """Makes people who are signed in; afterwards none of their pages has complained."""
    people: list[Person] = []

    def make(username: str) -> Person:
        someone = Person(browser, demo.url, username, demo.password)
        people.append(someone)
        someone.enter()
        return someone

    yield make
    for someone in people:
        someone.close()
    assert [problem for someone in people for problem in someone.problems] == []


@pytest.fixture
def person(browser: Browser, demo: Demo) -> Iterator[MakePerson]:
    """Makes people who are signed in."""
    with people_on(browser, demo) as make:
        yield make


@pytest.fixture
def hasty_person(browser: Browser, hasty_demo: Demo) -> Iterator[MakePerson]:
    """Makes people who are signed in where calls ring for six seconds."""
    with people_on(browser, hasty_demo) as make:
        yield make
