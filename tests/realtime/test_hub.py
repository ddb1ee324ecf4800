"""The hub: who is connected, and who may come back."""

from __future__ import annotations

import asyncio

import pytest

from server.close_codes import REGISTRY, CloseCode
from server.realtime.bus import SIGN_INS, PresenceNews, SignInsEnded, ToDevices, user_topic
from server.realtime.connection import Connection
from server.realtime.hub import RETIRE_WITHIN_S
from server.realtime.session import Session
from tests.helpers import ALICE, BOB, identity, until
from tests.realtime.fakes import WINDOW_S, World, socket_of

KEPT = [code for code in CloseCode if REGISTRY[code].session_kept]
FREED = [code for code in CloseCode if not REGISTRY[code].session_kept]


def name(code: CloseCode) -> str:
    return code.name.lower()


@pytest.fixture
def world() -> World:
    return World()


def socket(session: Session) -> Connection:
    assert session.connection is not None
    return session.connection


# ── looking ──


def test_a_session_is_found_by_its_id(world: World) -> None:
    session = world.connected()
    assert world.hub.get(session.id) is session


def test_an_unknown_id_finds_nothing(world: World) -> None:
    assert world.hub.get("unknown") is None


def test_the_sessions_of_a_person_are_theirs_alone(world: World) -> None:
    mine = world.connected(identity(ALICE))
    world.connected(identity(BOB))
    assert world.hub.sessions_of(ALICE.id) == [mine]


def test_only_inboxes_ring(world: World) -> None:
    device = world.connected()
    world.connected(kind="call", resource="a call")
    assert world.hub.devices_of(ALICE.id) == [device]


def test_a_device_that_may_yet_come_back_still_rings(world: World) -> None:
    device = world.connected()
    world.hub.lost(socket(device), CloseCode.GOING_AWAY)
    assert world.hub.devices_of(ALICE.id) == [device]


def test_all_sessions_can_be_walked_while_they_go(world: World) -> None:
    for _ in range(3):
        world.connected()
    for session in world.hub.sessions():
        world.hub.drop(session, CloseCode.NORMAL)
    assert len(world.hub) == 0


def test_a_person_may_have_so_many_sockets_and_no_more() -> None:
    world = World(max_per_user=2)
    world.connected()
    assert world.hub.has_room_for(ALICE.id)
    world.connected()
    assert not world.hub.has_room_for(ALICE.id)


def test_a_socket_that_is_just_being_let_in_takes_room() -> None:
    world = World(max_per_user=1)
    world.admitted()
    assert not world.hub.has_room_for(ALICE.id)


def test_a_lost_socket_takes_no_room() -> None:
    world = World(max_per_user=1)
    world.hub.lost(socket(world.connected()), CloseCode.GOING_AWAY)
    assert world.hub.has_room_for(ALICE.id)


def test_the_sockets_of_others_take_no_room() -> None:
    world = World(max_per_user=1)
    world.connected(identity(BOB))
    assert world.hub.has_room_for(ALICE.id)


# ── coming ──


def test_a_socket_carries_its_session(world: World) -> None:
    session, connection = world.admitted(), world.accepted()
    world.hub.attach(session, connection)
    assert (session.connection, connection.session) == (connection, session)


def test_the_watcher_hears_of_a_socket_that_has_come(world: World) -> None:
    session = world.connected()
    assert world.watcher.heard == [("attached", session, None)]


def test_a_newer_socket_closes_the_older_one(world: World) -> None:
    session = world.connected()
    older = socket_of(session)
    world.hub.attach(session, world.accepted())
    assert (older.types, older.closed) == (["bye"], (4504, REGISTRY[CloseCode.REPLACED].message))


def test_the_newer_socket_gets_what_is_said_from_now_on(world: World) -> None:
    session = world.connected()
    older = socket_of(session)
    world.hub.attach(session, world.accepted())
    session.deliver(b'{"type":"call"}')
    assert (older.types, socket_of(session).types) == (["bye"], ["call"])


def test_a_late_loss_of_the_older_socket_changes_nothing(world: World) -> None:
    session = world.connected()
    older = socket(session)
    world.hub.attach(session, world.accepted())
    world.hub.lost(older, CloseCode.GOING_AWAY)
    assert (session.connection is None, world.watcher.events) == (False, ["attached", "attached"])


