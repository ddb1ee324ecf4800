"""``/ws/dialogue/{session_id}``: who gets in, what is shown, and that nothing is lost or doubled on the way."""

from __future__ import annotations

import json

import pytest

from server.close_codes import CloseCode
from server.dialogues.model import Turn
from server.errors import Unavailable
from server.ids import new_id
from tests.dialogues.provider import Provider, Says, until
from tests.dialogues.talking import QUESTION, Talking, View, over, seen_by
from tests.peer import Peer


@pytest.mark.gen_test
async def test_a_message_is_stored_before_its_ack_and_answered(offline: Talking) -> None:
    peer = await offline.open()
    ack = await peer.request("message", text=QUESTION)
    stored = await offline.history()
    assert [stored[0]["message_id"], stored[1]["message_id"]] == [ack["message_id"], ack["reply_id"]]
    assert stored[0] | {"text": QUESTION, "role": "person", "state": "stored", "number": 1} == stored[0]
    reply = await over(peer, ack["reply_id"])
    assert (reply["state"], reply["role"], reply["reply_to"]) == ("complete", "assistant", ack["message_id"])


@pytest.mark.gen_test
async def test_the_history_is_what_was_streamed(asking: Talking, provider: Provider) -> None:
    says = provider.will(Says("The ", None, "wick", None, ", every four hours [1]."))
    peer = await asking.open()
    ack = await peer.request("message", text=QUESTION)
    for part in (1, 2):
        await peer.next("reply_delta", part=part)
        assert (await asking.history())[1]["parts"] == part  # stored before it is told
        says.go_on()
    await over(peer, ack["reply_id"])
    streamed = "".join(frame["text"] for frame in peer.frames if frame["type"] == "reply_delta")
    assert streamed == "The wick, every four hours [1]."
    assert seen_by(peer).messages == await asking.history()
    assert (await asking.history())[1]["text"] == streamed


@pytest.mark.gen_test
async def test_every_device_of_the_owner_sees_the_same(asking: Talking) -> None:
    one, other = await asking.open(), await asking.open()
    reply = await asking.replied(one)
    await over(other, reply["message_id"])
    assert seen_by(one).messages == seen_by(other).messages == await asking.history()


# --- Coming and going in the middle of a reply


@pytest.mark.parametrize("way", ["resume", "anew"])
@pytest.mark.gen_test
async def test_whoever_is_cut_off_at_every_part_of_a_reply_loses_no_letter(
    asking: Talking, provider: Provider, way: str
) -> None:
    words = [f"word {n}, " for n in range(6)]
    says = provider.will(Says(*[each for word in words for each in (word, None)]))
    peer, view = await asking.open(), View()
    reply_id = (await peer.request("message", text=QUESTION))["reply_id"]
    for number in range(len(words)):
        await until_grown(asking, peer, number + 1)
        view.take_all(peer.frames)
        peer.cut()
        if number % 2:  # while nobody is there, and while somebody comes back
            says.go_on()
            await until_stored(asking, number + 2)
        else:
            says.go_on()
        peer = await (asking.alice.again(peer) if way == "resume" else asking.open())
        view.take_all(peer.frames)
    await until_over(peer, view, reply_id)
    assert view.messages == await asking.history()
    assert view.messages[-1]["text"] == "".join(words)


async def until_grown(asking: Talking, peer: Peer, parts: int) -> None:
    """Waits until somebody at this socket has that part of the last reply, by a snapshot or since."""
    while seen_by(peer).messages[-1]["parts"] < parts:
        await peer.next("reply_delta")


async def until_stored(asking: Talking, parts: int) -> None:
    """Waits until the last reply has so many parts, or is over."""
    while (reply := (await asking.history())[-1])["state"] == "streaming" and reply["parts"] < parts:
        pass


async def until_over(peer: Peer, view: View, reply_id: str) -> None:
    """Takes what comes until that reply is over."""
    while view.messages[-1]["state"] in ("waiting", "streaming"):
        view.take(await peer.next_of("message", "reply_delta", "reply", "reply_failed"))


@pytest.mark.gen_test
async def test_a_snapshot_has_the_reply_as_far_as_it_has_come(asking: Talking, provider: Provider) -> None:
    provider.will(Says("So far", None, "."))
    peer = await asking.open()
    await peer.request("message", text=QUESTION)
    await peer.next("reply_delta")
    shown = (await asking.open()).connected["snapshot"]["messages"][-1]
    assert (shown["text"], shown["parts"], shown["state"]) == ("So far", 1, "streaming")


@pytest.mark.gen_test
async def test_a_snapshot_has_the_dialogue_and_its_newest_messages(offline: Talking) -> None:
    await offline.replied(await offline.open())
    await offline.has_said(*range(2, 28))
    snapshot = (await offline.open()).connected["snapshot"]
    assert snapshot["dialogue"] == offline.dialogue | {
        "title": QUESTION,
        "updated_at": snapshot["dialogue"]["updated_at"],
    }
    assert [message["number"] for message in snapshot["messages"]] == list(range(5, 55))


