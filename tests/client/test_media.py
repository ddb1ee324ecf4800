"""Sound between two peers on one machine. It runs in real time: two seconds of sound take two seconds."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import av
import pytest
from tornado.ioloop import IOLoop

from ringback_client.model import IceServer
from ringback_client.sound import Voice
from tests.client.loopback import End, connected, dominant_hz, write_tone
from tests.client.looped import looped
from tests.client.still_clock import StillClock

pytestmark = pytest.mark.gen_test


@asynccontextmanager
async def two_ends(folder: Path) -> AsyncIterator[tuple[End, End]]:
    """Alice, impolite, plays 440 Hz; Bob, polite, plays 1,000 Hz. Both record."""
    alice_says, bob_says = write_tone(folder / "440.wav", 440), write_tone(folder / "1000.wav", 1_000)
    alice = End("l-bob", polite=False, play=alice_says, record=folder / "alice-heard.wav")
    bob = End("l-alice", polite=True, play=bob_says, record=folder / "bob-heard.wav")
    alice.wire.peer, bob.wire.peer = bob.peer, alice.peer
    yield alice, bob
    await alice.close()
    await bob.close()


@pytest.fixture
def ends(io_loop: IOLoop, tmp_path: Path) -> Iterator[tuple[End, End]]:
    """Alice, impolite, plays 440 Hz; Bob, polite, plays 1,000 Hz. Both record."""
    with looped(io_loop, two_ends(tmp_path)) as ends:
        yield ends


async def test_each_hears_what_the_other_plays(ends: tuple[End, End], tmp_path: Path) -> None:
    alice, bob = ends
    await bob.peer.offer()
    await asyncio.gather(alice.hears(1.5), bob.hears(1.5))
    await alice.close()
    await bob.close()
    assert dominant_hz(tmp_path / "bob-heard.wav") == 440
    assert dominant_hz(tmp_path / "alice-heard.wav") == 1_000


async def test_path_is_reported_by_both(ends: tuple[End, End]) -> None:
    alice, bob = ends
    await bob.peer.offer()
    await connected(alice, bob)
    assert (alice.wire.states[-1], bob.wire.states[-1]) == ("connected", "connected")


async def test_of_two_offers_that_meet_the_impolite_one_stands(ends: tuple[End, End], tmp_path: Path) -> None:
    alice, bob = ends
    await asyncio.gather(alice.peer.offer(), bob.peer.offer())
    await connected(alice, bob)
    await bob.hears(1.0)
    assert (alice.wire.said, bob.wire.said) == (["offer"], ["offer", "answer"])


async def test_second_offer_while_one_is_unanswered_is_not_made(ends: tuple[End, End]) -> None:
    alice, bob = ends
    await asyncio.gather(bob.peer.offer(), bob.peer.offer())
    await connected(alice, bob)
    assert bob.wire.said == ["offer"]


@pytest.mark.parametrize("goodbye", [True, False])
async def test_offer_of_a_side_that_began_anew_builds_the_path_anew(ends: tuple[End, End], goodbye: bool) -> None:
    """As in an ICE restart the offer carries other credentials than before."""
    alice, bob = ends
    await bob.peer.offer()
    await connected(alice, bob)
    await bob.begin_anew(polite=True, goodbye=goodbye)
    alice.wire.peer = bob.peer
    await bob.peer.offer()
    await connected(bob)
    await asyncio.gather(alice.hears(1.0), bob.hears(1.0))
    assert (alice.wire.said, bob.wire.said) == (["answer", "answer"], ["offer", "offer"])


async def test_at_an_ice_restart_it_asks_for_servers_that_are_good_now(ends: tuple[End, End]) -> None:
    alice, bob = ends
    asked = []

    async def fresh_ice_servers() -> list[IceServer]:
        asked.append("once")
        return []

    await alice.begin_anew(polite=False, fresh_ice_servers=fresh_ice_servers)
    bob.wire.peer = alice.peer
    await bob.peer.offer()
    await connected(alice, bob)
    assert asked == []
    await bob.begin_anew(polite=True)
    alice.wire.peer = bob.peer
    await bob.peer.offer()
    await connected(bob)
    assert asked == ["once"]


async def test_path_that_cannot_be_built_is_given_up_after_30_s(ends: tuple[End, End]) -> None:
    alice, bob = ends
    clock = StillClock()
    await bob.begin_anew(polite=True, clock=clock)
    alice.wire.peer = bob.peer
    alice.wire.candidates = "none"
    await bob.peer.offer()
    await clock.sleeper(30)
    assert (bob.wire.states[-1], bob.peer.lost.is_set()) == ("failed", False)
    clock.move(30)
    async with asyncio.timeout(5):
        await bob.peer.lost.wait()


async def test_path_that_is_built_anew_in_time_is_not_given_up(ends: tuple[End, End]) -> None:
    alice, bob = ends
    clock = StillClock()
    await bob.begin_anew(polite=True, clock=clock)
    alice.wire.peer = bob.peer
    alice.wire.candidates = "none"
    await bob.peer.offer()
    await clock.sleeper(30)
    await alice.begin_anew(polite=False)
    alice.wire.candidates, bob.wire.peer = "inside", alice.peer
    await alice.peer.offer()
    await connected(alice, bob)
    clock.move(30)
    assert (clock.asleep, bob.peer.lost.is_set()) == ([], False)


async def test_candidates_of_an_answer_count_after_an_offer_was_ignored(ends: tuple[End, End]) -> None:
    """Bob never hears of Alice's; it is his, which come after his answer, by which the path is found."""
    alice, bob = ends
    alice.wire.candidates, bob.wire.candidates = "never", "after"
    await asyncio.gather(alice.peer.offer(), bob.peer.offer())
    await connected(alice, bob)
    assert alice.wire.said == ["offer"]


