"""Markdown as a book: chapters by headings, text without markup."""

from __future__ import annotations

from server.books.passages import Block
from server.books.readers.markdown import MarkdownSource, blocks_of


def blocks(text: str) -> list[Block]:
    return list(blocks_of(text))


def test_markup_is_left_out_and_what_it_marks_stays() -> None:
    assert blocks("Say *hello* to **[Bob](https://example.com)**, `now`.") == [Block("Say hello to Bob, now.")]


def test_headings_have_their_level() -> None:
    assert blocks("# One\n\nTwo\n===\n\n### Three") == [Block("One", 1), Block("Two", 1), Block("Three", 3)]


def test_lists_keep_their_marks() -> None:
    text = "- apples\n- pears\n\n3. three\n4. four"
    assert [block.text for block in blocks(text)] == ["• apples", "• pears", "3. three", "4. four"]


def test_the_rows_of_a_table_are_lines() -> None:
    text = "| what | when |\n| --- | --- |\n| a call | now |"
    assert [block.text for block in blocks(text)] == ["what — when", "a call — now"]


def test_code_stays_as_it_is() -> None:
    assert blocks("```sh\nringback serve\n```") == [Block("ringback serve\n")]


def test_html_is_no_text() -> None:
    assert blocks("before\n\n<script>alert(1)</script>\n\nafter <b>bold</b>") == [Block("before"), Block("after bold")]


def test_front_matter_is_no_text() -> None:
    assert blocks("---\ntitle: x\n---\nText") == [Block("Text")]


def test_lists_in_lists_end_somewhere() -> None:
    deep = "".join("  " * depth + "- x\n" for depth in range(200)) + ">" * 5000 + " y"
    assert blocks(deep)


def test_each_heading_of_the_highest_level_is_a_chapter() -> None:
    source = MarkdownSource("# Book\n\nPreface\n\n## One\n\na\n\n### Part\n\nb\n\n## Two\n\nc")
    assert source.title == "Book"
    assert [(chapter.title, len(chapter.blocks)) for chapter in source.chapters(0)] == [("", 1), ("One", 3), ("Two", 1)]


def test_where_there_are_several_highest_headings_none_is_the_title() -> None:
    assert MarkdownSource("# One\n\na\n\n# Two\n\nb").title is None


def test_a_text_without_headings_is_one_chapter() -> None:
    assert [chapter.blocks for chapter in MarkdownSource("Only text.").chapters(0)] == [[Block("Only text.")]]


def test_reading_goes_on_where_it_was_left() -> None:
    source = MarkdownSource("# One\n\na\n\n# Two\n\nb")
    assert [(chapter.place, chapter.title) for chapter in source.chapters(1)] == [(1, "Two")]
