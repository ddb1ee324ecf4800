"""Which frames a client has had."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ringback_client.session import Session, Verdict
from tests.helpers import property_of


def connected(connection_id: str = "c-1", epoch: str = "e-1") -> dict[str, Any]:
    return {"type": "connected", "connection_id": connection_id, "epoch": epoch}


def session_with(last_seq: int) -> Session:
    """A session that has had so many frames."""
    session = Session()
    session.connected(connected())
    for seq in range(1, last_seq + 1):
        assert session.judge(seq) is Verdict.DELIVER
    return session


def test_new_session_asks_for_nothing() -> None:
    assert Session().resume_request() == {}


def test_known_session_asks_for_what_came_after_its_last_frame() -> None:
    assert session_with(7).resume_request() == {"resume": "c-1", "last_seq": 7}


def test_frame_that_was_had_is_a_duplicate() -> None:
    assert session_with(7).judge(7) is Verdict.DUPLICATE


def test_frame_that_leaves_one_out_is_a_gap() -> None:
    session = session_with(7)
    assert session.judge(9) is Verdict.GAP
    assert session.resume_request()["last_seq"] == 7


def test_same_id_and_epoch_go_on_counting() -> None:
    session = session_with(7)
    assert session.connected(connected())
    assert session.judge(8) is Verdict.DELIVER


def test_other_id_begins_at_one() -> None:
    session = session_with(7)
    assert not session.connected(connected(connection_id="c-2"))
    assert session.judge(1) is Verdict.DELIVER


def test_other_epoch_begins_at_one() -> None:
    session = session_with(7)
    assert not session.connected(connected(epoch="e-2"))
    assert session.judge(1) is Verdict.DELIVER


def test_after_a_loss_the_next_number_is_taken_as_it_comes() -> None:
    session = session_with(7)
    session.connected(connected())
    session.resumed({"complete": False})
    assert [session.judge(600), session.judge(602)] == [Verdict.DELIVER, Verdict.GAP]


def test_replay_lasts_from_connected_to_resumed() -> None:
    session = session_with(7)
    seen = [session.replaying]
    session.connected(connected())
    seen.append(session.replaying)
    session.resumed({"complete": True})
    assert [*seen, session.replaying] == [False, True, False]


def test_forgotten_session_asks_for_nothing() -> None:
    session = session_with(7)
    session.forget()
    assert session.resume_request() == {}


@property_of(200)
@given(st.lists(st.integers(min_value=0, max_value=12), max_size=30))
def test_wherever_it_is_cut_and_replayed_every_frame_comes_once(cuts: list[int]) -> None:
    """The server replays from `last_seq`, or even from before it; each connection is cut after some frames."""
    session, delivered = session_with(0), list[int]()
    for cut in [*cuts, 200]:
        session.connected(connected())
        begin = max(1, session.last_seq - cut % 3)
        for seq in range(begin, min(begin + cut, 101)):
            if session.judge(seq) is Verdict.DELIVER:
                delivered.append(seq)
    assert delivered == list(range(1, 101))
