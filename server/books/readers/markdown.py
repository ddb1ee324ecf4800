"""Reads Markdown (CommonMark and tables) by markdown-it-py: what it says, without how it is set."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from server.books.passages import Block, title_of
from server.books.readers.source import RawChapter

MAX_NESTING = 20
"""Lists and quotations in each other; what is deeper is read as it stands."""
FRONT_MATTER = re.compile(r"\A---\n.*?\n(?:---|\.\.\.)\n", re.DOTALL)
CELLS_APART = " — "


class MarkdownSource:
    """A Markdown text as a book: a chapter for each heading of the highest level of which there are several."""

    author: str | None = None
    language: str | None = None

    def __init__(self, text: str) -> None:
        blocks = list(blocks_of(text))
        highest = [block for block in blocks if block.level == 1]
        self.title: str | None = None
        if len(highest) == 1:
            self.title = title_of(highest[0].text)
            blocks.remove(highest[0])
        self._chapters = list(_chapters(blocks))
        self.places = len(self._chapters)

    def chapters(self, start: int) -> Iterator[RawChapter]:
        """See :class:`~server.books.readers.source.Source`."""
        yield from self._chapters[start:]


def blocks_of(text: str) -> Iterator[Block]:
    """The headings and paragraphs of a Markdown text. A list item has its mark, a row of a table is one block."""
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable("table")
    tokens = parser.parse(FRONT_MATTER.sub("", text.replace("\r\n", "\n"), count=1))
    yield from _Walk().blocks(tokens)


class _Walk:
    """The way through the tokens of one text."""

    def __init__(self) -> None:
        self._level = 0
        self._lists: list[int | None] = []  # the next number of each list that is open, None for bullets
        self._mark = ""
        self._row: list[str] | None = None

    def blocks(self, tokens: list[Token]) -> Iterator[Block]:
        for token in tokens:
            if token.type == "inline":
                yield from self._inline(plain(token))
            elif token.type in ("fence", "code_block"):
                yield Block(token.content)
            elif token.type == "heading_open":
                self._level = int(token.tag[1:])
            elif token.type == "heading_close":
                self._level = 0
            elif token.type == "bullet_list_open":
                self._lists.append(None)
            elif token.type == "ordered_list_open":
                self._lists.append(int(token.attrGet("start") or 1))
            elif token.type in ("bullet_list_close", "ordered_list_close"):
                self._lists.pop()
            elif token.type == "list_item_open":
                self._mark = self._next_mark()
            elif token.type == "tr_open":
                self._row = []
            elif token.type == "tr_close":
                row, self._row = self._row or [], None
                yield Block(CELLS_APART.join(cell for cell in row if cell), is_row=True)

    def _inline(self, text: str) -> Iterator[Block]:
        if self._row is not None:
            self._row.append(text)
            return
        mark, self._mark = self._mark, ""
        yield Block(mark + text, self._level, is_row=bool(mark))

    def _next_mark(self) -> str:
        number = self._lists[-1]
        if number is None:
            return "• "
        self._lists[-1] = number + 1
        return f"{number}. "


def plain(token: Token) -> str:
    """What an inline token says: links as their text, pictures as their description."""
    said: list[str] = []
    for child in token.children or []:
        if child.type in ("text", "code_inline"):
            said.append(child.content)
        elif child.type == "image":
            said.append(plain(child))
        elif child.type == "softbreak":
            said.append(" ")
        elif child.type == "hardbreak":
            said.append("\n")
    return "".join(said)


def _chapters(blocks: list[Block]) -> Iterator[RawChapter]:
    levels = [block.level for block in blocks if block.level]
    chosen = next((level for level in sorted(set(levels)) if levels.count(level) > 1), min(levels, default=0))
    place, title, held = 0, "", list[Block]()
    for block in blocks:
        if chosen and 0 < block.level <= chosen:
            if held:
                yield RawChapter(place, title, held)
                place += 1
            title, held = title_of(block.text), []
        else:
            held.append(block)
    if held:
        yield RawChapter(place, title, held)
