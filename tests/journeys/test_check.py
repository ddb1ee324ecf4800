"""The page of checks: its verdict is what really happened, with a real relay and without one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.browsing import PATIENCE_MS, Person
from tests.journeys.conftest import MakePerson, people_on, serving
from tests.turn.coturn import SECRET, Coturn

pytestmark = pytest.mark.journey

CHECKED_WITHIN_MS = 60_000
"""A relay that is silent is waited for, and then the line is measured."""

MEASURED = ("server", "bandwidth")
"""On a machine that is busy these two may be slow, and then say so."""
WELL = re.compile("You are ready to call|Calls work, but not as well as they could")

# Asks as a browser does whose person says no, or whose devices have nothing to say.
ANSWERS = {
    "denied": "() => Promise.reject(new DOMException('no', 'NotAllowedError'))",
    "dumb": """
    async () => {
      const canvas = document.createElement("canvas");
      const context = canvas.getContext("2d");
      setInterval(() => context.fillRect(0, 0, canvas.width, canvas.height), 50);
      const silence = new AudioContext().createMediaStreamDestination().stream;
      return new MediaStream([...silence.getTracks(), ...canvas.captureStream(20).getTracks()]);
    }
    """,
}
KEEP_TRACKS = """
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
window.tracks = [];
navigator.mediaDevices.getUserMedia = async (wanted) => {
  const stream = await ask(wanted);
  window.tracks.push(...stream.getTracks());
  return stream;
};
"""


def checked(someone: Person) -> None:
    """The person starts the check and waits until all is found but what they hear."""
    someone.page.goto("/check")
    someone.button("Start the check").click()
    expect(someone.button("Copy the report")).to_be_visible(timeout=CHECKED_WITHIN_MS)


def grades(someone: Person) -> dict[str, str]:
    """What stands at each of the things that were tried."""
    rows = someone.page.locator("[data-step]").all()
    return {str(row.get_attribute("data-step")): str(row.get_attribute("data-grade")) for row in rows}


def row(someone: Person, step: str) -> str:
    """All words of one of them."""
    return someone.page.locator(f"[data-step={step}]").inner_text()


@contextmanager
def checking(browser: Browser, folder: Path, relay: Coturn, secret: str, *more: str) -> Iterator[MakePerson]:
    """People of a server with that relay, which is its STUN server, too."""
    settings = {
        "RINGBACK_ICE__STUN_URLS": f"stun:{relay.host}:{relay.port}",
        "RINGBACK_ICE__TURN_URLS": ",".join((relay.url, *more)),
        "RINGBACK_ICE__TURN_SECRET": secret,
    }
    with serving(folder, **settings) as demo, people_on(browser, demo) as make:
        yield make


def test_where_everything_works_one_is_ready_to_call(browser: Browser, tmp_path: Path, relay: Coturn) -> None:
    with checking(browser, tmp_path, relay, SECRET) as make:
        alice = make("alice")
        alice.context.grant_permissions(["camera", "microphone", "clipboard-read", "clipboard-write"])
        alice.page.add_init_script(KEEP_TRACKS)
        checked(alice)
        alice.expect_text("Almost done")
        assert alice.page.evaluate("window.tracks.map(({ readyState }) => readyState)") == ["ended", "ended"]
        alice.button("Play the sound").click()
        alice.button("Yes, I hear it").click()
        found = grades(alice)
        assert {found.pop(step) for step in MEASURED} <= {"ok", "warning"}
        assert set(found.values()) == {"ok"}
        alice.expect_text(WELL)
        assert "Packets go through it and come back" in row(alice, "relay")
        assert "through the relay" in row(alice, "bandwidth")
        alice.button("Copy the report").click()
        alice.expect_text("The report was copied.")
        report = alice.page.evaluate("navigator.clipboard.readText()").splitlines()
        assert WELL.match(report[0])
        assert [line.partition(":")[0] for line in report[1:4]] == ["Microphone", "Camera", "Speaker"]


def test_a_relay_that_refuses_us_is_named_and_one_that_is_down_is_another_matter(
    browser: Browser, tmp_path: Path, relay: Coturn
) -> None:
    nobody = "turn:127.0.0.1:9?transport=tcp"
    with checking(browser, tmp_path, relay, "another", nobody) as make:
        alice = make("alice")
        checked(alice)
        assert grades(alice)["relay"] == "failed"
        assert "does not take our credentials" in row(alice, "relay")
        relays = alice.page.locator("#relays li").all_inner_texts()
        assert [line.split("\n")[-1] for line in relays] == ["credentials refused", "no answer"]
        assert "from the server" in row(alice, "bandwidth")
        alice.expect_text("Something is in the way of your calls")


def test_without_permission_the_rest_is_tried_all_the_same(person: MakePerson) -> None:
    alice = person("alice")
    alice.page.add_init_script(f"navigator.mediaDevices.getUserMedia = {ANSWERS['denied']};")
    checked(alice)
    found = grades(alice)
    assert [found[step] for step in ("microphone", "camera")] == ["failed", "failed"]
    assert {found[step] for step in MEASURED} <= {"ok", "warning"}
    assert [found[step] for step in ("stun", "relay")] == ["skipped", "skipped"]  # nothing is configured
    assert "Ringback may not use your microphone" in row(alice, "microphone")
    alice.expect_text("Something is in the way of your calls")


def test_devices_that_say_nothing_are_told_from_those_that_work(person: MakePerson) -> None:
    alice = person("alice")
    alice.page.add_init_script(f"navigator.mediaDevices.getUserMedia = {ANSWERS['dumb']};")
    checked(alice)
    assert "Nothing at all comes from your microphone" in row(alice, "microphone")
    assert "The picture is black" in row(alice, "camera")
    alice.button("Play the sound").click()
    alice.button("No, nothing").click()
    expect(alice.page.locator("[data-step=speaker]")).to_have_attribute("data-grade", "failed", timeout=PATIENCE_MS)
    alice.expect_text("3 things need your attention")
