"""Coming back to a call, and taking it along: another device, a server that dies, a network that is cut."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.browsing import PATIENCE_MS, Person
from tests.journeys.conftest import Demo, serving
from tests.journeys.hearing import begin_counting, listen, longest_gap_ms, speak

pytestmark = pytest.mark.journey

TELEPHONE = (
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36"
)
CONNECTED_ALONE = "() => window.peers.filter(({ connectionState }) => connectionState !== 'closed').length === 1"
BACK_WITHIN_MS = 30_000 + PATIENCE_MS
"""Whoever has tried in vain for a while tries again after 30 s at the latest."""
NONE_LEFT = "() => window.peers.every(({ connectionState }) => connectionState === 'closed')"


def test_a_call_goes_on_on_another_device_by_one_click_and_the_other_hears_no_gap(browser: Browser, demo: Demo) -> None:
    bob = Person(browser, demo.url, "bob", demo.password, bypass_csp=True)
    laptop = Person(browser, demo.url, "alice", demo.password, bypass_csp=True)
    telephone = Person(browser, demo.url, "alice", demo.password, bypass_csp=True, user_agent=TELEPHONE)
    listen(bob)
    for device in (laptop, telephone):
        speak(device)
    for someone in (bob, laptop, telephone):
        someone.enter()
    laptop.call("bob")
    bob.answer()
    bob.expect_media()
    laptop.expect_media()
    begin_counting(bob)

    telephone.expect_text("You are in a call with Bob on Chrome on Linux.")
    telephone.page.get_by_role("link", name="Continue here").click()
    telephone.page.wait_for_url(re.compile("/call/"))
    laptop.expect_text("This call continues on Chrome on Android.")
    telephone.expect_media()
    bob.page.wait_for_function(CONNECTED_ALONE, timeout=PATIENCE_MS)  # the path of before is gone
    bob.expect_media()
    laptop.page.wait_for_function(NONE_LEFT, timeout=PATIENCE_MS)
    gap_ms = longest_gap_ms(bob)
    print(f"the longest gap while the call moved: {gap_ms:.0f} ms")
    assert gap_ms < 1_000

    telephone.button("Mute").click()
    bob.expect_text(re.compile("muted", re.IGNORECASE))
    laptop.button("Continue here").click()
    expect(laptop.button("Unmute")).to_be_visible(timeout=PATIENCE_MS)  # whoever was muted stays so
    telephone.expect_text("This call continues on Chrome on Linux.")
    laptop.expect_media()
    laptop.button("Hang up").click()
    for someone in (bob, laptop, telephone):
        someone.close()
        assert someone.problems == []


def test_a_call_outlives_a_server_that_is_killed_and_nobody_clicks(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path) as killed:
        alice = Person(browser, killed.url, "alice", killed.password, bypass_csp=True)
        bob = Person(browser, killed.url, "bob", killed.password, bypass_csp=True)
        listen(bob)
        speak(alice)
        for someone in (alice, bob):
            someone.enter()
        alice.call("bob")
        bob.answer()
        for someone in (alice, bob):
            someone.expect_media()
        begin_counting(bob)

        os.kill(killed.pid, signal.SIGKILL)
        for someone in (alice, bob):
            someone.expect_text("Reconnecting to Ringback, the call goes on")
            someone.expect_media()
    with serving(tmp_path, port=urlsplit(killed.url).port or 0):
        for someone in (alice, bob):
            # The path of before has been left for a new one: what one does now reaches the other.
            someone.page.wait_for_function("() => window.peers.length > 1", timeout=BACK_WITHIN_MS)
            someone.page.wait_for_function(CONNECTED_ALONE, timeout=PATIENCE_MS)
            someone.expect_media()
        gap_ms = longest_gap_ms(bob)
        print(f"the longest gap while the server was killed and restarted: {gap_ms:.0f} ms")
        alice.button("Mute").click()
        bob.expect_text(re.compile("muted", re.IGNORECASE))
        alice.button("Hang up").click()
        for someone in (alice, bob):
            someone.page.get_by_role("link", name=re.compile("back", re.IGNORECASE)).first.wait_for()
            someone.close()
            assert [problem for problem in someone.problems if "page error" in problem] == []


@contextmanager
def cut_off(someone: Person) -> Iterator[None]:
    """Their network is cut meanwhile, also for sound and picture."""
    session = someone.context.new_cdp_session(someone.page)
    session.send("Network.enable")
    no_limits = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    session.send("Network.emulateNetworkConditions", {"offline": True, "packetLoss": 100, **no_limits})
    yield
    session.send("Network.emulateNetworkConditions", {"offline": False, "packetLoss": 0, **no_limits})


def test_a_network_that_was_cut_comes_back_with_media_on_both_sides(browser: Browser, tmp_path: Path) -> None:
    hasty = {"RINGBACK_SOCKETS__CALL_HEARTBEAT_INTERVAL_S": "1", "RINGBACK_SOCKETS__HEARTBEAT_TIMEOUT_S": "3"}
    with serving(tmp_path, **hasty) as demo:
        alice, bob = (Person(browser, demo.url, name, demo.password) for name in ("alice", "bob"))
        for someone in (alice, bob):
            someone.enter()
        alice.call("bob")
        bob.answer()
        for someone in (alice, bob):
            someone.expect_media()
        missed = bob.page.locator("[data-badge=away]")

        ufrag = alice.page.evaluate("window.peers.at(-1).localDescription.sdp.match(/ice-ufrag:(.*)/)[1]")
        with cut_off(alice):
            expect(missed).to_be_visible(timeout=PATIENCE_MS)
        expect(missed).to_be_hidden(timeout=PATIENCE_MS)
        for someone in (alice, bob):
            someone.expect_media()
        alice.page.wait_for_function(  # a way was looked for in the network that is there now
            "(ufrag) => !window.peers.at(-1).localDescription.sdp.includes(`ice-ufrag:${ufrag}`)", arg=ufrag
        )
        alice.button("Hang up").click()
        for someone in (alice, bob):
            someone.close()
            assert [problem for problem in someone.problems if "page error" in problem] == []
