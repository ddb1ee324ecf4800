"""The sentences that say most of what a part of a call was about.

After Nenkova and Vanderwende, «The Impact of Frequency on Summarization» (2005): a sentence weighs as much as the words
in it are used in the part on average, and what was taken once counts less for the next one. Chinese, which writes no
spaces, is counted by pairs of characters.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence, Set

from server.languages.sentences import HAN
from server.roadmaps.findings import Said
from server.roadmaps.material import Utterance
from server.roadmaps.splitting import is_chinese, sentences_of
from server.roadmaps.wording import CHINESE, ENGLISH

SENTENCES = 2
"""Of one part."""
LEAST_WORDS = 3
"""That are counted: what has fewer is an answer, and tells nothing by itself."""
MOST_CHARACTERS = 220
"""What is longer is read in the call itself."""

_WORD = re.compile(rf"[a-z][a-z'’-]+|\d[\d.,:%]*|{HAN}+", re.IGNORECASE)
_COMMON_WORDS = """
a about after all also am an and any are as at be because been before but by can could did do does doing don't
down for from get go going good got had has have he her here him his how i i'll i'm i've if in into is it it's
its just know let let's like make me more much my no not now of off ok okay on one only or other our out over
please really right said say see she should so some still take than thank thanks that that's the their them
then there these they thing things think this those to too up us very want was we we'll we're well were what
when where which who why will with would yeah yes you you're your
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_COMMON_HAN = frozenset("的了是在我你他她它们这那有和就不也都会要说到很吗呢吧啊个上去来好可以嗯把给还没")


def gist_of(utterances: Sequence[Utterance], used: Set[str] = frozenset()) -> tuple[Said, ...]:
    """At most :data:`SENTENCES` sentences, in the order in which they were said; none of those ``used`` elsewhere."""
    candidates = [
        (Said(text, each.by, each.at), words)
        for each in utterances
        for text in sentences_of(each.text)
        if text not in used
        and len(text) <= MOST_CHARACTERS
        and _tells(text)
        and len(words := words_of(text)) >= LEAST_WORDS
    ]
    uses = Counter(word for _, words in candidates for word in words)
    total = sum(uses.values())
    weights = {word: count / total for word, count in uses.items()}
    chosen: list[int] = []
    while len(chosen) < min(SENTENCES, len(candidates)):
        left = (place for place in range(len(candidates)) if place not in chosen)
        best = max(left, key=lambda place: (_weight(candidates[place][1], weights), -place))
        chosen.append(best)
        for word in candidates[best][1]:
            weights[word] **= 2
    return tuple(candidates[place][0] for place in sorted(chosen))


def words_of(text: str) -> list[str]:
    """What is counted of a sentence: its words but the commonest, and pairs of Chinese characters."""
    found: list[str] = []
    for word in _WORD.findall(text.casefold()):
        if re.match(HAN, word):
            pairs = (word[place : place + 2] for place in range(len(word) - 1))
            found += [pair for pair in pairs if not _COMMON_HAN & set(pair)]
        elif word not in _COMMON:
            found.append(word)
    return found


def _weight(words: list[str], weights: dict[str, float]) -> float:
    return sum(weights[word] for word in words) / len(words)


def _tells(text: str) -> bool:
    """Whether it is no question, said neither out of politeness nor to go on, nor that somebody does not know."""
    wording = CHINESE if is_chinese(text) else ENGLISH
    found = (wording.question.search, wording.unsure.search, wording.small_talk.match, wording.next_topic.search)
    return not any(find(text) for find in found)
