"""From a text to the words by which it is found: English stems, and pairs of characters where nothing stands between
words.

Chinese is not written in words. Every two neighbouring characters are a word here, as search engines do it (Lucene's
CJKBigramFilter): no dictionary decides wrongly, and a question finds what has the same pairs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
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
        "a about after all also am an and any anybody anyone anything are as at be because been before being but by "
        "can cannot could did do does doing done each either else else's even ever every everybody everyone "
        "everything for from get gets getting give go goes going got had has have he her here hers herself him "
        "himself his how i if in into is it its itself just know let like make many may me might mine more most "
        "much must my myself need no nobody nor not nothing of on once one only or other our ours ourselves out "
        "over own please same shall she should so some somebody someone something such tell than that the their "
        "theirs them themselves then there these they thing this those through to too under until up us use using "
        "very want wants was way we were what what's when where whether which while who whom whose why will with "
        "without would you your yours yourself",
    )
)

# Characters and turns of phrase that only carry a Chinese sentence. They part what stands around them.
_CARRYING = re.compile(
    "为什么|怎么样|怎么办|怎么|怎样|如何|什么时候|什么|哪里|哪儿|哪个|哪些|哪种|多少|多久|多长时间|多长|多大|何时|为何|"
    "是否|能否|能不能|可不可以|是不是|会不会|"
    "可以|应该|需要|想要|请问|才能|还能|还会|谁|我们|你们|他们|自己|一个|一下|这个|那个|这样|那样|以及|或者|并且|而且|如果|的话|"
    "[的了吗呢吧啊呀我你他她它们是在和与及或请把被让就也都很还又并而但若则其之于以为这那哪]"
)

# What the stemmer leaves apart, because it knows endings only: forms of verbs, and one thing that has two names.
_IRREGULAR = {
    "began": "begin",
    "begun": "begin",
    "broke": "break",
    "broken": "break",
    "came": "come",
    "chose": "choose",
    "chosen": "choose",
    "found": "find",
    "froze": "freeze",
    "frozen": "freeze",
    "heard": "hear",
    "held": "hold",
    "hung": "hang",
    "kept": "keep",
    "left": "leave",
    "lost": "lose",
    "phone": "telephone",
    "phones": "telephone",
    "rang": "ring",
    "ran": "run",
    "rung": "ring",
    "said": "say",
    "saw": "see",
    "seen": "see",
    "sent": "send",
    "shown": "show",
    "spoke": "speak",
    "spoken": "speak",
    "stolen": "steal",
    "taken": "take",
    "told": "tell",
    "took": "take",
    "written": "write",
    "wrote": "write",
}

_stemmer = snowballstemmer.stemmer("english")


def words(text: str) -> list[str]:
    """The words of a text in their order, as often as they stand there; common words are left out."""
    found: list[str] = []
    for part, paired in _parts(text):
        found += _pairs(part) if paired else _stem(part)
    return found


def units(text: str) -> list[tuple[str, ...]]:
    """What a question asks for, piece by piece: for each the words of which one has to stand in a passage.

    A word of letters is a piece. So is each character that is read in pairs, with the pairs it belongs to: where two
    words of the question meet, a pair comes about that stands nowhere, and nothing is missing for that.
    """
    found: list[tuple[str, ...]] = []
    for part, paired in _parts(text):
        if not paired:
            found += [(stem,) for stem in _stem(part)]
            continue
        pairs = _pairs(part)
        found += [tuple(pairs[max(0, at - 1) : at + 1]) for at in range(len(part))]
    return list(dict.fromkeys(found))


def is_paired(word: str) -> bool:
    """Whether it is a pair of characters, or one."""
    return _IS_PAIRED.match(word) is not None


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """Words as they are written, and what stands between the characters that only carry a sentence."""
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).casefold()):
        if is_paired(run):
            yield from ((part, True) for part in _CARRYING.split(run) if part)
        else:
            yield run, False


def _pairs(part: str) -> list[str]:
    return [part[at : at + 2] for at in range(len(part) - 1)] if len(part) > 1 else [part]


@lru_cache(maxsize=50_000)  # the words of a large book
def _stem(word: str) -> tuple[str, ...]:
    if word in COMMON or len(word) > LONGEST_WORD:
        return ()
    stem: str = _stemmer.stemWord(_IRREGULAR.get(word, word)) if word.isascii() else word
    return (stem,)
