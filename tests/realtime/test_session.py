"""A session: what outlives a socket."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from server.realtime.session import Session
from tests.realtime.fakes import LIMITS, World, socket_of

FIRST, SECOND = b'{"type":"call"}', b'{"type":"chat"}'


@pytest.fixture
def world() -> World:
    return World()


def lose(session: Session, world: World) -> None:
    assert session.connection is not None
    session.detach(session.connection, world.clock.monotonic())


def seqs(session: Session) -> list[int]:
    return [frame["seq"] for frame in socket_of(session).frames]


# ── frames to the client ──


def test_frames_are_numbered(world: World) -> None:
    session = world.connected()
    session.deliver(FIRST)
    session.deliver(SECOND)
    assert socket_of(session).sent == [b'{"seq":1,"type":"call"}', b'{"seq":2,"type":"chat"}']


def test_frames_wait_while_no_socket_is_there(world: World) -> None:
    session = world.admitted()
    session.deliver(FIRST)
    assert session.replay(0) == [b'{"seq":1,"type":"call"}']


def test_a_resume_gets_what_was_missed(world: World) -> None:
    session = world.connected()
    session.deliver(FIRST)
    lose(session, world)
    session.deliver(SECOND)
    assert session.replay(1) == [b'{"seq":2,"type":"chat"}']


def test_frames_that_were_sent_into_the_void_are_replayed(world: World) -> None:
    session = world.connected()
    socket_of(session).client_leaves()
    session.deliver(FIRST)
    assert session.replay(0) == [b'{"seq":1,"type":"call"}']


def test_what_is_no_longer_there_is_not_half_replayed(world: World) -> None:
    session = world.admitted(limits=replace(LIMITS, resume_frames=1))
    session.deliver(FIRST)
    session.deliver(SECOND)
    assert session.replay(0) is None


def test_a_session_that_is_over_takes_nothing_and_counts_it(world: World) -> None:
    session = world.connected()
    session.over = True
    session.deliver(FIRST)
    assert (socket_of(session).sent, session.dropped, len(session.buffer)) == ([], 1, 0)


# ── catching up ──


def told(world: World, frames: int, max_frames: int = 500) -> Session:
    """A session to which so many frames were delivered, of which so many are kept."""
    session = world.admitted(limits=replace(LIMITS, resume_frames=max_frames))
    for _ in range(frames):
        session.deliver(b'{"type":"call"}')
    return session


def test_one_who_comes_back_catches_up_from_their_last_frame(world: World) -> None:
    catch_up = told(world, 3).catch_up(last_seq=1, snapshot_seq=3)
    assert catch_up == (True, 3, [b'{"seq":2,"type":"call"}', b'{"seq":3,"type":"call"}'])


def test_one_who_missed_nothing_catches_up_with_nothing(world: World) -> None:
    assert told(world, 3).catch_up(last_seq=3, snapshot_seq=3) == (True, 3, [])


def test_one_who_is_new_gets_what_was_said_while_the_snapshot_was_read(world: World) -> None:
    assert told(world, 1).catch_up(last_seq=None, snapshot_seq=0) == (False, 0, [b'{"seq":1,"type":"call"}'])


def test_one_who_missed_too_much_goes_on_from_the_snapshot(world: World) -> None:
    session = told(world, 9, max_frames=3)
    assert session.catch_up(last_seq=1, snapshot_seq=8) == (False, 8, [b'{"seq":9,"type":"call"}'])


def test_one_who_claims_frames_that_never_were_goes_on_from_the_snapshot(world: World) -> None:
    assert told(world, 2).catch_up(last_seq=7, snapshot_seq=2) == (False, 2, [])


def test_nobody_goes_on_from_a_snapshot_after_which_frames_are_lost(world: World) -> None:
    assert told(world, 9, max_frames=3).catch_up(last_seq=1, snapshot_seq=2) is None


# ── a slow socket ──


@pytest.fixture
def slow(world: World) -> Session:
    session = world.connected()
    socket_of(session).buffered_bytes = LIMITS.coalesce_bytes + 1
    return session


def reads_again(session: Session) -> None:
    socket_of(session).buffered_bytes = 0
    session.release_held()


def test_a_slow_socket_still_gets_what_must_not_be_lost(slow: Session) -> None:
    slow.deliver(FIRST)
    assert seqs(slow) == [1]


def test_a_slow_socket_is_spared_what_can_be_replaced(slow: Session) -> None:
    slow.deliver(b'{"state":"online"}', coalesce_key="bob")
    assert socket_of(slow).sent == []


def test_of_what_replaces_each_other_a_slow_socket_gets_the_last(slow: Session) -> None:
    slow.deliver(b'{"state":"online"}', coalesce_key="bob")
    slow.deliver(b'{"state":"offline"}', coalesce_key="bob")
    reads_again(slow)
    assert socket_of(slow).frames == [{"seq": 1, "state": "offline"}]


def test_what_does_not_replace_each_other_is_all_kept_in_order(slow: Session) -> None:
    slow.deliver(b'{"of":"bob"}', coalesce_key="bob")
    slow.deliver(b'{"of":"carol"}', coalesce_key="carol")
    slow.deliver(b'{"of":"bob","again":true}', coalesce_key="bob")
    reads_again(slow)
    assert [frame["of"] for frame in socket_of(slow).frames] == ["carol", "bob"]


def test_what_waits_comes_before_a_later_frame_once_there_is_room(slow: Session) -> None:
    slow.deliver(b'{"of":"bob"}', coalesce_key="bob")
    socket_of(slow).buffered_bytes = 0
    slow.deliver(b'{"of":"carol"}', coalesce_key="carol")
    assert [frame["of"] for frame in socket_of(slow).frames] == ["bob", "carol"]


def test_nothing_is_released_while_the_socket_is_slow(slow: Session) -> None:
    slow.deliver(b'{"of":"bob"}', coalesce_key="bob")
    slow.release_held()
    assert socket_of(slow).sent == []


def test_a_fast_socket_gets_what_can_be_replaced_at_once(world: World) -> None:
    session = world.connected()
    session.deliver(b'{"of":"bob"}', coalesce_key="bob")
    assert seqs(session) == [1]


def test_what_waited_for_a_slow_socket_reaches_the_next_one(slow: Session, world: World) -> None:
    slow.deliver(b'{"of":"bob"}', coalesce_key="bob")
    lose(slow, world)
    world.hub.attach(slow, world.accepted())
    assert seqs(slow) == [1]


def test_what_waited_for_a_slow_socket_reaches_the_one_that_takes_over(slow: Session, world: World) -> None:
    slow.deliver(b'{"of":"bob"}', coalesce_key="bob")
    world.hub.attach(slow, world.accepted())
    assert seqs(slow) == [1]


# ── sockets come and go ──


def test_each_socket_is_a_new_generation(world: World) -> None:
    session = world.connected()
    world.hub.attach(session, world.accepted())
    assert session.generation == 2


def test_a_session_knows_when_its_newest_socket_came(world: World) -> None:
    session = world.connected()
    world.clock.move(7)
    world.hub.attach(session, world.accepted())
    assert session.taken_at_s == world.clock.monotonic()


def test_a_takeover_returns_the_older_socket(world: World) -> None:
    session = world.connected()
    older = session.connection
    assert session.attach(world.accepted()) is older


def test_a_first_socket_replaces_none(world: World) -> None:
    assert world.admitted().attach(world.accepted()) is None


def test_a_lost_socket_starts_the_window(world: World) -> None:
    session = world.connected()
    lose(session, world)
    assert (session.connection, session.detached_at_s) == (None, world.clock.monotonic())


def test_a_late_loss_of_an_older_socket_changes_nothing(world: World) -> None:
    session = world.connected()
    older = session.connection
    newer = world.accepted()
    session.attach(newer)
    assert older is not None and not session.detach(older, world.clock.monotonic())
    assert (session.connection, session.detached_at_s) == (newer, None)


def test_a_session_is_stale_when_its_window_is_over(world: World) -> None:
    session = world.admitted(window_s=30)
    session.attach(world.accepted())
    lose(session, world)
    now_s = world.clock.monotonic()
    assert [session.is_stale(now_s + passed_s) for passed_s in (0.0, 29.9, 30.0)] == [False, False, True]


def test_a_session_with_a_socket_is_never_stale(world: World) -> None:
    assert not world.connected().is_stale(world.clock.monotonic() + 1e6)


# ── each id is done once ──


def test_an_id_that_was_never_seen_is_new(world: World) -> None:
    assert world.connected().is_new("1", 0.0)


def test_an_answer_is_sent(world: World) -> None:
    session = world.connected()
    session.answer("1", b'{"type":"ack","id":"1"}', 0.0)
    assert socket_of(session).sent == [b'{"type":"ack","id":"1"}']


def test_an_id_that_was_answered_is_answered_again(world: World) -> None:
    session = world.connected()
    session.answer("1", b'{"type":"ack","id":"1"}', 0.0)
    assert not session.is_new("1", 60.0)
    assert socket_of(session).sent == [b'{"type":"ack","id":"1"}'] * 2


def test_an_id_is_answered_again_after_a_resume(world: World) -> None:
    session = world.connected()
    session.answer("1", b'{"type":"ack","id":"1"}', 0.0)
    lose(session, world)
    world.hub.attach(session, world.accepted())
    session.is_new("1", 60.0)
    assert socket_of(session).sent == [b'{"type":"ack","id":"1"}']


def test_an_answer_without_a_socket_waits_for_the_repetition(world: World) -> None:
    session = world.admitted()
    session.answer("1", b'{"type":"ack","id":"1"}', 0.0)
    world.hub.attach(session, world.accepted())
    assert not session.is_new("1", 1.0)
    assert socket_of(session).types == ["ack"]


def test_an_id_is_forgotten_after_its_window(world: World) -> None:
    session = world.connected()
    session.answer("1", b"{}", 0.0)
    assert (session.is_new("1", 119.9), session.is_new("1", 120.0)) == (False, True)


def test_forgetting_keeps_what_is_younger(world: World) -> None:
    session = world.connected()
    session.answer("old", b"{}", 0.0)
    session.answer("young", b"{}", 60.0)
    assert (session.is_new("old", 130.0), session.is_new("young", 130.0)) == (True, False)


def test_all_that_was_answered_is_forgotten_in_time(world: World) -> None:
    session = world.connected()
    for number in range(50):
        session.answer(str(number), b"{}", 0.0)
    assert session.is_new("another", 500.0) and not session._answers


def test_an_id_that_is_worked_on_is_not_new_and_not_answered_yet(world: World) -> None:
    session = world.connected()
    session.begin("1")
    assert (session.is_new("1", 0.0), session.is_busy, socket_of(session).sent) == (False, True, [])


def test_an_answer_ends_the_work(world: World) -> None:
    session = world.connected()
    session.begin("1")
    session.answer("1", b"{}", 0.0)
    assert not session.is_busy


def test_an_id_that_was_refused_for_a_passing_reason_is_new_again(world: World) -> None:
    session = world.connected()
    session.begin("1")
    session.forget("1")
    assert session.is_new("1", 0.0)
