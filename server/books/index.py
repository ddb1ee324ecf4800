"""The index of one book: which passages answer a question, by BM25.

Only imported where a book is searched: numpy is heavy, and a server that nobody asks has no need of it.
"""

from __future__ import annotations

import logging
import math
import pickle
from hashlib import blake2b
from typing import Any, NamedTuple

import bm25s
import numpy

from server.books.words import is_paired, units, words

logging.getLogger("bm25s").setLevel(logging.WARNING)  # it says much of itself

CHARACTER_SHARE = 0.5
"""A character is half a word."""
HEADING_WEIGHT = 2
"""A word of a heading counts as often: what stands under «Quiet hours» is about them, also where it does not say so."""


class Text(NamedTuple):
    """What is searched of a passage."""

    number: int
    chapter_title: str
    heading: str
    text: str


class Hit(NamedTuple):
    """The number of a passage, its score, and how much of the question stands in it (0 to 1)."""

    number: int
    score: float
    coverage: float


class Index:
    """A book as BM25 sees it: for each word, in which passages it counts for how much.

    It is made of arrays only, which are quick to hand from one process to another. A word is known by 8 bytes of its
    hash: that two of a million words have the same is one in thirty million.
    """

    def __init__(self, texts: list[Text]) -> None:
        self._numbers = numpy.array([text.number for text in texts], dtype=numpy.int32)
        documents = [words_of(text) for text in texts]
        self._ranking: Any = bm25s.BM25(method="lucene")
        columns: dict[str, int] = {}
        if any(documents):
            self._ranking.index(documents, show_progress=False, create_empty_token=False)
            columns, self._ranking.vocab_dict = self._ranking.vocab_dict, {}
            self._ranking.unique_token_ids_set = set()  # which nothing needs that ranks by columns
        keys = numpy.fromiter((_key(word) for word in columns), dtype=numpy.uint64, count=len(columns))
        order = numpy.argsort(keys)
        self._keys = keys[order]
        self._columns = numpy.fromiter(columns.values(), dtype=numpy.int32, count=len(columns))[order]
        counts = self._counts()
        self._least = int(counts[counts > 0].min(initial=len(texts))) if len(columns) else 0

    @property
    def size_bytes(self) -> int:
        """How much memory it takes."""
        arrays: list[Any] = [self._numbers, self._keys, self._columns]
        if len(self._keys):
            arrays += [self._ranking.scores[name] for name in ("data", "indices", "indptr")]
        return int(sum(array.nbytes for array in arrays))

    def best(self, question: str, limit: int) -> list[Hit]:
        """The passages in which words of the question stand, best first, at most ``limit``."""
        columns = {word: self._column(word) for word in words(question)}
        known = {word: column for word, column in columns.items() if column is not None}
        if not known:
            return []
        scores = self._ranking.get_scores_from_ids(list(known.values()))
        # Those that score the same stand as in the book.
        order = [int(at) for at in numpy.argsort(-scores, kind="stable")[:limit] if scores[at] > 0]
        stands = {word: self._ranking.get_scores_from_ids([column]) > 0 for word, column in known.items()}
        rarity = {word: self._rarity(int(stands[word].sum())) for word in known}
        coverage = self._coverage(units(question), stands, rarity, order)
        return [
            Hit(int(self._numbers[at]), float(scores[at]), share) for at, share in zip(order, coverage, strict=True)
        ]

    def _coverage(
        self, asked: list[tuple[str, ...]], stands: dict[str, Any], rarity: dict[str, float], order: list[int]
    ) -> list[float]:
        """For each passage in ``order`` the share of what is asked that stands in it. What the book does not know
        weighs as much as the rarest that it knows."""
        unknown = self._rarity(self._least)
        weights = [
            max((rarity[word] for word in unit if word in stands), default=unknown)
            * (CHARACTER_SHARE if is_paired(unit[0]) else 1.0)
            for unit in asked
        ]
        found = [
            sum(
                weight
                for unit, weight in zip(asked, weights, strict=True)
                if any(word in stands and stands[word][at] for word in unit)
            )
            for at in order
        ]
        return [each / sum(weights) for each in found]

    def _column(self, word: str) -> int | None:
        key = numpy.uint64(_key(word))
        at = int(numpy.searchsorted(self._keys, key))
        return int(self._columns[at]) if at < len(self._keys) and self._keys[at] == key else None

    def _counts(self) -> Any:
        """For each word in how many passages it stands."""
        return numpy.diff(self._ranking.scores["indptr"]) if len(self._keys) else numpy.zeros(0, dtype=numpy.int32)

    def _rarity(self, count: int) -> float:
        """How rare a word is that stands in ``count`` passages: the part of BM25 that weighs it (Robertson and Zaragoza
        2009, 3.1, as Lucene has it)."""
        return math.log(1 + (len(self._numbers) - count + 0.5) / (count + 0.5))


def build(texts: list[Text]) -> Index:
    """The index of a book; some seconds of work for the largest."""
    return Index(texts)


def packed(texts: list[Text]) -> bytes:
    """``texts`` for :func:`build_packed`."""
    return pickle.dumps(texts, protocol=pickle.HIGHEST_PROTOCOL)


def build_packed(texts: bytes) -> Index:
    """As :func:`build`, in another process: bytes are handed over without holding up whoever sends them."""
    return Index(pickle.loads(texts))


def words_of(text: Text) -> list[str]:
    """The words under which a passage is found."""
    return words(text.text) + words(f"{text.chapter_title}\n{text.heading}") * HEADING_WEIGHT


def _key(word: str) -> int:
    return int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "little")
