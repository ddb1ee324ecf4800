"""JSON and time as they cross the wire: UTF-8 JSON by msgspec, times as RFC 3339 in UTC with milliseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from server.clock import Clock
from server.errors import BadRequest
from server.languages.sentences import N_

T = TypeVar("T")

_encoder = msgspec.json.Encoder()


def rfc3339(moment: datetime) -> str:
    """``moment`` (aware) as ``2026-11-20T05:12:07.345Z`` (RFC 3339 §5.6, always UTC, always milliseconds)."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


class Stamp:
    """The time now as frames carry it; made anew once a millisecond, because a busy room asks far more often."""

    __slots__ = ("_clock", "_made_at_s", "_monotonic", "_text")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._monotonic = clock.monotonic
        self._made_at_s = -1.0
        self._text = ""

    def __call__(self) -> str:
        now_s = self._monotonic()
        if not 0.0 <= now_s - self._made_at_s < 0.001:
            self._made_at_s = now_s
            self._text = rfc3339(self._clock.now())
        return self._text


def optional_rfc3339(moment: datetime | None) -> str | None:
    """As :func:`rfc3339`, and ``None`` for ``None``."""
    return None if moment is None else rfc3339(moment)


def encode(document: Any) -> bytes:
    """``document`` (structs, dicts, lists, datetimes, ids, bytes …) as JSON; it never fails for a type.

    A ``datetime`` anywhere in it becomes :func:`rfc3339` (a naive one is taken as UTC, as MongoDB means it), and what
    JSON has no form for becomes its ``str``.
    """
    return _encoder.encode(_plain(document))


def _plain(value: Any) -> Any:
    if isinstance(value, str | int | float | bool | None):
        return value
    if isinstance(value, datetime):
        return rfc3339(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return _plain(msgspec.to_builtins(value, builtin_types=(datetime,), enc_hook=str))


def decode(body: bytes, shape: type[T]) -> T:
    """``body`` as a ``shape``; raises :class:`BadRequest` that names the field and the rule."""
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise bad_request(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequest("The body is not JSON", fields={"body": N_("not JSON")}) from None


def bad_request(error: msgspec.ValidationError) -> BadRequest:
    """The refusal for a validation error of msgspec: ``fields`` maps the field's path to what is wrong with it."""
    text, _, path = str(error).partition(" - at `")
    field = path.removesuffix("`").removeprefix("$").removeprefix(".")
    if not field and "`" in text:
        field = text.split("`")[1] if "field" in text else ""
    rule = _rule(text)
    return BadRequest.of(field, rule) if field else BadRequest(rule, fields={"body": rule})


def _rule(text: str) -> str:
    """What msgspec says is wrong, so that it can be said in other languages; what we do not know of stays as it is."""
    for pattern, sentence in _RULES:
        if found := pattern.fullmatch(text):
            return N_(str(sentence), **found.groupdict())
    return text


_RULES = tuple(
    (re.compile(pattern), sentence)
    for pattern, sentence in (
        (r"Object contains unknown field `(?P<name>.*)`", N_("There is no field `%(name)s`")),
        (r"Object missing required field `(?P<name>.*)`", N_("Missing field `%(name)s`")),
        (r"Expected `str` of length >= (?P<count>\d+)", N_("Expected `str` of length >= %(count)s")),
        (r"Expected `str` of length <= (?P<count>\d+)", N_("Expected `str` of length <= %(count)s")),
        (r"Expected `array` of length >= (?P<count>\d+)", N_("Expected `array` of length >= %(count)s")),
        (r"Expected `array` of length <= (?P<count>\d+)", N_("Expected `array` of length <= %(count)s")),
        (r"Expected `object` of length >= (?P<count>\d+)", N_("Expected `object` of length >= %(count)s")),
        (r"Expected `object` of length <= (?P<count>\d+)", N_("Expected `object` of length <= %(count)s")),
        (r"Expected `(?P<wanted>.*)`, got `(?P<given>.*)`", N_("Expected `%(wanted)s`, got `%(given)s`")),
        (r"Expected `(?P<kind>int|float)` (?P<bound>[<>]=? .*)", N_("Expected `%(kind)s` %(bound)s")),
        (r"Invalid enum value (?P<given>.*)", N_("Invalid enum value %(given)s")),
    )
)
