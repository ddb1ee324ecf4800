"""A task in brief: small, whatever another program has said."""

from __future__ import annotations

from typing import Any

import pytest

from server.tasks.brief import MAX_RESULT_BYTES, MAX_VALUES_BYTES, in_brief
from server.wire import encode


def shown(**fields: Any) -> dict[str, Any]:
    """What a list needs to know of a task, and what only some tasks have."""
    return {"title": "Film", "review": None, "result": None, "code": "cut", "values": {}, "message": "Cut"} | fields


def test_what_is_small_stays() -> None:
    task = shown(values={"n": 2}, result={"url": "/roadmaps/1", "title": "Plan", "pages": 3, "new": True})
    assert in_brief(task) == task


def test_a_document_stays_away() -> None:
    review = {"document": "# Plan", "round": 2}
    assert in_brief(shown(review=review))["review"] == {"round": 2}


@pytest.mark.parametrize("long", ["x" * MAX_RESULT_BYTES, "计" * (MAX_RESULT_BYTES // 3), [1], {"deep": 1}])
def test_of_a_result_what_is_large_stays_away(long: object) -> None:
    result = {"text": long, "title": "Plan", "url": "/x"}
    assert in_brief(shown(result=result))["result"] == {"title": "Plan", "url": "/x"}


def test_the_address_and_the_title_of_a_result_go_before_all_else() -> None:
    others = {f"field_{number}": "x" * 100 for number in range(100)}
    brief = in_brief(shown(result=others | {"title": "Plan", "url": "/x"}))["result"]
    assert (brief["url"], brief["title"]) == ("/x", "Plan")
    assert len(encode(brief)) <= MAX_RESULT_BYTES


def test_a_sentence_made_with_much_is_said_by_its_message() -> None:
    brief = in_brief(shown(values={"name": "x" * MAX_VALUES_BYTES}))
    assert (brief["code"], brief["values"], brief["message"]) == (None, {}, "Cut")
