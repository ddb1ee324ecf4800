"""Reads EPUB 2 and 3. An EPUB is a ZIP of XHTML pages with a list of them; the one library for it is not free enough to
be used here (EbookLib: AGPL), so what there is to know of that list stands below."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote, urldefrag

from server.books.failures import Unreadable
from server.books.passages import title_of
from server.books.readers.source import RawChapter
from server.books.readers.xml import html_blocks, xml_of

MAX_FILES = 20_000
MAX_FILE_BYTES = 20 * 1024 * 1024
"""Of one page, unpacked: more than any chapter. Pictures are not read at all."""
MAX_UNPACKED_BYTES = 200 * 1024 * 1024
"""Of all that is unpacked in one go."""

CONTAINER = "META-INF/container.xml"
ENCRYPTION = "META-INF/encryption.xml"
EPUB_TYPE = "{http://www.idpf.org/2007/ops}type"
PAGES = frozenset({"application/xhtml+xml", "text/html", "application/xml", "text/x-oeb1-document"})
IS_ENCRYPTED_FLAG = 0x1  # APPNOTE.TXT 4.4.4


class Part(NamedTuple):
    """A chapter: the pages that belong to it, in their order."""

    title: str
    pages: list[str]


class EpubSource:
    """An EPUB as a book: a chapter for each page that its table of contents names, with the pages behind it."""

    def __init__(self, path: str) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, ValueError, OSError):
            raise Unreadable("unreadable") from None
        if len(self._zip.infolist()) > MAX_FILES:
            raise Unreadable("too_costly")
        self._left_bytes = MAX_UNPACKED_BYTES
        package_path = self._package_path()
        self._folder = posixpath.dirname(package_path)
        package = xml_of(self._read(package_path))
        self.title = _meta(package, "title")
        self.author = _meta(package, "creator")
        self.language = _meta(package, "language")
        self._items = {
            item.get("id", ""): item for item in package.iterfind(".//{*}manifest/{*}item") if item.get("href")
        }
        pages = self._pages(package)
        self._require_unlocked(pages)
        self._parts = list(_parts(pages, self._contents(package)))
        self.places = len(self._parts)

    def chapters(self, start: int) -> Iterator[RawChapter]:
        """See :class:`~server.books.readers.source.Source`."""
        for place, part in enumerate(self._parts[start:], start):
            blocks = [block for page in part.pages for block in html_blocks(self._read(page))]
            title = part.title or next((title_of(block.text) for block in blocks if block.level), "")
            if blocks and blocks[0].level and title_of(blocks[0].text) == title:
                blocks = blocks[1:]
            yield RawChapter(place, title, blocks)

    # ── what is in it ──

    def _package_path(self) -> str:
        root = xml_of(self._read(CONTAINER))
        path = next((each.get("full-path") for each in root.iterfind(".//{*}rootfile")), None)
        if not path:
            raise Unreadable("unreadable")
        return str(path)

    def _pages(self, package: Any) -> list[str]:
        found = []
        for reference in package.iterfind(".//{*}spine/{*}itemref"):
            item = self._items.get(reference.get("idref", ""))
            if item is not None and item.get("media-type") in PAGES:
                found.append(self._resolved(self._folder, item.get("href")))
        return found

    def _contents(self, package: Any) -> dict[str, str]:
        """The titles of pages by the table of contents, that of EPUB 3 or that of EPUB 2."""
        for item in self._items.values():
            if "nav" in (item.get("properties") or "").split():
                return self._titles(item.get("href"), _links, lambda link: (link.get("href"), _text(link)))
        spine = package.find(".//{*}spine")
        toc = self._items.get(spine.get("toc", "")) if spine is not None else None
        if toc is None:
            return {}
        return self._titles(
            toc.get("href"),
            lambda contents: contents.iterfind(".//{*}navPoint"),
            lambda point: (
                next((each.get("src") for each in point.iterfind("{*}content")), None),
                _text(point.find("{*}navLabel")),
            ),
        )

    def _titles(self, href: str, entries: Any, entry: Any) -> dict[str, str]:
        """Titles by page; none of a table of contents that is damaged: the book can be read without."""
        name = self._resolved(self._folder, href)
        if name not in self._zip.namelist():
            return {}
        titles: dict[str, str] = {}
        content = self._read(name)
        try:
            contents = xml_of(content)
        except Unreadable:
            return {}
        for element in entries(contents):
            target, title = entry(element)
            if target and title:
                titles.setdefault(self._resolved(posixpath.dirname(name), target), title_of(title))
        return titles

    def _require_unlocked(self, pages: list[str]) -> None:
        if ENCRYPTION not in self._zip.namelist():
            return
        locked = {
            posixpath.normpath(unquote(each.get("URI", "")))
            for each in xml_of(self._read(ENCRYPTION)).iterfind(".//{*}CipherReference")
        }
        if locked.intersection(pages):  # fonts may be scrambled; nobody reads those
            raise Unreadable("encrypted")

    @staticmethod
    def _resolved(folder: str, href: str) -> str:
        return posixpath.normpath(posixpath.join(folder, unquote(urldefrag(href).url)))

    def _read(self, name: str) -> bytes:
        """One file, unpacked; raises :class:`Unreadable` also for what pretends to be small."""
        try:
            info = self._zip.getinfo(name)
            if info.flag_bits & IS_ENCRYPTED_FLAG:
                raise Unreadable("encrypted")
            with self._zip.open(info) as file:
                content = file.read(min(MAX_FILE_BYTES, self._left_bytes) + 1)
        except (KeyError, zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, RuntimeError):
            raise Unreadable("unreadable") from None
        self._left_bytes -= len(content)
        if len(content) > MAX_FILE_BYTES or self._left_bytes < 0:
            raise Unreadable("too_costly")
        return content


def _parts(pages: list[str], titles: dict[str, str]) -> Iterator[Part]:
    """A page that the table of contents does not name goes on with what the one before it began."""
    held: Part | None = None
    for page in pages:
        if held is None or not titles or page in titles:
            if held is not None:
                yield held
            held = Part(titles.get(page, ""), [])
        held.pages.append(page)
    if held is not None:
        yield held


def _links(page: Any) -> Any:
    """The links of the table of contents: a page may have lists of its printed pages and landmarks, too (EPUB 3.3,
    7.4)."""
    lists = list(page.iterfind(".//{*}nav"))
    contents = [each for each in lists if "toc" in (each.get(EPUB_TYPE) or "").split()] or lists
    return contents[0].iterfind(".//{*}a") if contents else ()


def _meta(package: Any, name: str) -> str | None:
    found = package.find(f".//{{http://purl.org/dc/elements/1.1/}}{name}")
    return title_of(_text(found)) or None


def _text(element: Any) -> str:
    return "".join(element.itertext()) if element is not None else ""