def test_a_late_loss_of_a_socket_without_a_session_is_no_error(world: World) -> None:
    world.hub.lost(world.accepted(), CloseCode.GOING_AWAY)
    assert world.watcher.heard == []


# ── going ──


@pytest.mark.parametrize("code", KEPT, ids=name)
def test_a_socket_closed_for_a_passing_reason_leaves_its_session(world: World, code: CloseCode) -> None:
    session = world.connected()
    world.hub.close(socket(session), code)
    assert (world.hub.get(session.id), session.over, session.connection) == (session, False, None)
    assert world.watcher.heard[-1] == ("detached", session, None)


@pytest.mark.parametrize("code", FREED, ids=name)
def test_a_socket_closed_for_good_takes_its_session_along(world: World, code: CloseCode) -> None:
    session = world.connected()
    world.hub.close(socket(session), code)
    assert (world.hub.get(session.id), session.over, session.connection) == (None, True, None)
    assert world.watcher.heard[-1] == ("over", session, code)


def test_without_a_resume_window_every_loss_is_for_good(world: World) -> None:
    session = world.admitted(window_s=0)
    world.hub.attach(session, world.accepted())
    world.hub.lost(socket(session), CloseCode.GOING_AWAY)
    assert session.over


def test_the_session_is_free_before_the_socket_is_gone(world: World) -> None:
    session = world.connected()
    connection = socket(session)
    world.hub.close(connection, CloseCode.DRAINING)
    session.deliver(b'{"type":"call"}')
    assert (socket_of(connection).types, socket_of(connection).dropped_after_close) == (["bye"], 0)


def test_a_close_says_when_to_come_back(world: World) -> None:
    session = world.connected()
    transport = socket_of(session)
    world.hub.close(socket(session), CloseCode.DRAINING, retry_after_ms=700)
    assert transport.frames[0]["retry_after_ms"] == 700


def test_a_second_close_changes_nothing(world: World) -> None:
    session = world.connected()
    connection = socket(session)
    world.hub.close(connection, CloseCode.DRAINING)
    world.hub.close(connection, CloseCode.SIGNED_OUT)
    assert (session.over, world.watcher.events) == (False, ["attached", "detached"])


def test_the_end_of_a_socket_leaves_its_record(world: World) -> None:
    connection = world.accepted()
    world.hub.connections.add(connection)
    world.hub.closed(connection)
    assert (world.records, world.hub.connections) == ([connection], set())


def test_a_dropped_session_closes_its_socket(world: World) -> None:
    session = world.connected()
    transport = socket_of(session)
    world.hub.drop(session, CloseCode.SIGNED_OUT)
    assert (transport.types, transport.closed) == (["bye"], (4506, "This sign-in has ended."))


def test_a_session_is_dropped_once(world: World) -> None:
    session = world.connected()
    world.hub.drop(session, CloseCode.NORMAL)
    world.hub.drop(session, CloseCode.SIGNED_OUT)
    assert world.watcher.heard[1:] == [("over", session, CloseCode.NORMAL)]


def test_a_dropped_session_is_known_nowhere(world: World) -> None:
    world.hub.drop(world.connected(), CloseCode.NORMAL)
    assert (len(world.hub), world.hub.sessions_of(ALICE.id), world.hub._by_user, world.hub._by_sign_in) == (
        0,
        [],
        {},
        {},
    )


def test_opening_and_closing_leaves_nothing_behind(world: World) -> None:
    topics = len(world.bus)
    for number in range(2000):
        world.hub.close(socket(world.connected(identity(ALICE, f"sign-in {number}"))), CloseCode.NORMAL)
    assert (len(world.hub), len(world.hub._by_sign_in), len(world.hub._detached), len(world.bus)) == (0, 0, 0, topics)


# ── coming back ──


def test_a_sweep_drops_a_session_whose_window_is_over(world: World) -> None:
    session = world.connected()
    world.hub.lost(socket(session), CloseCode.GOING_AWAY)
    world.clock.move(WINDOW_S)
    assert (world.hub.sweep(), session.over, world.hub.get(session.id)) == (1, True, None)


