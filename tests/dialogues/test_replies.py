"""Replies over time: a process that dies or stops, a database that is away, a book that is gone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.dialogues.model import Turn
from server.ids import new_id
from tests.dialogues.provider import Provider, Says, until
from tests.dialogues.talking import QUESTION, Talking, begin, over
from tests.running import StallingMongo, Start


async def abandoned(talking: Talking, text: str) -> Turn:
    """A turn that another process was replying to, which has not said for long that it lives."""
    now = talking.running.clock.now()
    turn = Turn(new_id(), talking.session_id, 1, new_id(), QUESTION, now)
    await talking.store.insert_turn(turn)
    await talking.store.claim(turn.turn_id, "another process", now - timedelta(seconds=1))
    assert await talking.store.grow(turn.turn_id, "another process", 1, text)
    return turn


@pytest.mark.gen_test
async def test_a_reply_whose_process_died_is_interrupted_and_those_behind_it_are_given(offline: Talking) -> None:
    turn = await abandoned(offline, "The keeper tr")
    await offline.has_asked(2)
    peer = await offline.open()
    await offline.replies.round()
    cut_off = await over(peer, turn.turn_id)
    assert (cut_off["state"], cut_off["text"], cut_off["error"]["code"]) == (
        "interrupted",
        "The keeper tr",
        "server_lost",
    )
    assert (await peer.next("reply"))["message"]["state"] == "complete"


@pytest.mark.gen_test
async def test_a_reply_of_a_process_that_lives_is_left_alone(offline: Talking) -> None:
    turn = await abandoned(offline, "The keeper tr")
    await offline.store.renew([turn.turn_id], "another process", offline.running.clock.now() + timedelta(seconds=9))
    await offline.has_asked(2)
    await offline.replies.round()
    await until(lambda: not len(offline.replies))
    assert [message["state"] for message in await offline.history()] == ["stored", "streaming", "stored", "waiting"]
    assert (await (await offline.open()).request("cancel"))["type"] == "ack"  # also from here
    assert not await offline.store.grow(turn.turn_id, "another process", 2, "The keeper trims")


@pytest.mark.gen_test
async def test_an_own_reply_is_never_taken_for_dead(asking: Talking, provider: Provider) -> None:
    says = provider.will(Says("So", None, "."))
    peer = await asking.open()
    ack = await peer.request("message", text=QUESTION)
    await peer.next("reply_delta")
    asking.running.clock.move(3_600)
    await asking.replies.round()
    assert await asking.store.abandoned(asking.running.clock.now(), 5) == []  # nor by another process
    says.go_on()
    assert (await over(peer, ack["reply_id"]))["state"] == "complete"


@pytest.mark.gen_test
async def test_a_reply_that_another_process_has_ended_is_given_up_and_nothing_more_is_told(
    asking: Talking, provider: Provider
) -> None:
    says = provider.will(Says("So", None, " it is", None))
    peer = await asking.open()
    ack = await peer.request("message", text=QUESTION)
    await peer.next("reply_delta")
    await asking.store.finish(ack["reply_id"], "cancelled", asking.running.clock.now())
    says.go_on()
    await until(lambda: says.is_left and not len(asking.replies))
    assert "reply_delta" not in await peer.settled()
    assert (await asking.history())[-1]["text"] == "So"


@pytest.mark.gen_test
async def test_a_server_that_stops_interrupts_its_reply_and_the_next_one_gives_those_that_wait(
    start: Start, provider: Provider
) -> None:
    says = provider.will(Says("So far", None))
    provider.will(Says("Later."))
    asking = await begin(await start(provider.overrides()))
    peer = await asking.open()
    for _ in range(2):
        await peer.request("message", text=QUESTION)
    await peer.next("reply_delta")
    await asking.replies.stop()
    await until(lambda: says.is_left)
    _, first, _, second = await asking.history()
    assert (first["state"], first["text"], first["error"]["code"]) == ("interrupted", "So far", "server_stopped")
    assert second["state"] == "waiting"
    anew = await start(provider.overrides())
    alice = await anew.device(asking.alice.user)
    again = Talking(anew, alice, asking.book_id, asking.dialogue)
    while (last := (await again.history())[-1])["state"] in ("waiting", "streaming"):
        pass
    assert last["text"] == "Later."


@pytest.mark.gen_test
async def test_a_reply_goes_on_when_the_database_is_back(
    start: Start, stalling: StallingMongo, provider: Provider
) -> None:
    says = provider.will(Says("So", None, " it is."))
    asking = await begin(await start(stalling.overrides(timeout_ms=500) | provider.overrides()))
    peer = await asking.open()
    ack = await peer.request("message", text=QUESTION)
    await peer.next("reply_delta")
    with stalling.stalled():
        says.go_on()
        for _ in range(2):  # by then a first attempt to store the next part has failed, too
            assert (await peer.request("cancel", message_id="x"))["code"] == "unavailable"
    assert (await over(peer, ack["reply_id"]))["text"] == "So it is."


@pytest.mark.gen_test
async def test_a_dialogue_outlives_its_book_and_says_that_it_is_gone(offline: Talking) -> None:
    peer = await offline.open()
    await offline.replied(peer)
    await offline.running.services.books.delete(offline.book_id, offline.alice.id)
    reply = await offline.replied(peer)
    assert (reply["state"], reply["error"]["code"]) == ("failed", "book_gone")
    assert len(await offline.history()) == 4


@pytest.mark.gen_test
async def test_a_reply_that_is_too_long_is_interrupted(start: Start, provider: Provider) -> None:
    provider.will(Says("x" * 60, "y" * 60))
    asking = await begin(await start(provider.overrides(max_reply_characters=100)))
    reply = await asking.replied(await asking.open())
    assert (reply["state"], reply["error"]["code"], reply["text"]) == ("interrupted", "too_long", "x" * 60)
    assert b'ringback_replies_total{state="interrupted"} 1.0' in asking.running.services.metrics.text()


@pytest.mark.gen_test
async def test_a_reply_that_does_not_come_fails(start: Start, provider: Provider) -> None:
    provider.will(Says(None))
    asking = await begin(await start(provider.overrides(reply_timeout_s=0.1)))
    reply = await asking.replied(await asking.open())
    assert (reply["state"], reply["error"]["code"]) == ("failed", "too_slow")


@pytest.mark.gen_test
async def test_a_removed_account_leaves_no_dialogue(offline: Talking) -> None:
    await offline.replied(await offline.open())
    await offline.running.services.accounts.remove(offline.alice.user)
    assert await offline.store.by_id(offline.session_id) is None
    assert await offline.store.turns(offline.session_id, limit=5) == []
