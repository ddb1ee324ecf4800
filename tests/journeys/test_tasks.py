"""Long tasks in a browser: followed wherever one is, reviewed, stopped; another program does the work."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.accessible import faults
from tests.journeys.browsing import PATIENCE_MS, Person
from tests.journeys.conftest import Demo, MakePerson

pytestmark = pytest.mark.journey

DRAFT = """# Cut list

- The opening
- <img src=x onerror=alert(1)>

[More](javascript:alert(2)) or [there](https://there.example/)
"""


class Worker(NamedTuple):
    """A program that drives tasks with the token of a service account."""

    url: str
    token: str

    def ask(self, path: str, document: object = None) -> Any:
        """A request under the prefix; returns what it is answered."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(f"{self.url}/api/v1{path}", body, headers)
        with urllib.request.urlopen(request, timeout=PATIENCE_MS / 1000) as answer:
            return json.load(answer)

    def begin(self, user: str, title: str, *stages: str) -> str:
        """A task of that person; returns its id."""
        body = {"kind": "external", "user": user, "title": title, "stages": stages}
        task_id: str = self.ask("/tasks", body)["task_id"]
        return task_id

    def say(self, task_id: str, type: str, **fields: object) -> None:
        """How the work goes."""
        self.ask(f"/tasks/{task_id}/events", {"event_id": uuid4().hex, "type": type} | fields)

    def heard(self, task_id: str) -> list[dict[str, Any]]:
        """The data of what people decided."""
        return [event["data"] for event in self.ask(f"/tasks/{task_id}")["events"] if event["type"] == "reviewed"]


@pytest.fixture(scope="module")
def worker(demo: Demo) -> Worker:
    """Made on the command line, beside the running server."""
    data = Path(f"/proc/{demo.pid}/cwd").resolve() / "data"

    def ringback(*arguments: str) -> str:
        command = [sys.executable, "-m", "server.cli", *arguments, "--data-dir", str(data)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    ringback("users", "add", "studio", "--service")
    return Worker(demo.url, ringback("token", "studio", "--kind", "access").strip())


def story(someone: Person) -> list[str]:
    """The numbers of the events on the page of a task, from top to bottom."""
    events = someone.page.locator("#story [data-number]")
    numbers: list[str] = events.evaluate_all("all => all.map((event) => event.dataset.number)")
    return numbers


def go_and_listen(page: Page, path: str) -> None:
    """Goes there, and is back when the line of that page has its snapshot."""
    heard: list[str | bytes] = []
    page.once("websocket", lambda socket: socket.on("framereceived", lambda frame: heard.append(frame)))
    with page.expect_websocket(timeout=PATIENCE_MS) as opened:
        page.goto(path)
    if not any(is_snapshot(frame) for frame in heard):
        opened.value.wait_for_event("framereceived", is_snapshot, timeout=PATIENCE_MS)


def is_snapshot(frame: str | bytes) -> bool:
    """Whether it is the first frame of a session."""
    return bool(json.loads(frame)["type"] == "connected")


def headline(someone: Person) -> Locator:
    """What the page says first about how its task stands."""
    return someone.page.locator("#now")


def test_a_task_is_followed_from_page_to_page_reviewed_twice_and_opened(person: MakePerson, worker: Worker) -> None:
    task_id = worker.begin("alice", "Film of the workshop", "encode", "cut", "publish")
    alice = person("alice")
    page = alice.page
    page.get_by_role("link", name="Film of the workshop").click()
    expect(headline(alice)).to_have_text("Waiting", timeout=PATIENCE_MS)
    worker.say(task_id, "started")
    worker.say(task_id, "progress", progress=0.4, stage="encode", message="Encoding at 1080p")
    expect(headline(alice)).to_have_text("Encode", timeout=PATIENCE_MS)
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "0.4", timeout=PATIENCE_MS)
    expect(page.locator("#story [data-number='3']")).to_contain_text("Encoding at 1080p", timeout=PATIENCE_MS)

    go_and_listen(page, "/voicemail")
    worker.say(task_id, "review_requested", stage="cut", data={"document": DRAFT})
    alice.expect_text("“Film of the workshop” waits for your review")
    alice.button("Review").click()
    document = page.locator("#document")
    expect(document.get_by_role("heading", name="Cut list")).to_be_visible(timeout=PATIENCE_MS)
    expect(document.get_by_role("link")).to_have_count(1)
    expect(document.locator("img")).to_have_count(0)
    assert faults(page) == []

    alice.button("Ask for another round").click()
    page.get_by_label("What should be different?").fill("Without the opening, please.")
    alice.button("Ask for another round").click()
    expect(page.locator("#review")).to_be_hidden(timeout=PATIENCE_MS)
    expect(page.locator("#story")).to_contain_text("Without the opening, please.", timeout=PATIENCE_MS)
    worker.say(task_id, "review_requested", data={"document": "# Shorter"})
    alice.expect_text("Round 2")
    alice.button("Approve").click()
    expect(page.locator("#review")).to_be_hidden(timeout=PATIENCE_MS)
    worker.say(task_id, "completed", data={"url": "/history", "title": "The film"})
    expect(headline(alice)).to_have_text("Done", timeout=PATIENCE_MS)
    assert [(each["decision"], each["comment"]) for each in worker.heard(task_id)] == [
        ("revise", "Without the opening, please."),
        ("approve", ""),
    ]
    assert story(alice) == ["8", "7", "6", "5", "4", "3", "2", "1"]
    page.get_by_role("link", name="Open").click()
    page.wait_for_url("**/history")


def test_a_task_is_stopped_and_stands_among_the_finished_ones_on_every_page(person: MakePerson, worker: Worker) -> None:
    alice = person("alice")
    page, other = alice.page, alice.open_page()
    task_id = worker.begin("alice", "Night shift")
    worker.say(task_id, "started")
    other.goto("/tasks")
    row = other.locator(f"[data-task-id='{task_id}']")
    expect(other.locator("[data-group=open]").locator(row)).to_be_visible(timeout=PATIENCE_MS)
    page.goto(f"/tasks/{task_id}")
    alice.button("Stop").click()
    alice.button("Stop the task").click()
    expect(headline(alice)).to_have_text("Being stopped…", timeout=PATIENCE_MS)
    worker.say(task_id, "cancelled")
    expect(headline(alice)).to_have_text("Stopped", timeout=PATIENCE_MS)
    expect(alice.button("Stop")).to_be_hidden(timeout=PATIENCE_MS)
    expect(other.locator("[data-group=over]").locator(row)).to_contain_text("Stopped", timeout=PATIENCE_MS)
    assert story(alice) == ["4", "3", "2", "1"]
