"""The page with the own history, as a browser without scripts sees it."""

from __future__ import annotations

import html
import re

import pytest

from handlers.history_page import CALLS_SHOWN, address
from tests.handlers.browser import Browser
from tests.handlers.test_history import decline, miss
from tests.handlers.test_pages import boot_of
from tests.running import Person, Running


async def page_of(person: Person, query: str = "") -> str:
    """The page as it is rendered; what is in its template elements does not count."""
    answer = await (await Browser.of(person)).get(f"/history?{query}" if query else "/history")
    assert answer.status == 200
    return re.sub(r"<template.*?</template>", "", answer.body.decode(), flags=re.DOTALL)


def calls_on(page: str) -> list[str]:
    """The ids of the calls that it shows."""
    return re.findall(r'data-call-id="([^"]+)"', page)


def words_on(page: str) -> str:
    """What a person reads on it, that is: without what is hidden."""
    shown = re.sub(r"<(div|p|a)\b[^>]*\shidden>.*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", shown)).split())


@pytest.mark.gen_test
async def test_asks_strangers_to_sign_in(running: Running) -> None:
    answer = await running.fetch("GET", "/history")
    assert (answer.status, answer.headers["Location"]) == (302, "/login?next=%2Fhistory")


@pytest.mark.gen_test
async def test_shows_who_what_and_when(running: Running) -> None:
    alice, bob = await running.person("alice"), await running.person("bob", display_name="Bob Miller")
    call_id = await decline(alice, bob)
    page = await page_of(alice)
    item = (await alice.history())[0]
    assert calls_on(page) == [call_id]
    assert "<bdi data-name>Bob Miller</bdi>" in page
    assert "Bob Miller declined" in words_on(page)
    assert f'datetime="{item["created_at"]}"' in page


@pytest.mark.gen_test
async def test_puts_the_calls_of_a_day_together(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    await decline(alice, bob)
    running.clock.move(24 * 3600)
    alice, bob = await running.device(alice.user), await running.device(bob.user)
    await decline(alice, bob)
    days = re.findall(r'data-day="([\d-]+)"', await page_of(alice))
    assert len(days) == 2 and days == sorted(days, reverse=True)


@pytest.mark.gen_test
async def test_marks_what_was_missed_and_not_yet_seen(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    await miss(alice, bob)
    page = await page_of(bob)
    assert 'data-kind="missed"' in page and 'data-new="yes"' in page
    await bob.api("POST", "/calls/seen")
    page = await page_of(bob)
    assert 'data-kind="missed"' in page and 'data-new="yes"' not in page


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/", "/history"])
async def test_says_in_the_navigation_how_many_are_unread(running: Running, path: str) -> None:
    alice, bob = await running.people("alice", "bob")
    for _ in range(2):
        await miss(alice, bob)
    page = (await (await Browser.of(bob)).get(path)).body.decode()
    assert re.search(r'data-unread="missed"><span data-count>2</span>', page)


@pytest.mark.gen_test
async def test_is_filtered_by_its_address(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    missed, _ = await miss(bob, alice), await decline(alice, bob)
    page = await page_of(alice, "filter=missed")
    assert calls_on(page) == [missed]
    assert re.search(r'data-filter="missed" aria-current="page"', page)


@pytest.mark.gen_test
async def test_is_searched_by_its_address(running: Running) -> None:
    alice, bob, carol = await running.people("alice", "bob", "carol")
    with_bob, _ = await decline(alice, bob), await decline(alice, carol)
    page = await page_of(alice, "q=bo")
    assert calls_on(page) == [with_bob]
    assert 'value="bo"' in page and "q=bo" in page


@pytest.mark.gen_test
async def test_leads_to_the_older_calls(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    calls = [await decline(bob, alice) if number % 2 else await decline(alice, bob) for number in range(4)]
    answer = await (await Browser.of(alice)).get(f"/history?before={calls[2]}")
    assert calls_on(re.sub(r"<template.*?</template>", "", answer.body.decode(), flags=re.DOTALL)) == calls[1::-1]
    assert boot_of(answer)["next"] is None
    assert address("missed", "a b", "x") == "/history?filter=missed&q=a+b&before=x"
    assert (address("all"), CALLS_SHOWN) == ("/history", 50)


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "No calls yet"),
        ("filter=missed", "No missed calls"),
        ("filter=incoming", "No incoming calls"),
        ("filter=outgoing", "No outgoing calls"),
        ("q=zoe", "There are no calls here with anybody called “zoe”."),
        ("q=zoe&filter=missed", "There are no calls here with anybody called “zoe”."),
    ],
)
async def test_says_why_it_is_empty(running: Running, query: str, said: str) -> None:
    words = words_on(await page_of(await running.person("alice"), query))
    assert said in words
    assert len(re.findall(r"No (calls yet|missed calls|incoming calls|outgoing calls|such calls)", words)) == 1


@pytest.mark.gen_test
@pytest.mark.parametrize("query", ["filter=lost", "before=yesterday", "q=" + 65 * "x"])
async def test_refuses_an_address_that_it_does_not_know(running: Running, query: str) -> None:
    browser = await Browser.of(await running.person("alice"))
    assert (await browser.get(f"/history?{query}")).status == 400


@pytest.mark.gen_test
async def test_shows_names_full_of_markup_as_they_are(running: Running) -> None:
    name = '<img src=x onerror="alert(1)">\u202e'
    alice, bob = await running.person("alice"), await running.person("bob", display_name="Bob")
    await running.services.users.change(bob.id, display_name=name)
    await decline(alice, bob)
    page = await page_of(alice, "q=%3Cimg%20src%3E")
    assert "<img" not in page
    assert f"<bdi data-name>{html.escape(name)}" in await page_of(alice)