def test_a_sweep_leaves_a_session_whose_window_is_not_over(world: World) -> None:
    session = world.connected()
    world.hub.lost(socket(session), CloseCode.GOING_AWAY)
    world.clock.move(WINDOW_S - 0.001)
    assert (world.hub.sweep(), session.over) == (0, False)


def test_a_sweep_leaves_a_session_that_has_come_back(world: World) -> None:
    session = world.connected()
    world.hub.lost(socket(session), CloseCode.GOING_AWAY)
    world.hub.attach(session, world.accepted())
    world.clock.move(WINDOW_S)
    assert (world.hub.sweep(), session.over) == (0, False)


def test_a_sweep_leaves_a_session_that_is_just_coming_back(world: World) -> None:
    session = world.connected()
    world.hub.lost(socket(session), CloseCode.GOING_AWAY)
    assert world.hub.claim(session)
    world.clock.move(WINDOW_S)
    assert (world.hub.sweep(), session.over) == (0, False)


def test_one_who_did_not_arrive_after_all_has_the_window_anew(world: World) -> None:
    session = world.connected()
    world.hub.lost(socket(session), CloseCode.GOING_AWAY)
    world.hub.claim(session)
    world.clock.move(WINDOW_S)
    world.hub.release(session)
    world.clock.move(WINDOW_S - 1)
    assert world.hub.sweep() == 0
    world.clock.move(1)
    assert world.hub.sweep() == 1


def test_one_who_arrived_otherwise_is_not_released(world: World) -> None:
    session = world.connected()
    world.hub.claim(session)
    world.hub.release(session)
    assert session.detached_at_s is None


def test_a_session_that_is_over_cannot_be_claimed(world: World) -> None:
    session = world.connected()
    world.hub.drop(session, CloseCode.NORMAL)
    assert not world.hub.claim(session)


def test_a_session_that_is_over_is_not_released(world: World) -> None:
    session = world.connected()
    world.hub.drop(session, CloseCode.NORMAL)
    world.hub.release(session)
    world.clock.move(WINDOW_S)
    assert world.hub.sweep() == 0


# ── another sign-in ──


def test_a_session_that_comes_back_with_another_sign_in_ends_with_that_one(world: World) -> None:
    session = world.connected(identity(ALICE, "old"))
    world.hub.rebind(session, identity(ALICE, "new"))
    world.bus.publish(SIGN_INS, SignInsEnded(("new",)))
    assert session.over


def test_a_session_that_came_back_with_another_sign_in_outlives_the_old_one(world: World) -> None:
    session = world.connected(identity(ALICE, "old"))
    world.hub.rebind(session, identity(ALICE, "new"))
    world.bus.publish(SIGN_INS, SignInsEnded(("old",)))
    assert (session.over, session.who.sign_in_id) == (False, "new")


def test_a_session_that_changed_its_sign_in_is_forgotten_whole(world: World) -> None:
    session = world.connected(identity(ALICE, "old"))
    world.hub.rebind(session, identity(ALICE, "new"))
    world.hub.drop(session, CloseCode.NORMAL)
    assert world.hub._by_sign_in == {}


# ── retiring ──


@pytest.mark.gen_test
async def test_a_retired_session_is_dropped_once_its_last_frame_is_answered(world: World) -> None:
    session = world.connected()
    transport = socket_of(session)
    session.begin("1")
    world.hub.retire(session, CloseCode.NORMAL)
    await asyncio.sleep(0)
    session.answer("1", b'{"type":"ack"}', world.clock.monotonic())
    await until(lambda: session.over)
    assert transport.types == ["ack", "bye"]


@pytest.mark.gen_test
async def test_a_retired_session_waits_for_no_answer_for_ever(world: World) -> None:
    session = world.connected()
    session.begin("1")
    world.hub.retire(session, CloseCode.NORMAL)
    world.clock.move(RETIRE_WITHIN_S)
    await until(lambda: session.over)


@pytest.mark.gen_test
async def test_a_retired_session_says_bye_after_what_is_being_said(world: World) -> None:
    session = world.connected()
    transport = socket_of(session)
    world.hub.retire(session, CloseCode.NORMAL)
    session.deliver(b'{"type":"ended"}')
    await until(lambda: session.over)
    assert transport.types == ["ended", "bye"]


