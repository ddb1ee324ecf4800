"""Which of the languages somebody gets: by their own choice, else by what their browser asks for."""

from __future__ import annotations

from pathlib import Path

from babel.messages.pofile import PoFileError

from server.errors import BadRequest
from server.languages.language import Language, english, read_language
from server.languages.sentences import N_
from server.log import get_logger

log = get_logger("languages")

MAX_RANGES = 20
"""Of an ``Accept-Language``: no browser sends as many, and each is looked at with every page."""
CATALOGUES = "*/LC_MESSAGES/ringback.po"


class Languages:
    """Every language there is, English first."""

    def __init__(self, *others: Language) -> None:
        self.english = english()
        self.all: tuple[Language, ...] = (self.english, *others)

    def of(self, tag: str | None) -> Language | None:
        """The language for a tag (BCP 47, or with «_»), if there is one: ``zh``, ``zh-CN`` and ``zh_Hans_CN`` all find
        ``zh-Hans``.

        A region or script that we do not have finds the language all the same: who reads Traditional Chinese is
        served better by Simplified Chinese than by English.
        """
        if not tag:
            return None
        wanted = tag.replace("_", "-").lower().split("-")
        found = [language for language in self.all if _parts(language)[0] == wanted[0]]
        return max(found, key=lambda language: _in_common(_parts(language), wanted), default=None)

    def chosen(self, tag: str, field: str) -> Language:
        """As :meth:`of`, for what somebody chose in ``field``; raises :class:`BadRequest`, which says what there is."""
        language = self.of(tag)
        if language is None:
            raise BadRequest.of(field, N_("one of %(choices)s", choices=", ".join(each.tag for each in self.all)))
        return language

    def asked_for(self, accept_language: str) -> Language:
        """The best for an ``Accept-Language`` (RFC 9110 §12.5.4): by weight, then by order; English for the rest."""
        for tag in accepted(accept_language):
            found = self.english if tag == "*" else self.of(tag)
            if found is not None:
                return found
        return self.english


def read_languages(folder: Path) -> Languages:
    """English, and each language that has a catalogue in ``folder``; one that cannot be read is logged, and missing."""
    others = []
    for path in sorted(folder.glob(CATALOGUES)):
        code = path.parts[-3]
        try:
            others.append(read_language(path, code))
        except (OSError, ValueError, LookupError, PoFileError) as error:  # LookupError: of an unknown charset
            log.error("language_left_out", language=code, why=str(error))
    return Languages(*others)


def accepted(accept_language: str) -> list[str]:
    """The tags of an ``Accept-Language``, the most wanted first, without those of weight 0 and those badly written."""
    ranges = [part.strip() for part in accept_language.split(",")][:MAX_RANGES]
    weighed = [(weight, tag) for tag, weight in map(_weighed, ranges) if tag and weight > 0.0]
    return [tag for _, tag in sorted(weighed, key=lambda each: -each[0])]  # stable: of equal weight, as they stand


def _weighed(text: str) -> tuple[str, float]:
    tag, *parameters = (part.strip() for part in text.split(";"))
    weight = next((value for name, value in map(_parameter, parameters) if name == "q"), "1")
    try:
        return tag, min(float(weight), 1.0)
    except ValueError:
        return tag, 0.0


def _parameter(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip().lower(), value.strip()


def _parts(language: Language) -> list[str]:
    return language.tag.lower().split("-")


def _in_common(ours: list[str], wanted: list[str]) -> int:
    return len(set(ours) & set(wanted))
