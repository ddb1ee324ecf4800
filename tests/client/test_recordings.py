"""Recording by the reference client, on a real server: asked for, agreed to, kept, fetched, deleted."""

from __future__ import annotations

import pytest

from ringback_client.api import Api
from ringback_client.errors import ApiError
from tests.running import PASSWORD, Running
from tests.voicemail.recordings import recording

CONTENT = recording(5_000)


@pytest.mark.gen_test
async def test_a_recording_is_agreed_to_and_kept(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call, mine, theirs = await running.both_in(alice, bob)
    recording_id = (await mine.request("recording", action="ask"))["recording_id"]
    await theirs.request("consent", recording_id=recording_id, agree=True)
    await mine.request("recording", action="stop")
    async with Api(running.origin) as api:
        await api.sign_in("alice", PASSWORD)
        kept = await api.keep_recording(call["call_id"], recording_id, CONTENT, 2.5)
        assert [consent.user.username for consent in kept.consents] == ["alice", "bob"]
        assert kept.kept is not None and kept.kept.duration_s == 2.5
        assert await api.recordings(call["call_id"]) == [kept]
        assert await api.recording(call["call_id"], recording_id) == CONTENT
        await api.delete_recording(call["call_id"], recording_id)
        with pytest.raises(ApiError, match="no such recording"):
            await api.recording(call["call_id"], recording_id)
