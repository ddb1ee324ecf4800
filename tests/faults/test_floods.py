"""As much as one may say, of the kind that takes the most room: nobody else's client breaks over it."""

from __future__ import annotations

import pytest

from server.rooms.chat_log import KEPT_MESSAGES
from tests.faults.conversation import Participant
from tests.running import Start

TALKATIVE: dict[str, object] = {"sockets.frames_per_s": 10_000, "sockets.frames_burst": 100_000}


@pytest.mark.parametrize(
    ("character", "kept"), [("x", 50), ("\U0001f600", 15), ("\x01", 10)], ids=["x", "4 B", "escape"]
)
@pytest.mark.gen_test
async def test_a_room_full_of_the_longest_messages_lets_somebody_in(start: Start, character: str, kept: int) -> None:
    running = await start(TALKATIVE)
    alice, bob = await running.people("alice", "bob")
    call = await running.answered(alice, bob)
    mine = await alice.room(call)
    for number in range(KEPT_MESSAGES + 1):
        await mine.request("chat", text=f"{number} {character * 4000}")
    theirs = Participant(bob, call, running.port)
    await theirs.room.open()
    numbers = [int(message.text.split()[0]) for message in theirs.room.chat_log]
    assert numbers == list(range(KEPT_MESSAGES + 1 - len(numbers), KEPT_MESSAGES + 1))
    assert kept <= len(numbers) <= KEPT_MESSAGES
    await theirs.room.close()


@pytest.mark.gen_test
async def test_a_room_shows_the_last_50_messages_where_they_are_short(start: Start) -> None:
    running = await start(TALKATIVE)
    alice, bob = await running.people("alice", "bob")
    call = await running.answered(alice, bob)
    mine = await alice.room(call)
    for number in range(KEPT_MESSAGES + 5):
        await mine.request("chat", text=str(number))
    shown = (await bob.room(call)).connected["snapshot"]["chat"]
    assert [message["text"] for message in shown] == [str(number) for number in range(5, KEPT_MESSAGES + 5)]


@pytest.mark.parametrize(
    "candidates",
    ["[1e999]", f"[{'9' * 5000}]", "[" * 900 + "]" * 900, '[{"a":[[[[]]]]}]'],
    ids=["infinite", "5,000 digits", "900 deep", "nested"],
)
@pytest.mark.gen_test
async def test_candidates_that_no_client_can_read_are_refused(start: Start, candidates: str) -> None:
    running = await start()
    alice, bob = await running.people("alice", "bob")
    _, mine, theirs = await running.both_in(alice, bob)
    await mine.send_text(f'{{"type":"candidate","id":"c","to":"{theirs.leg_id}","candidates":{candidates}}}')
    answer = await mine.answer_to("c")
    assert (answer["code"], set(answer["errors"])) == ("bad_request", {"candidates"})
    assert await theirs.settled() == []
