"""The frame parser and the frame builders, without a socket: RFC 6455 and the cases of the Autobahn test suite."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.realtime.framing import (
    BINARY,
    CLOSE,
    CONTINUATION,
    OPCODES,
    PING,
    PONG,
    TEXT,
    Event,
    FrameParser,
    ProtocolFailure,
    decode_close,
    encode_close,
    encode_frame,
    encode_text,
    is_legal_close_code,
    truncate_reason,
)
from tests.sockets.raw import masked

MAX_MESSAGE_BYTES = 1 << 17

KOSME = "κόσμε".encode()

# Autobahn 6.5 to 6.23, after Markus Kuhn's UTF-8 stress test.
VALID_UTF8 = {
    "empty": b"",
    "greek": KOSME,
    "first of two bytes": b"\xc2\x80",
    "first of three bytes": b"\xe0\xa0\x80",
    "first of four bytes": b"\xf0\x90\x80\x80",
    "last of one byte": b"\x7f",
    "last of two bytes": b"\xdf\xbf",
    "last of three bytes": b"\xef\xbf\xbf",
    "last before the surrogates": b"\xed\x9f\xbf",
    "first after the surrogates": b"\xee\x80\x80",
    "replacement character": b"\xef\xbf\xbd",
    "last of all": b"\xf4\x8f\xbf\xbf",
    "noncharacter U+FFFE": b"\xef\xbf\xbe",
    "noncharacter U+1FFFE": b"\xf0\x9f\xbf\xbe",
    "NUL": b"\x00",
}
INVALID_UTF8 = {
    "first above the last": b"\xf4\x90\x80\x80",
    "last of four bytes": b"\xf7\xbf\xbf\xbf",
    "first of five bytes": b"\xf8\x88\x80\x80\x80",
    "last of five bytes": b"\xfb\xbf\xbf\xbf\xbf",
    "first of six bytes": b"\xfc\x84\x80\x80\x80\x80",
    "last of six bytes": b"\xfd\xbf\xbf\xbf\xbf\xbf",
    "continuation 80": b"\x80",
    "continuation BF": b"\xbf",
    "two continuations": b"\x80\xbf",
    "all continuations": bytes(range(0x80, 0xC0)),
    "starts of two": b"".join(bytes((lead, 0x20)) for lead in range(0xC0, 0xE0)),
    "starts of three": b"".join(bytes((lead, 0x20)) for lead in range(0xE0, 0xF0)),
    "starts of four": b"".join(bytes((lead, 0x20)) for lead in range(0xF0, 0xF8)),
    "start of five": b"\xf8 ",
    "start of six": b"\xfc ",
    "one missing of two": b"\xdf",
    "one missing of three": b"\xef\xbf",
    "one missing of four": b"\xf0\x90\x80",
    "FE": b"\xfe",
    "FF": b"\xff",
    "FE FE FF FF": b"\xfe\xfe\xff\xff",
    "overlong slash in two": b"\xc0\xaf",
    "overlong slash in three": b"\xe0\x80\xaf",
    "overlong slash in four": b"\xf0\x80\x80\xaf",
    "overlong slash in five": b"\xf8\x80\x80\x80\xaf",
    "highest overlong in two": b"\xc1\xbf",
    "highest overlong in three": b"\xe0\x9f\xbf",
    "highest overlong in four": b"\xf0\x8f\xbf\xbf",
    "overlong NUL": b"\xc0\x80",
    "first high surrogate": b"\xed\xa0\x80",
    "last high surrogate": b"\xed\xaf\xbf",
    "first low surrogate": b"\xed\xb0\x80",
    "last low surrogate": b"\xed\xbf\xbf",
    "pair of surrogates": b"\xed\xa0\x80\xed\xb0\x80",
}

LEGAL_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
ILLEGAL_CODES = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 10000, 65535]


def parse(*chunks: bytes) -> tuple[list[Event], int | None]:
    """All events from ``chunks``, and the code of the failure if there is one."""
    parser = FrameParser(MAX_MESSAGE_BYTES)
    events = [event for chunk in chunks for event in parser.feed(chunk)]
    return events, parser.failure.code if parser.failure is not None else None


def bytewise(data: bytes) -> Iterable[bytes]:
    return (data[at : at + 1] for at in range(len(data)))


def named(cases: dict[str, bytes]) -> list[object]:
    return [pytest.param(case, id=name) for name, case in cases.items()]


def close_body(code: int, reason: bytes = b"") -> bytes:
    return code.to_bytes(2, "big") + reason


# What is understood


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 128, 65535, 65536])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_a_message_of_any_length_arrives_as_it_was_sent(opcode: int, length: int) -> None:
    assert parse(masked(opcode, b"*" * length)) == ([(opcode, b"*" * length)], None)


@pytest.mark.parametrize("opcode", [PING, PONG])
@pytest.mark.parametrize("length", [0, 125])
def test_a_control_frame_arrives_with_its_payload(opcode: int, length: int) -> None:
    assert parse(masked(opcode, b"\xfe" * length)) == ([(opcode, b"\xfe" * length)], None)


def test_fragments_arrive_as_one_message() -> None:
    sent = masked(TEXT, b"one ", fin=False) + masked(CONTINUATION, b"two ", fin=False) + masked(CONTINUATION, b"three")
    assert parse(sent) == ([(TEXT, b"one two three")], None)


def test_empty_fragments_make_an_empty_message() -> None:
    sent = masked(BINARY, fin=False) + masked(CONTINUATION, fin=False) + masked(CONTINUATION)
    assert parse(sent) == ([(BINARY, b"")], None)


def test_control_frames_between_fragments_arrive_before_the_message() -> None:
    sent = masked(TEXT, b"a", fin=False) + masked(PING, b"!") + masked(CONTINUATION, b"b") + masked(PONG, b"?")
    assert parse(sent) == ([(PING, b"!"), (TEXT, b"ab"), (PONG, b"?")], None)


def test_a_message_may_follow_a_fragmented_one() -> None:
    sent = masked(TEXT, b"a", fin=False) + masked(CONTINUATION, b"b") + masked(BINARY, b"c")
    assert parse(sent) == ([(TEXT, b"ab"), (BINARY, b"c")], None)


def test_a_character_may_be_split_between_fragments() -> None:
    parts = [masked(TEXT, KOSME[:3], fin=False), masked(CONTINUATION, KOSME[3:4], fin=False)]
    assert parse(*parts, masked(CONTINUATION, KOSME[4:])) == ([(TEXT, KOSME)], None)


@pytest.mark.parametrize("text", named(VALID_UTF8))
def test_valid_utf8_is_accepted_whole_and_byte_by_byte(text: bytes) -> None:
    assert parse(masked(TEXT, text)) == parse(*bytewise(masked(TEXT, text))) == ([(TEXT, text)], None)


@pytest.mark.parametrize("text", named(INVALID_UTF8))
def test_binary_messages_and_pings_need_no_utf8(text: bytes) -> None:
    assert parse(masked(BINARY, text) + masked(PING, text)) == ([(BINARY, text), (PING, text)], None)


def test_a_close_without_a_body_has_no_code() -> None:
    events, failure = parse(masked(CLOSE))
    assert (decode_close(events[0][1]), failure) == ((None, ""), None)


@pytest.mark.parametrize("code", LEGAL_CODES)
def test_a_close_has_its_code_and_reason(code: int) -> None:
    events, failure = parse(masked(CLOSE, close_body(code, "tschüs".encode())))
    assert (decode_close(events[0][1]), failure) == ((code, "tschüs"), None)


def test_what_follows_a_close_is_not_looked_at() -> None:
    sent = masked(CLOSE, close_body(1000)) + masked(TEXT, b"late") + b"\xff\xff"
    assert parse(sent, masked(TEXT, b"later")) == ([(CLOSE, close_body(1000))], None)


def test_a_close_that_arrives_in_parts_ends_the_stream_too() -> None:
    sent = masked(CLOSE, close_body(1000))
    assert parse(sent[:7], sent[7:] + masked(TEXT, b"late")) == ([(CLOSE, close_body(1000))], None)


def test_every_frame_is_counted() -> None:
    parser = FrameParser(MAX_MESSAGE_BYTES)
    parser.feed(masked(TEXT, fin=False) + masked(PING) + masked(CONTINUATION) + masked(TEXT, b"begun")[:8])
    assert parser.frames_received == 4


# What is refused


@pytest.mark.parametrize("reserved", [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70])
@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, CLOSE])
def test_reserved_bits_are_refused(opcode: int, reserved: int) -> None:
    assert parse(masked(opcode, b"", reserved=reserved)) == ([], 1002)


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_an_unknown_opcode_is_refused(opcode: int) -> None:
    assert parse(masked(opcode, b"")) == ([], 1002)


@pytest.mark.parametrize("opcode", sorted(OPCODES))
def test_an_unmasked_frame_is_refused(opcode: int) -> None:
    assert parse(masked(opcode, b"", mask=None)) == ([], 1002)


@pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
def test_a_fragmented_control_frame_is_refused(opcode: int) -> None:
    assert parse(masked(opcode, b"", fin=False)) == ([], 1002)


@pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
@pytest.mark.parametrize("length", [126, 65536])
def test_a_long_control_frame_is_refused_by_its_second_byte(opcode: int, length: int) -> None:
    assert parse(masked(opcode, b"*" * length)[:2]) == ([], 1002)


@pytest.mark.parametrize("fin", [True, False])
def test_a_continuation_of_nothing_is_refused(fin: bool) -> None:
    assert parse(masked(CONTINUATION, b"", fin=fin)) == ([], 1002)


def test_a_continuation_after_a_whole_message_is_refused() -> None:
    assert parse(masked(TEXT, b"whole") + masked(CONTINUATION, b"")) == ([(TEXT, b"whole")], 1002)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("fin", [True, False])
def test_a_new_message_inside_a_fragmented_one_is_refused(opcode: int, fin: bool) -> None:
    assert parse(masked(TEXT, b"a", fin=False) + masked(opcode, b"b", fin=fin)) == ([], 1002)


@pytest.mark.parametrize(("length", "form"), [(0, 126), (125, 126), (0, 127), (126, 127), (65535, 127)])
def test_a_length_that_is_not_in_the_shortest_form_is_refused(length: int, form: int) -> None:
    assert parse(masked(BINARY, b"*" * length, form=form)) == ([], 1002)


def test_a_length_with_the_highest_bit_is_refused() -> None:
    assert parse(b"\x82\xff" + b"\x80" + bytes(7)) == ([], 1002)


@pytest.mark.parametrize("text", named(INVALID_UTF8))
def test_invalid_utf8_is_refused_whole_and_byte_by_byte(text: bytes) -> None:
    assert parse(masked(TEXT, text)) == parse(*bytewise(masked(TEXT, text))) == ([], 1007)


@pytest.mark.parametrize("text", named(INVALID_UTF8))
def test_invalid_utf8_is_refused_in_fragments(text: bytes) -> None:
    fragments = [masked(TEXT, KOSME, fin=False), *(masked(CONTINUATION, byte, fin=False) for byte in bytewise(text))]
    assert parse(*fragments, masked(CONTINUATION, b"")) == ([], 1007)


def test_a_bad_byte_is_refused_before_the_next_fragment_comes() -> None:  # Autobahn 6.4.1
    assert parse(masked(TEXT, KOSME, fin=False), masked(CONTINUATION, b"\xf4\x90\x80\x80", fin=False)) == ([], 1007)


def test_a_bad_byte_is_refused_before_the_rest_of_its_frame_comes() -> None:  # Autobahn 6.4.3 and 6.4.4
    frame = masked(TEXT, KOSME + b"\xf4\x90" + b"\x80\x80 edited")
    upto = 6 + len(KOSME)
    assert (parse(frame[: upto + 1]), parse(frame[: upto + 2])) == (([], None), ([], 1007))


def test_a_bad_byte_is_refused_however_few_bytes_come_at_a_time() -> None:
    assert parse(*bytewise(masked(TEXT, KOSME + b"\xf4\x90" + b"\x80\x80 edited")[: 6 + len(KOSME) + 2])) == ([], 1007)


def test_a_close_body_of_one_byte_is_refused() -> None:
    assert parse(masked(CLOSE, b"\x03")) == ([], 1002)


@pytest.mark.parametrize("code", ILLEGAL_CODES)
def test_an_illegal_close_code_is_refused(code: int) -> None:
    assert parse(masked(CLOSE, close_body(code))) == ([], 1002)


def test_a_close_reason_that_is_not_utf8_is_refused() -> None:
    assert parse(masked(CLOSE, close_body(1000, b"\xce\xba\xe1"))) == ([], 1007)


@pytest.mark.parametrize("length", [MAX_MESSAGE_BYTES + 1, 1 << 40])
def test_a_long_message_is_refused_by_its_declared_length(length: int) -> None:
    assert parse(b"\x82\xff" + length.to_bytes(8, "big")) == ([], 1009)


def test_a_message_of_the_longest_length_is_accepted() -> None:
    assert parse(masked(TEXT, b"*" * MAX_MESSAGE_BYTES)) == ([(TEXT, b"*" * MAX_MESSAGE_BYTES)], None)


def test_the_fragments_of_a_message_count_together() -> None:
    fragments = [masked(BINARY, bytes(60000), fin=False), masked(CONTINUATION, bytes(60000), fin=False)]
    assert parse(*fragments) == ([], None)
    assert parse(*fragments, masked(CONTINUATION, bytes(60000))[:4]) == ([], 1009)


def test_the_length_limit_starts_anew_with_each_message() -> None:
    halves = [masked(BINARY, bytes(60000), fin=False), masked(CONTINUATION, bytes(60000))]
    assert parse(*halves, *halves) == ([(BINARY, bytes(120000))] * 2, None)
    assert parse(*halves, masked(BINARY, bytes(MAX_MESSAGE_BYTES + 1))) == ([(BINARY, bytes(120000))], 1009)


def test_a_ping_is_not_measured_by_what_a_message_may_still_have() -> None:
    nearly = masked(BINARY, bytes(MAX_MESSAGE_BYTES), fin=False)
    assert parse(nearly, masked(PING, bytes(125))) == ([(PING, bytes(125))], None)


def test_what_came_before_a_failure_is_still_given() -> None:
    assert parse(masked(TEXT, b"good") + masked(PING) + masked(3) + masked(TEXT, b"late")) == (
        [(TEXT, b"good"), (PING, b"")],
        1002,
    )


def test_nothing_is_given_after_a_failure() -> None:
    assert parse(masked(3), masked(TEXT, b"late")) == ([], 1002)


# However it is cut

payloads = st.binary(max_size=300)
texts = st.text(max_size=100).map(str.encode)
masks = st.binary(min_size=4, max_size=4)
controls = st.builds(masked, st.sampled_from([PING, PONG]), st.binary(max_size=125), mask=masks)


def messages_of(opcode: int, content: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[bytes]]:
    return st.builds(fragmented, st.just(opcode), content, st.lists(st.integers(0, 300), max_size=4), controls)


def fragmented(opcode: int, content: bytes, cuts: list[int], control: bytes) -> list[bytes]:
    """A message in fragments cut at ``cuts``, with a control frame between any two of them."""
    edges = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    frames = []
    for index, (start, end) in enumerate(itertools.pairwise(edges)):
        last = index == len(edges) - 2
        frames.append(masked(CONTINUATION if index else opcode, content[start:end], fin=last))
        frames.extend([] if last else [control])
    return frames


streams = st.lists(
    st.one_of(controls.map(lambda frame: [frame]), messages_of(TEXT, texts), messages_of(BINARY, payloads)), max_size=6
).map(lambda messages: b"".join(frame for message in messages for frame in message))


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


@given(streams, st.lists(st.integers(0, 1 << 16), max_size=20))
def test_a_valid_stream_gives_the_same_events_however_it_is_cut(stream: bytes, cuts: list[int]) -> None:
    events, failure = parse(stream)
    assert failure is None
    assert parse(*pieces(stream, cuts)) == parse(*bytewise(stream)) == (events, None)


@given(streams, st.binary(max_size=40), st.lists(st.integers(0, 1 << 16), max_size=20))
def test_a_wrong_stream_gives_the_same_events_and_failure_however_it_is_cut(
    stream: bytes, junk: bytes, cuts: list[int]
) -> None:
    assert parse(*pieces(stream + junk, cuts)) == parse(*bytewise(stream + junk)) == parse(stream + junk)


@given(streams, st.integers(0, 1 << 16), st.binary(min_size=1, max_size=4))
def test_a_damaged_stream_raises_nothing(stream: bytes, at: int, damage: bytes) -> None:
    at %= len(stream) + 1
    damaged = stream[:at] + damage + stream[at + len(damage) :]
    assert parse(damaged) == parse(*bytewise(damaged))


@given(st.lists(st.binary(max_size=60)))
def test_random_bytes_raise_nothing(chunks: list[bytes]) -> None:
    assert parse(*chunks)[1] in (None, 1002, 1007, 1009)


@given(st.sampled_from([TEXT, BINARY]), st.text(max_size=70000), masks)
def test_a_message_is_what_was_masked(opcode: int, text: str, mask: bytes) -> None:
    assert parse(masked(opcode, text.encode(), mask=mask)) == ([(opcode, text.encode())], None)


@pytest.mark.parametrize(
    "cut",
    [
        pytest.param(lambda size: masked(BINARY, bytes(size)), id="one frame"),
        pytest.param(
            lambda size: masked(BINARY, fin=False) + masked(CONTINUATION, b"*", fin=False) * (size // 7), id="fragments"
        ),
    ],
)
def test_the_time_for_tiny_chunks_grows_with_their_number_only(cut: Callable[[int], bytes]) -> None:
    def seconds(size: int) -> float:
        parser, chunks = FrameParser(1 << 30), list(bytewise(cut(size)))
        begun = time.process_time()
        for chunk in chunks:
            parser.feed(chunk)
        assert parser.failure is None
        return time.process_time() - begun

    # Eight times as much takes eight times as long; were it quadratic, 64 times.
    assert min(seconds(160_000) for _ in range(3)) < 24 * min(seconds(20_000) for _ in range(3))


# What is sent


@pytest.mark.parametrize(
    ("length", "head"),
    [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65535, b"\x81\x7e\xff\xff"),
        (65536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_a_frame_has_the_shortest_length_and_no_mask(length: int, head: bytes) -> None:
    assert encode_text(b"*" * length) == encode_frame(TEXT, b"*" * length) == head + b"*" * length


def test_a_frame_has_its_opcode() -> None:
    assert [encode_frame(opcode, b"")[0] for opcode in (BINARY, CLOSE, PING, PONG)] == [0x82, 0x88, 0x89, 0x8A]


def test_a_long_control_frame_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="125"):
        encode_frame(PING, bytes(126))


def test_a_close_frame_has_code_and_reason() -> None:
    assert encode_close(4001, "später") == b"\x88\x09\x0f\xa1" + "später".encode()


def test_a_close_frame_without_code_is_empty() -> None:
    assert encode_close(None) == b"\x88\x00"


@pytest.mark.parametrize("code", ILLEGAL_CODES)
def test_a_close_frame_with_an_illegal_code_cannot_be_built(code: int) -> None:
    with pytest.raises(ValueError, match=str(code)):
        encode_close(code)


def test_a_reason_is_cut_to_123_bytes_between_two_characters() -> None:
    assert truncate_reason("ä" * 100) == "ä" * 61
    assert truncate_reason("x" + "ä" * 100) == "x" + "ä" * 61


def test_a_short_reason_is_left_alone() -> None:
    assert truncate_reason("x" * 123) == "x" * 123


def test_a_reason_that_cannot_be_utf8_is_sent_all_the_same() -> None:
    assert encode_close(1000, "\ud800") == b"\x88\x03\x03\xe8?"


@given(st.text(max_size=200))
def test_a_close_frame_can_be_read_by_any_peer(reason: str) -> None:
    frame = encode_close(1000, reason)
    code, cut = decode_close(frame[2:])
    assert (frame[1], code) == (len(frame) - 2, 1000)
    assert reason.startswith(cut)
    assert frame[1] <= 125


@given(st.integers(0, 65535))
def test_the_codes_that_may_be_sent_are_those_that_may_be_received(code: int) -> None:
    try:
        decode_close(close_body(code))
    except ProtocolFailure:
        assert not is_legal_close_code(code)
    else:
        assert is_legal_close_code(code)
