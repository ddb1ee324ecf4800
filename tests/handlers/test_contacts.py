"""Contacts over HTTP, and what both people's open pages are told of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from server.ids import new_id
from tests.peer import Peer
from tests.running import Answer, Person, Running, Start

SOMEBODY = "01a1f7ab-a306-7328-9ecf-7c0fe4a823fa"


async def ask(one: Person, other: Person) -> Answer:
    """One asks the other to be a contact."""
    return await one.api("POST", "/contacts", {"username": other.user.username})


async def befriend(one: Person, other: Person) -> None:
    """Both ask, and are contacts."""
    await ask(one, other)
    assert (await ask(other, one)).document["state"] == "contacts"


async def act(one: Person, method: str, other: Person, what: str = "") -> Answer:
    """`await act(alice, "PUT", bob, "block")`."""
    return await one.api(method, f"/contacts/{other.id}" + (f"/{what}" if what else ""))


async def listed(one: Person, state: str = "contacts") -> list[str]:
    """The names on one of their lists."""
    items = (await one.api("GET", f"/contacts?state={state}")).document["items"]
    return [item["user"]["username"] for item in items]


async def item_of(one: Person, other: Person) -> dict[str, Any]:
    """The other in one's list of people."""
    (item,) = (await one.api("GET", f"/users?q={other.user.username}")).document["items"]
    return dict(item)


async def told(inbox: Peer) -> list[tuple[str, str]]:
    """What a page was told of contacts so far: of whom, and how it stands."""
    await inbox.settled()
    return [
        (frame["contact"]["user"]["username"], frame["contact"]["state"])
        for frame in inbox.frames
        if frame["type"] == "contact"
    ]


