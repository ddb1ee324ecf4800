"""The parts of a talk: where a new topic is named, where there was a pause, and where one has become long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from math import ceil

import msgspec

from server.roadmaps.material import Utterance
from server.roadmaps.phrasing import phrased
from server.roadmaps.splitting import is_chinese, sentences_of
from server.roadmaps.wording import CHINESE, ENGLISH

PAUSE = timedelta(minutes=3)
"""Without a word: whoever goes on after that begins something new, or comes back to it."""
LEAST = 4
"""Utterances of a part that ends with a pause; fewer go with what comes next."""
MOST = 80
"""Utterances of a part, some ten minutes of talk."""
MAX_PARTS = 40
"""A call of twelve hours has longer parts instead of more."""


class Part(msgspec.Struct, frozen=True):
    """The ``count`` utterances from the one at ``begin``; ``title`` is the topic as somebody named it."""

    begin: int
    count: int
    title: str | None = None


def parts_of(utterances: Sequence[Utterance]) -> list[Part]:
    """The parts in order; together they are everything that was said. None for a call in which nothing was."""
    most = max(MOST, ceil(2 * len(utterances) / MAX_PARTS))
    parts: list[Part] = []
    begin, title = 0, None
    for index, said in enumerate(utterances):
        topic = topic_of(said.text)
        length = index - begin
        paused = length >= LEAST and said.at - utterances[index - 1].at >= PAUSE
        if length and (length >= most or paused or topic) and len(parts) < MAX_PARTS - 1:
            parts.append(Part(begin, length, title))
            begin, title = index, None
        title = topic or title
    if utterances:
        parts.append(Part(begin, len(utterances) - begin, title))
    return parts


def topic_of(text: str) -> str | None:
    """The topic that somebody names: «next topic: the budget»."""
    for sentence in sentences_of(text):
        found = (CHINESE if is_chinese(sentence) else ENGLISH).next_topic.search(sentence)
        if found and len(topic := phrased(found["what"])) >= 2:
            return topic
    return None