# ── news ──


def test_a_message_to_a_person_reaches_all_their_devices(world: World) -> None:
    sessions = [world.connected() for _ in range(3)]
    world.bus.publish(user_topic(ALICE.id), ToDevices(ALICE.id, b'{"type":"call"}'))
    assert [socket_of(session).types for session in sessions] == [["call"]] * 3


def test_a_message_to_a_person_does_not_reach_the_rooms_they_are_in(world: World) -> None:
    room = world.connected(kind="call", resource="a call")
    world.connected()
    world.bus.publish(user_topic(ALICE.id), ToDevices(ALICE.id, b'{"type":"call"}'))
    assert socket_of(room).sent == []


def test_a_message_to_a_person_does_not_reach_others(world: World) -> None:
    bob = world.connected(identity(BOB))
    world.connected(identity(ALICE))
    world.bus.publish(user_topic(ALICE.id), ToDevices(ALICE.id, b'{"type":"call"}'))
    assert socket_of(bob).sent == []


def test_a_message_waits_for_a_device_that_comes_back(world: World) -> None:
    session = world.connected()
    world.hub.lost(socket(session), CloseCode.GOING_AWAY)
    world.bus.publish(user_topic(ALICE.id), ToDevices(ALICE.id, b'{"type":"call"}'))
    assert session.replay(0) == [b'{"seq":1,"type":"call"}']


@pytest.mark.parametrize("acted", ["session", "sign-in"])
def test_the_device_that_acted_is_skipped(world: World, acted: str) -> None:
    one, other = world.connected(identity(ALICE, "one")), world.connected(identity(ALICE, "other"))
    skip = one.id if acted == "session" else "one"
    world.bus.publish(user_topic(ALICE.id), ToDevices(ALICE.id, b'{"type":"incoming_stopped"}', skip=skip))
    assert (socket_of(one).types, socket_of(other).types) == ([], ["incoming_stopped"])


@pytest.mark.parametrize("acted", ["session", "sign-in"])
def test_only_the_device_that_acted_is_told(world: World, acted: str) -> None:
    one, other = world.connected(identity(ALICE, "one")), world.connected(identity(ALICE, "other"))
    only = one.id if acted == "session" else "one"
    world.bus.publish(user_topic(ALICE.id), ToDevices(ALICE.id, b'{"type":"call"}', only=only))
    assert (socket_of(one).types, socket_of(other).types) == (["call"], [])


def test_another_kind_of_message_is_not_for_devices(world: World) -> None:
    session = world.connected()
    world.bus.publish(user_topic(ALICE.id), PresenceNews(ALICE.id))
    assert socket_of(session).sent == []


def test_the_last_device_that_goes_no_longer_listens(world: World) -> None:
    one, other = world.connected(), world.connected()
    topics = len(world.bus)
    world.hub.drop(one, CloseCode.NORMAL)
    assert len(world.bus) == topics
    world.hub.drop(other, CloseCode.NORMAL)
    assert len(world.bus) == topics - 1


def test_a_sign_in_that_ends_closes_all_its_sockets(world: World) -> None:
    sessions = [world.connected(), world.connected(kind="call", resource="a call")]
    transports = [socket_of(session) for session in sessions]
    world.bus.publish(SIGN_INS, SignInsEnded((sessions[0].who.sign_in_id,)))
    assert [transport.closed and transport.closed[0] for transport in transports] == [4506, 4506]


def test_a_sign_in_that_ends_takes_lost_sessions_along(world: World) -> None:
    session = world.connected()
    world.hub.lost(socket(session), CloseCode.GOING_AWAY)
    world.bus.publish(SIGN_INS, SignInsEnded((session.who.sign_in_id,)))
    assert (session.over, world.hub.get(session.id)) == (True, None)


def test_a_sign_in_that_ends_leaves_the_persons_others(world: World) -> None:
    other = world.connected(identity(ALICE, "another"))
    world.connected(identity(ALICE, "this one"))
    world.bus.publish(SIGN_INS, SignInsEnded(("this one", "unknown")))
    assert (other.over, other.connection is None) == (False, False)
