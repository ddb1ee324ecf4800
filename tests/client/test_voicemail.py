"""Voicemail by the reference client, on a real server: left, listed, fetched, heard, deleted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tornado.ioloop import IOLoop

from ringback_client.api import Api
from ringback_client.errors import ApiError
from tests.client.looped import looped
from tests.running import PASSWORD, Running
from tests.voicemail.recordings import recording

pytestmark = pytest.mark.gen_test

CONTENT = recording(5_000)


@pytest.fixture
def alice(io_loop: IOLoop, running: Running) -> Iterator[Api]:
    """Alice, signed in."""
    with looped(io_loop, Api(running.origin)) as api:
        yield _signed_in(io_loop, running, api, "alice")


@pytest.fixture
def bob(io_loop: IOLoop, running: Running) -> Iterator[Api]:
    """Bob, signed in."""
    with looped(io_loop, Api(running.origin)) as api:
        yield _signed_in(io_loop, running, api, "bob")


def _signed_in(io_loop: IOLoop, running: Running, api: Api, username: str) -> Api:
    async def sign_in() -> None:
        await running.person(username)
        await api.sign_in(username, PASSWORD)

    io_loop.run_sync(sign_in)
    return api


async def declined(caller: Api, callee: Api) -> str:
    """The id of a call that Bob did not want."""
    call = await caller.create_call(["bob"])
    await callee.decline(call.call_id)
    return call.call_id


async def test_a_message_is_left_and_listened_to(alice: Api, bob: Api) -> None:
    left = await alice.leave_voicemail(await declined(alice, bob), CONTENT, 2.5, [0, 50, 100])
    assert (left.duration_s, left.waveform, left.content_type) == (2.5, (0, 50, 100), "audio/webm")
    page = await bob.voicemail()
    assert (page.items, page.next, page.unheard) == ((left,), None, 1)
    assert page.items[0].sender.username == "alice"
    assert await bob.voicemail_audio(left.voicemail_id) == CONTENT


async def test_a_message_that_was_heard_says_when(alice: Api, bob: Api) -> None:
    left = await alice.leave_voicemail(await declined(alice, bob), CONTENT, 2.5)
    assert left.heard_at is None
    assert (await bob.mark_voicemail_heard(left.voicemail_id)).heard_at is not None
    assert (await bob.voicemail()).unheard == 0


async def test_messages_come_by_the_page(alice: Api, bob: Api) -> None:
    ids = [(await alice.leave_voicemail(await declined(alice, bob), CONTENT, 1)).voicemail_id for _ in range(2)]
    page = await bob.voicemail(limit=1)
    older = await bob.voicemail(limit=1, before=page.next)
    assert [page.items[0].voicemail_id, older.items[0].voicemail_id, older.next] == [ids[1], ids[0], None]


async def test_a_deleted_message_is_gone(alice: Api, bob: Api) -> None:
    left = await alice.leave_voicemail(await declined(alice, bob), CONTENT, 1)
    await bob.delete_voicemail(left.voicemail_id)
    assert (await bob.voicemail()).items == ()
    with pytest.raises(ApiError, match="404 not_found"):
        await bob.voicemail_audio(left.voicemail_id)


async def test_a_second_message_for_a_call_is_an_error_with_its_code(alice: Api, bob: Api) -> None:
    call_id = await declined(alice, bob)
    await alice.leave_voicemail(call_id, CONTENT, 1)
    with pytest.raises(ApiError, match="409 already_left"):
        await alice.leave_voicemail(call_id, CONTENT, 1)
