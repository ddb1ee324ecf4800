"""Under which texts a person is found: what is typed is compared with the beginning of each of their search keys.

A key is the rest of a name from where one may begin to type: the user name, each word of the display name, and each
character of scripts that put no space between words. Case, accents and width do not count.
"""

from __future__ import annotations

import unicodedata

MAX_KEY_CHARACTERS = 64
"""Nobody types more than that to find somebody; it bounds what the index holds of a name of 100 characters."""


def folded(text: str) -> str:
    """``text`` as it is compared: ``Åsa  ÖZ`` and ``asa oz`` are the same (Unicode compatibility decomposition without
    marks, then case folding). What is beyond the longest key does not count."""
    plain = _without_marks(_without_marks(text).casefold())  # folding makes marks: İ becomes i and a dot above
    return " ".join(plain.split())[:MAX_KEY_CHARACTERS]


def search_keys(username: str, display_name: str) -> list[str]:
    """Every key of a person, each once, in order."""
    username, name = (unicodedata.normalize("NFKC", each) for each in (username, display_name))
    starts = [username[at:] for at in range(len(username)) if at == 0 or _is_wide(username[at])]
    starts += [name[at:] for at in range(len(name)) if _begins_word(name, at)]
    return sorted({folded(start) for start in (*starts, name)} - {""})


def _begins_word(name: str, at: int) -> bool:
    """Whether one may begin to type there: after a space, a hyphen, an apostrophe, and at every wide character."""
    return _is_wide(name[at]) or (_is_letter(name[at]) and not (at > 0 and _is_letter(name[at - 1])))


def _is_letter(character: str) -> bool:
    """A letter, a digit, or a mark on one; wide characters are words of their own, and others follow them anew."""
    return unicodedata.category(character)[0] in "LNM" and not _is_wide(character)


def _is_wide(character: str) -> bool:
    """Chinese characters, kana and Hangul, as Unicode's East Asian Width has it (UAX #11)."""
    return unicodedata.east_asian_width(character) == "W"


def _without_marks(text: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
