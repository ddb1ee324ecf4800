"""``/ws/dialogue/{session_id}``: who gets in, what is shown, and that nothing is lost or doubled on the way."""

from __future__ import annotations

import pytest

from tests.dialogues.provider import Provider, Says
from tests.dialogues.talking import QUESTION, Talking, over, seen_by


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
    peer = await asking.open()
    view = seen_by(peer)
    reply_id = (await peer.request("message", text=QUESTION))["reply_id"]
    for part in range(1, len(words) + 1):
        await peer.next("reply_delta", part=part)
        if part % 2:  # before the next part, and while it comes
            says.go_on()
        for frame in peer.frames:
            view.take(frame)
        peer.cut()
        if part % 2 == 0:
            says.go_on()
        peer = await (asking.alice.again(peer) if way == "resume" else asking.open())
        for frame in peer.frames:
            view.take(frame)
        if any(message["message_id"] == reply_id and message["state"] == "complete" for message in view.messages):
            break
        if part + 1 <= view.messages[-1]["parts"]:
            continue
    stored = await until_over(asking, reply_id)
    for frame in (await asking.open()).frames:
        view.take(frame)
    assert view.messages[-1]["text"] == stored["text"] == "".join(words)


async def until_over(asking: Talking, reply_id: str) -> dict[str, object]:
    """That reply as it is stored, when it is over."""
    peer = await asking.open()
    (shown,) = (each for each in peer.connected["snapshot"]["messages"] if each["message_id"] == reply_id)
    return shown if shown["completed_at"] else await over(peer, reply_id)
