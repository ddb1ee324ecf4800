"""The rules of a task's life, for whatever is tried in whatever order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import BadRequest, BadState
from server.tasks.model import FINAL, EventDraft, EventType, Task, TaskEvent
from server.tasks.rules import ALLOWED, MAX_DOCUMENT_CHARACTERS, WAIT_S, decide, fold, fold_all, may
from tests.clock import START
from tests.helpers import counted_ids, long_lists, property_of

TYPES: tuple[EventType, ...] = get_args(EventType)
HOUR_S = 3_600.0

Life = tuple[list[TaskEvent], list[Task]]
"""The events of a task, and how it stood before the first and after each."""


def new(kind: str = "scripted") -> Task:
    """A task to which nothing has happened."""
    deadline = START + timedelta(seconds=HOUR_S)
    return Task(
        task_id="a task",
        kind=kind,
        title="A script",
        user_id="alice",
        stages=("first",),
        created_at=START,
        updated_at=START,
        deadline=deadline,
        work_s=HOUR_S,
    )


def draft(type: EventType, **fields: Any) -> EventDraft:
    """Something of that type, with the data that it needs."""
    data: dict[str, dict[str, Any]] = {
        "review_requested": {"document": "# A document"},
        "reviewed": {"decision": "revise", "comment": "", "round": 1},
        "completed": {"url": "/there"},
    }
    return EventDraft(type=type, data=data.get(type), **fields)


def lived(drafts: list[EventDraft], kind: str = "scripted") -> Life:
    """What comes of a task to which all that is tried, a second after each other; what cannot be is left out."""
    key, events, stands = counted_ids("event"), [], [new(kind)]
    for second, each in enumerate([draft("queued"), *drafts]):
        try:
            event = decide(stands[-1], each, key(), START + timedelta(seconds=second))
        except BadState:
            continue
        events.append(event)
        stands.append(fold(stands[-1], event))
    return events, stands


steps = long_lists(TYPES).map(lambda types: [draft(type) for type in types])
fractions = st.lists(st.floats(min_value=-1, max_value=2), max_size=20)
kinds = st.sampled_from(["scripted", "external"])


@property_of(50)
@given(steps, kinds)
def test_numbers_have_neither_gap_nor_double(drafts: list[EventDraft], kind: str) -> None:
    events, stands = lived(drafts, kind)
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert [task.number for task in stands] == list(range(len(events) + 1))


@property_of(50)
@given(steps, kinds)
def test_nothing_comes_after_the_end(drafts: list[EventDraft], kind: str) -> None:
    events, stands = lived(drafts, kind)
    assert [event.type for event in events[:-1] if event.is_final] == []
    assert all(task.is_over == (task.ended_at is not None) == (task.state in FINAL) for task in stands)


@property_of(50)
@given(steps, kinds)
def test_whoever_knows_a_part_of_the_events_comes_to_the_same_task(drafts: list[EventDraft], kind: str) -> None:
    events, stands = lived(drafts, kind)
    for known in range(0, len(stands), 5):
        assert fold_all(stands[known], events[known:]) == stands[-1]
        assert fold_all(stands[known], events) == stands[-1]  # some of them twice


@property_of(50)
@given(steps, kinds)
def test_a_document_is_there_while_somebody_has_to_decide(drafts: list[EventDraft], kind: str) -> None:
    _, stands = lived(drafts, kind)
    assert all((task.review is not None) == (task.state == "waiting_review") for task in stands)
    assert all(task.review.round == len(task.reviews) + 1 for task in stands if task.review)


@property_of(50)
@given(fractions)
def test_the_bar_never_goes_back_and_never_leaves_its_frame(given_fractions: list[float]) -> None:
    _, stands = lived([draft("progress", progress=fraction) for fraction in given_fractions])
    bar = [task.progress for task in stands]
    assert bar == sorted(bar) and bar[0] >= 0.0 and bar[-1] <= 1.0


@pytest.mark.parametrize("type", TYPES)
def test_an_event_happens_in_its_states_and_in_no_other(type: EventType) -> None:
    ways: dict[str, list[EventType]] = {
        "queued": [],
        "running": ["started"],
        "waiting_review": ["started", "review_requested"],
        "completed": ["completed"],
        "failed": ["failed"],
        "cancelled": ["cancelled"],
    }
    allowed = {state for state, way in ways.items() if may(lived([draft(each) for each in way])[1][-1], type)}
    assert allowed == ALLOWED[type]


def test_a_task_begins_with_its_being_queued() -> None:
    assert [type for type in TYPES if may(new(), type)] == ["queued"]


@pytest.mark.parametrize("type", ["stalled", "cancel_requested"])
def test_some_things_are_said_once(type: EventType) -> None:
    events, _ = lived([draft("started"), draft(type), draft(type)])
    assert [event.type for event in events] == ["queued", "started", type]


@pytest.mark.parametrize(("kind", "state"), [("scripted", "queued"), ("external", "running")])
def test_after_a_decision_somebody_has_to_take_the_work_up(kind: str, state: str) -> None:
    _, stands = lived([draft("started"), draft("review_requested"), draft("reviewed")], kind)
    assert stands[-1].state == state


def test_the_time_in_which_somebody_decides_is_not_the_works() -> None:
    _, stands = lived([draft("started"), draft("review_requested"), draft("reviewed")])
    assert stands[-2].deadline == START + timedelta(days=30, seconds=2)
    assert stands[-1].deadline == START + timedelta(seconds=WAIT_S + 3)


def test_the_time_that_work_may_take_begins_when_it_is_taken_up() -> None:
    _, stands = lived([draft("started", run=1), draft("progress"), draft("retrying"), draft("retrying", run=2)])
    begun, going_on, step_again, again = [task.deadline - timedelta(seconds=HOUR_S) for task in stands[2:]]
    assert (begun, again) == (START + timedelta(seconds=1), START + timedelta(seconds=4))
    assert begun == going_on == step_again


def test_of_another_programs_work_all_time_counts() -> None:
    _, stands = lived([draft("started"), draft("review_requested"), draft("reviewed"), draft("started")], "external")
    assert [task.deadline - START for task in stands[1:3]] == [timedelta(seconds=HOUR_S)] * 2
    assert [task.deadline - START for task in stands[-2:]] == [timedelta(seconds=HOUR_S + 3)] * 2


def test_whoever_takes_up_work_that_is_being_stopped_has_no_more_time() -> None:
    _, stands = lived([draft("started", run=1), draft("cancel_requested"), draft("retrying", run=2)])
    assert stands[-1].deadline == START + timedelta(seconds=62)


def test_a_decision_about_one_document_is_none_about_the_next() -> None:
    _, stands = lived([draft("review_requested"), draft("reviewed"), draft("review_requested")])
    assert stands[-1].review is not None and stands[-1].review.round == 2
    with pytest.raises(BadState):
        decide(stands[-1], draft("reviewed"), "a key", START)


def test_who_is_to_stop_has_a_minute() -> None:
    _, stands = lived([draft("started"), draft("cancel_requested")])
    assert stands[-1].deadline == START + timedelta(seconds=62)


def test_a_document_has_a_bound() -> None:
    _, stands = lived([draft("started")])
    too_long = EventDraft(type="review_requested", data={"document": "x" * (MAX_DOCUMENT_CHARACTERS + 1)})
    with pytest.raises(BadRequest):
        decide(stands[-1], too_long, "a key", START)
