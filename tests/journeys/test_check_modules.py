"""The modules of the check by themselves: the verdict over all that was found, and what the findings are made of."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.test_modules import Run, files, page, run

__all__ = ["files", "page", "run"]

pytestmark = pytest.mark.journey

FINDINGS = """
  const { STEPS, verdictOf, ok, warning, failed, skipped } = await import("/js/check/findings.js");
  const all = new Map(STEPS.map((step) => [step, ok("works")]));
"""
RELAY = 'const { judge } = await import("/js/check/relay.js");'
STUN = 'const { checkStun } = await import("/js/check/stun.js");'
WAITING = 'const { median, within } = await import("/js/check/waiting.js");'


def verdict(run: Run, changes: str) -> tuple[str, list[str]]:
    """The verdict over everything that works, but for ``changes``, and what it calls troubles."""
    told: Any = run(f"{FINDINGS} {changes} return verdictOf(all);")
    return told["verdict"], told["troubles"]


def test_where_everything_works_one_is_ready(run: Run) -> None:
    assert verdict(run, "") == ("ready", [])


def test_what_there_is_not_to_try_is_no_trouble(run: Run) -> None:
    assert verdict(run, 'all.set("relay", skipped("none"));') == ("ready", [])


def test_what_is_not_as_it_should_be_is_said(run: Run) -> None:
    assert verdict(run, 'all.set("camera", warning("dark"));') == ("limited", ["camera"])


def test_what_failed_goes_before_what_is_not_as_it_should_be(run: Run) -> None:
    changes = 'all.set("microphone", warning("quiet")); all.set("relay", failed("refused"));'
    assert verdict(run, changes) == ("broken", ["relay", "microphone"])


def test_while_something_is_open_nobody_is_ready(run: Run) -> None:
    assert verdict(run, 'all.delete("speaker");') == ("unfinished", [])


def test_what_failed_is_said_though_something_is_open(run: Run) -> None:
    assert verdict(run, 'all.delete("speaker"); all.set("server", failed("no_socket"));')[0] == "broken"


@pytest.mark.parametrize(
    ("tried", "finding"),
    [
        ("[{url: 'a', ms: 9}, {url: 'b', ms: 4}]", ("ok", "works", {"ms": 4})),
        ("[{url: 'a', ms: 9}, {url: 'b', fault: 'silent'}]", ("warning", "some", {"ms": 9, "url": "b"})),
        ("[{url: 'a', fault: 'unreachable'}, {url: 'b', fault: 'refused'}]", ("failed", "refused", {"url": "a, b"})),
        ("[{url: 'a', fault: 'silent'}, {url: 'b', fault: 'unreachable'}]", ("failed", "unreachable", {"url": "a, b"})),
    ],
)
def test_the_finding_on_a_relay_is_what_its_addresses_came_to(run: Run, tried: str, finding: Any) -> None:
    told = run(f"{RELAY} return judge({tried});")
    assert (told["grade"], told["code"], told["values"]) == finding


@pytest.mark.parametrize(
    ("kbit", "finding"), [(1_500, "enough"), (1_499, "sound_only"), (100, "sound_only"), (99, "too_little")]
)
def test_a_line_is_judged_by_what_sound_and_picture_need(run: Run, kbit: int, finding: str) -> None:
    bandwidth = 'const { judgeBandwidth } = await import("/js/check/bandwidth.js");'
    assert run(f"{bandwidth} return judgeBandwidth({kbit}, {{}}).code;") == finding


def test_a_stun_server_that_nobody_answers_for_is_found_out(run: Run) -> None:
    told = run(f"{STUN} return checkStun([{{ urls: ['stun:stun.invalid:3478'] }}], 'all');")
    assert (told["grade"], told["code"]) == ("failed", "unreachable")


@pytest.mark.parametrize(
    ("servers", "policy", "code"), [("[]", "all", "none"), ("[{urls: 'stun:s'}]", "relay", "relay_only")]
)
def test_without_need_for_it_no_stun_server_is_asked(run: Run, servers: str, policy: str, code: str) -> None:
    told = run(f"{STUN} return checkStun({servers}, '{policy}');")
    assert (told["grade"], told["code"]) == ("skipped", code)


def test_one_late_answer_does_not_count(run: Run) -> None:
    assert run(f"{WAITING} return median([3, 900, 2, 4, 1]);") == 3


def test_what_never_comes_is_waited_for_so_long(run: Run) -> None:
    assert run(f"{WAITING} return within(new Promise(() => {{}}), 10);") is None
    assert run(f"{WAITING} return within(Promise.resolve(7), 10_000);") == 7
