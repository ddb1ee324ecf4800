"""The rules that read a part of a call: who said what, and what came of it.

A sentence is one thing at most: a step, a decision, or a question. What others answer decides with: a proposal that
somebody agrees to is a decision, a question that nobody answers is open, a task that nobody had is whose who takes it.
``docs/roadmaps.md`` says what these rules find, and what they do not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from server.realtime.frames import UserRef
from server.roadmaps.dates import find_due
from server.roadmaps.findings import Findings, Said, Step
from server.roadmaps.gist import gist_of
from server.roadmaps.material import Utterance
from server.roadmaps.names import HAN_OUTSIDER, OUTSIDER, Names
from server.roadmaps.phrasing import imperative, phrased, with_names, without_auxiliary
from server.roadmaps.splitting import is_chinese, sentences_of
from server.roadmaps.wording import CHINESE, ENGLISH, Wording

LOOK_AHEAD = 6
"""Utterances after a sentence among which its answer is looked for."""
REPLIES = 3
"""Of others, so many: what comes later is about something else."""
STANDS_FOR = 8
"""Utterances for which a proposal or a task waits for «agreed» or «I'll do it»."""
MAX_OF_A_KIND = 40
"""In one part, which is a few minutes of talk."""
MAX_FILLERS = 5
LEAST_CONTEXT = 12
"""Characters of a sentence that «that» may point back to: «Sure» is none."""

Reply = Literal["yes", "no", "unsure", "question", "something", "nothing"]

_WHO_DOES = (
    re.compile(
        r"^who(?:'ll| will| can| could| wants to| would like to| is going to| has to)? (?P<what>(?!is\b"
        r"|are\b|was\b|has\b|said\b|knows\b|did\b|'s).+?)\?*$",
        re.IGNORECASE,
    ),
    re.compile(r"^(?P<before>.{0,30}?)谁(?:来|负责|可以|能|去|愿意)(?P<what>.*?)[？?呢]*$"),
)
_POINTS_BACK = re.compile(
    r"^\S+(?: \S+)? (?:it|that|this|them|those|these)\b|.*(?:这个|那个|它|这件事|那件事|这些)", re.IGNORECASE
)
"""«Fix that by Thursday» says nothing without the sentence before."""
_ALTERNATIVES = re.compile(r"\bor\b.*\?|还是")
_RESERVATION = re.compile(r"\b(?:but|however|unless)\b|不过|但是|可是|除非")


class _Sentence(NamedTuple):
    """One sentence, without the fillers at its beginning."""

    text: str
    said: Utterance
    place: int
    chinese: bool

    @property
    def wording(self) -> Wording:
        return CHINESE if self.chinese else ENGLISH


class _Waiting(NamedTuple):
    """A proposal or a question to all that may yet be taken up; ``text`` is as it would stand in a list."""

    text: str
    sentence: _Sentence


def read_part(
    people: Sequence[UserRef], utterances: Sequence[Utterance], count: int, time_zone: str, title: str | None = None
) -> Findings:
    """What is found in the first ``count`` of ``utterances``; those after them are only looked at for answers.

    Days are reckoned in ``time_zone`` (an IANA name).
    """
    reader = _Reader(people, utterances, count, ZoneInfo(time_zone))
    reader.read()
    return Findings(
        title=title,
        begun_at=utterances[0].at if utterances else None,
        decisions=tuple(reader.decisions[:MAX_OF_A_KIND]),
        steps=tuple(reader.steps[:MAX_OF_A_KIND]),
        questions=tuple(reader.questions[:MAX_OF_A_KIND]),
        gist=gist_of(utterances[:count], reader.used),
    )


