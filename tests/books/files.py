"""Files of books as people have them, and as somebody makes them who means harm."""

from __future__ import annotations

import io
import os
import signal
import zipfile
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, EncodedStreamObject, NameObject

CONTAINER = (
    '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
MARKDOWN = (
    b"# Drinks\n\n## Tea\n\nWater boils, and then the leaves go in.\n\n## Coffee\n\nBeans are ground and brewed.\n"
)


class Page(NamedTuple):
    """A page of an EPUB: what the table of contents calls it (None: not at all), and what stands in its body."""

    title: str | None
    body: str


def epub(pages: Sequence[Page], *, version: int = 3, more: Mapping[str, str | bytes] | None = None) -> bytes:
    """An EPUB with these pages; ``more`` adds files or takes the place of those that there are."""
    names = [f"page {number}.xhtml" for number in range(1, len(pages) + 1)]
    entries = [(page.title, name) for page, name in zip(pages, names, strict=True) if page.title is not None]
    files: dict[str, str | bytes] = {
        "META-INF/container.xml": CONTAINER,
        "OEBPS/book.opf": package(names, version),
        "OEBPS/nav.xhtml": nav(entries),
        "OEBPS/toc.ncx": ncx(entries),
    }
    for page, name in zip(pages, names, strict=True):
        files[f"OEBPS/{name}"] = (
            '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>no</title>'
            f"<style>p {{ color: red }}</style></head><body>{page.body}</body></html>"
        )
    return zipped(files | dict(more or {}))


def package(names: Sequence[str], version: int) -> str:
    """The list of what is in an EPUB."""
    items = "".join(
        f'<item id="i{at}" href="{name.replace(" ", "%20")}" media-type="application/xhtml+xml"/>'
        for at, name in enumerate(names)
    )
    spine = "".join(f'<itemref idref="i{at}"/>' for at in range(len(names)))
    nav = '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
    ncx = '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
    return (
        f'<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="{version}.0">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Drinks</dc:title>'
        "<dc:creator>A. N. Author</dc:creator><dc:language>en</dc:language></metadata>"
        f"<manifest>{nav if version == 3 else ''}{ncx}{items}</manifest>"
        f'<spine toc="ncx">{spine}</spine></package>'
    )


def nav(entries: Sequence[tuple[str, str]]) -> str:
    """The table of contents of EPUB 3."""
    links = "".join(f'<li><a href="{name.replace(" ", "%20")}#top">{title}</a></li>' for title, name in entries)
    return (
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><body>'
        f'<nav epub:type="toc"><ol>{links}</ol></nav></body></html>'
    )


def ncx(entries: Sequence[tuple[str, str]]) -> str:
    """The table of contents of EPUB 2."""
    points = "".join(
        f'<navPoint id="n{at}"><navLabel><text>{title}</text></navLabel><content src="{name}"/></navPoint>'
        for at, (title, name) in enumerate(entries)
    )
    return f'<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap>{points}</navMap></ncx>'


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """A ZIP that says of itself that it is an EPUB."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def pdf(
    pages: Sequence[str], *, contents: Mapping[str, int] | None = None, title: str = "Drinks", password: str = ""
) -> bytes:
    """A PDF with these pages; ``contents`` is its table of contents: title → page, from 0."""
    writer = PdfWriter()
    for text in pages:
        page = writer.add_blank_page(612, 792)
        if text:
            page[NameObject("/Contents")] = writer._add_object(_drawn(text))
            page[NameObject("/Resources")] = _resources()
    for entry, page_number in (contents or {}).items():
        writer.add_outline_item(title=entry, page_number=page_number)
    writer.add_metadata({"/Title": title, "/Author": "A. N. Author"})
    if password:
        writer.encrypt(password, algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _drawn(text: str) -> EncodedStreamObject:
    stream = DecodedStreamObject()
    lines = " ".join(f"({line}) Tj 0 -14 Td" for line in text.split("\n"))
    stream.set_data(f"BT /F1 12 Tf 72 720 Td {lines} ET".encode("latin-1"))
    return stream.flate_encode()


def _resources() -> DictionaryObject:
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    return DictionaryObject({NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})})


# --- Readers that go wrong, in place of :func:`server.books.reading.read_part`


def kill_the_process(path: str, form: str, start: int, max_characters: int) -> None:
    """As the kernel does when there is no memory left."""
    os.kill(os.getpid(), signal.SIGKILL)


def take_all_memory(path: str, form: str, start: int, max_characters: int) -> int:
    """Takes more than a process may have."""
    return len(bytearray(1 << 45))
