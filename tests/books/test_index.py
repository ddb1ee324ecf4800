"""What BM25 finds in a book."""

from __future__ import annotations

import pickle

from server.books.index import Index, Text


def index(*texts: str, heading: str = "") -> Index:
    return Index([Text(number, "", heading, text) for number, text in enumerate(texts, 1)])


def numbers(index: Index, question: str, limit: int = 6) -> list[int]:
    return [hit.number for hit in index.best(question, limit)]


BOOK = (
    "The microphone is muted by a button.",
    "A call rings for 45 seconds.",
    "A button ends a call.",
    "静音按钮在下面。",
)


def test_the_passage_with_the_rarest_words_of_the_question_comes_first() -> None:
    assert numbers(index(*BOOK), "How do I mute the microphone in a call?")[0] == 1


def test_a_chinese_question_finds_a_chinese_passage() -> None:
    assert numbers(index(*BOOK), "怎么静音？") == [4]


def test_what_has_no_word_of_the_question_is_not_found() -> None:
    assert numbers(index(*BOOK), "the price of tea") == []
    assert numbers(index(*BOOK), "?") == []


def test_there_are_no_more_than_asked_for() -> None:
    assert len(numbers(index(*BOOK), "button call", limit=1)) == 1


def test_words_of_a_heading_are_words_of_the_passage() -> None:
    with_heading = Index([Text(1, "", "", "Nothing rings then."), Text(2, "", "Quiet hours", "Nothing rings then.")])
    assert numbers(with_heading, "quiet hours") == [2]


def test_coverage_says_how_much_of_the_question_stands_in_a_passage() -> None:
    (whole,) = index(*BOOK).best("microphone", 1)
    assert whole.coverage == 1.0
    (part,) = index(*BOOK).best("microphone zanzibar", 1)
    assert 0.3 < part.coverage < 0.7


def test_a_book_without_words_is_no_error() -> None:
    assert numbers(index(), "call") == []
    assert numbers(index("…", "!"), "call") == []


def test_pairs_that_only_come_about_in_the_question_are_not_missed() -> None:
    """给两 and 人打 stand nowhere."""
    book = index("两个人都接听。", "给别人打电话。", "同时响铃。", "静音按钮。")
    (best, *_) = book.best("给两个人打电话", 6)
    assert best.coverage > 0.5


def test_an_index_is_arrays_and_no_table_of_words() -> None:
    """A dictionary of a million words takes a second to be handed over, in which no call is served."""
    small, large = (index(" ".join(f"word{n}" for n in range(count))) for count in (10, 10_010))
    assert (large.size_bytes - small.size_bytes) / 10_000 < 30
    packed = pickle.dumps(large, protocol=pickle.HIGHEST_PROTOCOL)
    assert len(packed) < large.size_bytes + 2_000
    assert numbers(pickle.loads(packed), "word7") == [1]


def test_a_book_without_words_has_an_index_without_any() -> None:
    assert index("…", "?").best("tea", 6) == []
    assert index().size_bytes == 0