class TestRequest:
    @pytest.mark.gen_test
    async def test_is_answered_with_what_there_is_then(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        answer = await ask(alice, bob)
        assert (answer.status, answer.document) == (
            201,
            {
                "user": {"id": bob.id, "username": "bob", "display_name": "bob"},
                "state": "sent",
                "favourite": False,
                "blocked": False,
                "presence": "offline",
                "since": answer.document["since"],
            },
        )
        assert datetime.fromisoformat(answer.document["since"]) <= running.clock.now()

    @pytest.mark.gen_test
    async def test_stands_in_the_lists_of_both(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await ask(alice, bob)
        assert (await listed(alice, "sent"), await listed(bob, "received")) == (["bob"], ["alice"])
        assert await listed(alice) == []

    @pytest.mark.gen_test
    async def test_shows_at_once_on_every_open_page_of_both(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inboxes = [await alice.inbox(), await bob.inbox(), await (await running.device(bob.user)).inbox()]
        await ask(alice, bob)
        seen = [(await inbox.next("contact"))["contact"] for inbox in inboxes]
        assert [item["state"] for item in seen] == ["sent", "received", "received"]

    @pytest.mark.gen_test
    async def test_of_two_who_ask_each_other_makes_contacts(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await ask(alice, bob)
        answer = await ask(bob, alice)
        assert (answer.status, answer.document["state"]) == (200, "contacts")
        assert (await listed(alice), await listed(bob)) == (["bob"], ["alice"])

    @pytest.mark.gen_test
    async def test_again_is_no_other_and_tells_nobody(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        first = await ask(alice, bob)
        again = await ask(alice, bob)
        assert (again.status, again.document) == (200, first.document)
        assert await told(inbox) == [("alice", "received")]

    @pytest.mark.gen_test
    async def test_finds_the_name_however_it_is_capitalised(self, running: Running) -> None:
        alice, _ = await running.people("alice", "Bob")
        assert (await alice.api("POST", "/contacts", {"username": "bOB"})).status == 201

    @pytest.mark.gen_test
    async def test_to_oneself_is_refused(self, running: Running) -> None:
        alice = await running.person("alice")
        answer = await alice.api("POST", "/contacts", {"username": "ALICE"})
        assert (answer.status, answer.code) == (400, "cannot_add_self")

    @pytest.mark.gen_test
    @pytest.mark.parametrize("username", ["nobody", "worker", "gone"])
    async def test_to_somebody_who_cannot_be_called_is_refused(self, running: Running, username: str) -> None:
        alice, gone = await running.people("alice", "gone")
        await running.person("worker", service=True)
        await running.services.accounts.set_disabled(gone.user, True)
        answer = await alice.api("POST", "/contacts", {"username": username})
        assert (answer.status, answer.code) == (404, "user_not_found")

    @pytest.mark.gen_test
    @pytest.mark.parametrize("body", [{}, {"username": ""}, {"username": "x" * 65}, {"username": 7}, {"who": "bob"}])
    async def test_without_a_name_is_refused(self, running: Running, body: dict[str, object]) -> None:
        alice = await running.person("alice")
        assert (await alice.api("POST", "/contacts", body)).status == 400

    @pytest.mark.gen_test
    async def test_is_one_of_so_many_a_day(self, start: Start) -> None:
        running = await start({"people.contact_requests_per_day": 2})
        alice, bob, carol, dave = await running.people("alice", "bob", "carol", "dave")
        for other in (bob, carol):
            assert (await ask(alice, other)).status == 201
        answer = await ask(alice, dave)
        assert (answer.status, answer.code) == (429, "too_many_contact_requests")
        assert 86_000 < int(answer.headers["Retry-After"]) <= 86_400
        running.clock.move(86_401)
        alice = await running.device(alice.user)
        assert (await ask(alice, dave)).status == 201

    @pytest.mark.gen_test
    async def test_that_was_withdrawn_counts_as_well(self, start: Start) -> None:
        running = await start({"people.contact_requests_per_day": 2})
        alice, bob = await running.people("alice", "bob")
        for _ in range(2):
            await ask(alice, bob)
            await act(alice, "DELETE", bob)
        assert (await ask(alice, bob)).status == 429

    @pytest.mark.gen_test
    async def test_of_somebody_who_has_asked_is_accepted_past_the_limit(self, start: Start) -> None:
        running = await start({"people.contact_requests_per_day": 1})
        alice, bob, carol = await running.people("alice", "bob", "carol")
        await ask(alice, bob)
        await ask(carol, alice)
        assert (await ask(alice, carol)).document["state"] == "contacts"


class TestAnswer:
    @pytest.mark.gen_test
    async def test_accept_makes_contacts_and_tells_both(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await ask(alice, bob)
        inbox = await alice.inbox()
        answer = await act(bob, "POST", alice, "accept")
        assert (answer.status, answer.document["state"]) == (200, "contacts")
        frame = await inbox.next("contact")
        assert (frame["user_id"], frame["contact"]["state"]) == (bob.id, "contacts")

    @pytest.mark.gen_test
    async def test_decline_leaves_nothing_and_tells_both(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await ask(alice, bob)
        inbox = await alice.inbox()
        answer = await act(bob, "POST", alice, "decline")
        assert (answer.status, answer.document["state"], answer.document["since"]) == (200, "none", None)
        assert (await inbox.next("contact"))["contact"]["state"] == "none"
        assert (await listed(alice, "sent"), await listed(bob, "received")) == ([], [])

    @pytest.mark.gen_test
    @pytest.mark.parametrize("what", ["accept", "decline"])
    async def test_to_what_was_not_asked_is_refused(self, running: Running, what: str) -> None:
        alice, bob = await running.people("alice", "bob")
        assert (await act(alice, "POST", bob, what)).code == "bad_state"
        await ask(alice, bob)
        answer = await act(alice, "POST", bob, what)
        assert (answer.status, answer.code) == (409, "bad_state")

    @pytest.mark.gen_test
    async def test_ending_a_contact_tells_both(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await befriend(alice, bob)
        inbox = await alice.inbox()
        assert (await act(bob, "DELETE", alice)).status == 204
        assert (await inbox.next("contact"))["contact"]["state"] == "none"
        assert (await listed(alice), await listed(bob)) == ([], [])

    @pytest.mark.gen_test
    async def test_withdrawing_takes_the_request_from_the_other_page(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await ask(alice, bob)
        inbox = await bob.inbox()
        assert (await act(alice, "DELETE", bob)).status == 204
        assert (await inbox.next("contact"))["contact"]["state"] == "none"

    @pytest.mark.gen_test
    async def test_there_is_nothing_to_end_between_strangers(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        answer = await act(alice, "DELETE", bob)
        assert (answer.status, answer.code) == (404, "not_found")


class TestFavourite:
    @pytest.mark.gen_test
    async def test_is_a_mark_of_ones_own(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        answer = await act(alice, "PUT", bob, "favourite")
        assert (answer.status, answer.document["favourite"]) == (200, True)
        assert (await listed(alice, "favourites"), await listed(bob, "favourites")) == (["bob"], [])
        assert (await item_of(bob, alice))["favourite"] is False

    @pytest.mark.gen_test
    async def test_is_told_to_the_own_pages_only(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        mine, theirs = await alice.inbox(), await bob.inbox()
        await act(alice, "PUT", bob, "favourite")
        assert (await mine.next("contact"))["contact"]["favourite"] is True
        assert await told(theirs) == []

    @pytest.mark.gen_test
    async def test_is_one_no_longer(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await act(alice, "PUT", bob, "favourite")
        assert (await act(alice, "DELETE", bob, "favourite")).document["favourite"] is False
        assert await listed(alice, "favourites") == []

    @pytest.mark.gen_test
    async def test_cannot_be_somebody_blocked(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await act(alice, "PUT", bob, "block")
        answer = await act(alice, "PUT", bob, "favourite")
        assert (answer.status, answer.code) == (409, "bad_state")


class TestBlock:
    @pytest.mark.gen_test
    async def test_ends_the_contact_and_the_own_favourite(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await befriend(alice, bob)
        for one, other in ((alice, bob), (bob, alice)):
            await act(one, "PUT", other, "favourite")
        item = (await act(alice, "PUT", bob, "block")).document
        assert (item["state"], item["favourite"], item["blocked"]) == ("none", False, True)
        assert (await listed(bob), await listed(bob, "favourites")) == ([], ["alice"])
        assert await listed(alice, "blocked") == ["bob"]

    @pytest.mark.gen_test
    async def test_looks_to_the_other_as_if_the_contact_had_ended(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await befriend(alice, bob)
        inbox = await bob.inbox()
        await act(alice, "PUT", bob, "block")
        item = (await inbox.next("contact"))["contact"]
        assert (item["state"], item["blocked"]) == ("none", False)

    @pytest.mark.gen_test
    async def test_of_a_stranger_is_told_to_the_own_pages_only(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        mine, theirs = await alice.inbox(), await bob.inbox()
        await act(alice, "PUT", bob, "block")
        assert (await mine.next("contact"))["contact"]["blocked"] is True
        await act(alice, "DELETE", bob, "block")
        assert (await mine.next("contact"))["contact"]["blocked"] is False
        assert await told(theirs) == []

    @pytest.mark.gen_test
    async def test_takes_requests_and_shows_them_to_nobody(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await act(alice, "PUT", bob, "block")
        inbox = await alice.inbox()
        answer = await ask(bob, alice)
        assert (answer.status, answer.document["state"]) == (201, "sent")
        assert (await told(inbox), await listed(alice, "received")) == ([], [])
        assert (await item_of(alice, bob))["contact"] == "none"

    @pytest.mark.gen_test
    async def test_keeps_the_withdrawal_of_such_a_request_from_the_own_pages(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await act(alice, "PUT", bob, "block")
        await ask(bob, alice)
        inbox = await alice.inbox()
        assert (await act(bob, "DELETE", alice)).status == 204
        assert await told(inbox) == []

    @pytest.mark.gen_test
    @pytest.mark.parametrize("what", ["accept", "decline"])
    async def test_leaves_no_request_to_answer(self, running: Running, what: str) -> None:
        alice, bob = await running.people("alice", "bob")
        await act(alice, "PUT", bob, "block")
        await ask(bob, alice)
        assert (await act(alice, "POST", bob, what)).code == "bad_state"

    @pytest.mark.gen_test
    async def test_must_end_before_one_asks_oneself(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await act(alice, "PUT", bob, "block")
        answer = await ask(alice, bob)
        assert (answer.status, answer.code) == (409, "bad_state")
        await act(alice, "DELETE", bob, "block")
        assert (await ask(alice, bob)).status == 201

    @pytest.mark.gen_test
    async def test_that_is_over_gives_nothing_back(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await befriend(alice, bob)
        await act(alice, "PUT", bob, "favourite")
        await act(alice, "PUT", bob, "block")
        item = (await act(alice, "DELETE", bob, "block")).document
        assert (item["state"], item["favourite"], item["blocked"]) == ("none", False, False)

    @pytest.mark.gen_test
    async def test_that_is_over_takes_a_request_with_it(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await act(alice, "PUT", bob, "block")
        await ask(bob, alice)
        inbox = await bob.inbox()
        await act(alice, "DELETE", bob, "block")
        assert (await inbox.next("contact"))["contact"]["state"] == "none"
        assert (await listed(alice, "received"), await listed(bob, "sent")) == ([], [])

    @pytest.mark.gen_test
    async def test_leaves_the_other_in_ones_sight(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await act(alice, "PUT", bob, "block")
        await bob.inbox()
        item = await item_of(alice, bob)
        assert (item["presence"], item["blocked"]) == ("online", True)

    @pytest.mark.gen_test
    async def test_looks_like_being_offline_and_like_nothing_else(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        await act(alice, "PUT", bob, "block")
        seen = await item_of(bob, alice)
        await alice.inbox()
        assert await item_of(bob, alice) == seen
        assert (await item_of(carol, alice))["presence"] == "online"

    @pytest.mark.gen_test
    async def test_shows_in_no_list_of_the_other(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await alice.inbox()
        await act(bob, "PUT", alice, "favourite")
        await act(alice, "PUT", bob, "block")
        (item,) = (await bob.api("GET", "/contacts?state=favourites")).document["items"]
        assert (item["presence"], item["blocked"], item["favourite"]) == ("offline", False, True)


class TestPresence:
    @pytest.mark.gen_test
    async def test_of_one_who_blocked_me_is_offline_to_a_page_that_watches(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await alice.inbox()
        await act(alice, "PUT", bob, "block")
        inbox = await bob.inbox()
        answer = await inbox.request("watch", user_ids=[alice.id])
        assert answer["people"] == [{"user_id": alice.id, "state": "offline"}]
        await alice.place("bob")
        assert "presence" not in await inbox.settled()

    @pytest.mark.gen_test
    async def test_goes_at_once_when_one_is_blocked_and_comes_back_after(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await alice.inbox()
        inbox = await bob.inbox()
        await inbox.request("watch", user_ids=[alice.id])
        await act(alice, "PUT", bob, "block")
        assert (await inbox.next("presence"))["state"] == "offline"
        await act(alice, "DELETE", bob, "block")
        assert (await inbox.next("presence"))["state"] == "online"

    @pytest.mark.gen_test
    async def test_of_a_contact_stands_in_the_item(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await befriend(alice, bob)
        await bob.inbox()
        (item,) = (await alice.api("GET", "/contacts")).document["items"]
        assert item["presence"] == "online"


class TestLists:
    @pytest.mark.gen_test
    @pytest.mark.parametrize("state", ["contacts", "sent", "received", "blocked", "favourites"])
    async def test_come_page_by_page(self, running: Running, state: str) -> None:
        alice, *others = await running.people("alice", "bob", "carol", "dave", "erin", "fred")
        for other in others:
            await ask(*((other, alice) if state == "received" else (alice, other)))
            if state == "contacts":
                await act(other, "POST", alice, "accept")
            elif state in ("blocked", "favourites"):
                await act(alice, "PUT", other, {"blocked": "block", "favourites": "favourite"}[state])
        seen, query = [], ""
        for _ in range(3):
            page = (await alice.api("GET", f"/contacts?state={state}&limit=2{query}")).document
            seen.append([item["user"]["username"] for item in page["items"]])
            query = f"&before={page['next']}"
        assert [len(names) for names in seen] == [2, 2, 1]
        assert page["next"] is None
        assert [name for names in seen for name in names] == await listed(alice, state)

    @pytest.mark.gen_test
    async def test_begin_with_the_newest(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        for other in (carol, bob):
            await ask(other, alice)
            running.clock.move(1)
        assert await listed(alice, "received") == ["bob", "carol"]

    @pytest.mark.gen_test
    async def test_leave_disabled_accounts_out(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await befriend(alice, bob)
        await running.services.accounts.set_disabled(bob.user, True)
        assert await listed(alice) == []

    @pytest.mark.gen_test
    async def test_hold_nobody_who_was_removed(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await befriend(alice, bob)
        await running.services.accounts.remove(bob.user)
        assert await running.services.contact_store.relations(alice.id, [bob.id]) == {}

    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        "before", ["x", "..", "1.2", "%27", SOMEBODY, f"{SOMEBODY}.x", f"{SOMEBODY}.{'9' * 15}", ""]
    )
    async def test_refuse_a_cursor_that_they_did_not_give(self, running: Running, before: str) -> None:
        alice = await running.person("alice")
        answer = await alice.api("GET", f"/contacts?before={before}")
        assert (answer.status, answer.document["errors"]) == (400, {"before": "the next of an earlier page"})

    @pytest.mark.gen_test
    async def test_are_five(self, running: Running) -> None:
        alice = await running.person("alice")
        answer = await alice.api("GET", "/contacts?state=none")
        assert (answer.status, set(answer.document["errors"])) == (400, {"state"})


PLACES = [
    ("DELETE", ""),
    ("POST", "/accept"),
    ("POST", "/decline"),
    ("PUT", "/favourite"),
    ("DELETE", "/favourite"),
    ("PUT", "/block"),
    ("DELETE", "/block"),
]


@pytest.mark.gen_test
@pytest.mark.parametrize(("method", "place"), PLACES)
async def test_nobody_of_that_id_is_said_so(running: Running, method: str, place: str) -> None:
    alice = await running.person("alice")
    answer = await alice.api(method, f"/contacts/{new_id()}{place}")
    assert (answer.status, answer.code) == (404, "user_not_found")


@pytest.mark.gen_test
@pytest.mark.parametrize(("method", "place"), PLACES)
async def test_nobody_has_to_do_with_themselves(running: Running, method: str, place: str) -> None:
    alice = await running.person("alice")
    answer = await alice.api(method, f"/contacts/{alice.id}{place}")
    assert (answer.status, answer.code) == (400, "cannot_add_self")
