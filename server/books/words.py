"""From a text to the words by which it is found: English stems, and pairs of characters where nothing stands between
words.

Chinese is not written in words. Every two neighbouring characters are a word here, as search engines do it (Lucene's
CJKBigramFilter): no dictionary decides wrongly, and a question finds what has the same pairs.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import snowballstemmer

# Han, kana and hangul, which have their pairs, and the words of everything else.
_PAIRED = "\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(rf"[{_PAIRED}]+|[^\W_{_PAIRED}]+")
_IS_PAIRED = re.compile(rf"[{_PAIRED}]")

LONGEST_WORD = 64
"""Characters; what is longer is no word, but a key or a picture in letters."""

# What a question is made of beside what it asks for. Rare in a handbook, such words would count for much.
COMMON = frozenset(
    re.findall(
        "[a-z]+",
        "a about after all also am an and any are as at be because been before being but by can cannot could did do "
        "does doing done each either else even ever every for from get gets getting give go goes going got had has "
        "have he her here hers him his how i if in into is it its itself just know let like make many may me might "
        "mine more most much must my need no nor not of on once one only or other our ours out over own please same "
        "shall she should so some somebody someone something such tell than that the their theirs them then there "
        "these they thing this those through to too under until up us use using very want wants was way we were what "
        "when where which while who whom whose why will with without would you your yours",
    )
)

# Characters and turns of phrase that only carry a Chinese sentence. They part what stands around them.
_CARRYING = re.compile(
    "为什么|怎么样|怎么办|怎么|怎样|如何|什么|哪里|哪儿|哪个|哪些|多少|是否|能否|能不能|可不可以|是不是|会不会|"
    "可以|应该|需要|想要|请问|我们|你们|他们|自己|一个|一下|这个|那个|这样|那样|以及|或者|并且|而且|如果|的话|"
    "[的了吗呢吧啊呀我你他她它们是在和与及或请把被让就也都很还又并而但若则其之于以为这那哪]"
)

_stemmer = snowballstemmer.stemmer("english")


def words(text: str) -> list[str]:
    """The words of a text in their order, as often as they stand there; common words are left out."""
    found: list[str] = []
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).casefold()):
        found += _pairs(run) if _IS_PAIRED.match(run) else _stem(run)
    return found


def _pairs(run: str) -> list[str]:
    pairs: list[str] = []
    for part in _CARRYING.split(run):
        pairs += [part[at : at + 2] for at in range(len(part) - 1)] if len(part) > 1 else [part] * len(part)
    return pairs


@lru_cache(maxsize=50_000)  # the words of a large book
def _stem(word: str) -> tuple[str, ...]:
    if word in COMMON or len(word) > LONGEST_WORD:
        return ()
    stem: str = _stemmer.stemWord(word) if word.isascii() else word
    return (stem,)
