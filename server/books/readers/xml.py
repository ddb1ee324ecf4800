"""XML and HTML from strangers: no entity is expanded, nothing is fetched, and nesting has an end (libxml2's own limits,
which `huge_tree` would lift)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree, html

from server.books.failures import Unreadable
from server.books.passages import Block

HEADINGS = {f"h{level}": level for level in range(1, 7)}
ROWS = frozenset({"li", "tr", "dt", "dd"})
BLOCKS = frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote body caption dd details div dl dt fieldset figcaption figure footer header "
        "hgroup hr li main ol p pre section summary table tbody tfoot thead tr ul",
    )
)
UNREAD = frozenset({"head", "script", "style", "svg", "math", "template", "rt", "rp", "noscript", "iframe", "object"})
"""Of ruby text the signs are read, not how they are pronounced."""
CELLS = frozenset({"td", "th"})


def xml_of(content: bytes) -> Any:
    """The root of a well-formed document; raises :class:`Unreadable`."""
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        raise Unreadable("unreadable") from None


def html_blocks(content: bytes) -> list[Block]:
    """The headings and paragraphs of a page, however well formed it is."""
    parser = html.HTMLParser(
        encoding=_encoding(content), no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = html.document_fromstring(content, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):  # there is nothing in it
        return []
    return list(_Walk().blocks(root))


def _encoding(content: bytes) -> str | None:
    """XHTML is UTF-8 unless it says otherwise; libxml2's HTML parser would take it for Latin 1."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return "utf-8"


class _Walk:
    """The way through one page, without recursion: what a stranger wrote may be as deep as the parser lets it."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._level = 0
        self._is_row = False

    def blocks(self, root: Any) -> Iterator[Block]:
        unread: Any = None
        for event, element in etree.iterwalk(root, events=("start", "end")):
            name = element.tag if isinstance(element.tag, str) else ""
            if event == "start":
                if unread is None and name in UNREAD:
                    unread = element
                elif unread is None:
                    yield from self._begin(name)
                    self._text.append(element.text or "")
                continue
            if unread is None:
                yield from self._end(name)
            elif unread is element:
                unread = None
            if unread is None:
                self._text.append(element.tail or "")
        yield from self._flushed()

    def _begin(self, name: str) -> Iterator[Block]:
        if name in HEADINGS or name in BLOCKS:
            yield from self._flushed()
        self._level = HEADINGS.get(name, self._level)
        self._is_row = self._is_row or name in ROWS
        if name == "li":
            self._text.append("• ")
        elif name == "br":
            self._text.append("\n")

    def _end(self, name: str) -> Iterator[Block]:
        if name in HEADINGS or name in BLOCKS:
            yield from self._flushed()
        if name in HEADINGS:
            self._level = 0
        if name in CELLS:
            self._text.append(" — ")
        if name in ROWS:
            self._is_row = False

    def _flushed(self) -> Iterator[Block]:
        lines = "".join(self._text).split("\n") if self._level == 0 else ["".join(self._text)]
        self._text = []
        text = " ".join(" ".join(lines).split()).removesuffix("—").rstrip()
        if text and text != "•":
            yield Block(text, self._level, is_row=self._is_row)
