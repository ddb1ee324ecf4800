"""Ringback's own handbook as a book: the documents that come with it, in every language there is one in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from server.books.passages import Block, Piece, pieces, title_of
from server.books.readers.markdown import blocks_of

FIRST = ("handbook.md", "zh_Hans/handbook.md")
"""What is written for whoever uses Ringback stands before what is written for whoever runs or extends it."""
EDITION = 1
"""To be raised when the same documents become other passages."""


class Section(NamedTuple):
    """A document of the handbook, as a chapter."""

    title: str
    pieces: list[Piece]


def files(folder: Path) -> list[Path]:
    """The documents in the order in which they are read: those of the folder, and of one folder for each language."""
    found = [*folder.glob("*.md"), *folder.glob("zh_*/*.md")]
    names = {path.relative_to(folder).as_posix(): path for path in found}
    first = [names.pop(name) for name in FIRST if name in names]
    return first + [names[name] for name in sorted(names)]


def edition(folder: Path) -> str:
    """A name for what stands in the handbook now: another text, another name."""
    digest = hashlib.sha256(str(EDITION).encode())
    for path in files(folder):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def size_bytes(folder: Path) -> int:
    """How large the documents are together."""
    return sum(path.stat().st_size for path in files(folder))


def read(folder: Path) -> list[Section]:
    """All documents, as chapters with passages."""
    return [_section(path) for path in files(folder)]


def _section(path: Path) -> Section:
    blocks = list(blocks_of(path.read_text(encoding="utf-8")))
    title = next((block.text for block in blocks if block.level == 1), path.stem)
    return Section(title_of(title), list(pieces(_without_title(blocks))))


def _without_title(blocks: list[Block]) -> Iterator[Block]:
    """Without the first heading, which is the chapter's; further ones of its level stand under nothing."""
    is_past_title = False
    for block in blocks:
        if block.level == 1 and not is_past_title:
            is_past_title = True
        else:
            yield block
