"""The page on which messages are listened to, and what the page of a call has to know to leave one."""

from __future__ import annotations

import html
from typing import Any

import pytest

from tests.handlers.browser import Browser
from tests.handlers.test_pages import boot_of
from tests.handlers.test_voicemail import left, rung_out
from tests.running import Person, Running, Start

pytestmark = pytest.mark.gen_test


async def page_of(person: Person) -> str:
    """What that person's browser is given."""
    answer = await (await Browser.of(person)).get("/voicemail")
    assert answer.status == 200
    return answer.body.decode()


async def terms_of(person: Person, call: dict[str, Any]) -> Any:
    """What the page of that call is told of leaving a message."""
    return boot_of(await (await Browser.of(person)).get(f"/call/{call['call_id']}"))["voicemail"]


async def test_a_stranger_is_led_to_the_sign_in(running: Running) -> None:
    answer = await running.fetch("GET", "/voicemail")
    assert (answer.status, answer.headers["Location"]) == (302, "/login?next=%2Fvoicemail")


async def test_a_page_without_messages_says_so(running: Running) -> None:
    page = await page_of(await running.person("bob"))
    assert 'id="empty">' in page and 'data-voicemail-id="0' not in page


async def test_messages_stand_on_the_page_newest_first(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    first, second = [await left(alice, bob) for _ in range(2)]
    page = await page_of(bob)
    places = [page.index(f'data-voicemail-id="{message["voicemail_id"]}"') for message in (second, first)]
    assert places == sorted(places)
    assert 'id="empty" hidden' in page
    assert 'data-waveform="0,50,100"' in page and "2 new messages" in page


async def test_only_the_owner_sees_them(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    message = await left(alice, bob)
    assert message["voicemail_id"] not in await page_of(alice)


async def test_a_name_full_of_markup_is_text(running: Running) -> None:
    bob = await running.person("bob")
    alice = await running.person("alice", display_name='<b>"A"</b>')
    await left(alice, bob)
    page = await page_of(bob)
    assert "<b>" not in page and f"<bdi data-name>{html.escape(alice.user.display_name)}</bdi>" in page


async def test_the_page_says_where_older_messages_begin(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.voicemail_page.SHOWN", 1)
    alice, bob = await running.people("alice", "bob")
    await left(alice, bob)
    browser = await Browser.of(bob)
    assert boot_of(await browser.get("/voicemail"))["next"] is None
    newest = await left(alice, bob)
    assert boot_of(await browser.get("/voicemail"))["next"] == newest["voicemail_id"]


async def test_the_caller_is_told_how_to_leave_a_message(running: Running) -> None:
    alice, _ = await running.people("alice", "bob")
    call = await alice.place("bob")
    assert await terms_of(alice, call) == {"max_s": 180, "max_bytes": 4_194_304, "window_s": 600.0}


async def test_the_callee_is_not(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    assert await terms_of(bob, await alice.place("bob")) is None


async def test_the_window_closes_while_time_passes(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call = await rung_out(alice, bob)
    running.clock.move(100)
    assert 490 < (await terms_of(alice, call))["window_s"] <= 500
    running.clock.move(500)
    assert await terms_of(alice, call) is None


async def test_nothing_is_offered_after_a_message_was_left(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    assert await terms_of(alice, await left(alice, bob)) is None


async def test_nothing_is_offered_after_a_call_that_was_taken(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call = await running.answered(alice, bob)
    await bob.do("hangup", call)
    assert await terms_of(alice, call) is None


async def test_nothing_is_offered_in_a_call_of_several(running: Running) -> None:
    alice, *_ = await running.people("alice", "bob", "carol")
    assert await terms_of(alice, await alice.place("bob", "carol")) is None


async def test_nothing_is_offered_where_voicemail_is_off(start: Start) -> None:
    running = await start({"voicemail.enabled": False})
    alice, _ = await running.people("alice", "bob")
    assert await terms_of(alice, await alice.place("bob")) is None
