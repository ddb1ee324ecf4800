"""JSON and time as they cross the wire."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated, Any

import msgspec
import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from server.clock import cut_to_ms
from server.errors import BadRequest
from server.wire import Stamp, decode, encode, optional_rfc3339, rfc3339
from tests.clock import START, ManualClock
from tests.helpers import property_of

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    at: Annotated[int, msgspec.Meta(ge=0)]


class Body(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    inner: Inner | None = None


class Event(msgspec.Struct):
    at: datetime
    parts: tuple[datetime, ...] = ()


def refusal(body: bytes) -> BadRequest:
    with pytest.raises(BadRequest) as refused:
        decode(body, Body)
    return refused.value


# ── times ──


def test_a_time_is_utc_with_milliseconds() -> None:
    assert rfc3339(START) == "2026-11-20T05:12:07.345Z"


def test_a_time_of_another_zone_becomes_utc() -> None:
    berlin = timezone(timedelta(hours=1))
    assert rfc3339(datetime(2026, 11, 20, 6, 12, 7, 345_000, berlin)) == "2026-11-20T05:12:07.345Z"


def test_whole_seconds_have_milliseconds_too() -> None:
    assert rfc3339(datetime(2026, 11, 20, tzinfo=UTC)) == "2026-11-20T00:00:00.000Z"


def test_microseconds_are_cut_and_not_rounded() -> None:
    assert rfc3339(datetime(2026, 11, 20, 5, 12, 7, 999_999, UTC)) == "2026-11-20T05:12:07.999Z"


def test_no_time_is_none() -> None:
    assert (optional_rfc3339(None), optional_rfc3339(START)) == (None, "2026-11-20T05:12:07.345Z")


@property_of(500)
@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)))
def test_a_time_is_read_back_as_it_was_written(moment: datetime) -> None:
    assert RFC3339.fullmatch(rfc3339(moment))
    assert datetime.fromisoformat(rfc3339(moment)) == cut_to_ms(moment)


def test_a_stamp_says_the_time() -> None:
    assert Stamp(ManualClock())() == "2026-11-20T05:12:07.345Z"


def test_a_stamp_moves_with_the_clock() -> None:
    clock = ManualClock()
    stamp = Stamp(clock)
    stamp()
    clock.move(0.002)
    assert stamp() == "2026-11-20T05:12:07.347Z"


# ── documents ──


@pytest.mark.parametrize(
    "document",
    [
        {"at": START},
        [START],
        (START,),
        {START},
        {"deep": [{"deeper": ({"at": START},)}]},
        Event(START),
        {"event": Event(datetime(2026, 1, 1, tzinfo=UTC), (START,))},
        START.replace(tzinfo=None),
        START.astimezone(timezone(timedelta(hours=-7))),
    ],
    ids=["dict", "list", "tuple", "set", "deep", "struct", "struct in dict", "naive", "another zone"],
)
def test_a_document_with_a_time_in_it_always_serialises(document: Any) -> None:
    assert b'"2026-11-20T05:12:07.345Z"' in encode(document)


@pytest.fixture
def far_west(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose clock shows another time than UTC."""
    monkeypatch.setenv("TZ", "XXX+7")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_west")
def test_a_naive_time_is_utc_wherever_the_machine_stands() -> None:
    assert encode(START.replace(tzinfo=None)) == b'"2026-11-20T05:12:07.345Z"'


moments = st.datetimes(
    timezones=st.sampled_from([None, UTC]), min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)
)
documents = st.recursive(
    moments | st.none() | st.booleans() | st.text(max_size=5) | st.integers() | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        | st.builds(Event, moments, st.lists(moments, max_size=2).map(tuple))
    ),
)


@property_of(500)
@given(documents)
def test_every_time_in_whatever_document_has_milliseconds_and_z(document: Any) -> None:
    encode(document)
    written = re.findall(rb'"(\d{4}-\d\d-\d\dT[^"]*)"', encode({"document": document}))
    assert len(written) == _times_in(document)
    assert all(RFC3339.fullmatch(text.decode()) for text in written)


def _times_in(value: Any) -> int:
    if isinstance(value, datetime):
        return 1
    if isinstance(value, Event):
        return 1 + len(value.parts)
    if isinstance(value, dict):
        return sum(map(_times_in, value.values()))
    return sum(map(_times_in, value)) if isinstance(value, list) else 0


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (ObjectId("65f000000000000000000000"), b'"65f000000000000000000000"'),
        (b"\x00\xff", b'"AP8="'),
        (date(2026, 11, 20), b'"2026-11-20"'),
        (float("nan"), b"null"),
        (2**70, b"1180591620717411303424"),
        (frozenset({1}), b"[1]"),
        ({1: 2}, b'{"1":2}'),
        ("ä", '"ä"'.encode()),
    ],
    ids=["ObjectId", "bytes", "date", "nan", "large", "set", "number as key", "text"],
)
def test_what_json_has_no_form_for_is_written_all_the_same(value: Any, written: bytes) -> None:
    assert encode(value) == written


# ── bodies ──


def test_a_body_is_read_into_its_shape() -> None:
    assert decode(b'{"name":"bob","inner":{"at":3}}', Body) == Body("bob", Inner(3))


@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b"\xff\xfe", b'"\\ud800"', b'{"name":"a"} b'])
def test_what_is_not_json_is_refused(body: bytes) -> None:
    assert refusal(body).detail == "The body is not JSON"


def test_endless_nesting_is_refused() -> None:
    assert isinstance(refusal(b'{"name":' + b"[" * 100_000), BadRequest)


def test_an_unknown_field_is_named() -> None:
    assert refusal(b'{"name":"bob","admin":true}').fields == {"admin": "There is no field `admin`"}


def test_a_missing_field_is_named() -> None:
    assert refusal(b"{}").fields == {"name": "Missing field `name`"}


def test_a_wrong_type_names_field_and_rule() -> None:
    error = refusal(b'{"name":7}')
    assert (error.detail, error.fields) == ("name: Expected `str`, got `int`", {"name": "Expected `str`, got `int`"})


def test_a_field_inside_another_is_named_by_its_path() -> None:
    assert refusal(b'{"name":"bob","inner":{"at":-1}}').fields == {"inner.at": "Expected `int` >= 0"}


def test_an_unknown_field_inside_another_is_named() -> None:
    assert "soon" in str(refusal(b'{"name":"bob","inner":{"at":1,"soon":2}}').fields)


def test_a_body_that_is_no_object_is_refused_as_a_whole() -> None:
    assert refusal(b"[]").fields == {"body": "Expected `object`, got `array`"}


@pytest.mark.parametrize("operator", [b'{"$ne":null}', b'{"$gt":""}', b'{"$regex":".*"}', b'["a"]', b"null", b"true"])
def test_a_database_operator_is_no_text(operator: bytes) -> None:
    assert list(refusal(b'{"name":' + operator + b"}").fields) == ["name"]
