"""How good a call is, and why it failed, as two people read it, each in their own language."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.accessible import faults
from tests.journeys.browsing import PATIENCE_MS, Person
from tests.journeys.conftest import Demo, serving
from tests.journeys.test_relay import relaying
from tests.turn.coturn import Coturn

pytestmark = pytest.mark.journey

SOONER_GIVEN_UP = {"RINGBACK_CALLS__CONNECT_TIMEOUT_S": "15"}

# What getUserMedia answers: as it does, or with the error whose name stands in `window.fault`; that of a camera in use
# comes for the camera alone.
FAULTY_DEVICES = """
(() => {
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const name = window.fault ?? "NotAllowedError";
    if (name === "NotReadableError" && !wanted.video) return real(wanted);
    throw new DOMException("as the test wishes", name);
  };
})();
"""

MICROPHONE_DENIED = ("Ringback may not use your microphone and camera", "Ringback 无权使用你的麦克风和摄像头")
NO_DEVICE = ("No microphone and camera was found", "未找到麦克风和摄像头")
CAMERA_IN_USE = ("Your camera could not be started", "无法启动你的摄像头")
DENIED_THERE = "对方没有允许使用麦克风或摄像头"
REFUSED = ("The relay did not let us in", "中继拒绝了我们")
UNREACHABLE = ("The relay could not be reached", "无法连接中继")
SERVER_AWAY = ("The server could not be reached any more", "无法再连接服务器")


@contextmanager
def two(browser: Browser, demo: Demo) -> Iterator[tuple[Person, Person]]:
    """Alice, who reads English, and Bob, who reads Chinese; signed in."""
    alice = Person(browser, demo.url, "alice", demo.password)
    bob = Person(browser, demo.url, "bob", demo.password, locale="zh-CN")
    for someone in (alice, bob):
        someone.enter()
    try:
        yield alice, bob
    finally:
        for someone in (alice, bob):
            someone.close()


def cause(someone: Person) -> Any:
    """What the page gives as the first cause, when the call is over."""
    return someone.page.locator("#call-why [data-title]").first


def expect_causes(people: tuple[Person, Person], titles: tuple[str, str]) -> None:
    """Each of the two reads why, in their own language."""
    for someone, title in zip(people, titles, strict=True):
        expect(cause(someone)).to_have_text(title, timeout=2 * PATIENCE_MS)


def report(someone: Person) -> str:
    """The report of the call."""
    return someone.page.locator("#call-report pre").text_content() or ""


def test_how_good_a_call_is_shows_both_ways_and_stays_with_it(browser: Browser, demo: Demo) -> None:
    with two(browser, demo) as (alice, bob):
        alice.context.grant_permissions(["camera", "microphone", "clipboard-read", "clipboard-write"])
        alice.call("bob")
        bob.answer("接听")
        expect(bob.page.locator("#call-bars [data-word]")).to_have_text(
            re.compile("很好|良好|一般|较差"), timeout=2 * PATIENCE_MS
        )
        alice.page.locator("#call-bars").click()
        ways = alice.page.locator("#panel-connection .connection-way")
        for way, label in ((ways.nth(0), "You hear bob"), (ways.nth(1), "bob hears you")):
            expect(way).to_have_text(re.compile(f"{label}(Very good|Good|Fair|Poor)"), timeout=PATIENCE_MS)
            expect(way.locator(".bars")).to_have_attribute("data-bars", re.compile("[1-4]"), timeout=PATIENCE_MS)
        assert faults(alice.page) == []

        alice.button("Hang up").click()
        heard = bob.page.locator("#call-heard li")
        expect(heard).to_have_count(2, timeout=PATIENCE_MS)
        expect(heard.nth(0)).to_contain_text("你听到的 alice", timeout=PATIENCE_MS)
        expect(alice.page.locator("#call-heard")).to_contain_text("bob heard you", timeout=PATIENCE_MS)
        expect(alice.page.locator("#call-why")).to_be_hidden(timeout=PATIENCE_MS)
        assert faults(bob.page) == []
        alice.button("Copy the report").click()
        alice.expect_text("The report is on the clipboard")
        copied = alice.page.evaluate("() => navigator.clipboard.readText()")
        assert copied == report(alice)
        assert re.search("path .* connected, was connected, found host=", copied)
        assert re.search("quality score=[0-9.]+ loss=", copied)
        alice.page.goto("/history")
        alice.page.locator("#list [data-link]").first.click()
        expect(alice.page.locator("#call-heard")).to_contain_text("You heard bob", timeout=PATIENCE_MS)
        assert alice.problems + bob.problems == []


def test_each_fault_of_ones_devices_is_told_and_that_they_were_refused_to_the_other(
    browser: Browser, demo: Demo
) -> None:
    with two(browser, demo) as (alice, bob):
        for someone in (alice, bob):
            someone.page.add_init_script(FAULTY_DEVICES)
        alice.call("bob")
        bob.answer("接听")
        for someone, language in ((alice, 0), (bob, 1)):
            title = someone.page.locator("#media-problem [data-title]")
            again = someone.page.locator("#retry-media")
            expect(title).to_have_text(MICROPHONE_DENIED[language], timeout=PATIENCE_MS)
            for fault, words in (("NotFoundError", NO_DEVICE), ("NotReadableError", CAMERA_IN_USE)):
                someone.page.evaluate("(fault) => { window.fault = fault; }", fault)
                again.click()
                expect(title).to_have_text(words[language], timeout=PATIENCE_MS)
        alice.page.evaluate("() => { window.fault = 'NotAllowedError'; }")
        alice.button("Try again").click()
        expect(alice.page.locator("#media-problem [data-title]")).to_have_text(
            MICROPHONE_DENIED[0], timeout=PATIENCE_MS
        )
        alice.button("End the call").click()
        expect(cause(alice)).to_have_text(MICROPHONE_DENIED[0], timeout=PATIENCE_MS)
        expect(bob.page.locator("#call-why")).to_contain_text(DENIED_THERE, timeout=PATIENCE_MS)
        assert "devices microphone=denied camera=denied" in report(alice)


def test_a_relay_that_refuses_is_named_while_one_waits_and_afterwards(
    browser: Browser, tmp_path: Path, relay: Coturn
) -> None:
    with serving(tmp_path, **relaying(relay, "another")) as demo, two(browser, demo) as (alice, bob):
        alice.call("bob")
        bob.answer("接听")
        for someone, title in zip((alice, bob), REFUSED, strict=True):
            expect(someone.page.locator("#call-trouble")).to_have_text(title, timeout=PATIENCE_MS)
        expect_causes((alice, bob), REFUSED)
        assert re.search(r"server turn:\S+ 401", report(alice))
        alice.page.reload()
        expect(cause(alice)).to_have_text(REFUSED[0], timeout=PATIENCE_MS)


def test_a_relay_that_is_down_is_named(browser: Browser, tmp_path: Path) -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        address = f"turn:127.0.0.1:{nobody_listens.getsockname()[1]}?transport=tcp"
        settings = {
            "RINGBACK_ICE__POLICY": "relay",
            "RINGBACK_ICE__TURN_URLS": address,
            "RINGBACK_ICE__TURN_SECRET": "a secret",
        }
        with serving(tmp_path, **settings, **SOONER_GIVEN_UP) as demo, two(browser, demo) as (alice, bob):
            alice.call("bob")
            bob.answer("接听")
            expect_causes((alice, bob), UNREACHABLE)
            assert f"server {address} 701" in report(bob)
            alice.page.get_by_text("Report of this call").first.click()
            assert faults(alice.page) == []


def test_whoever_is_cut_off_without_a_word_is_told_of_to_the_other(browser: Browser, tmp_path: Path) -> None:
    with (
        serving(tmp_path, RINGBACK_SOCKETS__CALL_RESUME_WINDOW_S="2") as demo,
        two(browser, demo) as (alice, bob),
    ):
        alice.call("bob")
        bob.answer("接听")
        alice.expect_media()
        bob.page.close()
        expect(cause(alice)).to_have_text("The connection of bob was lost", timeout=3 * PATIENCE_MS)
        alice.api("PATCH", "/users/me", {"locale": "zh-Hans"})
        alice.page.reload()
        expect(cause(alice)).to_have_text("bob 的连接断开了", timeout=PATIENCE_MS)


def test_that_the_server_is_away_is_told_after_hanging_up(browser: Browser, tmp_path: Path) -> None:
    with ExitStack() as server:
        demo = server.enter_context(serving(tmp_path))
        with two(browser, demo) as people:
            alice, bob = people
            alice.call("bob")
            bob.answer("接听")
            alice.expect_media()
            server.close()
            alice.expect_text("Reconnecting to Ringback, the call goes on")
            for someone in people:
                someone.page.locator("#hang-up").click()
            expect_causes(people, SERVER_AWAY)
