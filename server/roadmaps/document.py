"""The roadmap as a document: Markdown with a heading for each list, steps as boxes that can be ticked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time

from server.calls.outcomes import spoken_duration
from server.languages.language import Language
from server.languages.sentences import N_, Sentence, filled
from server.roadmaps.findings import Findings, Said, Step
from server.roadmaps.material import Happening, Material
from server.roadmaps.names import Names

MAX_CHARACTERS = 100_000
"""Of a document: some forty pages."""
MAX_HAPPENINGS = 60
"""Lines of the timeline: people on a bad network come back often."""

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~])")
_WHITE = re.compile(r"\s+")

HAPPENED = {
    "called": N_("%(name)s called"),
    "joined": N_("%(name)s joined"),
    "left": N_("%(name)s left"),
    "recorded": N_("%(name)s recorded the call; everybody had agreed"),
    "ended": N_("The call ended"),
}


class Writer:
    """Writes one roadmap in one language, its times in one time zone."""

    def __init__(self, material: Material, language: Language, time_zone: str) -> None:
        self._material = material
        self._language = language
        self._zone = ZoneInfo(time_zone)
        self._time_zone = time_zone
        self._names = Names(material.people)

    @property
    def language(self) -> str:
        """The tag of the language that it writes."""
        return self._language.tag

    def title(self) -> str:
        """What the roadmap is called, as plain text."""
        return self._say(N_("Roadmap: %(people)s, %(day)s"), people=self._people(), day=self._day(self._begun.date()))

    def document(self, parts: Sequence[Findings], found: Findings, notes: Sequence[str]) -> str:
        """The whole of it: ``found`` is what is listed, ``parts`` what the talk was about, one after the other."""
        sections = [
            [f"# {escaped(self.title())}"],
            self._section(N_("Summary"), self._summary(parts, found)),
            self._section(
                N_("Decisions"), (self._said(each) for each in found.decisions), N_("No decision was found.")
            ),
            self._section(N_("Steps"), map(self._step, found.steps), N_("No step was found.")),
            self._section(N_("Open questions"), (self._said(each) for each in found.questions), N_("None is open.")),
            self._section(N_("Notes"), [*self._unread(parts), *(f"- {escaped(note)}" for note in notes)]),
            self._section(N_("Timeline"), self._timeline(parts)),
        ]
        text = "\n\n".join("\n".join(lines) for lines in sections if lines)
        return text[: MAX_CHARACTERS - 1].rstrip() + "\n"

    # ── sections ──

    def _section(self, heading: str, lines: Iterable[str], otherwise: str | None = None) -> list[str]:
        found = list(lines) or ([self._language.translate(otherwise)] if otherwise else [])
        return [f"## {self._language.translate(heading)}", "", *found] if found else []

    def _summary(self, parts: Sequence[Findings], found: Findings) -> Iterator[str]:
        begun, ended = self._begun, self._material.ended_at.astimezone(self._zone)
        duration = spoken_duration((ended - begun).total_seconds())
        yield "- " + escaped(
            self._say(
                N_("%(people)s, %(day)s, %(begun)s–%(ended)s (%(zone)s), %(duration)s"),
                people=self._people(),
                day=self._day(begun.date()),
                begun=self._time(begun),
                ended=self._time(ended),
                zone=self._time_zone,
                duration=duration,
            )
        )
        yield "- " + self._say(
            N_(
                "Decisions: %(decisions)s. Steps: %(steps)s (nobody's yet: %(unowned)s). Open questions: %(questions)s."
            ),
            decisions=len(found.decisions),
            steps=len(found.steps),
            unowned=sum(step.owner is None for step in found.steps),
            questions=len(found.questions),
        )
        for part in parts:
            for said in part.gist:
                yield f"- {escaped(self._names.shown(said.by))}: “{escaped(said.text)}”"

    def _unread(self, parts: Sequence[Findings]) -> list[str]:
        sentence = N_("Part %(number)s of the call could not be read; what came of it is missing here.")
        return [f"- {self._say(sentence, number=number)}" for number, part in enumerate(parts, 1) if part.unread]

    def _timeline(self, parts: Sequence[Findings]) -> list[str]:
        lines = [(each.at, self._happening(each)) for each in self._material.happenings[:MAX_HAPPENINGS]]
        for number, part in enumerate(parts, 1):
            if part.begun_at is not None and len(parts) > 1:
                topic = part.title or self._say(N_("Part %(number)s"), number=number)
                lines.append((part.begun_at, f"**{escaped(topic)}**"))
        lines.sort(key=lambda line: line[0])
        return [f"- {self._time(at.astimezone(self._zone))} {text}" for at, text in lines]

    def _happening(self, happening: Happening) -> str:
        sentence = self._language.translate(HAPPENED[happening.what].message)
        return escaped(filled(sentence, {"name": self._names.shown(happening.by)}))

    # ── entries ──

    def _said(self, said: Said) -> str:
        return f"- {escaped(said.text)} {self._source(said)}"

    def _step(self, step: Step) -> str:
        owner = escaped(step.owner) if step.owner else self._language.translate("Nobody yet")
        due = f" — {self._due(step)}" if step.day else ""
        about = f" (“{escaped(step.about)}”)" if step.about else ""
        return f"- [ ] **{owner}**: {escaped(step.text)}{about}{due} {self._source(step)}"

    def _due(self, step: Step) -> str:
        assert step.day is not None
        return self._say(N_("due %(day)s"), day=self._day(step.day, "EEE, "))

    def _source(self, said: Said | Step) -> str:
        """Who said it, and how long after the beginning: where to look when it is not clear."""
        after_s = max(0.0, (said.at - self._material.begun_at).total_seconds())
        return f"*({escaped(self._names.shown(said.by))}, {spoken_duration(after_s)})*"

    # ── words ──

    def _say(self, sentence: Sentence, **values: object) -> str:
        return filled(self._language.translate(sentence.message), values)

    def _people(self) -> str:
        names = [person.display_name for person in self._material.people]
        if len(names) < 2:
            return "".join(names)
        return self._say(N_("%(names)s and %(last)s"), names=", ".join(names[:-1]), last=names[-1])

    @property
    def _begun(self) -> datetime:
        return self._material.begun_at.astimezone(self._zone)

    def _day(self, day: date, before: str = "") -> str:
        if self._language.code.startswith("zh"):
            return format_date(day, "y年M月d日" + ("EEE" if before else ""), locale=self._language.code)
        return format_date(day, f"{before}d MMMM y", locale=self._language.code)

    def _time(self, moment: datetime) -> str:
        return format_time(moment, "HH:mm", locale=self._language.code)


def escaped(text: str) -> str:
    """``text`` on one line, in which Markdown sees nothing but text."""
    return _SPECIAL.sub(r"\\\1", _WHITE.sub(" ", text).strip())


def title_of(document: str) -> str | None:
    """The first heading of a document as plain text, at most 200 characters."""
    for line in document.splitlines():
        found = re.match(r"#{1,6}\s+(.+)", line)
        if found:
            return re.sub(r"\\([^\w\s])", r"\1", found[1]).strip()[:200]
    return None
