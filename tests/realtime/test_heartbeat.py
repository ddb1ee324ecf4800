"""The heartbeat: any byte is life, silence is noticed, and no client goes unspoken-to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.realtime.connection import Connection
from server.realtime.frames import numbered
from server.realtime.heartbeat import TICK_S, HeartbeatWheel, note_pong
from server.wire import rfc3339
from tests.helpers import property_of
from tests.realtime.fakes import LIMITS, ListTransport, World, socket_of

INTERVAL_S, TIMEOUT_S, MAX_BLOCKED_S = 10.0, 4.0, 10.0


class Pulse(World):
    """A wheel that ticks as the job does, and what it found."""

    def __init__(self, phase_s: float = 0.0) -> None:
        super().__init__()
        self.silent: list[Connection] = []
        self.slow: list[Connection] = []
        self.wheel = HeartbeatWheel(
            TIMEOUT_S, MAX_BLOCKED_S, lambda: rfc3339(self.clock.now()), self.silent.append, self.slow.append
        )
        self.clock.move(phase_s)
        self.tick()

    @property
    def now_s(self) -> float:
        return self.clock.monotonic()

    def watched(self, interval_s: float = INTERVAL_S) -> tuple[Connection, ListTransport]:
        """A socket that the wheel watches."""
        connection = self.accepted(interval_s=interval_s)
        self.wheel.add(connection, self.now_s)
        return connection, socket_of(connection)

    def tick(self) -> None:
        self.wheel.tick(self.now_s)

    def pass_by(self, seconds: float, alive: ListTransport | None = None) -> None:
        """Lets time pass tick by tick; the client of `alive` answers all the while."""
        for _ in range(round(seconds / TICK_S)):
            self.clock.move(TICK_S)
            if alive is not None:
                alive.last_received = self.now_s
            self.tick()


@pytest.fixture
def pulse() -> Pulse:
    return Pulse()


def test_a_client_is_pinged_within_its_interval(pulse: Pulse) -> None:
    _, transport = pulse.watched()
    pulse.pass_by(INTERVAL_S)
    assert len(transport.pings) == 1


def test_a_client_that_answers_is_pinged_every_interval(pulse: Pulse) -> None:
    _, transport = pulse.watched()
    pulse.pass_by(10 * INTERVAL_S, alive=transport)
    assert 10 <= len(transport.pings) <= 11


def test_a_client_that_nobody_speaks_to_gets_a_ping_it_can_see(pulse: Pulse) -> None:
    _, transport = pulse.watched()
    pulse.pass_by(INTERVAL_S)
    assert transport.types == ["ping"]


def test_the_ping_says_when_it_was_made(pulse: Pulse) -> None:
    _, transport = pulse.watched()
    pulse.pass_by(INTERVAL_S)
    assert transport.frames[0]["timestamp"].startswith("2026-11-20T05:12:")


def test_a_client_that_is_spoken_to_gets_no_ping_it_can_see(pulse: Pulse) -> None:
    connection, transport = pulse.watched()
    for _ in range(6):
        pulse.pass_by(INTERVAL_S / 2, alive=transport)
        connection.send(numbered(1, b'{"type":"call"}'))
    assert set(transport.types) == {"call"}


def test_a_client_that_speaks_is_pinged_all_the_same(pulse: Pulse) -> None:
    _, transport = pulse.watched()
    pulse.pass_by(3 * INTERVAL_S, alive=transport)
    assert len(transport.pings) == 3


def test_silence_past_interval_and_timeout_is_noticed(pulse: Pulse) -> None:
    connection, _ = pulse.watched()
    pulse.pass_by(INTERVAL_S + TIMEOUT_S + TICK_S)
    assert pulse.silent == [connection]


def test_silence_up_to_interval_and_timeout_is_no_fault(pulse: Pulse) -> None:
    pulse.watched()
    pulse.pass_by(INTERVAL_S + TIMEOUT_S - TICK_S)
    assert pulse.silent == []


def test_a_silent_client_is_noticed_once(pulse: Pulse) -> None:
    connection, _ = pulse.watched()
    pulse.pass_by(10 * INTERVAL_S)
    assert pulse.silent == [connection]


def test_any_byte_is_life(pulse: Pulse) -> None:
    _, transport = pulse.watched()
    pulse.pass_by(10 * INTERVAL_S, alive=transport)
    assert pulse.silent == []


def test_a_connection_that_closes_is_left_alone(pulse: Pulse) -> None:
    _, transport = pulse.watched()
    transport.client_leaves()
    pulse.pass_by(10 * INTERVAL_S)
    assert (pulse.silent, transport.sent, transport.pings) == ([], [], [])


def test_a_connection_that_closes_is_forgotten(pulse: Pulse) -> None:
    _, transport = pulse.watched()
    transport.client_leaves()
    pulse.pass_by(2 * INTERVAL_S)
    assert not pulse.wheel._slots


def test_a_connection_that_is_gone_is_forgotten_at_once(pulse: Pulse) -> None:
    connection, transport = pulse.watched()
    transport.blocked_since = pulse.now_s
    pulse.wheel.watch_blocked(connection)
    pulse.wheel.remove(connection)
    assert (len(pulse.wheel), pulse.wheel._slots, pulse.wheel._blocked) == (0, {}, set())


def test_forgetting_one_connection_leaves_those_that_are_due_with_it(pulse: Pulse) -> None:
    gone, other = pulse.watched()[0], pulse.watched()[0]
    pulse.wheel.remove(gone)
    assert len(pulse.wheel) == 1
    pulse.pass_by(2 * (INTERVAL_S + TIMEOUT_S))
    assert pulse.silent == [other]


def test_forgetting_a_connection_twice_is_no_error(pulse: Pulse) -> None:
    connection, _ = pulse.watched()
    pulse.wheel.remove(connection)
    pulse.wheel.remove(connection)
    assert len(pulse.wheel) == 0


def test_a_connection_that_was_looked_at_can_be_forgotten(pulse: Pulse) -> None:
    connection, transport = pulse.watched()
    pulse.pass_by(3 * INTERVAL_S, alive=transport)
    pulse.wheel.remove(connection)
    assert len(pulse.wheel) == 0


def test_each_connection_has_its_own_interval(pulse: Pulse) -> None:
    _, quick = pulse.watched(interval_s=10)
    _, steady = pulse.watched(interval_s=25)
    for _ in range(50):
        quick.last_received = steady.last_received = pulse.now_s
        pulse.pass_by(2 * TICK_S)
    assert (len(quick.pings), len(steady.pings)) == (5, 2)


def test_ticks_that_were_missed_are_made_up_for(pulse: Pulse) -> None:
    connection, _ = pulse.watched()
    pulse.clock.move(1000)
    pulse.tick()
    assert pulse.silent == [connection]


def test_a_connection_from_before_the_first_tick_is_not_forgotten() -> None:
    world = World()
    silent: list[Connection] = []
    wheel = HeartbeatWheel(TIMEOUT_S, MAX_BLOCKED_S, str, silent.append, silent.append)
    connection = world.accepted(interval_s=0.05)
    wheel.add(connection, world.clock.monotonic())
    world.clock.move(INTERVAL_S)
    wheel.tick(world.clock.monotonic())
    assert silent == [connection]


def test_two_ticks_at_one_time_are_one(pulse: Pulse) -> None:
    _, transport = pulse.watched()
    pulse.pass_by(INTERVAL_S)
    pulse.tick()
    assert len(transport.pings) == 1


class Timeline(Pulse):
    """A wheel whose ticks go on while things happen between them; each tick is judged."""

    def __init__(self, phase_s: float, joined_s: float) -> None:
        super().__init__(phase_s)
        self.ticked_s = self.now_s
        self.clock.move(joined_s)
        self.connection, self.transport = self.watched()
        self.spoken_s = self.heard_s = self.now_s

    def pass_until(self, until_s: float) -> None:
        """Ticks up to then, as long as the client is not given up."""
        while self.ticked_s + TICK_S <= until_s and not self.silent:
            self.ticked_s += TICK_S
            self.clock.move(self.ticked_s - self.now_s)
            self._judged_tick()
        self.clock.move(max(0.0, until_s - self.now_s))

    def _judged_tick(self) -> None:
        said, pinged_s = len(self.transport.sent), self.connection.last_ping_s
        self.tick()
        dead_after_s = INTERVAL_S + TIMEOUT_S
        if self.silent:
            assert self.now_s - self.heard_s >= dead_after_s - 1e-6, "a living client was given up"
        else:
            assert self.now_s - self.heard_s < dead_after_s + 2 * TICK_S, "a dead client lives on"
            assert self.now_s - self.spoken_s <= INTERVAL_S + 1e-6, "nothing was said for longer than the interval"
            assert self.now_s - pinged_s <= INTERVAL_S + 1e-6, "no ping for longer than the interval"
        if len(self.transport.sent) > said:
            self.spoken_s = self.now_s

    def hear(self) -> None:
        """The client sends something."""
        self.transport.last_received = self.heard_s = self.now_s

    def say(self) -> None:
        """The server sends something."""
        self.connection.send(b"{}")
        self.spoken_s = self.now_s


@property_of(600)
@given(
    phase_s=st.floats(0, TICK_S),
    joined_s=st.floats(0, TICK_S * 0.99),
    steps=st.lists(st.tuples(st.floats(0, 2 * INTERVAL_S), st.sampled_from(["hear", "say", "both"])), max_size=12),
)
def test_no_client_goes_unspoken_to_and_no_dead_one_lives_on(
    phase_s: float, joined_s: float, steps: list[tuple[float, str]]
) -> None:
    time = Timeline(phase_s, joined_s)
    for wait_s, event in steps:
        time.pass_until(time.now_s + wait_s)
        if event in ("hear", "both") and not time.silent:
            time.hear()
        if event in ("say", "both"):
            time.say()
    time.pass_until(time.now_s + 2 * (INTERVAL_S + TIMEOUT_S))
    assert time.silent == [time.connection]


# ── slow readers ──


def test_a_socket_that_is_blocked_too_long_is_slow(pulse: Pulse) -> None:
    connection, transport = pulse.watched()
    transport.blocked_since = pulse.now_s
    pulse.wheel.watch_blocked(connection)
    pulse.pass_by(MAX_BLOCKED_S, alive=transport)
    assert pulse.slow == [connection]


def test_a_socket_that_is_blocked_for_a_while_is_not_slow(pulse: Pulse) -> None:
    connection, transport = pulse.watched()
    transport.blocked_since = pulse.now_s
    pulse.wheel.watch_blocked(connection)
    pulse.pass_by(MAX_BLOCKED_S - TICK_S, alive=transport)
    assert pulse.slow == []


def test_a_slow_socket_is_reported_once(pulse: Pulse) -> None:
    connection, transport = pulse.watched()
    transport.blocked_since = pulse.now_s
    pulse.wheel.watch_blocked(connection)
    pulse.pass_by(3 * MAX_BLOCKED_S, alive=transport)
    assert pulse.slow == [connection]


def test_a_socket_that_drained_is_watched_no_longer(pulse: Pulse) -> None:
    connection, transport = pulse.watched()
    transport.blocked_since = pulse.now_s
    pulse.wheel.watch_blocked(connection)
    pulse.pass_by(1, alive=transport)
    transport.blocked_since = None
    pulse.pass_by(1, alive=transport)
    assert (pulse.slow, pulse.wheel._blocked) == ([], set())


def test_a_blocked_socket_that_closes_is_not_slow(pulse: Pulse) -> None:
    connection, transport = pulse.watched()
    transport.blocked_since = pulse.now_s
    pulse.wheel.watch_blocked(connection)
    transport.client_leaves()
    pulse.pass_by(2 * MAX_BLOCKED_S)
    assert pulse.slow == []


def test_what_waited_for_a_blocked_socket_goes_out_when_it_has_drained(pulse: Pulse) -> None:
    session = pulse.connected()
    transport = socket_of(session)
    transport.buffered_bytes, transport.blocked_since = LIMITS.coalesce_bytes + 1, pulse.now_s
    session.deliver(b'{"type":"presence"}', coalesce_key="bob")
    assert session.connection is not None
    pulse.wheel.watch_blocked(session.connection)
    transport.buffered_bytes, transport.blocked_since = 0, None
    pulse.pass_by(TICK_S)
    assert transport.types == ["presence"]


# ── round-trip time ──


def test_the_pong_tells_the_round_trip_time(pulse: Pulse) -> None:
    connection, transport = pulse.watched()
    pulse.pass_by(INTERVAL_S)
    (sent_s,) = transport.pings
    note_pong(connection, sent_s, float(sent_s) + 0.0875)
    assert connection.rtt_ms == pytest.approx(87.5, abs=0.1)


@pytest.mark.parametrize("payload", [b"", b"hello", b"\xff\xfe", b"nan", b"inf", b"-1e99", b"99999999"])
def test_a_pong_to_no_ping_of_ours_tells_nothing(pulse: Pulse, payload: bytes) -> None:
    connection, _ = pulse.watched()
    note_pong(connection, payload, pulse.now_s)
    assert connection.rtt_ms is None
