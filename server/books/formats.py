"""What an uploaded file is, by its content; its name only tells Markdown from other text."""

from __future__ import annotations

import codecs
import re
from pathlib import PurePath

from server.books.model import Format

HEAD_BYTES = 4096
"""How much of a file it takes to know."""

_PDF_MARK = b"%PDF-"
_PDF_WITHIN = 1024
"""Readers look for «%PDF-» in the first KiB (ISO 32000-1, annex H, note 13)."""
_ZIP = b"PK\x03\x04"
# The first file of an EPUB says so, uncompressed and at a fixed place (EPUB OCF 3.3, 4.3).
_EPUB_MARK, _EPUB_MARK_AT = b"mimetypeapplication/epub+zip", 30
_MARKUP = re.compile(rb"\s*(<!doctype|<html|<\?xml|\{\\rtf)", re.IGNORECASE)
_BINARY = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]")
_HEADING = re.compile(rb"^#{1,6} \S", re.MULTILINE)
_MARKDOWN_NAMES = frozenset({".md", ".markdown", ".mdown", ".mkd"})


def format_of(head: bytes, name: str) -> Format | None:
    """The format of a file that begins with ``head`` and is called ``name``; ``None`` for what is no book."""
    suffix = PurePath(name).suffix.lower()
    if head.lstrip().startswith(_PDF_MARK) or (_PDF_MARK in head[:_PDF_WITHIN] and not _is_text(head)):
        return "pdf"  # a text may speak of the mark
    if head.startswith(_ZIP):
        marked = head[_EPUB_MARK_AT:].startswith(_EPUB_MARK)
        return "epub" if marked or suffix == ".epub" else None
    if not _is_text(head):
        return None
    if suffix in _MARKDOWN_NAMES or (suffix != ".txt" and _HEADING.search(head)):
        return "markdown"
    return "text"


def _is_text(head: bytes) -> bool:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return True
    return bool(head.strip()) and _BINARY.search(head) is None and _MARKUP.match(head) is None
