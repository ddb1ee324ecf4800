"""Replies over time: a process that dies or stops, a database that is away, a book that is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from server.books.indexes import IndexNotMade
from server.books.model import Found
from server.dialogues.model import Turn
from server.ids import new_id
from tests.dialogues.provider import Provider, Says, until
from tests.dialogues.talking import QUESTION, Talking, begin, over, seen_by, start_dialogue
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
    while not (turn := await asking.store.turn(asking.session_id, ack["reply_id"])) or not turn.is_over:
        pass  # not by the socket, which has not been heard of for an hour either
    assert turn.state == "complete"


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
    asking = await begin(await start(provider.overrides(reply_timeout_s=1.0)))
    await asking.running.services.books.find(asking.book_id, QUESTION)  # its index is there, and counts for nothing
    reply = await asking.replied(await asking.open())
    assert (reply["state"], reply["error"]["code"], len(provider.asked)) == ("failed", "too_slow", 1)


@pytest.mark.gen_test
async def test_a_book_that_cannot_be_searched_is_said_to_be_so_at_once(
    offline: Talking, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def find(*question: object) -> list[Found]:
        asked.append(question)
        raise IndexNotMade

    monkeypatch.setattr(offline.running.services.books, "find", find)
    reply = await offline.replied(await offline.open())
    assert (reply["state"], reply["error"]["code"], len(asked)) == ("failed", "book_not_searchable", 1)


@pytest.mark.gen_test
async def test_a_removed_account_leaves_no_dialogue(offline: Talking) -> None:
    await offline.replied(await offline.open())
    await offline.running.services.accounts.remove(offline.alice.user)
    assert await offline.store.by_id(offline.session_id) is None
    assert await offline.store.turns(offline.session_id, limit=5) == []


# --- Places for replies


@pytest.mark.gen_test
async def test_one_person_cannot_have_every_place(start: Start, provider: Provider) -> None:
    provider.will(Says("One", None), Says("For Bob."))
    asking = await begin(await start(provider.overrides(replies_at_once=2)))
    first = await asking.open()
    await first.request("message", text=QUESTION)
    await first.next("reply_delta")
    further = (await start_dialogue(asking.alice, asking.book_id)).document["ws_url"].removeprefix("/api/v1")
    await (await asking.alice.open(further)).request("message", text=QUESTION)
    bob = await asking.another("bob")
    assert (await bob.replied(await bob.open()))["text"] == "For Bob."


@pytest.mark.gen_test
async def test_others_come_in_between_the_replies_of_one_dialogue(start: Start, provider: Provider) -> None:
    says = provider.will(Says("1", None))
    provider.will(*[Says(f"{n}.") for n in range(2, 8)])
    asking = await begin(await start(provider.overrides(replies_at_once=1)))
    peer, bob = await asking.open(), await asking.another("bob")
    for _ in range(6):
        await peer.request("message", text=QUESTION)
    bobs = await bob.open()
    ack = await bobs.request("message", text=QUESTION)
    says.go_on()
    assert (await over(bobs, ack["reply_id"]))["text"] != "7."


# --- What happens between two operations of the database


@pytest.mark.gen_test
async def test_a_question_of_which_nobody_was_told_is_told_with_its_reply(offline: Talking) -> None:
    peer = await offline.open()
    await offline.has_asked(1)  # the database took it, and its answer was lost
    await offline.replies.round()
    await peer.next("reply")
    assert seen_by(peer).messages == await offline.history()


@pytest.mark.gen_test
async def test_a_cancelled_reply_is_stored_as_such_before_that_is_acknowledged(
    asking: Talking, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish, may_finish = asking.store.finish, asyncio.Event()

    async def late(*turn: Any, **ending: Any) -> Turn | None:
        await may_finish.wait()
        return await finish(*turn, **ending)

    says = provider.will(Says("So far", None))
    peer = await asking.open()
    await peer.request("message", text=QUESTION)
    await peer.next("reply_delta")
    monkeypatch.setattr(asking.store, "finish", late)
    await peer.send("cancel", id="mine")
    await until(lambda: says.is_left)
    assert "ack" not in await peer.settled()
    may_finish.set()
    assert (await peer.answer_to("mine"))["type"] == "ack"
    assert (await asking.history())[-1]["state"] == "cancelled"


def behind_the_claim(
    talking: Talking, monkeypatch: pytest.MonkeyPatch, do: Callable[[Turn], Awaitable[object]]
) -> None:
    """Does that when the database has given a turn to the server, which has not heard of it yet."""
    claim = talking.store.claim

    async def late(*turn: Any) -> Turn | None:
        claimed = await claim(*turn)
        if claimed is not None:
            await do(claimed)
        return claimed

    monkeypatch.setattr(talking.store, "claim", late)


@pytest.mark.gen_test
async def test_a_reply_that_is_cancelled_while_it_begins_does_not_begin(
    asking: Talking, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind_the_claim(asking, monkeypatch, asking.replies.cancel)
    peer = await asking.open()
    assert (await asking.replied(peer))["state"] == "cancelled"
    await until(lambda: not len(asking.replies))
    assert (await peer.settled(), provider.asked) == (["message", "message"], [])


@pytest.mark.gen_test
async def test_a_reply_that_begins_when_the_server_stops_is_interrupted(
    asking: Talking, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping = []

    async def stop(_: Turn) -> None:
        stopping.append(asyncio.create_task(asking.replies.stop()))
        await asyncio.sleep(0)

    behind_the_claim(asking, monkeypatch, stop)
    reply = await asking.replied(await asking.open())
    await asyncio.gather(*stopping)
    assert (reply["state"], reply["error"]["code"], provider.asked) == ("interrupted", "server_stopped", [])


@pytest.mark.gen_test
async def test_a_reply_whose_process_says_in_time_that_it_lives_is_left_alone(
    offline: Talking, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = await abandoned(offline, "The keeper tr")
    find = offline.store.abandoned

    async def found(*which: Any) -> list[Turn]:
        turns = await find(*which)
        await offline.store.renew([turn.turn_id], "another process", which[0] + timedelta(seconds=9))
        return turns

    monkeypatch.setattr(offline.store, "abandoned", found)
    await offline.replies.round()
    assert (await offline.history())[-1]["state"] == "streaming"
