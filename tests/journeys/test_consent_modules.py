"""The modules of consent by themselves: who agrees to a recording, and whether a page could know that they do not."""

from __future__ import annotations

import pytest

from tests.journeys.test_modules import CALL, Run, files, page, run

__all__ = ["files", "page", "run"]

pytestmark = pytest.mark.journey

CONSENT = """
  const { agrees, awaited } = await import("/js/media/consent.js");
  const at = (second) => `2026-11-20T06:38:0${second}.000Z`;
  const leg = (leg_id, joined_at, state = "joined") => ({ leg_id, state, joined_at });
  const said = (leg_id, agreed_at, refused_at = null) => ({ leg_id, agreed_at, refused_at });
  const recording = { consents: [said("bob", at(3)), said("carol", at(3), at(4)), said("dan", null, at(3))] };
"""


def test_who_has_agreed_since_they_came_in_agrees(run: Run) -> None:
    body = """return ["bob", "carol", "dan", "erin"].map((id) => agrees(recording, leg(id, at(1))));"""
    assert run(CONSENT + body) == [True, False, False, False]


def test_who_has_left_and_come_back_has_to_agree_again(run: Run) -> None:
    body = """return [3, 5].map((second) => agrees(recording, leg("bob", at(second))));"""
    assert run(CONSENT + body) == [True, False]


def test_nobody_agrees_of_whom_the_call_knows_nothing(run: Run) -> None:
    assert run(f"{CONSENT} return agrees(recording, undefined);") is False


def test_only_those_who_are_in_the_call_are_waited_for(run: Run) -> None:
    body = """
      const legs = [leg("bob", at(5)), leg("erin", at(1), "reconnecting"), leg("fay", null, "ringing")];
      return awaited({ legs }, recording).map(({ leg_id }) => leg_id);
    """
    assert run(CONSENT + body) == ["bob", "erin"]


def test_a_page_knows_what_was_said_only_after_it_has_heard_the_room_anew(run: Run) -> None:
    body = """
      const s = session(active); const seen = [s.view.upToDate]; await enter(s, active); seen.push(s.view.upToDate);
      l.last().drop(4006); seen.push(s.view.upToDate);
      s.on("change", () => { if (s.view.link === "open") seen.push(s.view.upToDate); });
      await l.clock.pass(0); l.last().welcome("r2", { snapshot: { call: active, leg_id: "mine", participants: [] } });
      return [seen, s.view.upToDate];
    """
    seen, finally_ = run(CALL + body)
    assert (seen[:4], finally_) == ([False, True, False, False], True)
