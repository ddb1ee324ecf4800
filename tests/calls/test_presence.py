"""Who is there, as those who watch see it."""

from __future__ import annotations

import pytest

from server.calls.presence import GRACE_S, PresenceBoard
from server.calls.quiet_hours import QuietHours
from server.close_codes import CloseCode
from server.realtime.bus import PRESENCE, ToDevices
from server.realtime.session import Session
from tests.helpers import ALICE, BOB, CAROL, identity
from tests.realtime.fakes import World, socket_of

NOW = QuietHours("05:00", "06:00", "UTC")
"""It is 05:12 in these tests."""
SOON = QuietHours("06:00", "07:30", "UTC")


class Board(World):
    """A world with a presence board, in which Alice watches."""

    def __init__(self) -> None:
        super().__init__()
        self.presence = PresenceBoard(self.hub, self.bus, self.clock)
        self.alice = self.connected(identity(ALICE))

    def comes(
        self, do_not_disturb: bool = False, *, device: str = "telephone", quiet_hours: QuietHours | None = None
    ) -> Session:
        """A device of Bob's connects."""
        session = self.connected(identity(BOB, device))
        self.presence.came(BOB.id, do_not_disturb, quiet_hours)
        return session

    def goes(self, session: Session) -> None:
        """The device is gone, perhaps for a moment."""
        assert session.connection is not None
        self.hub.lost(session.connection, CloseCode.GOING_AWAY)
        self.presence.went(BOB.id)

    def pass_by(self, seconds: float) -> None:
        """Time passes, and the sweep comes."""
        self.clock.move(seconds)
        self.presence.sweep()

    @property
    def seen(self) -> list[str]:
        """The states of Bob that Alice was told."""
        return [frame["state"] for frame in socket_of(self.alice).frames if frame["user_id"] == BOB.id]


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def watched(board: Board) -> Board:
    board.presence.watch(board.alice, [BOB.id])
    return board


# ── states ──


def test_one_without_a_device_is_offline(board: Board) -> None:
    assert board.presence.state(BOB.id) == "offline"


def test_one_with_a_device_is_online(board: Board) -> None:
    board.comes()
    assert (board.presence.state(BOB.id), board.presence.is_online(BOB.id)) == ("online", True)


def test_one_whose_device_left_a_moment_ago_is_online(board: Board) -> None:
    board.goes(board.comes())
    board.clock.move(GRACE_S - 0.1)
    assert board.presence.is_online(BOB.id)


def test_one_whose_device_left_a_while_ago_is_offline(board: Board) -> None:
    board.goes(board.comes())
    board.clock.move(GRACE_S)
    assert board.presence.state(BOB.id) == "offline"


def test_one_who_is_just_coming_back_is_online(board: Board) -> None:
    session = board.comes()
    board.goes(session)
    board.clock.move(GRACE_S + 1)
    board.hub.claim(session)
    assert board.presence.is_online(BOB.id)


def test_one_in_the_room_of_a_call_is_in_it(board: Board) -> None:
    board.comes()
    board.connected(identity(BOB), kind="call", resource="a call")
    assert board.presence.state(BOB.id) == "in_call"


def test_one_in_a_call_without_any_device_that_rings_is_in_it(board: Board) -> None:
    board.connected(identity(BOB), kind="call", resource="a call")
    assert board.presence.state(BOB.id) == "in_call"


def test_do_not_disturb_is_seen(board: Board) -> None:
    board.comes(do_not_disturb=True)
    assert board.presence.state(BOB.id) == "do_not_disturb"


def test_do_not_disturb_of_one_who_is_not_there_is_not_seen(board: Board) -> None:
    assert board.presence.state(BOB.id, wants_quiet=True) == "offline"


def test_what_was_just_read_counts_more_than_what_was_heard(board: Board) -> None:
    board.comes(do_not_disturb=True)
    assert board.presence.state(BOB.id, wants_quiet=False) == "online"


def test_do_not_disturb_ends(board: Board) -> None:
    board.comes(do_not_disturb=True)
    board.presence.changed(BOB.id, False)
    assert board.presence.state(BOB.id) == "online"