async def test_candidates_that_come_before_the_description_wait_for_it(ends: tuple[End, End]) -> None:
    """A browser sends them one by one; here they come even before the description."""
    alice, bob = ends
    alice.wire.candidates = bob.wire.candidates = "before"
    await bob.peer.offer()
    await connected(alice, bob)
    assert (bob.wire.said, alice.wire.said) == (["candidate", "offer"], ["candidate", "answer"])


async def test_voice_falls_silent_when_its_file_is_over(tmp_path: Path) -> None:
    voice = Voice(write_tone(tmp_path / "short.wav", 440, seconds=0.1))
    track = voice.track()
    async with asyncio.timeout(5):
        while not voice.played.is_set():
            await track.recv()
    silence = await track.recv()
    voice.close()
    assert isinstance(silence, av.AudioFrame) and not any(bytes(silence.planes[0]))


def test_file_that_is_not_there_is_an_error() -> None:
    with pytest.raises(OSError):
        Voice(Path("nowhere.wav"))


def test_file_without_sound_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("This is not sound.")
    with pytest.raises(ValueError):
        Voice(tmp_path / "text.wav")


@pytest.mark.parametrize("module", ["media", "sound"])
def test_without_the_extra_one_line_says_what_to_install(module: str) -> None:
    said = run_without_aiortc(f"import ringback_client.{module}")
    assert re.search(r"MediaMissing: aiortc is missing: install the extra \[media\] of ringback(-client)?\n$", said)


def test_base_package_needs_no_aiortc() -> None:
    assert run_without_aiortc("import ringback_client, ringback_client.selftest") == ""


def test_softphone_without_the_extra_says_one_line() -> None:
    said = run_without_aiortc("from ringback_client.extras import softphone; softphone()")
    assert re.fullmatch(r"ringback-softphone: aiortc is missing: install the extra \[media\] of ringback\S*\n", said)


def run_without_aiortc(code: str) -> str:
    """What Python says on standard error where aiortc is not installed."""
    code = f"import sys; sys.modules['aiortc'] = None; {code}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stderr
