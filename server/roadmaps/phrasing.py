"""From what somebody said to how it stands in a list: «send you the draft, please?» becomes «Send Alice the draft»."""

from __future__ import annotations

import re

from server.languages.sentences import HAN
from server.roadmaps.wording import HAN_WHEN

_ENDS = " \t.。!！?？,，;；:：-–"
_BEFORE_A_PERSON = r"send|give|tell|show|call|ask|e-?mail|ping|help|remind|to|for|with|from|by"
_THIRD_PERSON = ((r"ies$", "y"), (r"(ch|sh|ss|x|o)es$", r"\1"), (r"(?<!s)s$", ""))
_POLITE = re.compile(
    r"(?:,?\s*\b(?:please|maybe|okay|ok|right|then|as well|too|by the way)\b|[，,](?:好吗"
    r"|可以吗|行吗|好不好|行不行|谢谢)|[吧啊呀吗])+[\s.。!！?？]*$",
    re.IGNORECASE,
)
_LINKING = re.compile(r"^(?:(?:also|then|just|still|now|quickly|maybe) )+(?=\w)", re.IGNORECASE)
_HAN_AUXILIARY = re.compile(
    rf"^(?P<when>{HAN_WHEN}[，, ]*)?(?:会|来|要|得|需要|准备|打算|负责|可以|能不能|能否"
    rf"|能|可不可以|记得|应该|将)(?=\s?{HAN}|\s?\w)(?!求)"
)


def phrased(text: str) -> str:
    """``text`` without what is polite and what ends it, beginning with a capital letter."""
    plain = _LINKING.sub("", _POLITE.sub("", text.strip(_ENDS)).strip(_ENDS))
    return plain[:1].upper() + plain[1:]


def imperative(text: str) -> str:
    """«sends the slides» as «send the slides»."""
    word, space, rest = text.strip().partition(" ")
    if not re.fullmatch(r"[a-z]{3,}s", word):
        return text
    for pattern, ending in _THIRD_PERSON:
        changed, count = re.subn(pattern, ending, word)
        if count:
            return f"{changed}{space}{rest}"
    return text


def without_auxiliary(text: str) -> str:
    """Chinese: «负责写文档» as «写文档»."""
    return _HAN_AUXILIARY.sub(r"\g<when>", text.strip(), count=1)


def with_names(text: str, speaker: str, addressee: str | None, chinese: bool) -> str:
    """``text`` with names in the place of «me» and «you», whose meaning is lost outside the talk."""
    if chinese:
        text = re.sub(r"我(?!们)", lambda _: _spaced(speaker), text)
        if addressee:
            text = re.sub(r"[你您](?!们)", lambda _: _spaced(addressee), text)
        return re.sub(r" {2,}", " ", text).strip()
    text = re.sub(rf"\b({_BEFORE_A_PERSON}) me\b", lambda found: f"{found[1]} {speaker}", text, flags=re.IGNORECASE)
    text = re.sub(r"\bmy\b", lambda _: f"{speaker}'s", text, flags=re.IGNORECASE)
    if addressee:
        text = re.sub(
            rf"\b({_BEFORE_A_PERSON}) you\b(?!['’])", lambda found: f"{found[1]} {addressee}", text, flags=re.IGNORECASE
        )
        text = re.sub(r"\byour\b", lambda _: f"{addressee}'s", text, flags=re.IGNORECASE)
    return text


def _spaced(name: str) -> str:
    return f" {name} " if name.isascii() else name