class _Reader:
    def __init__(self, people: Sequence[UserRef], utterances: Sequence[Utterance], count: int, zone: ZoneInfo) -> None:
        self._names = Names(people)
        self._utterances = utterances
        self._count = count
        self._zone = zone
        self._assigned = {wording: _assigned(wording, self._names) for wording in (ENGLISH, CHINESE)}
        self._proposal: _Waiting | None = None
        self._who: _Waiting | None = None
        self._unowned: int | None = None
        """The place in ``steps`` of the last one that nobody has."""
        self._unowned_at = 0
        self._before: str | None = None
        """The sentence before, for what «that» means."""
        self.used: set[str] = set()
        """Sentences that stand in a list."""
        self._replies: dict[int, Reply] = {}
        """How each utterance that was looked at answers."""
        self._listed: set[tuple[str, str]] = set()
        """What stands in which list: nothing stands there twice."""
        self.decisions: list[Said] = []
        self.steps: list[Step] = []
        self.questions: list[Said] = []

    def read(self) -> None:
        for index, said in enumerate(self._utterances[: self._count]):
            for text in sentences_of(said.text):
                found = self._found
                sentence = _plain(text, said, index)
                self._read(sentence)
                if self._found > found:
                    self.used.add(text)
                if not sentence.wording.small_talk.match(sentence.text) and len(sentence.text) >= LEAST_CONTEXT:
                    self._before = text

    @property
    def _found(self) -> int:
        return len(self.decisions) + len(self.steps) + len(self.questions)

    def _read(self, sentence: _Sentence) -> None:
        wording, text = sentence.wording, sentence.text
        if not text or wording.small_talk.match(text) or wording.next_topic.match(text):
            return
        for attempt in (self._marked, self._taken, self._decided, self._open_point, self._given, self._asked_of_you):
            if attempt(sentence):
                return
        if wording.question.search(text):
            self._question(sentence)
        elif not self._promised(sentence):
            self._proposed(sentence)

    # ── steps ──

    def _marked(self, sentence: _Sentence) -> bool:
        """«TODO: Bob sends the slides by Monday»."""
        found = sentence.wording.marked.match(sentence.text)
        if not found:
            return False
        owner, what = found["for"], found["what"]
        own = re.match(rf"@?(?P<name>{self._names.known})(?![a-z])[\s,，:：-]*(?P<rest>.{{2,}})", what, re.IGNORECASE)
        if own:
            owner, what = own["name"], imperative(own["rest"])
        elif re.match(r"(?:I'll|I will|我来|我)\s?", what):
            owner, what = self._names.shown(sentence.said.by), re.sub(r"^(?:I'll|I will|我来|我)\s?", "", what)
        self._step(sentence, what, self._names.of(owner) if owner else None, sentence.text)
        return True

    def _given(self, sentence: _Sentence) -> bool:
        """«Bob will send the draft», «请小王写文档»."""
        for pattern in self._assigned[sentence.wording]:
            found = pattern.match(sentence.text)
            if found and not sentence.wording.refusal.match(found["what"].strip()):
                groups = found.groupdict()
                what = (groups.get("before") or "") + found["what"]
                owners = [each for each in (groups["name"], groups.get("and")) if each]
                if sentence.wording.question.search(what) and not re.match(r".*\byou\b|.*[能可]", sentence.text):
                    return False
                # Whoever speaks of themselves by name in a call of two means the other; that is no matter here.
                self._step(sentence, what, ", ".join(map(self._names.of, owners)), sentence.text)
                return True
        return False

    def _asked_of_you(self, sentence: _Sentence) -> bool:
        """«Can you send me the draft?», «麻烦你把草稿发给我»."""
        text = self._names.without_the_end(sentence.text)
        for pattern in sentence.wording.request:
            found = pattern.match(text)
            if not found or sentence.wording.refusal.match(found["what"].strip()):
                continue
            owner = self._names.called_at_the_end(sentence.text) or self._names.other(sentence.said.by)
            reply, by = self._reply(sentence)
            if reply in ("no", "unsure"):
                owner = None
            elif owner is None and reply == "yes" and by:
                owner = self._names.shown(by)
            self._step(sentence, found["what"], owner, text)
            return True
        return False

    def _promised(self, sentence: _Sentence) -> bool:
        """«I'll send the draft», «我来写文档»; and «we need to test it», which nobody has yet."""
        for pattern in sentence.wording.promise:
            found = pattern.match(sentence.text)
            if found and not sentence.wording.refusal.match(found["what"].strip()):
                what = found["what"] + (found.groupdict().get("more") or "")
                self._step(sentence, what, self._names.shown(sentence.said.by), sentence.text)
                return True
        for pattern in sentence.wording.duty:
            found = pattern.match(sentence.text)
            if found and not sentence.wording.refusal.match(found["what"].strip()):
                self._step(sentence, found["what"], None, sentence.text)
                return True
        return False

    def _taken(self, sentence: _Sentence) -> bool:
        """«I'll do it»: the last task that nobody had is theirs, or what was asked with «who»."""
        if not sentence.wording.takes_it.match(sentence.text):
            return False
        owner = self._names.shown(sentence.said.by)
        asked = self._who
        asked_at = -1 if asked is None else asked.sentence.place
        if asked is not None and asked_at >= self._unowned_at and sentence.place - asked_at <= STANDS_FOR:
            self._who = None
            self._settle(asked.sentence)
            self._step(asked.sentence, asked.text, owner, asked.sentence.text + " " + sentence.text, sentence)
        elif self._unowned is not None and sentence.place - self._unowned_at <= STANDS_FOR:
            step = self.steps[self._unowned]
            due = find_due(sentence.text, self._day(sentence))
            self.steps[self._unowned] = replace(
                step, owner=owner, due=step.due or (due and due.text), day=step.day or (due and due.day)
            )
            self._unowned = None
        return True

    def _step(
        self, sentence: _Sentence, what: str, owner: str | None, whole: str, taken: _Sentence | None = None
    ) -> None:
        speaker = self._names.shown(sentence.said.by)
        addressee = self._addressee(sentence)
        if sentence.chinese:
            what = without_auxiliary(what)
        due = find_due(whole, self._day(sentence))
        text = phrased(with_names(what, speaker, addressee, sentence.chinese))
        if len(text) < 2 or not self._is_new("step", text):
            return
        if owner is None:
            self._unowned, self._unowned_at = len(self.steps), sentence.place
        said = (taken or sentence).said
        about = self._before if _POINTS_BACK.match(text) else None
        self.steps.append(Step(text, said.by, said.at, owner, due and due.text, due and due.day, about))

    # ── decisions ──

    def _decided(self, sentence: _Sentence) -> bool:
        wording, text = sentence.wording, sentence.text
        if wording.undecided.search(text):
            self._ask(sentence, text)
            return True
        if wording.agreed_before.match(text):
            proposal, self._proposal = self._proposal, None
            if proposal and sentence.place - proposal.sentence.place <= STANDS_FOR:
                self._decide(proposal.sentence, proposal.text)
            return True
        if wording.question.search(text):
            return False
        for pattern in wording.decision:
            found = pattern.match(text)
            if found:
                self._decide(sentence, found["what"])
                return True
        return False

    def _proposed(self, sentence: _Sentence) -> bool:
        """«Let's meet on Tuesday» is a decision once somebody else agrees; «this or that?» is a question."""
        if _ALTERNATIVES.search(sentence.text):
            return False
        for pattern in sentence.wording.proposal:
            found = pattern.match(sentence.text)
            if not found:
                continue
            reply, _ = self._reply(sentence)
            if reply == "yes":
                self._decide(sentence, found["what"])
            else:
                self._proposal = _Waiting(found["what"], sentence)
                if reply in ("unsure", "nothing") and sentence.wording.question.search(sentence.text):
                    self._ask(sentence, sentence.text)
            return True
        return False

    def _decide(self, sentence: _Sentence, what: str) -> None:
        text = phrased(with_names(what, self._names.shown(sentence.said.by), None, sentence.chinese))
        self._settle(sentence)
        if len(text) >= 2 and self._is_new("decision", text):
            self.decisions.append(Said(text, sentence.said.by, sentence.said.at))

    # ── questions ──

    def _open_point(self, sentence: _Sentence) -> bool:
        found = sentence.wording.open_point.match(sentence.text)
        if found:
            self._ask(sentence, found["what"] or found["whole"])
        return bool(found)

    def _question(self, sentence: _Sentence) -> None:
        if self._proposed(sentence):
            return
        for pattern in _WHO_DOES:
            found = pattern.match(sentence.text)
            if found:
                what = found["what"] + (found.groupdict().get("before") or "").rstrip("，,由")
                self._who = _Waiting(imperative(what), sentence)
        reply, _ = self._reply(sentence)
        if reply in ("unsure", "nothing"):
            self._ask(sentence, sentence.text)

    def _settle(self, sentence: _Sentence) -> None:
        """What was asked in that sentence is open no longer."""
        asked = (_capitalised(sentence.text), sentence.said.at)
        self.questions = [each for each in self.questions if (each.text, each.at) != asked]

    def _ask(self, sentence: _Sentence, text: str) -> None:
        text = _capitalised(text)
        if self._is_new("question", text):
            self.questions.append(Said(text, sentence.said.by, sentence.said.at))

    # ── what surrounds a sentence ──

    def _reply(self, sentence: _Sentence) -> tuple[Reply, str | None]:
        """What others said to it, and who."""
        replies = 0
        for place in range(sentence.place + 1, min(sentence.place + 1 + LOOK_AHEAD, len(self._utterances))):
            each, reply = self._utterances[place], self._answers(place)
            if reply == "question":  # what comes after it answers that one
                break
            if each.by != sentence.said.by and reply != "nothing":
                return reply, each.by
            replies += each.by != sentence.said.by
            if replies == REPLIES:
                break
        return "nothing", None

    def _is_new(self, kind: str, text: str) -> bool:
        """Whether that stands in no list of this kind yet; from now on it does."""
        key = (kind, re.sub(r"\W", "", text).casefold())
        is_new = key not in self._listed
        self._listed.add(key)
        return is_new

    def _answers(self, place: int) -> Reply:
        """How the utterance at that place answers what is before it."""
        if place not in self._replies:
            self._replies[place] = _kind_of_reply(self._utterances[place].text)
        return self._replies[place]

    def _addressee(self, sentence: _Sentence) -> str | None:
        """The name of whom «you» means: in a call of two the other, else whoever has just asked."""
        other = self._names.other(sentence.said.by)
        if other is None and sentence.place > 0:
            before = self._utterances[sentence.place - 1]
            if before.by != sentence.said.by and self._answers(sentence.place - 1) == "question":
                return self._names.shown(before.by)
        return other

    def _day(self, sentence: _Sentence) -> date:
        return sentence.said.at.astimezone(self._zone).date()