@pytest.mark.parametrize(("hours", "state"), [(NOW, "do_not_disturb"), (SOON, "online")])
def test_quiet_hours_are_do_not_disturb_while_they_last(board: Board, hours: QuietHours, state: str) -> None:
    board.comes(quiet_hours=hours)
    assert board.presence.state(BOB.id) == state


def test_quiet_hours_that_are_given_up_are_over(board: Board) -> None:
    board.comes(quiet_hours=NOW)
    board.presence.changed(BOB.id, False, None)
    assert board.presence.state(BOB.id) == "online"


# ── away ──


def test_one_whose_device_is_not_used_is_away(board: Board) -> None:
    board.presence.set_idle(board.comes(), True)
    assert (board.presence.state(BOB.id), board.presence.is_online(BOB.id)) == ("away", True)


def test_one_who_uses_the_device_again_is_online(board: Board) -> None:
    session = board.comes()
    for idle in (True, False):
        board.presence.set_idle(session, idle)
    assert board.presence.state(BOB.id) == "online"


def test_one_is_away_when_all_devices_are(board: Board) -> None:
    telephone, tablet = board.comes(device="telephone"), board.comes(device="tablet")
    board.presence.set_idle(telephone, True)
    assert board.presence.state(BOB.id) == "online"
    board.presence.set_idle(tablet, True)
    assert board.presence.state(BOB.id) == "away"


def test_a_new_device_begins_as_used(board: Board) -> None:
    board.presence.set_idle(board.comes(device="telephone"), True)
    board.comes(device="tablet")
    assert board.presence.state(BOB.id) == "online"


def test_one_whose_only_used_device_left_a_while_ago_is_away(watched: Board) -> None:
    watched.presence.set_idle(watched.comes(device="telephone"), True)
    watched.goes(watched.comes(device="tablet"))
    watched.pass_by(GRACE_S)
    assert watched.seen == ["online", "away", "online", "away"]


def test_do_not_disturb_counts_more_than_a_call_and_a_call_more_than_being_away(board: Board) -> None:
    board.presence.set_idle(board.comes(), True)
    board.connected(identity(BOB), kind="call", resource="a call")
    assert (board.presence.state(BOB.id), board.presence.state(BOB.id, True)) == ("in_call", "do_not_disturb")


def test_a_device_that_will_not_come_back_leaves_nothing(board: Board) -> None:
    session = board.comes()
    board.presence.set_idle(session, True)
    board.hub.drop(session, CloseCode.NORMAL)
    board.presence.forget(session)
    assert board.presence._idle == set()


# ── watching ──


def test_a_watcher_hears_who_comes(watched: Board) -> None:
    watched.comes()
    assert watched.seen == ["online"]


def test_a_second_device_is_no_news(watched: Board) -> None:
    watched.comes(device="telephone")
    watched.comes(device="tablet")
    assert watched.seen == ["online"]


def test_a_watcher_hears_who_has_gone_for_good(watched: Board) -> None:
    watched.goes(watched.comes())
    watched.pass_by(GRACE_S)
    assert watched.seen == ["online", "offline"]


def test_a_watcher_does_not_hear_of_a_page_that_is_left_for_the_next(watched: Board) -> None:
    watched.goes(watched.comes(device="one page"))
    watched.pass_by(1)
    watched.comes(device="the next page")
    watched.pass_by(GRACE_S)
    assert watched.seen == ["online"]


def test_one_of_two_devices_that_goes_is_no_news(watched: Board) -> None:
    session = watched.comes(device="telephone")
    watched.comes(device="tablet")
    watched.goes(session)
    watched.pass_by(GRACE_S)
    assert watched.seen == ["online"]


def test_a_watcher_hears_of_do_not_disturb(watched: Board) -> None:
    watched.comes()
    watched.presence.changed(BOB.id, True)
    assert watched.seen == ["online", "do_not_disturb"]


def test_a_watcher_hears_when_quiet_hours_begin_and_end(watched: Board) -> None:
    watched.comes(quiet_hours=SOON)
    for _ in range(3):
        watched.pass_by(3600)
    assert watched.seen == ["online", "do_not_disturb", "online"]


def test_a_watcher_hears_of_a_call(watched: Board) -> None:
    watched.comes()
    watched.connected(identity(BOB), kind="call", resource="a call")
    watched.presence.changed(BOB.id)
    assert watched.seen == ["online", "in_call"]