@pytest.mark.gen_test
async def test_a_snapshot_of_long_messages_has_fewer_of_them(offline: Talking) -> None:
    await offline.has_said(*range(1, 21), text="灯" * 10_000)
    snapshot = (await offline.open()).connected["snapshot"]
    assert len(json.dumps(snapshot, ensure_ascii=False).encode()) <= 201_000
    assert [message["number"] for message in snapshot["messages"]] == list(range(29, 41))


@pytest.mark.gen_test
async def test_a_snapshot_has_the_newest_messages_however_long_they_are(offline: Talking) -> None:
    await offline.has_said(1, 2, text="灯" * 100_000)
    snapshot = (await offline.open()).connected["snapshot"]
    assert [message["number"] for message in snapshot["messages"]] == [3, 4]


@pytest.mark.gen_test
async def test_a_snapshot_has_every_reply_that_is_not_given_yet(offline: Talking) -> None:
    await offline.has_asked(1)
    await offline.has_said(2, 3, text="灯" * 100_000)
    snapshot = (await offline.open()).connected["snapshot"]
    assert [message["number"] for message in snapshot["messages"]] == [1, 2, 3, 4, 5, 6]


# --- Who gets in


@pytest.mark.gen_test
async def test_somebody_elses_dialogue_is_answered_like_one_that_there_is_not(offline: Talking) -> None:
    mallory = await offline.running.person("mallory")
    byes = []
    for session_id in (offline.session_id, new_id(), "nonsense"):
        bye, code, _ = await (await mallory.open(f"/ws/dialogue/{session_id}")).closed()
        assert bye is not None and code == CloseCode.NOT_FOUND
        byes.append({name: bye[name] for name in bye if name != "timestamp"})
    assert byes[0] == byes[1] == byes[2]


@pytest.mark.gen_test
async def test_whoever_was_not_let_in_hears_nothing_and_disturbs_nobody(offline: Talking) -> None:
    mallory = await offline.running.person("mallory")
    peer = await offline.open()
    stranger = await mallory.open(offline.path)
    await offline.replied(peer)
    await stranger.closed()
    assert [frame["type"] for frame in stranger.frames] == ["bye"]
    assert (await offline.replied(peer))["state"] == "complete"


@pytest.mark.gen_test
async def test_a_dialogue_that_is_deleted_closes_with_4508_and_stays_closed(offline: Talking) -> None:
    peer = await offline.open()
    assert (await offline.alice.api("DELETE", f"/dialogues/{offline.session_id}")).status == 204
    bye, code, _ = await peer.closed()
    assert bye is not None and (code, bye["action"]) == (CloseCode.ENDED, "stop")
    assert (await (await offline.alice.open(offline.path)).closed()).code == CloseCode.ENDED
    mallory = await offline.running.person("mallory")
    assert (await (await mallory.open(offline.path)).closed()).code == CloseCode.NOT_FOUND


@pytest.mark.gen_test
async def test_a_dialogue_that_is_deleted_in_the_middle_of_a_reply_leaves_nothing(
    asking: Talking, provider: Provider
) -> None:
    says = provider.will(Says("Still", None))
    peer = await asking.open()
    await peer.request("message", text=QUESTION)
    await peer.next("reply_delta")
    await asking.alice.api("DELETE", f"/dialogues/{asking.session_id}")
    assert (await peer.closed()).code == CloseCode.ENDED
    await until(lambda: says.is_left and not len(asking.replies))
    assert await asking.store.turns(asking.session_id, limit=5) == []


# --- One reply at a time


@pytest.mark.gen_test
async def test_further_messages_wait_in_their_order(asking: Talking, provider: Provider) -> None:
    first = provider.will(Says("One", None, "."))
    provider.will(Says("Two."), Says("Three."))
    peer = await asking.open()
    acks = [await peer.request("message", text=f"{QUESTION} {n}") for n in (1, 2, 3)]
    await peer.next("reply_delta")
    assert [message["state"] for message in (await asking.history())[1::2]] == ["streaming", "waiting", "waiting"]
    assert len(provider.asked) == 1
    first.go_on()
    replies = [await over(peer, ack["reply_id"]) for ack in acks]
    assert [reply["text"] for reply in replies] == ["One.", "Two.", "Three."]
    assert [asked["messages"][-1]["content"][-1] for asked in provider.asked] == ["1", "2", "3"]


@pytest.mark.gen_test
async def test_more_messages_than_may_wait_are_refused(asking: Talking, provider: Provider) -> None:
    provider.will(Says("One", None))
    peer = await asking.open()
    answers = [(await peer.request("message", text=QUESTION)) for _ in range(12)]
    refused = [answer for answer in answers if answer["type"] == "error"]
    assert {(answer["code"], answer["retryable"]) for answer in refused} == {("rate_limited", True)}
    assert len(await asking.history()) == 2 * (12 - len(refused)) >= 20