def _kind_of_reply(text: str) -> Reply:
    """How somebody answers; a question in return is no answer."""
    wording = CHINESE if is_chinese(text) else ENGLISH
    if wording.unsure.search(text):
        return "unsure"
    if wording.yes.match(text):
        return "something" if _RESERVATION.search(text) else "yes"
    if wording.no.match(text):
        return "no"
    sentences = sentences_of(text)
    if sentences and all(wording.question.search(each) for each in sentences):
        return "question"
    return "something" if sentences else "nothing"


def _capitalised(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:]


def _plain(text: str, said: Utterance, index: int) -> _Sentence:
    chinese = is_chinese(text)
    wording = CHINESE if chinese else ENGLISH
    plain = text
    for _ in range(MAX_FILLERS):
        without = wording.filler.sub("", plain, count=1).lstrip()
        # «Agreed.» and «Yes?» say something by themselves.
        if not without or without == plain:
            break
        plain = without
    return _Sentence(plain.replace("’", "'"), said, index, chinese)


def _assigned(wording: Wording, names: Names) -> list[re.Pattern[str]]:
    known = rf"(?P<name>{names.known})"
    both = rf"{known}(?:\s*(?:and|&|和|跟|、)\s*(?P<and>{names.known}))?"
    if wording is CHINESE:
        anybody = rf"(?P<name>{names.known}|{HAN_OUTSIDER})"
        return [re.compile(pattern.replace("NAME", anybody), re.IGNORECASE) for pattern in wording.assigned]
    patterns = [re.compile(pattern.replace("NAME", both, 1), re.IGNORECASE) for pattern in wording.assigned]
    outsider = rf"^(?P<name>{OUTSIDER})(?: will|'ll| is going to| needs to| has to| must) (?P<what>.+)"
    return [*patterns, re.compile(outsider, re.IGNORECASE)]
