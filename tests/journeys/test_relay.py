"""A call whose media may pass through TURN only, through a real coturn with the configuration that we ship."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.journeys.browsing import Person
from tests.journeys.conftest import MakePerson, people_on, serving
from tests.turn.coturn import SECRET, Coturn

pytestmark = pytest.mark.journey

GIVEN_UP_AFTER_S = 6  # a call whose media finds no way is over then, and not only after 20 s

CONNECTED = "() => window.peers.some(({ connectionState }) => connectionState === 'connected')"
# Of the path by which media comes: what kind of address each end has.
SELECTED_PAIR = """
async () => {
  const peer = window.peers.find(({ connectionState }) => connectionState === 'connected');
  const stats = await peer.getStats();
  const transports = [...stats.values()].filter(({ type }) => type === 'transport');
  const pair = stats.get(transports.map((transport) => transport.selectedCandidatePairId).find(Boolean));
  return [pair.localCandidateId, pair.remoteCandidateId].map((id) => stats.get(id).candidateType);
}
"""
CANDIDATES = """
async () => {
  const peer = window.peers.find(({ connectionState }) => connectionState === 'connected');
  const stats = [...(await peer.getStats()).values()];
  return stats.filter(({ type }) => type === 'local-candidate').map(({ candidateType }) => candidateType);
}
"""


def relaying(relay: Coturn, secret: str) -> dict[str, str]:
    """The settings of a Ringback that uses that relay for everything."""
    return {
        "RINGBACK_ICE__POLICY": "relay",
        "RINGBACK_ICE__TURN_URLS": relay.url,
        "RINGBACK_ICE__TURN_SECRET": secret,
    }


@pytest.fixture
def relayed(browser: Browser, tmp_path: Path, relay: Coturn) -> Iterator[MakePerson]:
    """People where all media goes through the relay."""
    with serving(tmp_path, **relaying(relay, SECRET)) as demo, people_on(browser, demo) as make:
        yield make


@pytest.fixture
def locked_out(browser: Browser, tmp_path: Path, relay: Coturn) -> Iterator[MakePerson]:
    """People where it should, and the relay has another secret than Ringback."""
    settings = relaying(relay, "another") | {"RINGBACK_CALLS__CONNECT_TIMEOUT_S": str(GIVEN_UP_AFTER_S)}
    with serving(tmp_path, **settings) as demo, people_on(browser, demo) as make:
        yield make


def test_two_people_see_and_hear_each_other_through_the_relay_alone(relayed: MakePerson) -> None:
    alice, bob = relayed("alice"), relayed("bob")
    alice.call("bob")
    bob.answer()
    for someone in (alice, bob):
        someone.expect_media()
        someone.page.wait_for_function(CONNECTED)
        assert someone.page.evaluate(SELECTED_PAIR) == ["relay", "relay"]
        assert set(someone.page.evaluate(CANDIDATES)) == {"relay"}
    alice.button("Hang up").click()


def test_with_another_secret_no_media_ever_flows_and_both_are_told(locked_out: MakePerson) -> None:
    alice, bob = locked_out("alice"), locked_out("bob")
    alice.call("bob")
    bob.answer()
    for someone in (alice, bob):
        someone.expect_text("The connection between you could not be made")
        assert arrived(someone) == 0
        call = someone.page.request.get("/api/v1/calls?limit=1").json()["items"][0]
        assert call["end_reason"] == "ice_failed"


def arrived(someone: Person) -> int:
    """How many packets of the other's sound and picture have come."""
    counted = someone.counters()
    return counted["audio_packets"] + counted["video_packets"]
