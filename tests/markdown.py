"""Documents as tests read them: sections with their tables, links and code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

_parser = MarkdownIt("commonmark").enable("table")

Row = dict[str, str]


class Document:
    """One Markdown file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self._tokens = _parser.parse(self.text)

    def headings(self) -> list[str]:
        """The headings as they are written, in order."""
        return [title for _, title, _ in self._sections()]

    def rows(self, heading: str) -> list[Row]:
        """The tables under a heading (up to the next one), as rows of `{column: cell}`."""
        return [row for tokens in self._under(heading) for row in _rows(tokens)]

    def code(self, heading: str) -> list[str]:
        """The lines of all code blocks under a heading."""
        found = [token for tokens in self._under(heading) for token in tokens if token.type == "fence"]
        return [line for token in found for line in token.content.splitlines()]

    def anchors(self) -> set[str]:
        """The names that `#…` may lead to: the headings as GitHub writes them into addresses."""
        return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in self.headings()}

    def links(self) -> list[str]:
        """Where links and pictures lead."""
        found = [token.attrGet("href") or token.attrGet("src") for token in _flat(self._tokens)]
        return [str(target) for target in found if target is not None]

    def commands(self) -> list[str]:
        """Every line of a code block, and every piece of code within a sentence."""
        tokens = list(_flat(self._tokens))
        blocks = [line.strip() for token in tokens if token.type == "fence" for line in token.content.splitlines()]
        return blocks + [token.content for token in tokens if token.type == "code_inline"]

    def _under(self, heading: str) -> list[list[Token]]:
        found = [tokens for _, title, tokens in self._sections() if title == heading]
        assert found, f"{self.path.name} has no heading «{heading}»"
        return found

    def _sections(self) -> Iterator[tuple[str, str, list[Token]]]:
        """`(level, heading, tokens up to the next heading)`."""
        starts = [index for index, token in enumerate(self._tokens) if token.type == "heading_open"]
        for start, end in zip(starts, [*starts[1:], len(self._tokens)], strict=True):
            yield self._tokens[start].tag, self._tokens[start + 1].content, self._tokens[start + 3 : end]


def code_in(cell: str) -> str:
    """What stands between the first pair of backticks of a cell."""
    found = re.search(r"`([^`]+)`", cell)
    assert found, f"no code in «{cell}»"
    return found[1]


def _rows(tokens: list[Token]) -> Iterator[Row]:
    columns: list[str] = []
    cells: list[str] = []
    for index, token in enumerate(tokens):
        if token.type == "thead_open":
            columns = []
        elif token.type == "th_open":
            columns.append(tokens[index + 1].content)
        elif token.type == "td_open":
            cells.append(tokens[index + 1].content)
        elif token.type == "tr_close" and cells:
            yield dict(zip(columns, cells, strict=True))
            cells = []


def _flat(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _flat(token.children or [])
