"""What a file is, by its content."""

from __future__ import annotations

import io
import zipfile

import pytest

from server.books.formats import HEAD_BYTES, format_of
from tests.books.files import MARKDOWN, Page, epub, pdf


def docx() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "form"),
    [
        (pdf(["Tea"]), "", "pdf"),
        (b"\n\n" + pdf(["Tea"]), "book.epub", "pdf"),
        (epub([Page("Tea", "<p>Tea</p>")]), "book", "epub"),
        (docx(), "odd.epub", "epub"),
        (MARKDOWN, "", "markdown"),
        (b"No heading at all", "notes.MD", "markdown"),
        (b"# Formats\n\nA PDF begins with %PDF-1.7.", "", "markdown"),
        (b"\x00\x01junk\x02" + pdf(["Tea"]), "", "pdf"),
        (MARKDOWN, "plain.txt", "text"),
        ("茶水。".encode("gb18030"), "", "text"),
        ("茶水。".encode("utf-16"), "", "text"),
    ],
    ids=[
        "pdf",
        "pdf-late",
        "epub",
        "epub-name",
        "markdown",
        "markdown-name",
        "of-pdf",
        "pdf-junk",
        "text-name",
        "gb18030",
        "utf-16",
    ],
)
def test_a_book_is_known_by_its_content(content: bytes, name: str, form: str) -> None:
    assert format_of(content[:HEAD_BYTES], name) == form


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (docx(), "letter.docx"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "book.pdf"),
        (b"\x7fELF\x02\x01\x01\x00", "book.txt"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "book.md"),
        (b"{\\rtf1 text}", "book.txt"),
        (b"  \n ", "book.txt"),
    ],
    ids=["docx", "png", "program", "html", "rtf", "blank"],
)
def test_what_is_no_book_is_none_whatever_it_is_called(content: bytes, name: str) -> None:
    assert format_of(content[:HEAD_BYTES], name) is None
