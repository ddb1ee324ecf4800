"""Writes the tables that documents take from the code: `python -m tools.documents`.

A table stands between `<!-- name -->` and `<!-- /name -->`; what is between the two is replaced. `tests/test_documents`
says when it is out of date.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from server.close_codes import REGISTRY
from server.config import SettingInfo, describe
from server.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
GENERATED = re.compile(r"(<!-- (?P<name>[a-z ]+) -->\n).*?(<!-- /(?P=name) -->)", re.DOTALL)


def main() -> None:
    """Brings every document up to date, and says which were not."""
    for path in sorted(DOCS.glob("*.md")):
        before = path.read_text(encoding="utf-8")
        after = render(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            print(f"{path.relative_to(ROOT)} is new")


def render(document: str) -> str:
    """`document` with every generated table as the code has it now; raises KeyError for a name that is no table's."""
    return GENERATED.sub(lambda found: f"{found[1]}\n{TABLES[found['name']]()}\n{found[3]}", document)


def settings() -> str:
    """A heading and a table for each section of the configuration."""
    sections = groupby(describe(), key=lambda info: info.key.partition(".")[0])
    return "\n".join(_section(name, infos) for name, infos in sections)


def close_codes() -> str:
    """Every close code, with what the client does and what the server keeps."""
    rows = (
        (
            str(int(code)),
            f"`{code.name.lower()}`",
            rule.action,
            "yes" if rule.session_kept else "no",
            str(rule.retry_after_ms),
            rule.message,
        )
        for code, rule in REGISTRY.items()
    )
    return table(("code", "name", "the client", "session kept", "retry after, ms", "message"), rows)


def table(columns: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    """A Markdown table; a `|` in a cell is written so that it stays in it."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _section(name: str, infos: Iterator[SettingInfo]) -> str:
    about = getattr(Settings(), name).__doc__
    rows = ((f"`{info.key}`", _default(info.default), info.allowed, info.description) for info in infos)
    return f"## `{name}`\n\n{about}\n\n" + table(("setting", "default", "allowed", "meaning"), rows)


def _default(value: Any) -> str:
    if value == "" or value == ():
        return "empty"
    return f"`{value}`"


TABLES: dict[str, Callable[[], str]] = {"settings": settings, "close codes": close_codes}

if __name__ == "__main__":
    main()
