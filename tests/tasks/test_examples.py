"""The programs in docs/tasks.md, run as they stand there."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from server.paths import docs_dir
from tests.running import Running

COMMANDS = {"python": [sys.executable], "sh": ["sh", "-eu"]}


def example(language: str) -> str:
    """The program in that language."""
    tokens = MarkdownIt("commonmark").parse((docs_dir() / "tasks.md").read_text(encoding="utf-8"))
    [program] = [token.content for token in tokens if token.type == "fence" and token.info == language]
    return program


@pytest.mark.gen_test
@pytest.mark.parametrize("language", COMMANDS)
async def test_an_example_drives_a_task_to_its_end(running: Running, tmp_path: Path, language: str) -> None:
    alice = await running.person("alice")
    reports = await running.person("reports", service=True)
    path = tmp_path / "example"
    path.write_text(example(language))
    variables = {"RINGBACK_URL": running.origin, "RINGBACK_TOKEN": reports.access_token, "PATH": "/usr/bin:/bin"}
    process = await asyncio.create_subprocess_exec(*COMMANDS[language], str(path), env=variables)
    assert await process.wait() == 0
    [task] = (await alice.api("GET", "/tasks")).document["items"]
    assert (task["title"], task["state"]) == ("Nightly report", "completed")
    assert task["result"]["url"] == "https://reports.example.org/7"
    assert task["number"] in (7, 12)
