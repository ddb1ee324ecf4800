"""Everything that a task of this server may report has a sentence in the languages of its pages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = (ROOT / "static" / "js" / "strings" / "tasks.js").read_text("utf-8")
CODE_AT = {"progress": 2, "TaskFailed": 0, "Retry": 0}
"""Which argument of a call is the code."""


def reported() -> Iterator[str]:
    """The codes that stand in the server's code."""
    for path in sorted((ROOT / "server").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                yield from codes_of(node)


def codes_of(call: ast.Call) -> Iterator[str]:
    """The code that a call reports, if it does."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    at = CODE_AT.get(name)
    values = [keyword.value for keyword in call.keywords if name == "EventDraft" and keyword.arg == "code"]
    if at is not None and len(call.args) > at:
        values.append(call.args[at])
    for value in values:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value


@pytest.mark.parametrize("code", sorted(set(reported())))
def test_a_code_has_a_sentence(code: str) -> None:
    assert re.search(rf"^  {code}: \(", SCRIPT, re.MULTILINE), f"static/js/strings/tasks.js does not know {code}"