def test_a_watcher_does_not_hear_of_others(watched: Board) -> None:
    watched.connected(identity(CAROL))
    watched.presence.came(CAROL.id, False)
    assert socket_of(watched.alice).sent == []


def test_a_new_watch_replaces_the_one_before(watched: Board) -> None:
    watched.presence.watch(watched.alice, [CAROL.id])
    watched.comes()
    assert watched.seen == []


def test_one_who_watches_no_longer_hears_nothing(watched: Board) -> None:
    watched.presence.forget(watched.alice)
    watched.comes()
    assert watched.seen == []


def test_one_of_two_watchers_who_stops_does_not_stop_the_other(watched: Board) -> None:
    carol = watched.connected(identity(CAROL))
    watched.presence.watch(carol, [BOB.id])
    watched.presence.forget(carol)
    watched.comes()
    assert watched.seen == ["online"]


def test_watching_somebody_twice_in_one_list_hears_once(watched: Board) -> None:
    watched.presence.watch(watched.alice, [BOB.id, BOB.id])
    watched.comes()
    assert watched.seen == ["online"]


def test_two_people_who_watch_each_other_in_any_order_hear_the_state_as_it_is(watched: Board) -> None:
    bob = watched.comes()
    watched.presence.watch(bob, [ALICE.id])
    watched.presence.came(ALICE.id, True)
    assert [frame["state"] for frame in socket_of(bob).frames] == ["do_not_disturb"]


def test_one_who_is_hidden_is_offline_to_whoever_they_are_hidden_from(watched: Board) -> None:
    carol = watched.connected(identity(CAROL))
    watched.presence.watch(carol, [BOB.id], hidden=[BOB.id])
    watched.comes()
    assert (watched.seen, socket_of(carol).frames) == (["online"], [])


def test_one_who_hides_goes_offline_at_once_and_comes_back(watched: Board) -> None:
    watched.comes()
    watched.presence.hide(BOB.id, ALICE.id)
    watched.presence.changed(BOB.id, True)
    assert watched.seen == ["online", "offline"]
    watched.presence.show(BOB.id, ALICE.id)
    assert watched.seen == ["online", "offline", "do_not_disturb"]


def test_one_who_is_offline_hides_without_a_word(watched: Board) -> None:
    watched.presence.hide(BOB.id, ALICE.id)
    watched.presence.show(BOB.id, ALICE.id)
    assert watched.seen == []


def test_one_hides_from_all_devices_of_somebody_and_from_nobody_else(watched: Board) -> None:
    second, carol = watched.connected(identity(ALICE, "tablet")), watched.connected(identity(CAROL))
    for session in (second, carol):
        watched.presence.watch(session, [BOB.id])
    watched.presence.hide(BOB.id, ALICE.id)
    watched.comes()
    assert (watched.seen, socket_of(second).frames) == ([], [])
    assert [frame["state"] for frame in socket_of(carol).frames] == ["online"]


def test_whom_nobody_watches_can_hide(board: Board) -> None:
    board.presence.hide(BOB.id, ALICE.id)
    board.presence.show(BOB.id, ALICE.id)
    assert BOB.id not in board.presence._watchers


def test_a_new_watch_knows_who_is_hidden_no_longer(watched: Board) -> None:
    watched.presence.watch(watched.alice, [BOB.id], hidden=[BOB.id])
    watched.presence.watch(watched.alice, [BOB.id])
    watched.comes()
    assert watched.seen == ["online"]


def test_presence_of_a_slow_watcher_is_coalesced(watched: Board) -> None:
    socket_of(watched.alice).buffered_bytes = 10_000_000
    session = watched.comes()
    watched.goes(session)
    watched.pass_by(GRACE_S)
    socket_of(watched.alice).buffered_bytes = 0
    watched.alice.release_held()
    assert watched.seen == ["offline"]


def test_a_message_that_is_none_of_presence_is_no_presence(watched: Board) -> None:
    watched.bus.publish(PRESENCE, ToDevices(BOB.id, b"{}"))
    assert watched.seen == []


def test_nobody_watched_costs_nothing(watched: Board) -> None:
    watched.presence.forget(watched.alice)
    watchers = watched.presence._watchers
    assert (watchers._of, watchers._watched, watchers._said, watchers._hidden) == ({}, {}, {}, {})
