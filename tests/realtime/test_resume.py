"""The frames that a resume may ask for: bounded, numbered, none missing and none twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.realtime.resume import ResumeBuffer
from tests.helpers import property_of


def filled(*bodies: bytes, max_frames: int = 500, max_bytes: int = 1000) -> ResumeBuffer:
    buffer = ResumeBuffer(max_frames, max_bytes)
    for body in bodies:
        buffer.append(body)
    return buffer


def test_frames_are_numbered_from_one() -> None:
    buffer = filled()
    assert [buffer.append(body) for body in (b"a", b"b", b"c")] == [1, 2, 3]


def test_a_client_that_has_nothing_gets_everything() -> None:
    assert filled(b"a", b"b").after(0) == [(1, b"a"), (2, b"b")]


def test_a_client_gets_what_came_after_its_last_frame() -> None:
    assert filled(b"a", b"b", b"c").after(1) == [(2, b"b"), (3, b"c")]


def test_a_client_that_has_everything_gets_nothing() -> None:
    assert filled(b"a", b"b").after(2) == []


def test_a_client_that_was_never_sent_anything_gets_nothing() -> None:
    assert filled().after(0) == []


def test_a_number_that_was_never_sent_cannot_be_replayed() -> None:
    assert filled(b"a").after(2) is None


def test_the_oldest_frame_goes_when_there_are_too_many() -> None:
    assert filled(b"a", b"b", b"c", max_frames=2).after(1) == [(2, b"b"), (3, b"c")]


def test_what_is_gone_cannot_be_replayed() -> None:
    assert filled(b"a", b"b", b"c", max_frames=2).after(0) is None


def test_the_oldest_frames_go_when_they_are_too_big() -> None:
    buffer = filled(b"aaaa", b"bbbb", b"cccc", max_bytes=8)
    assert (buffer.after(1), buffer.size_bytes) == ([(2, b"bbbb"), (3, b"cccc")], 8)


def test_a_frame_larger_than_the_buffer_is_not_kept() -> None:
    buffer = filled(b"a", b"too large", max_bytes=4)
    assert (buffer.after(1), buffer.after(2), len(buffer), buffer.size_bytes) == (None, [], 0, 0)


def test_numbers_go_on_after_frames_were_lost() -> None:
    assert filled(b"a", b"b", b"c", max_frames=1).append(b"d") == 4


def test_one_body_is_shared_and_not_copied() -> None:
    body = b"for the whole room"
    ((_, kept),) = filled(body).after(0) or []
    assert kept is body


@property_of(1000)
@given(
    sizes=st.lists(st.integers(1, 40), max_size=60),
    max_frames=st.integers(1, 20),
    max_bytes=st.integers(1, 200),
    seq=st.integers(0, 70),
)
def test_either_everything_after_a_number_is_given_or_none_of_it(
    sizes: list[int], max_frames: int, max_bytes: int, seq: int
) -> None:
    bodies = [b"x" * size for size in sizes]
    buffer = filled(*bodies, max_frames=max_frames, max_bytes=max_bytes)
    found = buffer.after(seq)
    assert len(buffer) <= max_frames and buffer.size_bytes <= max_bytes
    if found is not None:
        assert found == [(number, bodies[number - 1]) for number in range(seq + 1, len(bodies) + 1)]
    else:
        missed = bodies[seq:]
        assert seq > len(bodies) or len(missed) > max_frames or sum(map(len, missed)) > max_bytes
