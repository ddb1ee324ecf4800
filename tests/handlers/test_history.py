"""The own history of calls over HTTP: what stands in it, how it is looked through, and how it is emptied."""

from __future__ import annotations

import pytest

from server.ids import new_id
from tests.handlers.browser import Browser
from tests.running import Answer, Person, Running, Start


async def dial(caller: Person, *callees: str) -> str:
    """Calls somebody; the id of the call."""
    return str((await caller.place(*callees))["call_id"])


async def miss(caller: Person, callee: Person) -> str:
    """A call that the caller gives up; its id."""
    call = await caller.place(callee.user.username)
    await caller.do("cancel", call)
    return str(call["call_id"])


async def decline(caller: Person, callee: Person) -> str:
    """A call that the callee does not take; its id."""
    call = await caller.place(callee.user.username)
    await callee.do("decline", call)
    return str(call["call_id"])


async def ids(person: Person, query: str = "") -> list[str]:
    """The ids of the calls that a list has."""
    answer = await person.api("GET", f"/calls?{query}")
    assert answer.status == 200, answer
    return [item["call_id"] for item in answer.document["items"]]


class TestHistory:
    @pytest.mark.gen_test
    async def test_holds_a_call_on_both_sides(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = await running.answered(alice, bob)
        await bob.do("hangup", call)
        mine, theirs = (await alice.history())[0], (await bob.history())[0]
        assert (mine["call_id"], theirs["call_id"]) == (call["call_id"], call["call_id"])
        assert (mine["direction"], theirs["direction"]) == ("outgoing", "incoming")
        assert (mine["missed"], theirs["missed"]) == (False, False)

    @pytest.mark.gen_test
    async def test_says_missed_to_the_callee_of_a_cancelled_call(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await miss(alice, bob)
        assert [(await person.history())[0]["missed"] for person in (alice, bob)] == [False, True]

    @pytest.mark.gen_test
    async def test_does_not_say_missed_of_a_declined_call(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await decline(alice, bob)
        assert not (await bob.history())[0]["missed"]

    @pytest.mark.gen_test
    async def test_is_the_own_one(self, running: Running) -> None:
        alice, _, mallory = await running.people("alice", "bob", "mallory")
        await dial(alice, "bob")
        assert await mallory.history() == []

    @pytest.mark.gen_test
    async def test_comes_page_by_page_newest_first(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        placed = [await decline(alice, bob) for _ in range(5)]
        first = (await alice.api("GET", "/calls?limit=2")).document
        second = (await alice.api("GET", f"/calls?limit=2&before={first['next']}")).document
        third = (await alice.api("GET", f"/calls?limit=2&before={second['next']}")).document
        seen = [item["call_id"] for page in (first, second, third) for item in page["items"]]
        assert (seen, third["next"]) == (placed[::-1], None)

    @pytest.mark.gen_test
    async def test_can_be_narrowed_to_a_state(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await decline(alice, bob)
        live = await dial(alice, "bob")
        assert await ids(alice, "state=inviting") == [live]

    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        "query",
        [
            "state=over",
            "state=",
            "before=x",
            "before=$ne",
            "limit=0",
            "filter=unread",
            "filter=Missed",
            "state=ended&filter=missed",
            "state=ended&q=bob",
            "q=" + 65 * "x",
        ],
    )
    async def test_refuses_a_query_that_it_does_not_know(self, running: Running, query: str) -> None:
        alice = await running.person("alice")
        answer = await alice.api("GET", f"/calls?{query}")
        assert (answer.status, set(answer.document["errors"])) == (400, {query.partition("=")[0]})

    @pytest.mark.gen_test
    async def test_says_in_a_sentence_what_became_of_a_call(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await decline(alice, bob)
        mine, theirs = (await alice.history())[0], (await bob.history())[0]
        assert (mine["outcome"], theirs["outcome"]) == ("bob declined", "You declined")
        assert (mine["details"], theirs["details"]) == 2 * ("Video call",)


class TestFilters:
    @pytest.mark.gen_test
    async def test_give_what_their_names_say(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        made, got, missed = await decline(alice, bob), await decline(bob, alice), await miss(bob, alice)
        found = {kind: await ids(alice, f"filter={kind}") for kind in ("all", "missed", "incoming", "outgoing")}
        assert found == {
            "all": [missed, got, made], "missed": [missed], "incoming": [missed, got], "outgoing": [made],
        }  # fmt: skip

    @pytest.mark.gen_test
    async def test_are_paged_like_the_whole(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        missed = []
        for _ in range(3):
            missed.append(await miss(bob, alice))
            await decline(alice, bob)
        first = (await alice.api("GET", "/calls?filter=missed&limit=2")).document
        assert [item["call_id"] for item in first["items"]] == missed[:0:-1]
        assert await ids(alice, f"filter=missed&limit=2&before={first['next']}") == missed[:1]

    @pytest.mark.gen_test
    async def test_missed_has_what_was_held_back(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await bob.api("PATCH", "/users/me", {"do_not_disturb": True})
        assert [await dial(alice, "bob")] == await ids(bob, "filter=missed")


class TestSearch:
    @pytest.mark.gen_test
    @pytest.mark.parametrize("text", ["bob", "BO", "%20bob%20"])
    async def test_finds_the_calls_with_people_of_that_name(self, running: Running, text: str) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        with_bob = await decline(alice, bob)
        await decline(alice, carol)
        assert await ids(alice, f"q={text}") == [with_bob]

    @pytest.mark.gen_test
    async def test_and_filter_go_together(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        await miss(carol, alice)
        await decline(alice, bob)
        assert await ids(alice, "q=bob&filter=missed") == []
        assert (
            await ids(alice, "q=bob&filter=missed") != [await miss(bob, alice)] == await ids(alice, "q=b&filter=missed")
        )

    @pytest.mark.gen_test
    async def test_finds_nothing_where_nobody_has_that_name(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await decline(alice, bob)
        assert await ids(alice, "q=zoe") == []

    @pytest.mark.gen_test
    async def test_of_blanks_is_none(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        assert await ids(alice, "q=%20&state=ended") == [] != [await decline(alice, bob)] == await ids(alice, "q=")

    @pytest.mark.gen_test
    async def test_does_not_find_calls_of_others(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        await decline(alice, bob)
        assert await ids(carol, "q=bob") == []


class TestSeen:
    @pytest.mark.gen_test
    async def test_what_was_missed_is_unread_until_it_was_seen(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await miss(alice, bob)
        before = (await bob.api("GET", "/calls")).document
        assert (before["unread"], before["items"][0]["unread"]) == (1, True)
        assert (await bob.api("POST", "/calls/seen")).document == {"missed": 0}
        after = (await bob.api("GET", "/calls")).document
        assert (after["unread"], after["items"][0]["unread"], after["items"][0]["missed"]) == (0, False, True)

    @pytest.mark.gen_test
    async def test_is_said_up_to_what_was_shown(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        shown = await miss(alice, bob)
        await miss(alice, bob)
        assert (await bob.api("POST", "/calls/seen", {"until": shown})).document == {"missed": 1}

    @pytest.mark.gen_test
    @pytest.mark.parametrize("body", [{"until": "yesterday"}, {"until": 1}, {"until": ""}])
    async def test_takes_only_the_id_of_a_call(self, running: Running, body: dict[str, object]) -> None:
        alice = await running.person("alice")
        answer = await alice.api("POST", "/calls/seen", body)
        assert (answer.status, set(answer.document["errors"])) == (400, {"until"})

    @pytest.mark.gen_test
    async def test_takes_no_other_field(self, running: Running) -> None:
        alice = await running.person("alice")
        answer = await alice.api("POST", "/calls/seen", {"call_id": new_id()})
        assert (answer.status, set(answer.document["errors"])) == (400, {"call_id"})

    @pytest.mark.gen_test
    async def test_by_one_is_not_seen_by_the_other(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        await alice.do("cancel", await alice.place("bob", "carol"))
        await bob.api("POST", "/calls/seen")
        assert (await carol.api("GET", "/calls")).document["unread"] == 1


class TestRemoving:
    @pytest.mark.gen_test
    async def test_one_call_leaves_the_own_history_alone(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call_id = await decline(alice, bob)
        answer = await alice.api("DELETE", f"/calls/{call_id}")
        assert (answer.status, answer.body) == (204, b"")
        assert (await ids(alice), await ids(bob)) == ([], [call_id])

    @pytest.mark.gen_test
    async def test_by_both_deletes_the_call_for_good(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call_id = await decline(alice, bob)
        for person in (alice, bob):
            await person.api("DELETE", f"/calls/{call_id}")
        await running.until(lambda: len(running.services.background) == 0, "it is removed")
        assert (await alice.api("GET", f"/calls/{call_id}")).status == 404

    @pytest.mark.gen_test
    async def test_a_call_that_goes_on_is_refused(self, running: Running) -> None:
        alice, _ = await running.people("alice", "bob")
        call_id = await dial(alice, "bob")
        answer = await alice.api("DELETE", f"/calls/{call_id}")
        assert (answer.status, answer.code) == (409, "bad_state")
        assert await ids(alice) == [call_id]

    @pytest.mark.gen_test
    async def test_what_is_not_there_any_more_is_not_found(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call_id = await decline(alice, bob)
        answers = [await alice.api("DELETE", f"/calls/{call_id}") for _ in range(2)]
        assert [answer.status for answer in answers] == [204, 404]

    @pytest.mark.gen_test
    async def test_the_call_of_others_is_answered_like_one_that_does_not_exist(self, running: Running) -> None:
        alice, bob, mallory = await running.people("alice", "bob", "mallory")
        over, live = await decline(alice, bob), await dial(alice, "bob")
        answers = [await mallory.api("DELETE", f"/calls/{call_id}") for call_id in (over, live, new_id(), "-" * 36)]
        assert {(answer.status, answer.code) for answer in answers} == {(404, "not_found")}
        assert await ids(alice) == [live, over]

    @pytest.mark.gen_test
    async def test_all_leaves_what_goes_on_and_what_the_others_have(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        over, live = await decline(alice, bob), await dial(alice, "bob")
        assert (await alice.api("DELETE", "/calls")).status == 204
        assert (await ids(alice), await ids(bob)) == ([live], [live, over])

    @pytest.mark.gen_test
    async def test_all_goes_no_further_than_what_was_shown(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        shown, later = await miss(alice, bob), await miss(alice, bob)
        assert (await bob.api("DELETE", f"/calls?until={shown}")).status == 204
        assert await ids(bob) == [later]

    @pytest.mark.gen_test
    async def test_all_takes_only_the_id_of_a_call(self, running: Running) -> None:
        alice = await running.person("alice")
        answer = await alice.api("DELETE", "/calls?until=now")
        assert (answer.status, set(answer.document["errors"])) == (400, {"until"})


class TestBlocked:
    """A call from somebody whom one has blocked: no news to oneself, and like any other to them."""

    @staticmethod
    async def rung_out(running: Running, alice: Person, bob: Person) -> None:
        """Alice calls Bob until nobody answers; the first device that says so rings after half a second."""
        inbox = await bob.inbox()
        call = await alice.place("bob")
        running.clock.move(2)
        await running.server.sweep()
        if "incoming" in await inbox.settled():
            await inbox.request("ringing", call_id=call["call_id"])
        running.clock.move(44)
        await running.server.sweep()
        await inbox.socket.close()

    @pytest.mark.gen_test
    async def test_is_not_there_while_it_rings(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await bob.api("PUT", f"/contacts/{alice.id}/block")
        call_id = await dial(alice, "bob")
        assert (await ids(bob), await ids(alice)) == ([], [call_id])

    @pytest.mark.gen_test
    async def test_is_found_and_not_missed_when_it_is_over(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await bob.api("PUT", f"/contacts/{alice.id}/block")
        await self.rung_out(running, alice, bob)
        page = (await bob.api("GET", "/calls")).document
        (item,) = page["items"]
        assert (item["missed"], item["unread"], page["unread"]) == (False, False, 0)
        assert (item["outcome"], item["details"]) == ("You have blocked alice", "Video call")
        assert await ids(bob, "filter=missed") == []

    @pytest.mark.gen_test
    async def test_stands_in_the_callers_history_like_one_that_nobody_answered(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await self.rung_out(running, alice, bob)
        await bob.api("PUT", f"/contacts/{alice.id}/block")
        await self.rung_out(running, alice, bob)
        blocked, heard = (await alice.api("GET", "/calls")).document["items"]
        told = ("state", "end_reason", "ended_by", "outcome", "direction", "missed", "unread", "duration_s")
        assert {name: blocked[name] for name in told} == {name: heard[name] for name in told}
        assert [leg["state"] for leg in blocked["legs"]] == [leg["state"] for leg in heard["legs"]]
        assert blocked["details"].startswith("Video call · Rang for 0:4")
        assert heard["details"].startswith("Video call · Rang for 0:4")


class TestStrangers:
    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", "/calls"), ("DELETE", "/calls"), ("POST", "/calls/seen"), ("DELETE", f"/calls/{new_id()}")],
        ids=["read", "empty", "see", "remove"],
    )
    async def test_are_asked_to_sign_in(self, running: Running, method: str, path: str) -> None:
        assert (await running.api(method, path)).status == 401

    @pytest.mark.gen_test
    async def test_cannot_let_a_page_of_theirs_empty_the_history(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call_id = await decline(alice, bob)
        browser = await Browser.of(alice)
        answers: list[Answer] = [await browser.api("DELETE", path, xsrf="") for path in ("/calls", f"/calls/{call_id}")]
        assert [answer.code for answer in answers] == ["xsrf_failed", "xsrf_failed"]
        assert await ids(alice) == [call_id]


@pytest.mark.gen_test
async def test_somebody_who_is_taken_away_leaves_the_calls_to_the_others(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call_id = await decline(alice, bob)
    await running.services.accounts.remove(bob.user)
    assert await ids(alice) == [call_id]
    await running.services.accounts.remove(alice.user)
    await running.server.jobs.jobs["forgotten"].body()
    assert await running.services.calls.get(call_id) is None


@pytest.mark.gen_test
async def test_calls_of_an_earlier_version_stand_in_the_history_when_the_server_has_started(start: Start) -> None:
    running = await start()
    alice, bob = await running.people("alice", "bob")
    call_id = await miss(alice, bob)
    await running.services.database.collection("calls").update_all({}, {"$unset": {"history": ""}})
    assert await ids(bob) == []
    await start()
    assert (await ids(bob), await ids(bob, "filter=missed")) == ([call_id], [call_id])
