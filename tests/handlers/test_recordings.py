"""Recordings over HTTP: kept with the call by whoever made them, fetched by those who took part."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import pytest

from handlers import uploading as module
from handlers.base import API
from server.errors import Unavailable
from server.ids import new_id
from server.recordings.archive import UPLOAD_WITHIN_S
from server.store.recordings import KeptRecording, RecordingStore
from tests.peer import PATIENCE_S
from tests.running import Answer, Person, Running, StallingMongo, Start
from tests.voicemail.recordings import MP4, OGG, WEBM, recording

pytestmark = pytest.mark.gen_test

CONTENT = recording(400_000)
DAY_S = 86_400


class Recorded(NamedTuple):
    """A call that was recorded."""

    call: dict[str, Any]
    recording_id: str

    @property
    def path(self) -> str:
        """Where the recording is kept."""
        return f"/calls/{self.call['call_id']}/recordings/{self.recording_id}"


async def recorded(caller: Person, callee: Person, *, agree: bool = True, stop: bool = True) -> Recorded:
    """A call that the caller has recorded, or wanted to."""
    call, mine, theirs = await caller.running.both_in(caller, callee)
    recording_id = (await mine.request("recording", action="ask", media="video"))["recording_id"]
    await theirs.request("consent", recording_id=recording_id, agree=agree)
    if stop:
        await mine.request("recording", action="stop")
    return Recorded(call, recording_id)


async def send(
    person: Person, of: Recorded, content: bytes = CONTENT, query: str = "duration_ms=61500", **headers: str
) -> Answer:
    """Sends a recording to be kept."""
    return await person.running.fetch("POST", f"{API}{of.path}?{query}", content, person.bearer | headers)


async def kept(caller: Person, callee: Person, content: bytes = CONTENT) -> Recorded:
    """A recording that is kept."""
    of = await recorded(caller, callee)
    answer = await send(caller, of, content)
    assert answer.status == 201, answer
    return of


async def listed(person: Person, of: Recorded) -> Answer:
    return await person.api("GET", f"/calls/{of.call['call_id']}/recordings")


async def stored_files(running: Running) -> list[str]:
    """The ids for which anything is stored, once the server has done what it does after its answers."""
    await running.until(lambda: len(running.services.background) == 0, "nothing is under way")
    return await running.services.database.files("recording_media").ids(after="", before="z", limit=100)


# ── keeping ──


async def test_a_recording_is_kept_for_everybody_in_the_call(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    of = await recorded(alice, bob)
    answer = await send(alice, of)
    assert answer.status == 201
    found = answer.document["kept"]
    assert (found["size_bytes"], found["content_type"], found["duration_s"]) == (400_000, "video/webm", 61.5)
    for person in (alice, bob):
        assert (await listed(person, of)).document == {"items": [answer.document]}
        assert (await person.api("GET", of.path)).body == CONTENT


async def test_who_agreed_and_when_stays_with_the_call_when_nothing_is_kept(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    of = await recorded(alice, bob)
    await alice.do("hangup", of.call)
    (found,) = (await listed(bob, of)).document["items"]
    assert [(each["user"]["username"], each["agreed_at"] is not None) for each in found["consents"]] == [
        ("alice", True),
        ("bob", True),
    ]
    assert (found["state"], found["reason"], found["kept"]) == ("stopped", "stopped", None)


@pytest.mark.parametrize(("head", "kind"), [(WEBM, "webm"), (OGG, "ogg"), (MP4, "mp4")])
async def test_the_type_is_what_the_content_is(running: Running, head: bytes, kind: str) -> None:
    alice, bob = await running.people("alice", "bob")
    of = await recorded(alice, bob)
    await send(alice, of, recording(900, head), **{"Content-Type": "text/html"})
    answer = await bob.api("GET", of.path)
    assert answer.headers["Content-Type"] == f"video/{kind}"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="recording.{kind}"'


async def test_what_is_no_recording_is_not_stored(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    of = await recorded(alice, bob)
    page = b"<!DOCTYPE html><script>alert(1)</script>" * 1000
    for content in (page, page[:40]):
        answer = await send(alice, of, content, **{"Content-Type": "video/webm"})
        assert (answer.status, answer.code) == (415, "unsupported_media_type")
    assert await stored_files(running) == []


async def test_an_empty_body_is_refused(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    answer = await send(alice, await recorded(alice, bob), b"")
    assert (answer.status, answer.document["errors"]) == (400, {"body": "empty"})


async def test_a_recording_may_be_as_large_as_the_limit_and_no_larger(start: Start) -> None:
    running = await start({"recordings.max_bytes": 300_000})
    alice, bob = await running.people("alice", "bob")
    of = await recorded(alice, bob)
    too_large = await send(alice, of, recording(300_001))
    assert (too_large.status, too_large.code, "300000" in too_large.document["detail"]) == (413, "too_large", True)
    assert (await send(alice, of, recording(300_000))).status == 201


async def test_a_body_that_does_not_say_its_length_is_bounded_as_it_arrives(start: Start) -> None:
    running = await start({"recordings.max_bytes": 300_000})
    alice, bob = await running.people("alice", "bob")
    of = await recorded(alice, bob)
    reader, writer = await begun(alice, of, "Transfer-Encoding: chunked")
    too_much = recording(300_001)
    writer.write(f"{len(too_much):x}\r\n".encode() + too_much + b"\r\n0\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
    writer.close()
    assert await stored_files(running) == []


async def test_where_nothing_may_be_kept_a_recording_is_too_large(start: Start) -> None:
    running = await start({"recordings.max_bytes": 0})
    alice, bob = await running.people("alice", "bob")
    assert (await send(alice, await recorded(alice, bob), recording(100))).status == 413


async def begun(
    person: Person, of: Recorded, header: str = "Content-Length: 500000"
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """An upload of which only the headers were sent."""
    running = person.running
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(
        f"POST {API}{of.path}?duration_ms=1 HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\n"
        f"Authorization: Bearer {person.access_token}\r\n{header}\r\n\r\n".encode()
    )
    return reader, writer


async def test_what_is_broken_off_is_taken_back(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    of = await recorded(alice, bob)
    _, writer = await begun(alice, of)
    writer.write(recording(400_000))
    await writer.drain()
    files = running.services.database.files("recording_media")
    async with asyncio.timeout(PATIENCE_S):
        while not await files.ids(after="", before="z", limit=1):
            await asyncio.sleep(0.001)
    writer.close()
    await running.until(lambda: not running.services.archive.under_way, "it is over")
    assert await stored_files(running) == []
    assert (await send(alice, of)).status == 201


async def test_the_third_recording_at_once_is_refused(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    of = await recorded(alice, bob)
    writers = [(await begun(alice, of))[1] for _ in range(2)]
    await running.until(lambda: running.services.archive.under_way == 2, "two are under way")
    answer = await send(alice, of)
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (429, "rate_limited", "10")
    for writer in writers:
        writer.close()


async def test_of_two_at_once_one_is_kept(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    of = await recorded(alice, bob)
    answers = await asyncio.gather(*(send(alice, of) for _ in range(2)))
    assert [answer.status for answer in answers] == [201, 201]
    assert answers[0].document == answers[1].document
    assert len(await stored_files(running)) == 1


async def test_the_same_recording_again_is_answered_as_the_first_time(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    of = await recorded(alice, bob)
    first, again = [await send(alice, of) for _ in range(2)]
    assert (again.status, again.document) == (201, first.document)
    assert len(await stored_files(running)) == 1


@pytest.mark.parametrize(("content", "query"), [(CONTENT[:-1], "duration_ms=61500"), (CONTENT, "duration_ms=2")])
async def test_another_recording_does_not_take_its_place(running: Running, content: bytes, query: str) -> None:
    alice, bob = await running.people("alice", "bob")
    of = await kept(alice, bob)
    answer = await send(alice, of, content, query)
    assert (answer.status, "kept already" in answer.document["detail"]) == (409, True)
    assert (await bob.api("GET", of.path)).body == CONTENT


async def test_what_is_kept_while_its_sender_goes_stays(start: Start, stalling: StallingMongo) -> None:
    running = await start(stalling.overrides())
    alice, bob = await running.people("alice", "bob")
    of = await recorded(alice, bob)
    _, writer = await begun(alice, of, f"Content-Length: {len(CONTENT)}")
    writer.write(CONTENT[:-1])
    files = running.services.database.collection("recording_media.chunks")
    while not await files.count({}):
        await asyncio.sleep(0.001)
    with stalling.holding_writes():
        writer.write(CONTENT[-1:])
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0)
    await running.until(lambda: not running.services.archive.under_way, "it is over")
    assert len(await stored_files(running)) == 1
    assert (await bob.api("GET", of.path)).body == CONTENT


async def test_what_is_kept_without_the_database_saying_so_stays(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = await running.people("alice", "bob")
    of = await recorded(alice, bob)
    insert = RecordingStore.insert

    async def loses_its_answer(store: RecordingStore, recording: KeptRecording) -> None:
        await insert(store, recording)
        raise Unavailable

    monkeypatch.setattr(RecordingStore, "insert", loses_its_answer)
    assert (await send(alice, of)).status == 503
    assert len(await stored_files(running)) == 1
    assert (await send(alice, of)).status == 201
    assert (await bob.api("GET", of.path)).body == CONTENT


async def test_an_account_that_goes_while_its_recording_comes_leaves_nothing(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    of = await recorded(alice, bob)
    _, writer = await begun(alice, of, f"Content-Length: {len(CONTENT)}")
    writer.write(CONTENT[:-1])
    await running.until(lambda: running.services.archive.under_way == 1, "it comes")
    await alice.do("hangup", of.call)
    await running.services.accounts.remove(alice.user)
    writer.write(CONTENT[-1:])
    await running.until(lambda: not running.services.archive.under_way, "it is over")
    writer.close()
    assert await stored_files(running) == []


async def test_a_recording_whose_call_is_gone_is_removed(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    of = await kept(alice, bob)
    assert (await running.services.archive.clean()).of_no_call == 0
    await running.services.database.collection("calls").delete({"_id": of.call["call_id"]})
    assert (await running.services.archive.clean()).of_no_call == 1
    assert await stored_files(running) == []


async def test_only_whoever_made_it_keeps_it(running: Running) -> None:
    alice, bob, carol = await running.people("alice", "bob", "carol")
    of = await recorded(alice, bob)
    assert [(await send(person, of)).status for person in (bob, carol)] == [403, 404]


async def test_a_recording_for_a_call_of_others_is_refused_before_it_comes(running: Running) -> None:
    alice, bob, carol = await running.people("alice", "bob", "carol")
    reader, writer = await begun(carol, await recorded(alice, bob))
    assert (await reader.readline()).startswith(b"HTTP/1.1 404 ")
    writer.close()


async def test_whoever_is_refused_in_the_middle_of_sending_reads_why(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    of = await kept(alice, bob)
    reader, writer = await begun(alice, of, "Content-Length: 8000000")
    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
    for _ in range(8):
        writer.write(bytes(1_000_000))
        await writer.drain()
    assert b"kept already" in await reader.readuntil(b"}")
    writer.write(b"GET /api/v1/health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 ")
    writer.close()


@pytest.mark.parametrize(("agree", "stop"), [(True, False), (False, False)])
async def test_nothing_is_kept_that_goes_on_or_was_not_agreed_to(running: Running, agree: bool, stop: bool) -> None:
    alice, bob = await running.people("alice", "bob")
    answer = await send(alice, await recorded(alice, bob, agree=agree, stop=stop))
    assert (answer.status, answer.code) == (409, "bad_state")


@pytest.mark.parametrize("query", ["", "duration_ms=0", "duration_ms=x", "duration_ms=604800001"])
async def test_a_bad_length_is_named(running: Running, query: str) -> None:
    alice, bob = await running.people("alice", "bob")
    answer = await send(alice, await recorded(alice, bob), query=query)
    assert (answer.status, list(answer.document["errors"])) == (400, ["duration_ms"])


async def test_so_many_are_kept_for_one_person(start: Start) -> None:
    running = await start({"recordings.max_kept": 1})
    alice, bob = await running.people("alice", "bob")
    first = await kept(alice, bob)
    await alice.do("hangup", first.call)
    second = await recorded(alice, bob)
    assert (await send(alice, second)).status == 409
    await alice.api("DELETE", first.path)
    assert (await send(alice, second)).status == 201


async def test_all_recordings_together_have_so_much_room(start: Start) -> None:
    running = await start({"recordings.max_total_bytes": 500_000})
    alice, bob = await running.people("alice", "bob")
    first = await kept(alice, bob)
    await alice.do("hangup", first.call)
    second = await recorded(bob, alice)
    refused = await send(bob, second)
    assert (refused.status, refused.code, "no room" in refused.document["detail"]) == (409, "bad_state", True)
    assert (await send(bob, second, CONTENT[:100_000])).status == 201


async def test_room_that_went_while_a_recording_came_is_noticed(start: Start) -> None:
    running = await start({"recordings.max_total_bytes": 500_000})
    alice, bob = await running.people("alice", "bob")
    first = await recorded(alice, bob)
    reader, writer = await begun(alice, first, f"Content-Length: {len(CONTENT)}")
    await running.until(lambda: running.services.archive.under_way == 1, "it comes")
    await alice.do("hangup", first.call)
    second = await kept(bob, alice)
    writer.write(CONTENT)
    assert (await reader.readline()).startswith(b"HTTP/1.1 409 ")
    writer.close()
    assert len(await stored_files(running)) == 1
    assert (await alice.api("GET", second.path)).status == 200


async def test_a_recording_that_hardly_comes_gives_its_place_back(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRACE_S", 0.1)
    monkeypatch.setattr(module, "LEAST_BYTES_PER_S", 10_000_000)
    alice, bob = await running.people("alice", "bob")
    reader, writer = await begun(alice, await recorded(alice, bob))
    writer.write(recording(1000))
    assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
    writer.close()
    await running.until(lambda: not running.services.archive.under_way, "its place is free")


# ── fetching ──


async def test_a_part_is_answered_with_that_part(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    of = await kept(alice, bob)
    answer = await bob.api("GET", of.path, Range="bytes=299990-300009")
    assert (answer.status, answer.headers["Content-Range"]) == (206, "bytes 299990-300009/400000")
    assert answer.body == CONTENT[299_990:300_010]


async def test_a_part_behind_the_end_is_refused(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    answer = await bob.api("GET", (await kept(alice, bob)).path, Range="bytes=400000-")
    assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */400000")


async def test_whoever_was_not_in_the_call_finds_nothing(running: Running) -> None:
    alice, bob, carol = await running.people("alice", "bob", "carol")
    of = await kept(alice, bob)
    answers = [await listed(carol, of), await carol.api("GET", of.path), await carol.api("DELETE", of.path)]
    assert [answer.status for answer in answers] == [404, 404, 404]


async def test_whoever_was_called_and_never_came_gets_nothing(running: Running) -> None:
    alice, bob, carol = await running.people("alice", "bob", "carol")
    call = await alice.place("bob", "carol")
    await bob.do("answer", call)
    mine, theirs = await alice.room(call), await bob.room(call)
    recording_id = (await mine.request("recording", action="ask"))["recording_id"]
    await theirs.request("consent", recording_id=recording_id, agree=True)
    await mine.request("recording", action="stop")
    of = Recorded(call, recording_id)
    await send(alice, of)
    assert [(await listed(carol, of)).status, (await carol.api("GET", of.path)).status] == [403, 403]


async def test_a_recording_is_not_found_under_another_call(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    first = await kept(alice, bob)
    await alice.do("hangup", first.call)
    other = await recorded(alice, bob)
    for recording_id in (first.recording_id, new_id()):
        assert (await alice.api("GET", Recorded(other.call, recording_id).path)).status == 404


async def test_one_that_is_not_signed_in_gets_nothing(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    assert (await running.api("GET", (await kept(alice, bob)).path)).status == 401


async def test_one_that_is_kept_anew_is_not_taken_for_the_one_before(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    of = await kept(alice, bob)
    first = (await bob.api("GET", of.path)).headers["ETag"]
    assert (await bob.api("GET", of.path, **{"If-None-Match": first})).status == 304
    await alice.api("DELETE", of.path)
    other = recording(400_000, OGG)
    await send(alice, of, other)
    assert (await bob.api("GET", of.path, **{"If-None-Match": first})).body == other


async def test_whoever_has_left_finds_no_recording_that_began_later(running: Running) -> None:
    alice, bob, carol = await running.people("alice", "bob", "carol")
    call = await alice.place("bob", "carol")
    for person in (bob, carol):
        await person.do("answer", call)
    mine, theirs, hers = [await person.room(call) for person in (alice, bob, carol)]
    ids = []
    for people in ((theirs, hers), (theirs,)):
        ids.append((await mine.request("recording", action="ask"))["recording_id"])
        for peer in people:
            await peer.request("consent", recording_id=ids[-1], agree=True)
        await mine.request("recording", action="stop")
        await send(alice, Recorded(call, ids[-1]))
        await carol.do("leave", call)
        await asyncio.sleep(0.002)  # moments are stored to the millisecond
    of = Recorded(call, ids[1])
    assert [each["recording_id"] for each in (await listed(carol, of)).document["items"]] == ids[:1]
    assert [each["recording_id"] for each in (await listed(bob, of)).document["items"]] == ids
    assert [(await carol.api("GET", Recorded(call, each).path)).status for each in ids] == [200, 404]


# ── going ──


async def test_whoever_made_it_deletes_it_and_nobody_else(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    of = await kept(alice, bob)
    assert (await bob.api("DELETE", of.path)).status == 403
    assert (await alice.api("DELETE", of.path)).status == 204
    assert (await bob.api("GET", of.path)).status == 404
    assert (await listed(bob, of)).document["items"][0]["kept"] is None
    assert await stored_files(running) == []


async def test_it_goes_with_the_call_when_nobody_has_that_in_a_history_any_more(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    of = await kept(alice, bob)
    await alice.do("hangup", of.call)
    await alice.api("DELETE", f"/calls/{of.call['call_id']}")
    assert len(await stored_files(running)) == 1
    await bob.api("DELETE", f"/calls/{of.call['call_id']}")
    assert await stored_files(running) == []


async def test_it_goes_with_whoever_made_it(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    of = await kept(alice, bob)
    await alice.do("hangup", of.call)
    await running.services.accounts.remove(alice.user)
    assert await stored_files(running) == []


async def test_old_recordings_are_removed_and_young_ones_stay(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    old = await kept(alice, bob)
    await alice.do("hangup", old.call)
    running.clock.move(60 * DAY_S)
    alice, bob = [await running.device(person.user) for person in (alice, bob)]
    young = await kept(alice, bob)
    running.clock.move(31 * DAY_S)
    alice = await running.device(alice.user)
    assert (await running.services.archive.clean()).expired == 1
    assert [(await alice.api("GET", of.path)).status for of in (old, young)] == [404, 200]


async def test_a_file_without_a_recording_is_removed(running: Running) -> None:
    files = running.services.database.files("recording_media")
    await files.upload(new_id(), b"left over")
    assert (await running.services.archive.clean()).orphans == 0
    running.clock.move(UPLOAD_WITHIN_S + 1)
    assert (await running.services.archive.clean()).orphans == 1
    assert await stored_files(running) == []
