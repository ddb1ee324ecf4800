"""A call of six: three browsers, and three telephones of the reference package as the fourth to the sixth."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.journeys.browsing import Person
from tests.journeys.conftest import Demo, people_on, serving

pytestmark = pytest.mark.journey

PHONES = ("dave", "erin", "frank")
PASSWORD = "correct horse battery"
READY_WITHIN_S = 60
"""Six in a call are fifteen connections, which two cores make one after the other."""

# From how many others sound has come since the last look, each by its own connection.
HEARD = """
async () => {
  let heard = 0;
  for (const peer of window.peers.filter((each) => each.connectionState === "connected")) {
    let packets = 0;
    for (const stats of (await peer.getStats()).values()) {
      if (stats.type === "inbound-rtp" && stats.kind === "audio") packets += stats.packetsReceived;
    }
    if (packets > (peer.packetsBefore ?? 0)) heard += 1;
    peer.packetsBefore = packets;
  }
  return heard;
}
"""


class Telephones:
    """The telephones, in a process of their own, and what they say."""

    def __init__(self, demo: Demo) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.journeys.phones", demo.url, PASSWORD, *PHONES],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._said: queue.Queue[str] = queue.Queue()
        self._told: list[str] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._said.put(line.strip())

    def wait_for(self, *lines: str) -> None:
        """Waits until each of these was said, in whatever order."""
        missing = set(lines)
        while missing:
            try:
                line = self._said.get(timeout=READY_WITHIN_S)
            except queue.Empty:
                raise AssertionError(f"not said: {missing}; said: {self._told[-20:]}") from None
            self._told.append(line)
            missing.discard(line)

    def forget(self) -> None:
        """What was said until now does not matter."""
        while not self._said.empty():
            self._told.append(self._said.get())


@contextmanager
def telephones(demo: Demo) -> Iterator[Telephones]:
    """Accounts for them, and the telephones, waiting for a call."""
    for name in PHONES:
        body = json.dumps({"username": name, "password": PASSWORD}).encode()
        headers = {"Content-Type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(f"{demo.url}/api/v1/auth/register", body, headers)).close()
    phones = Telephones(demo)
    try:
        phones.wait_for(*(f"{name}: waiting for a call" for name in PHONES))
        yield phones
    finally:
        phones.process.kill()
        phones.process.communicate()


def expect_to_hear(someone: Person, others: int) -> None:
    """Sound comes from so many others, on so many connections."""
    heard = f"async () => (await ({HEARD})()) === {others}"
    for _ in range(READY_WITHIN_S // 15):  # `until` gives up after 15 s
        try:
            return someone.until(heard)
        except AssertionError:
            continue
    pytest.fail(f"{someone.username} hears {someone.page.evaluate(HEARD)} others, not {others}")


def test_three_browsers_and_three_telephones_of_the_reference_package_hear_each_other(
    browser: Browser, tmp_path: Path
) -> None:
    with (
        serving(tmp_path, RINGBACK_AUTH__REGISTRATION="open", RINGBACK_CALLS__CONNECT_TIMEOUT_S="60") as demo,
        telephones(demo) as phones,
        people_on(browser, demo) as person,
    ):
        alice, bob, carol = (person(name) for name in ("alice", "bob", "carol"))
        alice.button("Audio call to bob").click()
        bob.answer()
        expect_to_hear(alice, 1)
        call_id = alice.page.url.rpartition("/")[2]
        alice.api("POST", f"/calls/{call_id}/invite", {"usernames": ["carol"]})
        carol.answer()
        expect_to_hear(carol, 2)
        bob.api("POST", f"/calls/{call_id}/invite", {"usernames": PHONES})
        for someone in (alice, bob, carol):
            expect_to_hear(someone, 5)
        phones.forget()
        phones.wait_for(*(f"{name} hears 5" for name in PHONES))

        call = alice.api("GET", f"/calls/{call_id}")
        assert (call["state"], {leg["state"] for leg in call["legs"]}, len(call["legs"])) == ("active", {"joined"}, 6)

        carol.page.goto("/")  # she may come back; meanwhile nothing is heard of her
        for someone in (alice, bob):
            expect_to_hear(someone, 4)
        phones.forget()
        phones.wait_for(*(f"{name} hears 4" for name in PHONES))

        alice.api("POST", f"/calls/{call_id}/hangup")
        phones.wait_for(*(f"{name}: hangup" for name in PHONES))
