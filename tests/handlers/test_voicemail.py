"""Messages over HTTP: left after a call that was not taken, listed, played, heard, deleted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from handlers.base import API
from server.ids import new_id
from tests.running import Answer, Person, Running, Start
from tests.voicemail.recordings import MP4, OGG, WEBM, recording

pytestmark = pytest.mark.gen_test

RING_S, WINDOW_S, DAY_S = 45, 600, 86_400
CONTENT = recording(5_000)
EVERY_WAY = [("GET", ""), ("GET", "/audio"), ("POST", "/heard"), ("DELETE", "")]


async def rung_out(caller: Person, callee: Person) -> dict[str, Any]:
    """A call that nobody answered."""
    call = await caller.place(callee.user.username, media="audio")
    caller.running.clock.move(RING_S + 1)
    await caller.running.server.sweep()
    return call


async def leave(
    caller: Person,
    call: dict[str, Any],
    content: bytes = CONTENT,
    query: str = "duration_ms=2500&waveform=0,50,100",
    **headers: str,
) -> Answer:
    """Leaves a message for the callee of `call`."""
    path = f"{API}/calls/{call['call_id']}/voicemail?{query}"
    return await caller.running.fetch("POST", path, content, caller.bearer | headers)


async def left(caller: Person, callee: Person, content: bytes = CONTENT) -> dict[str, Any]:
    """A message after a call that rang out."""
    answer = await leave(caller, await rung_out(caller, callee), content)
    assert answer.status == 201, answer
    message: dict[str, Any] = answer.document
    return message


async def mailbox(person: Person, query: str = "") -> dict[str, Any]:
    """What that person finds."""
    document: dict[str, Any] = (await person.api("GET", f"/voicemail{query}")).document
    return document


async def sound(person: Person, message: dict[str, Any], **headers: str) -> Answer:
    """The recording of a message."""
    return await person.api("GET", f"/voicemail/{message['voicemail_id']}/audio", **headers)


async def stored_sounds(running: Running) -> list[str]:
    """The ids for which there is audio, once the server has done what it does after its answers."""
    await running.until(lambda: len(running.services.background) == 0, "nothing is under way")
    return await running.services.database.files("voicemail_audio").ids(after="", before="z", limit=100)


# ── leaving ──


async def test_a_message_reaches_whoever_did_not_answer(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call = await rung_out(alice, bob)
    answer = await leave(alice, call)
    assert answer.status == 201
    message = answer.document
    assert (message["call_id"], message["from"]["username"]) == (call["call_id"], "alice")
    assert (message["duration_s"], message["size_bytes"], message["content_type"]) == (2.5, 5_000, "audio/webm")
    assert (message["waveform"], message["heard_at"]) == ([0, 50, 100], None)
    assert await mailbox(bob) == {"items": [message], "next": None, "unheard": 1}


async def test_a_message_is_nobody_elses(running: Running) -> None:
    alice, bob, carol = await running.people("alice", "bob", "carol")
    message = await left(alice, bob)
    for other in (alice, carol):
        assert (await mailbox(other))["items"] == []
        for method, path in EVERY_WAY:
            answer = await other.api(method, f"/voicemail/{message['voicemail_id']}{path}")
            assert (answer.status, answer.code) == (404, "not_found")
    assert (await sound(bob, message)).body == CONTENT


async def test_an_unknown_message_is_not_found(running: Running) -> None:
    alice = await running.person("alice")
    for voicemail_id in (new_id(), "0" * 36):
        for method, path in EVERY_WAY:
            assert (await alice.api(method, f"/voicemail/{voicemail_id}{path}")).status == 404


@pytest.mark.parametrize(("head", "kind"), [(WEBM, "audio/webm"), (OGG, "audio/ogg"), (MP4, "audio/mp4")])
async def test_the_type_is_what_the_content_is(running: Running, head: bytes, kind: str) -> None:
    alice, bob = await running.people("alice", "bob")
    answer = await leave(alice, await rung_out(alice, bob), recording(900, head), **{"Content-Type": "text/html"})
    assert answer.document["content_type"] == kind
    assert (await sound(bob, answer.document)).headers["Content-Type"] == kind


async def test_the_content_is_not_what_the_type_says(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    page = b"<!DOCTYPE html><script>alert(1)</script>"
    answer = await leave(alice, await rung_out(alice, bob), page, **{"Content-Type": "audio/webm"})
    assert (answer.status, answer.code) == (415, "unsupported_media_type")
    assert "WebM, Ogg or MP4" in answer.document["detail"]


async def test_a_message_may_be_as_large_as_the_limit_and_no_larger(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call = await rung_out(alice, bob)
    most = running.services.settings.voicemail.max_bytes
    too_large = await leave(alice, call, recording(most + 1))
    assert (too_large.status, too_large.code) == (413, "too_large")
    assert str(most) in too_large.document["detail"]
    assert (await leave(alice, call, recording(most))).document["size_bytes"] == most


async def test_a_body_that_does_not_say_its_length_is_bounded_as_it_arrives(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call = await rung_out(alice, bob)
    too_much = recording(running.services.settings.voicemail.max_bytes + 1)
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(
        f"POST {API}/calls/{call['call_id']}/voicemail?duration_ms=1 HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{running.port}\r\nAuthorization: Bearer {alice.access_token}\r\n"
        f"Transfer-Encoding: chunked\r\n\r\n{len(too_much):x}\r\n".encode()
        + too_much
        + b"\r\n0\r\n\r\n"
    )
    assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
    writer.close()


async def upload_begun(
    caller: Person, call_id: str, length: str = "5000"
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """An upload of which only the headers were sent."""
    running = caller.running
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(
        f"POST {API}/calls/{call_id}/voicemail?duration_ms=1 HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\n"
        f"Authorization: Bearer {caller.access_token}\r\nContent-Length: {length}\r\n\r\n".encode()
    )
    return reader, writer


async def two_under_way(caller: Person, call: dict[str, Any]) -> list[asyncio.StreamWriter]:
    """Two uploads whose recordings are still to come."""
    writers = [(await upload_begun(caller, call["call_id"]))[1] for _ in range(2)]
    await caller.running.until(lambda: len(caller.running.services.mailboxes.uploads) == 2, "two are under way")
    return writers


async def test_a_recording_for_a_call_of_others_is_refused_before_it_comes(running: Running) -> None:
    alice, _, carol = await running.people("alice", "bob", "carol")
    call = await alice.place("bob")
    reader, writer = await upload_begun(carol, call["call_id"])
    assert (await reader.readline()).startswith(b"HTTP/1.1 404 ")
    writer.close()


async def test_a_length_of_thousands_of_digits_is_too_large(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    reader, writer = await upload_begun(alice, (await rung_out(alice, bob))["call_id"], "9" * 5_000)
    assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
    writer.close()


async def test_the_third_recording_at_once_is_refused(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call = await rung_out(alice, bob)
    writers = await two_under_way(alice, call)
    answer = await leave(alice, call)
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (429, "rate_limited", "5")
    for writer in writers:
        writer.close()


async def test_a_recording_whose_sender_is_gone_takes_no_place(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call = await rung_out(alice, bob)
    for writer in await two_under_way(alice, call):
        writer.close()
    await running.until(lambda: len(running.services.mailboxes.uploads) == 0, "none is under way")
    assert (await leave(alice, call)).status == 201
    assert len(running.services.mailboxes.uploads) == 0


async def test_so_many_recordings_at_once_are_taken_on_a_server(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.voicemail.uploads.AT_ONCE", 2)
    alice, bob, carol = await running.people("alice", "bob", "carol")
    writers = await two_under_way(alice, await rung_out(alice, bob))
    assert (await leave(carol, await rung_out(carol, bob))).code == "rate_limited"
    for writer in writers:
        writer.close()


async def test_other_addresses_take_no_larger_bodies_than_before(running: Running) -> None:
    alice = await running.person("alice")
    answer = await running.fetch("POST", f"{API}/calls", b"x" * 2_000_000, alice.bearer)
    assert (answer.status, answer.code) == (413, "too_large")


async def test_a_stranger_leaves_nothing(running: Running) -> None:
    answer = await running.fetch("POST", f"{API}/calls/{new_id()}/voicemail", recording(3_000_000))
    assert (answer.status, answer.code) == (401, "unauthenticated")


async def test_an_empty_body_is_refused(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    answer = await leave(alice, await rung_out(alice, bob), b"")
    assert (answer.status, answer.document["errors"]) == (400, {"body": "empty"})


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "duration_ms"),
        ("duration_ms=0", "duration_ms"),
        ("duration_ms=182001", "duration_ms"),
        ("duration_ms=x", "duration_ms"),
        ("duration_ms=1&waveform=101", "waveform"),
        ("duration_ms=1&waveform=" + ",".join("1" * 129), "waveform"),
    ],
)
async def test_a_bad_argument_is_named(running: Running, query: str, field: str) -> None:
    alice, bob = await running.people("alice", "bob")
    answer = await leave(alice, await rung_out(alice, bob), query=query)
    assert (answer.status, list(answer.document["errors"])) == (400, [field])


async def test_a_second_message_for_a_call_is_refused(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call = await rung_out(alice, bob)
    await leave(alice, call)
    again = await leave(alice, call)
    assert (again.status, again.code) == (409, "already_left")
    assert len((await mailbox(bob))["items"]) == 1


async def test_of_several_messages_at_once_one_is_kept_with_its_sound(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call = await rung_out(alice, bob)
    answers = await asyncio.gather(*(leave(alice, call) for _ in range(2)))
    assert sorted(answer.status for answer in answers) == [201, 409]
    (kept,) = (await mailbox(bob))["items"]
    assert await stored_sounds(running) == [kept["voicemail_id"]]


async def test_a_deleted_message_makes_no_room_for_another(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    message = await left(alice, bob)
    await bob.api("DELETE", f"/voicemail/{message['voicemail_id']}")
    assert (await leave(alice, message)).code == "already_left"


async def test_a_declined_call_may_get_a_message(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call = await alice.place("bob")
    await bob.do("decline", call)
    assert (await leave(alice, call)).status == 201


@pytest.mark.parametrize(("who", "status", "why"), [("bob", 409, "Only the caller"), ("carol", 404, "no such call")])
async def test_only_the_caller_leaves_a_message(running: Running, who: str, status: int, why: str) -> None:
    people = {person.user.username: person for person in await running.people("alice", "bob", "carol")}
    answer = await leave(people[who], await rung_out(people["alice"], people["bob"]))
    assert (answer.status, why in answer.document["detail"]) == (status, True)


async def test_no_message_is_left_while_it_rings(running: Running) -> None:
    alice, _ = await running.people("alice", "bob")
    answer = await leave(alice, await alice.place("bob"))
    assert (answer.status, answer.code) == (409, "bad_state")


async def test_no_message_is_left_after_a_call_that_was_taken(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call = await running.answered(alice, bob)
    await bob.do("hangup", call)
    assert (await leave(alice, call)).code == "bad_state"


async def test_no_message_is_left_once_the_window_is_over(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call = await rung_out(alice, bob)
    running.clock.move(WINDOW_S)
    answer = await leave(alice, call)
    assert (answer.status, "within 10 minutes" in answer.document["detail"]) == (409, True)


async def test_a_full_mailbox_says_so(start: Start) -> None:
    running = await start({"voicemail.max_messages": 1})
    alice, bob = await running.people("alice", "bob")
    await left(alice, bob)
    answer = await leave(alice, await rung_out(alice, bob))
    assert (answer.status, answer.code, "full" in answer.document["detail"]) == (409, "mailbox_full", True)


async def test_where_voicemail_is_off_nobody_leaves_messages(start: Start) -> None:
    running = await start({"voicemail.enabled": False})
    alice, bob = await running.people("alice", "bob")
    answer = await leave(alice, await rung_out(alice, bob))
    assert (answer.status, answer.code) == (403, "forbidden")


async def test_many_messages_in_a_short_time_are_refused_for_a_while(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call = await rung_out(alice, bob)
    answers = [await leave(alice, call, b"x") for _ in range(21)]
    assert [answer.status for answer in answers] == [415] * 20 + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    running.clock.move(60)
    assert (await leave(alice, call)).status == 201


# ── blocked ──


async def test_somebody_who_is_blocked_cannot_tell(running: Running) -> None:
    alice, bob, carol = await running.people("alice", "bob", "carol")
    await running.services.contact_store.block(bob.id, alice.id)
    device = await bob.inbox()
    hers = await left(alice, bob)
    others = await left(carol, bob)
    assert hers.keys() == others.keys()
    assert (await leave(alice, hers)).code == "already_left"
    assert (await mailbox(bob))["items"] == [others]
    assert await stored_sounds(running) == [others["voicemail_id"]]
    assert (await device.next("voicemail"))["voicemail"] == others
    assert "voicemail" not in await device.settled()


# ── telling ──


async def test_every_device_is_told_of_a_message(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    devices = [await bob.inbox(), await (await running.device(bob.user)).inbox()]
    message = await left(alice, bob)
    for device in devices:
        assert (await device.next("voicemail"))["voicemail"] == message
        await device.next("unread", voicemail=1)


async def test_the_caller_is_not_told_of_their_own_message(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    device, his = await alice.inbox(), await bob.inbox()
    await left(alice, bob)
    await his.next("voicemail")
    assert "voicemail" not in await device.settled()


async def test_every_device_is_told_how_many_were_not_heard(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    heard, deleted = [await left(alice, bob) for _ in range(2)]
    await stored_sounds(running)
    device = await bob.inbox()
    await bob.api("POST", f"/voicemail/{heard['voicemail_id']}/heard")
    await device.next("unread", voicemail=1)
    await bob.api("DELETE", f"/voicemail/{deleted['voicemail_id']}")
    await device.next("unread", voicemail=0)


# ── listening ──


async def test_a_recording_is_served_as_nothing_but_audio(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    answer = await sound(bob, await left(alice, bob))
    assert (answer.status, answer.body) == (200, CONTENT)
    wanted = {
        "Content-Type": "audio/webm",
        "Content-Length": "5000",
        "Content-Disposition": 'inline; filename="voicemail.webm"',
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
        "Accept-Ranges": "bytes",
    }
    assert {name: answer.headers[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("asked", "begin", "end"), [("bytes=0-", 0, 5_000), ("bytes=100-199", 100, 200), ("bytes=-10", 4_990, 5_000)]
)
async def test_a_player_may_ask_for_a_part(running: Running, asked: str, begin: int, end: int) -> None:
    alice, bob = await running.people("alice", "bob")
    answer = await sound(bob, await left(alice, bob), Range=asked)
    assert (answer.status, answer.body) == (206, CONTENT[begin:end])
    assert answer.headers["Content-Range"] == f"bytes {begin}-{end - 1}/5000"


async def test_a_part_behind_the_end_is_refused_with_the_size(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    answer = await sound(bob, await left(alice, bob), Range="bytes=5000-")
    assert (answer.status, answer.code) == (416, "range_not_satisfiable")
    assert answer.headers["Content-Range"] == "bytes */5000"


async def test_a_large_recording_comes_whole_and_in_parts(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    content = recording(1_500_000)
    message = await left(alice, bob, content)
    assert (await sound(bob, message)).body == content
    assert (await sound(bob, message, Range="bytes=700000-1400000")).body == content[700_000:1_400_001]


async def test_a_browser_that_has_it_is_told_so(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    message = await left(alice, bob)
    etag = (await sound(bob, message)).headers["Etag"]
    answer = await sound(bob, message, **{"If-None-Match": etag})
    assert (answer.status, answer.body) == (304, b"")


async def test_a_part_of_something_else_is_answered_with_the_whole(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    message = await left(alice, bob)
    answer = await sound(bob, message, Range="bytes=0-9", **{"If-Range": '"another"'})
    assert (answer.status, answer.body) == (200, CONTENT)


async def test_a_message_without_its_sound_is_not_found(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    message = await left(alice, bob)
    await running.services.database.files("voicemail_audio").delete(message["voicemail_id"])
    answer = await sound(bob, message)
    assert (answer.status, answer.headers["Content-Type"]) == (404, "application/problem+json")


async def test_a_message_is_heard_from_when_it_is_said_first(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    path = f"/voicemail/{(await left(alice, bob))['voicemail_id']}"
    first = (await bob.api("POST", f"{path}/heard")).document
    running.clock.move(60)
    again = (await bob.api("POST", f"{path}/heard")).document
    assert first["heard_at"] is not None
    assert again == first == (await bob.api("GET", path)).document
    assert (await mailbox(bob))["unheard"] == 0


# ── the list ──


async def test_messages_come_by_the_page(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    first, second, third = [await left(alice, bob) for _ in range(3)]
    page = await mailbox(bob, "?limit=2")
    assert (page["items"], page["next"], page["unheard"]) == ([third, second], second["voicemail_id"], 3)
    assert await mailbox(bob, f"?limit=2&before={page['next']}") == {"items": [first], "next": None, "unheard": 3}


@pytest.mark.parametrize(("query", "field"), [("?limit=0", "limit"), ("?before=x", "before")])
async def test_a_bad_page_is_named(running: Running, query: str, field: str) -> None:
    bob = await running.person("bob")
    answer = await bob.api("GET", f"/voicemail{query}")
    assert (answer.status, list(answer.document["errors"])) == (400, [field])


# ── going ──


async def test_a_deleted_message_is_gone_with_its_sound(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    message = await left(alice, bob)
    assert (await bob.api("DELETE", f"/voicemail/{message['voicemail_id']}")).status == 204
    assert (await mailbox(bob))["items"] == []
    assert (await bob.api("DELETE", f"/voicemail/{message['voicemail_id']}")).status == 404
    assert await stored_sounds(running) == []


async def test_old_messages_are_removed_with_their_sound(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    old = await rung_out(alice, bob)
    await leave(alice, old)
    running.clock.move(91 * DAY_S)
    assert await running.services.mailboxes.clean() == (1, 0)
    assert await stored_sounds(running) == []
    assert await running.services.mailboxes.clean() == (0, 0)


async def test_a_young_message_stays(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    message = await left(alice, bob)
    running.clock.move(89 * DAY_S)
    assert await running.services.mailboxes.clean() == (0, 0)
    assert await stored_sounds(running) == [message["voicemail_id"]]


async def test_sound_without_a_message_is_removed_once_no_upload_takes_that_long(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    message = await left(alice, bob)
    await running.services.database.files("voicemail_audio").upload(new_id(), CONTENT)
    assert await running.services.mailboxes.clean() == (0, 0)
    running.clock.move(3_601)
    assert await running.services.mailboxes.clean() == (0, 1)
    assert (await sound(await running.device(bob.user), message)).body == CONTENT


async def test_with_a_person_go_the_messages_for_them(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    await left(alice, bob)
    his = await left(bob, alice)
    await running.services.accounts.remove(bob.user)
    assert await stored_sounds(running) == [his["voicemail_id"]]
    assert (await mailbox(alice))["items"] == [his]


async def test_cleaning_is_a_job(running: Running) -> None:
    assert running.server.jobs.jobs["voicemail"].body == running.services.mailboxes.clean
