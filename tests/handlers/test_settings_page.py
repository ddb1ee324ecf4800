"""The page of settings: everything as it is, and nobody else's."""

from __future__ import annotations

import pytest

from tests.handlers.browser import Browser
from tests.running import Person, Running


async def page_of(person: Person) -> str:
    """The page as the person's browser gets it."""
    answer = await (await Browser.of(person)).get("/settings")
    assert answer.status == 200
    return answer.body.decode()


@pytest.mark.gen_test
async def test_it_leads_strangers_to_the_sign_in_page(running: Running) -> None:
    answer = await running.fetch("GET", "/settings")
    assert (answer.status, answer.headers["Location"]) == (302, "/login?next=%2Fsettings")


@pytest.mark.gen_test
async def test_it_shows_names_as_text(running: Running) -> None:
    alice = await running.person("alice", display_name="<b>Al</b>")
    await alice.api("PATCH", f"/devices/{alice.sign_in_id}", {"label": "<i>Kitchen</i>"})
    page = await page_of(alice)
    assert "&lt;b&gt;Al&lt;/b&gt;" in page and "&lt;i&gt;Kitchen&lt;/i&gt;" in page
    assert "<b>Al" not in page and "<i>Kitchen" not in page


@pytest.mark.gen_test
async def test_it_shows_what_was_chosen(running: Running) -> None:
    alice = await running.person("alice")
    hours = {"start": "21:30", "end": "06:15", "time_zone": "Asia/Shanghai"}
    chosen = {"quiet_hours": hours, "call_waiting": "busy", "callers": "contacts", "do_not_disturb": True}
    await alice.api("PATCH", "/users/me", chosen)
    page = await page_of(alice)
    for shown in (
        'value="21:30"',
        'value="06:15"',
        "<option selected>Asia/Shanghai</option>",
        'value="busy" checked',
        'value="contacts" checked',
    ):
        assert shown in page
    for switch in ("setting-do-not-disturb", "quiet-hours"):
        assert " checked" in page.partition(f'id="{switch}"')[2].partition(">")[0]


@pytest.mark.gen_test
async def test_it_lists_the_own_devices_the_one_in_hand_first(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    telephone = await running.device(alice.user, "Chrome on Android")
    await telephone.inbox()
    page = await page_of(alice)
    assert page.index(alice.sign_in_id) < page.index(telephone.sign_in_id)
    assert bob.sign_in_id not in page


@pytest.mark.gen_test
async def test_it_offers_to_sign_other_devices_out_where_there_are_any(running: Running) -> None:
    alice = await running.person("alice")
    assert 'id="others-foot" hidden' in await page_of(alice)
    await running.device(alice.user)
    assert 'id="others-foot" hidden' not in await page_of(alice)


@pytest.mark.gen_test
async def test_it_lists_whom_the_person_has_blocked(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    assert 'id="nobody-blocked" hidden' not in await page_of(alice)
    await alice.api("PUT", f"/contacts/{bob.id}/block")
    page = await page_of(alice)
    assert f'data-user-id="{bob.id}"' in page and 'id="nobody-blocked" hidden' in page


@pytest.mark.gen_test
@pytest.mark.parametrize(("admin", "shown"), [(True, True), (False, False)])
async def test_it_names_an_administrator_as_one(running: Running, admin: bool, shown: bool) -> None:
    assert ("Administrator" in await page_of(await running.person("alice", admin=admin))) == shown
