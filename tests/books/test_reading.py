"""Files become chapters of passages; what is made to harm becomes a clear failure."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from pypdf import apply_configuration

from server.books import reading
from server.books.failures import Unreadable
from server.books.model import Format
from server.books.passages import Piece
from server.books.readers import epub as epub_reader
from server.books.readers.plain import SAMPLE_BYTES
from server.books.reading import Part, ReadChapter, read_part
from tests.books.files import CONTAINER, MARKDOWN, Page, epub, pdf, zipped

Read = Callable[..., Part]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """`read("epub", content)`: its first part, or the one that begins at a place."""

    def read_one(form: Format, content: bytes, start: int = 0, max_characters: int = 10_000_000) -> Part:
        path = tmp_path / "book"
        path.write_bytes(content)
        return read_part(str(path), form, start, max_characters)

    return read_one


def texts(part: Part) -> list[tuple[str, list[str]]]:
    """The chapters: title and passages."""
    return [(chapter.title, [piece.text for piece in chapter.pieces]) for chapter in part.chapters]


def refused(read: Read, form: Format, content: bytes) -> str:
    """Why it cannot be read."""
    with pytest.raises(Unreadable) as refusal:
        read(form, content)
    return refusal.value.code


# --- Markdown and text


def test_markdown_has_its_headings(read: Read) -> None:
    part = read("markdown", MARKDOWN)
    assert part.title == "Drinks"
    assert part.chapters == [
        ReadChapter("Tea", [Piece("", "Water boils, and then the leaves go in.")]),
        ReadChapter("Coffee", [Piece("", "Beans are ground and brewed.")]),
    ]


def test_broken_lines_of_a_text_are_one_paragraph(read: Read) -> None:
    text = b"CHAPTER I\n\nIt was a dark and stor-\nmy night;\nthe rain fell.\n\nNobody came.\n\nCHAPTER II\n\nThe end."
    assert texts(read("text", text)) == [
        ("CHAPTER I", ["It was a dark and stormy night; the rain fell.\n\nNobody came."]),
        ("CHAPTER II", ["The end."]),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_a_chinese_text_is_read_in_whatever_encoding(read: Read, encoding: str) -> None:
    text = "第一章 开始\n这是第一章的内容，说的是很久以前的事情。\n第二章 结束\n后来他们都走了，再也没有回来。\n"
    assert texts(read("text", text.encode(encoding))) == [
        ("第一章 开始", ["这是第一章的内容，说的是很久以前的事情。"]),
        ("第二章 结束", ["后来他们都走了，再也没有回来。"]),
    ]


@pytest.mark.parametrize("end", ["\n\n", ""], ids=["lines", "one-line"])
@pytest.mark.parametrize("encoding", ["gb18030", "big5"])
@pytest.mark.parametrize("more", ["", "x"], ids=["even", "odd"])
def test_a_long_chinese_text_is_read_wherever_its_sample_ends(read: Read, encoding: str, more: str, end: str) -> None:
    """One of the two has a character across the end of what its encoding is guessed from."""
    line = (
        "今天天氣很好我們到山上去看花又走了很遠的路"
        if encoding == "big5"
        else "今天天气很好我们到山上去看花又走了很远的路"
    )
    text = f"a{more}" + f"{line}{end}" * 2_000
    content = text.encode(encoding)
    assert len(content) > SAMPLE_BYTES
    (_, pieces), *_ = texts(read("text", content))
    assert line in pieces[0]


def test_a_text_of_windows_is_read(read: Read) -> None:
    text = "Das ist ein größerer Text über Käse und Brötchen, übrigens."
    assert texts(read("text", text.encode("cp1252"))) == [("", [text])]


def test_a_large_book_is_read_part_by_part(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PART_LETTERS", 20)
    first = read("markdown", MARKDOWN)
    assert ([chapter.title for chapter in first.chapters], first.next_place, first.done) == (["Tea"], 1, 0.5)
    second = read("markdown", MARKDOWN, 1)
    assert ([chapter.title for chapter in second.chapters], second.next_place, second.done) == (["Coffee"], None, 1.0)


def test_more_text_than_a_book_may_have_is_not_read(read: Read) -> None:
    with pytest.raises(Unreadable, match="too_much_text"):
        read("markdown", MARKDOWN, max_characters=50)


def test_a_long_chapter_goes_on_in_another_one(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CHAPTER_PIECES", 2)
    paragraph = b"word " * 180 + b"\n\n"
    assert [title for title, _ in texts(read("markdown", b"# Long\n\n" + paragraph * 3 + b"# Short\n\nEnd."))] == [
        "Long",
        "Long (2)",
        "Short",
    ]


# --- EPUB

BODY = (
    "<h1>Tea</h1><p>Water <b>boils</b> – and<br/>then</p><script>no text</script><ul><li>leaves</li><li>sugar</li></ul>"
    "<table><tr><td>green</td><td>80</td></tr></table><h2>茶</h2><p>这是<ruby>茶<rt>cha</rt></ruby>。</p>"
)


@pytest.mark.parametrize("version", [2, 3])
def test_an_epub_has_the_chapters_of_its_table_of_contents(read: Read, version: int) -> None:
    pages = [Page("Tea", BODY), Page(None, "<p>More of tea.</p>"), Page("Coffee", "<p>Beans.</p>")]
    part = read("epub", epub(pages, version=version))
    assert (part.title, part.author, part.language) == ("Drinks", "A. N. Author", "en")
    assert part.chapters == [
        ReadChapter(
            "Tea",
            [
                Piece("", "Water boils – and then\n\n• leaves\n• sugar\ngreen — 80"),
                Piece("茶", "这是茶。\n\nMore of tea."),
            ],
        ),
        ReadChapter("Coffee", [Piece("", "Beans.")]),
    ]


def test_an_epub_without_a_table_of_contents_has_a_chapter_for_each_page(read: Read) -> None:
    pages = [Page(None, "<h1>Tea</h1><p>Leaves.</p>"), Page(None, "<p>Beans.</p>")]
    assert texts(read("epub", epub(pages))) == [("Tea", ["Leaves."]), ("", ["Beans."])]


def test_only_its_table_of_contents_makes_chapters(read: Read) -> None:
    """Not the list of printed pages, and not the landmarks."""
    pages = [Page("One", "<p>a</p>"), Page(None, "<p>b</p>"), Page("Two", "<p>c</p>")]
    other = '<nav epub:type="%s"><ol><li><a href="page%%202.xhtml">17</a></li></ol></nav>'
    whole = zipfile.ZipFile(io.BytesIO(epub(pages))).read("OEBPS/nav.xhtml").decode()
    nav = whole.replace("<body>", "<body>" + other % "page-list").replace("</body>", other % "landmarks" + "</body>")
    part = read("epub", epub(pages, more={"OEBPS/nav.xhtml": nav}))
    assert texts(part) == [("One", ["a\n\nb"]), ("Two", ["c"])]


@pytest.mark.parametrize("version", [2, 3])
def test_an_epub_whose_table_of_contents_is_damaged_is_read_without(read: Read, version: int) -> None:
    pages = [Page("Tea", "<h1>Leaves</h1><p>a</p>"), Page("Coffee", "<p>b</p>")]
    broken = {"OEBPS/nav.xhtml": "<html><nav>&nbsp;</nav></html>", "OEBPS/toc.ncx": "<ncx>&nbsp;</ncx>"}
    assert texts(read("epub", epub(pages, version=version, more=broken))) == [("Leaves", ["a"]), ("", ["b"])]


def test_pages_that_are_badly_formed_are_read_as_far_as_they_go(read: Read) -> None:
    assert texts(read("epub", epub([Page("Tea", "<p>One<p>Two & three</i>")]))) == [("Tea", ["One\n\nTwo & three"])]


def test_pages_that_are_missing_make_an_epub_damaged(read: Read) -> None:
    whole = zipfile.ZipFile(io.BytesIO(epub([Page("Tea", "<p>x</p>")])))
    files = {name: whole.read(name) for name in whole.namelist() if name.endswith((".xml", ".opf"))}
    assert refused(read, "epub", zipped(files)) == "unreadable"


def test_a_page_that_unpacks_to_too_much_is_not_unpacked(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epub_reader, "MAX_FILE_BYTES", 100_000)
    bomb = epub([Page("Tea", "<p>" + "a" * 1_000_000 + "</p>")])
    assert len(bomb) < 10_000
    assert refused(read, "epub", bomb) == "too_costly"


def test_many_pages_that_unpack_to_too_much_are_not_all_unpacked(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epub_reader, "MAX_UNPACKED_BYTES", 100_000)
    assert refused(read, "epub", epub([Page("Tea", "<p>" + "a" * 30_000 + "</p>")] * 5)) == "too_costly"


def test_too_many_files_are_not_looked_at(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epub_reader, "MAX_FILES", 5)
    assert refused(read, "epub", epub([Page("Tea", "<p>x</p>")])) == "too_costly"


def test_an_entity_bomb_is_not_expanded(read: Read) -> None:
    entities = "".join(f'<!ENTITY e{at} "{f"&e{at - 1};" * 10}">' for at in range(1, 10))
    bomb = f'<!DOCTYPE container [<!ENTITY e0 "boom">{entities}]>' + CONTAINER.partition("?>")[2]
    bomb = bomb.replace("OEBPS/book.opf", "&e9;")
    assert refused(read, "epub", epub([Page("Tea", "x")], more={"META-INF/container.xml": bomb})) == "unreadable"


def test_an_entity_does_not_read_a_file_of_the_server(read: Read, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the key")
    page = f'<!DOCTYPE html [<!ENTITY x SYSTEM "file://{secret}">]><html><body><p>Tea &x;.</p></body></html>'
    part = read("epub", epub([Page("Tea", "")], more={"OEBPS/page 1.xhtml": page}))
    assert "the key" not in str(part)


def test_pages_that_are_nested_without_end_end(read: Read) -> None:
    part = read("epub", epub([Page("Tea", "<div>" * 50_000 + "<p>deep</p>"), Page("Coffee", "<p>Beans.</p>")]))
    assert texts(part)[-1] == ("Coffee", ["Beans."])


def test_a_path_out_of_the_archive_leads_nowhere(read: Read) -> None:
    container = CONTAINER.replace("OEBPS/book.opf", "../../../../etc/passwd")
    assert refused(read, "epub", epub([Page("Tea", "x")], more={"META-INF/container.xml": container})) == "unreadable"


def test_a_locked_epub_says_so(read: Read) -> None:
    locked = (
        '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><EncryptedData><CipherData>'
        '<CipherReference URI="OEBPS/page%201.xhtml"/></CipherData></EncryptedData></encryption>'
    )
    assert refused(read, "epub", epub([Page("Tea", "x")], more={"META-INF/encryption.xml": locked})) == "encrypted"


# --- PDF


def test_a_pdf_has_the_chapters_of_its_table_of_contents(read: Read) -> None:
    content = pdf(["Title", "Water boils,\nand then", "the leaves go in.", "Beans."], contents={"Tea": 1, "Coffee": 3})
    part = read("pdf", content)
    assert (part.title, part.author) == ("Drinks", "A. N. Author")
    assert part.chapters == [
        ReadChapter("", [Piece("p. 1", "Title")]),
        ReadChapter("Tea", [Piece("p. 2", "Water boils, and then"), Piece("p. 3", "the leaves go in.")]),
        ReadChapter("Coffee", [Piece("p. 4", "Beans.")]),
    ]


def test_a_pdf_without_one_has_a_chapter_for_each_twenty_pages(read: Read) -> None:
    assert [chapter.title for chapter in read("pdf", pdf(["Tea"] * 21)).chapters] == ["pp. 1–20", "pp. 21–21"]


def test_a_pdf_without_text_has_nothing_to_read(read: Read) -> None:
    assert read("pdf", pdf(["", ""])).chapters == []


def test_a_pdf_with_a_password_says_so(read: Read) -> None:
    assert refused(read, "pdf", pdf(["Tea"], password="secret")) == "encrypted"


@pytest.mark.parametrize("form", ["pdf", "epub"])
@pytest.mark.parametrize("cut", ["half", "nothing", "noise"])
def test_a_damaged_file_says_so(read: Read, form: Format, cut: str) -> None:
    whole = pdf(["Tea"]) if form == "pdf" else epub([Page("Tea", "<p>x</p>")])
    content = {"half": whole[: len(whole) // 2], "nothing": whole[:8], "noise": whole[:8] + bytes(range(256)) * 50}[cut]
    assert refused(read, form, content) == "unreadable"


def test_a_pdf_whose_pages_are_each_other_says_so(read: Read) -> None:
    content = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[2 0 R]/Count 1>>endobj\ntrailer<</Root 1 0 R/Size 3>>\n%%EOF"
    )
    assert refused(read, "pdf", content) in ("unreadable", "too_costly")


def test_a_page_of_a_pdf_that_unpacks_to_too_much_is_left_out(read: Read) -> None:
    bomb = pdf(["a" * 100_000, "Tea"])
    assert len(bomb) < 10_000
    with apply_configuration(zlib_maximum_output_length=10_000):
        assert texts(read("pdf", bomb)) == [("pp. 1–2", ["Tea"])]


def test_whatever_a_library_stumbles_over_is_a_damaged_file(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    for error, code in ((ZeroDivisionError, "unreadable"), (MemoryError, "too_costly"), (RecursionError, "too_costly")):

        def stumble(*_: object, error: type[BaseException] = error) -> None:
            raise error

        monkeypatch.setattr(reading, "opened", stumble)
        assert refused(read, "text", b"Tea") == code
