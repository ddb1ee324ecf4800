"""A message that was left is news for a browser whose page is closed."""

from __future__ import annotations

import pytest

from tests.handlers.test_voicemail import left
from tests.push.service import PushService
from tests.running import Running


@pytest.mark.gen_test
async def test_it_is_told_quietly_with_the_name_and_the_length(pushing: Running, push_service: PushService) -> None:
    alice, bob = await pushing.people("alice", "bob")
    browser = await push_service.subscribed(bob)
    message = await left(alice, bob)
    pushed = await browser.next("notice")
    document = pushed.document
    assert (document["title"], document["url"]) == ("New voicemail from \u2068alice\u2069", "/voicemail")
    assert (document["tag"], pushed.headers["Urgency"]) == (f"voicemail-{message['voicemail_id']}", "normal")
    assert document["body"].startswith("A message of 0:")


@pytest.mark.gen_test
async def test_one_of_somebody_blocked_is_not_told(pushing: Running, push_service: PushService) -> None:
    alice, bob, carol = await pushing.people("alice", "bob", "carol")
    browser = await push_service.subscribed(bob)
    await bob.api("PUT", f"/contacts/{alice.id}/block")
    await left(alice, bob)
    await left(carol, bob)
    assert "carol" in (await browser.next("notice")).document["title"]
    assert "notice" not in browser.kinds
