"""Frames as they cross a socket."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import BadRequest, UnknownType
from server.realtime import frames
from server.realtime.frames import FrameReader, FromClient, ToClient, ack, encode, id_of, numbered
from tests.helpers import property_of

READER = FrameReader(frames.Auth, frames.Watch, frames.Offer, frames.Candidate, frames.Media, frames.HangUp)
AT = "2026-11-20T05:12:07.345Z"


def refusal(data: bytes) -> BadRequest:
    with pytest.raises(BadRequest) as refused:
        READER.read(data)
    return refused.value


def leaves(frame: type[ToClient]) -> list[type[ToClient]]:
    return [leaf for each in frame.__subclasses__() for leaf in leaves(each)] or [frame]


def tags_to_a_client() -> list[str]:
    return [str(each.__struct_config__.tag) for each in leaves(ToClient)]


# ── from a client ──


def test_a_frame_is_read_into_its_type() -> None:
    frame = READER.read(b'{"type":"media","id":"1","audio":true,"video":false,"screen":false,"hand":true}')
    assert frame == frames.Media(id="1", audio=True, video=False, screen=False, hand=True)


def test_the_id_may_be_left_out() -> None:
    assert READER.read(b'{"type":"hangup"}') == frames.HangUp(id=None, reason="hangup")


@pytest.mark.parametrize("type_", ["ping", "pong"])
def test_ping_and_pong_are_understood_everywhere(type_: str) -> None:
    assert type_ in FrameReader(frames.Auth).types


def test_an_sdp_is_kept_byte_for_byte() -> None:
    sdp = rb'"v=0\r\no=- 1 2 IN \u00e4 \/"'
    frame = READER.read(b'{"type":"offer","to":"leg","sdp":' + sdp + b"}")
    assert isinstance(frame, frames.Offer)
    assert bytes(frame.sdp) == sdp


def test_an_sdp_is_passed_on_byte_for_byte() -> None:
    sdp = msgspec.Raw(rb'"v=0\r\no=- 1 2 IN \u00e4 \/"')
    frame = frames.RelayedOffer(timestamp=AT, call_id="c", user_id="u", from_="leg", sdp=sdp)
    assert bytes(sdp) in encode(frame)


def test_an_unknown_type_is_refused_with_those_that_there_are() -> None:
    error = refusal(b'{"type":"dance"}')
    assert isinstance(error, UnknownType)
    assert "hangup" in error.detail and error.fields == {"type": "unknown"}


def test_a_type_of_another_socket_is_unknown() -> None:
    assert isinstance(refusal(b'{"type":"chat","text":"hello"}'), UnknownType)


def test_a_frame_without_a_type_is_refused() -> None:
    assert refusal(b'{"id":"1"}').fields == {"type": "Missing field `type`"}


def test_a_missing_field_is_named() -> None:
    assert list(refusal(b'{"type":"watch"}').fields) == ["user_ids"]


def test_an_unknown_field_is_named() -> None:
    assert list(refusal(b'{"type":"hangup","loudly":true}').fields) == ["loudly"]


def test_a_field_of_the_wrong_type_is_named() -> None:
    assert list(refusal(b'{"type":"media","audio":1,"video":false,"screen":false,"hand":false}').fields) == ["audio"]


def test_a_wrong_item_of_a_list_is_named_with_its_list() -> None:
    (field,) = refusal(b'{"type":"watch","user_ids":["a",7]}').fields
    assert field.startswith("user_ids")


def test_a_database_operator_is_no_id() -> None:
    assert list(refusal(b'{"type":"offer","to":{"$ne":null},"sdp":""}').fields) == ["to"]


def test_an_empty_id_is_refused() -> None:
    assert list(refusal(b'{"type":"hangup","id":""}').fields) == ["id"]


def test_a_long_id_is_refused() -> None:
    assert list(refusal(b'{"type":"hangup","id":"' + b"x" * 65 + b'"}').fields) == ["id"]


def test_a_number_is_no_id() -> None:
    assert list(refusal(b'{"type":"hangup","id":1}').fields) == ["id"]


def test_too_many_people_to_watch_are_refused() -> None:
    body = msgspec.json.encode({"type": "watch", "user_ids": ["u"] * 201})
    assert list(refusal(body).fields) == ["user_ids"]


def test_a_negative_last_seq_is_refused() -> None:
    assert list(refusal(b'{"type":"auth","token":"t","last_seq":-1}').fields) == ["last_seq"]


DEEP = b"[" * 100_000


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"nonsense",
        b"\xff",
        b'{"type":"hangup"} more',
        b'{"type":"hangup","id":"\xff"}',
        b'{"type":"hangup","id":"\\ud800"}',
        b'{"type":"candidate","to":"leg","candidates":' + DEEP,
    ],
    ids=lambda data: ascii(data)[:45],
)
def test_what_is_not_json_is_refused(data: bytes) -> None:
    assert refusal(data).detail == "The frame is not JSON"


@pytest.mark.parametrize("data", [b"null", b"[]", b"7", b'"hangup"'])
def test_what_is_no_object_is_refused(data: bytes) -> None:
    assert list(refusal(data).fields) == ["body"]


@property_of(1500)
@given(
    st.one_of(
        st.binary(max_size=60),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["type", "id", "to", "sdp", "audio", "token", "$ne"]), inner, max_size=4
                )
            ),
        ).map(msgspec.json.encode),
    )
)
def test_whatever_comes_is_a_frame_or_a_refusal(data: bytes) -> None:
    try:
        frame = READER.read(data)
    except BadRequest as error:
        assert error.detail
    else:
        assert isinstance(frame, FromClient)
    assert id_of(data) is None or isinstance(id_of(data), str)


# ── the id of what could not be read ──


def test_the_id_of_a_frame_that_cannot_be_read_is_found() -> None:
    assert id_of(b'{"type":"dance","id":"1","wildly":true}') == "1"


@pytest.mark.parametrize(
    "data",
    [b"{", b"\xff", b"[]", b'{"type":"dance"}', b'{"id":7}', b'{"id":""}', b'{"id":"\xff"}', b'{"a":' + DEEP],
    ids=lambda data: ascii(data)[:25],
)
def test_where_there_is_no_id_none_is_found(data: bytes) -> None:
    assert id_of(data) is None


# ── to a client ──


def test_a_frame_says_its_type_and_when_it_was_made() -> None:
    assert msgspec.json.decode(encode(frames.Ping(timestamp=AT))) == {"type": "ping", "timestamp": AT}


def test_a_seq_is_put_in_front() -> None:
    assert msgspec.json.decode(numbered(7, encode(frames.Ping(timestamp=AT))))["seq"] == 7


@property_of(200)
@given(seq=st.integers(1, 2**53), text=st.text())
def test_a_numbered_frame_is_the_frame_and_its_number(seq: int, text: str) -> None:
    body = msgspec.json.encode({"type": "chat", "text": text})
    assert msgspec.json.decode(numbered(seq, body)) == {"seq": seq, "type": "chat", "text": text}


def test_an_ack_without_a_result_has_only_the_id() -> None:
    assert msgspec.json.decode(ack("1", AT)) == {"type": "ack", "timestamp": AT, "id": "1"}


def test_an_ack_carries_the_fields_of_its_result() -> None:
    assert msgspec.json.decode(ack("1", AT, {"people": []})) == {
        "type": "ack",
        "timestamp": AT,
        "id": "1",
        "people": [],
    }


def test_an_error_without_an_id_has_none() -> None:
    frame = frames.Error(timestamp=AT, code="bad_request", message="No.", retryable=False)
    assert msgspec.json.decode(encode(frame)).keys() == {"type", "timestamp", "code", "message", "retryable"}


def test_false_and_zero_are_said_where_they_mean_something() -> None:
    bye = frames.Bye(
        timestamp=AT, code=1000, name="normal", message="Done.", action="stop", retry_after_ms=0, session_kept=False
    )
    said = msgspec.json.decode(encode(bye))
    assert (said["retry_after_ms"], said["session_kept"]) == (0, False)


def test_an_incomplete_resume_says_so() -> None:
    frame = msgspec.json.decode(encode(frames.Resumed(timestamp=AT, from_=3, to=9, complete=False)))
    assert frame == {"type": "resumed", "timestamp": AT, "from": 3, "to": 9, "complete": False}


def test_no_two_frames_to_a_client_share_a_type() -> None:
    assert len(tags_to_a_client()) == len(set(tags_to_a_client()))


def test_every_frame_without_a_seq_is_one_that_there_is() -> None:
    assert set(tags_to_a_client()) >= frames.UNNUMBERED