@pytest.mark.gen_test
async def test_the_same_client_id_is_the_same_message(offline: Talking) -> None:
    one = await offline.open()
    first = await one.request("message", text=QUESTION, client_id="mine")
    one.cut()
    again = await (await offline.open()).request("message", text=QUESTION, client_id="mine")
    assert (again["message_id"], again["reply_id"]) == (first["message_id"], first["reply_id"])
    assert len(await offline.history()) == 2


@pytest.mark.parametrize("kind", ["message", "ask_again"])
@pytest.mark.gen_test
async def test_a_frame_that_was_taken_and_refused_all_the_same_is_not_done_twice(
    offline: Talking, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    peer = await offline.open()
    reply = await offline.replied(peer)
    insert = offline.store.insert_turn

    async def loses_the_answer(turn: Turn) -> None:
        await insert(turn)
        raise Unavailable()

    fields = {"text": QUESTION} if kind == "message" else {"message_id": reply["message_id"]}
    monkeypatch.setattr(offline.store, "insert_turn", loses_the_answer)
    assert (await peer.request(kind, id="mine", **fields))["code"] == "unavailable"
    monkeypatch.setattr(offline.store, "insert_turn", insert)
    assert (await peer.request(kind, id="mine", **fields))["type"] == "ack"
    assert len([message for message in await offline.history() if message["role"] == "assistant"]) == 2


# --- Cancelling and asking again


@pytest.mark.gen_test
async def test_a_reply_that_is_cancelled_ends_at_once_and_keeps_what_had_come(
    asking: Talking, provider: Provider
) -> None:
    says = provider.will(Says("So far", None, " and further"))
    peer = await asking.open()
    ack = await peer.request("message", text=QUESTION)
    await peer.next("reply_delta")
    assert (await peer.request("cancel"))["type"] == "ack"
    reply = await over(peer, ack["reply_id"])
    assert (reply["state"], reply["text"], reply["error"]) == ("cancelled", "So far", None)
    await until(lambda: says.is_left)  # the provider is told, too


@pytest.mark.gen_test
async def test_a_message_that_waits_can_be_cancelled_and_the_one_before_it_goes_on(
    asking: Talking, provider: Provider
) -> None:
    says = provider.will(Says("One", None, "."))
    peer = await asking.open()
    first = await peer.request("message", text=QUESTION)
    second = await peer.request("message", text=QUESTION)
    await peer.next("reply_delta")
    await peer.request("cancel", message_id=second["message_id"])
    assert (await over(peer, second["reply_id"]))["state"] == "cancelled"
    says.go_on()
    assert (await over(peer, first["reply_id"]))["state"] == "complete"


@pytest.mark.gen_test
async def test_a_reply_is_asked_for_again_as_a_further_message(asking: Talking, provider: Provider) -> None:
    provider.will(Says("Bro", breaks_off=True), Says("Whole."))
    peer = await asking.open()
    broken = await asking.replied(peer)
    ack = await peer.request("ask_again", message_id=broken["message_id"])
    reply = await over(peer, ack["message_id"])
    assert (broken["state"], reply["state"], reply["text"]) == ("interrupted", "complete", "Whole.")
    assert reply["reply_to"] == broken["reply_to"]
    assert [message["role"] for message in await asking.history()] == ["person", "assistant", "assistant"]


REFUSED = {
    "an empty message": ("message", {"text": " \n"}, "bad_request"),
    "one that is too long": ("message", {"text": "x" * 4001}, "too_large"),
    "nothing to cancel": ("cancel", {}, "bad_state"),
    "cancelling what is not there": ("cancel", {"message_id": "nothing"}, "not_found"),
    "wanting again what is not there": ("ask_again", {"message_id": "nothing"}, "not_found"),
}


@pytest.mark.gen_test
async def test_what_cannot_be_done_is_refused_and_changes_nothing(offline: Talking) -> None:
    peer = await offline.open()
    for what, (frame, fields, code) in REFUSED.items():
        answer = await peer.request(frame, **fields)
        assert (answer["type"], answer.get("code")) == ("error", code), what
    assert await offline.history() == []


@pytest.mark.gen_test
async def test_what_is_under_way_is_not_asked_for_again(asking: Talking, provider: Provider) -> None:
    provider.will(Says("So far", None))
    peer = await asking.open()
    ack = await peer.request("message", text=QUESTION)
    assert (await peer.request("ask_again", message_id=ack["message_id"]))["code"] == "bad_state"


@pytest.mark.gen_test
async def test_a_message_of_another_dialogue_is_none_of_this_one(offline: Talking) -> None:
    reply = await offline.replied(await offline.open())
    mallory = await offline.another("mallory")
    peer = await mallory.open()
    for frame in ("cancel", "ask_again"):
        assert (await peer.request(frame, message_id=reply["message_id"]))["code"] == "not_found"
