"""Calls over HTTP."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from server.ids import new_id
from tests.running import Answer, Person, Running, Start


async def dial(caller: Person, *callees: str, media: str = "audio", **fields: object) -> Answer:
    return await caller.api("POST", "/calls", {"callees": callees, "media": media, **fields})


class TestPlacing:
    @pytest.mark.gen_test
    async def test_gives_the_call(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        answer = await dial(alice, "bob", media="video")
        call = answer.document
        assert (answer.status, call["state"], call["media"], call["rev"]) == (201, "inviting", "video", 1)
        assert [leg["user"]["id"] for leg in call["legs"]] == [alice.id, bob.id]
        assert [leg["state"] for leg in call["legs"]] == ["joined", "invited"]
        assert call["created_by"]["id"] == alice.id
        assert [call[name] for name in ("answered_at", "ended_at", "duration_s", "end_reason")] == [None] * 4

    @pytest.mark.gen_test
    async def test_finds_the_callee_however_the_name_is_capitalised(self, running: Running) -> None:
        alice, _ = await running.people("alice", "Bob")
        assert (await dial(alice, "bOB")).document["legs"][1]["user"]["username"] == "Bob"

    @pytest.mark.gen_test
    async def test_calls_several_people_at_once(self, running: Running) -> None:
        alice, *_ = await running.people("alice", "bob", "carol")
        call = (await dial(alice, "bob", "carol")).document
        assert [leg["user"]["username"] for leg in call["legs"]] == ["alice", "bob", "carol"]

    @pytest.mark.gen_test
    @pytest.mark.parametrize("name", ["alice", "ALICE"])
    async def test_refuses_a_call_to_oneself(self, running: Running, name: str) -> None:
        alice = await running.person("alice")
        answer = await dial(alice, name)
        assert (answer.status, answer.code) == (400, "cannot_call_self")

    @pytest.mark.gen_test
    @pytest.mark.parametrize("name", ["nobody", "", "$ne", "bob ", "../bob"])
    async def test_refuses_an_unknown_callee(self, running: Running, name: str) -> None:
        alice, _ = await running.people("alice", "bob")
        answer = await dial(alice, name)
        assert (answer.status, answer.code, set(answer.document["errors"])) == (404, "user_not_found", {"callees"})

    @pytest.mark.gen_test
    async def test_refuses_a_disabled_callee_as_if_there_were_nobody(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        unknown = (await dial(alice, "bob2")).document
        await running.services.accounts.set_disabled(bob.user, True)
        answer = (await dial(alice, "bob")).document
        assert {name: answer[name] for name in ("type", "title", "status", "code")} == {
            name: unknown[name] for name in ("type", "title", "status", "code")
        }

    @pytest.mark.gen_test
    async def test_refuses_more_people_than_a_call_may_have(self, start: Start) -> None:
        running = await start({"calls.max_participants": 3})
        alice, *_ = await running.people("alice", "bob", "carol", "dave")
        answer = await dial(alice, "bob", "carol", "dave")
        assert (answer.status, answer.document["errors"]) == (400, {"callees": "1 to 2 different people"})

    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"media": "audio"}, "callees"),
            ({"callees": [], "media": "audio"}, "callees"),
            ({"callees": "bob", "media": "audio"}, "callees"),
            ({"callees": ["x" * 65], "media": "audio"}, "callees[0]"),
            ({"callees": [1], "media": "audio"}, "callees[0]"),
            ({"callees": ["bob"]}, "media"),
            ({"callees": ["bob"], "media": "smell"}, "media"),
            ({"callees": ["bob"], "media": "audio", "client_key": ""}, "client_key"),
            ({"callees": ["bob"], "media": "audio", "client_key": "x" * 65}, "client_key"),
            ({"callees": ["bob"], "media": "audio", "created_by": "bob"}, "created_by"),
        ],
        ids=str,
    )
    async def test_names_the_field_that_is_wrong(self, running: Running, body: dict[str, Any], field: str) -> None:
        alice, _ = await running.people("alice", "bob")
        answer = await alice.api("POST", "/calls", body)
        assert (answer.status, answer.code, list(answer.document["errors"])) == (400, "bad_request", [field])

    @pytest.mark.gen_test
    async def test_refuses_too_many_calls_in_a_short_time(self, start: Start) -> None:
        running = await start({"calls.calls_per_minute": 2})
        alice, bob = await running.people("alice", "bob")
        for _ in range(2):
            await alice.do("cancel", (await dial(alice, "bob")).document)
        answer = await dial(alice, "bob")
        assert (answer.status, answer.code) == (429, "too_many_calls")
        assert 1 <= int(answer.headers["Retry-After"]) <= 30
        assert (await dial(bob, "alice")).status == 201

    @pytest.mark.gen_test
    async def test_allows_calls_again_after_a_while(self, start: Start) -> None:
        running = await start({"calls.calls_per_minute": 1})
        alice, _ = await running.people("alice", "bob")
        await alice.do("cancel", (await dial(alice, "bob")).document)
        assert (await dial(alice, "bob")).status == 429
        running.clock.move(61)
        assert (await dial(alice, "bob")).status == 201

    @pytest.mark.gen_test
    async def test_ends_at_once_for_somebody_who_wants_quiet(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await bob.api("PATCH", "/users/me", {"do_not_disturb": True})
        answer = await dial(alice, "bob")
        assert (answer.status, answer.document["state"], answer.document["end_reason"]) == (
            201, "ended", "do_not_disturb",
        )  # fmt: skip
        assert answer.document["legs"][1]["state"] == "do_not_disturb"

    @pytest.mark.gen_test
    async def test_ends_at_once_for_somebody_in_their_quiet_hours(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        now = running.clock.now()
        around = {"start": f"{now - timedelta(hours=1):%H:%M}", "end": f"{now + timedelta(hours=1):%H:%M}"}
        await bob.api("PATCH", "/users/me", {"quiet_hours": around | {"time_zone": "UTC"}})
        assert (await dial(alice, "bob")).document["end_reason"] == "do_not_disturb"


class TestTheSameCallAgain:
    @pytest.mark.gen_test
    async def test_is_not_placed_twice_with_one_client_key(self, running: Running) -> None:
        alice, _ = await running.people("alice", "bob")
        first, second = [await dial(alice, "bob", client_key="k1") for _ in range(2)]
        assert (first.status, second.status) == (201, 200)
        assert second.document == first.document

    @pytest.mark.gen_test
    async def test_is_not_placed_twice_with_one_client_key_at_once(self, running: Running) -> None:
        alice, _ = await running.people("alice", "bob")
        answers = await asyncio.gather(*(dial(alice, "bob", client_key="k1") for _ in range(10)))
        assert sorted(answer.status for answer in answers) == 9 * [200] + [201]
        assert len({answer.document["call_id"] for answer in answers}) == 1
        assert len(await alice.history()) == 1

    @pytest.mark.gen_test
    async def test_is_given_back_after_it_has_ended_too(self, running: Running) -> None:
        alice, _ = await running.people("alice", "bob")
        call = (await dial(alice, "bob", client_key="k1")).document
        await alice.do("cancel", call)
        again = await dial(alice, "bob", client_key="k1")
        assert (again.status, again.document["call_id"], again.document["state"]) == (200, call["call_id"], "ended")

    @pytest.mark.gen_test
    async def test_of_somebody_elses_client_key_is_another_call(self, running: Running) -> None:
        alice, bob, _ = await running.people("alice", "bob", "carol")
        first = await dial(alice, "carol", client_key="k1")
        second = await dial(bob, "carol", client_key="k1")
        assert (second.status, second.document["call_id"] != first.document["call_id"]) == (201, True)

    @pytest.mark.gen_test
    async def test_is_one_call_for_a_double_click(self, running: Running) -> None:
        alice, _ = await running.people("alice", "bob")
        answers = await asyncio.gather(dial(alice, "bob"), dial(alice, "bob"))
        assert len({answer.document["call_id"] for answer in answers}) == 1
        assert sorted(answer.status for answer in answers) == [200, 201]

    @pytest.mark.gen_test
    async def test_dialled_later_takes_the_place_of_the_first(self, running: Running) -> None:
        alice, _ = await running.people("alice", "bob")
        first = (await dial(alice, "bob")).document
        running.clock.move(3)
        second = await dial(alice, "bob")
        assert (second.status, second.document["call_id"] != first["call_id"]) == (201, True)
        assert (await alice.api("GET", f"/calls/{first['call_id']}")).document["end_reason"] == "cancelled"


class TestBothDial:
    @pytest.mark.gen_test
    async def test_becomes_one_call_that_is_answered(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        first = (await dial(alice, "bob")).document
        answer = await dial(bob, "alice")
        assert (answer.status, answer.document["merged"], answer.document["call_id"]) == (200, True, first["call_id"])
        assert answer.document["state"] == "connecting"
        assert [leg["state"] for leg in answer.document["legs"]] == ["joined", "joined"]

    @pytest.mark.gen_test
    async def test_keeps_the_kind_of_media_that_both_chose(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await dial(alice, "bob", media="video")
        assert (await dial(bob, "alice", media="video")).document["media"] == "video"

    @pytest.mark.gen_test
    @pytest.mark.parametrize(("first", "second"), [("audio", "video"), ("video", "audio")])
    async def test_is_an_audio_call_when_they_chose_differently(
        self, running: Running, first: str, second: str
    ) -> None:
        alice, bob = await running.people("alice", "bob")
        await dial(alice, "bob", media=first)
        assert (await dial(bob, "alice", media=second)).document["media"] == "audio"

    @pytest.mark.gen_test
    async def test_does_not_say_merged_of_an_ordinary_call(self, running: Running) -> None:
        alice, _ = await running.people("alice", "bob")
        assert "merged" not in (await dial(alice, "bob")).document


class TestActions:
    @pytest.mark.gen_test
    async def test_an_answer_connects(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        answer = await bob.do("answer", (await dial(alice, "bob")).document)
        assert (answer.status, answer.document["state"]) == (200, "connecting")
        assert answer.document["answered_at"] is not None

    @pytest.mark.gen_test
    async def test_an_answer_again_on_the_same_device_changes_nothing(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = (await dial(alice, "bob")).document
        first, second = [await bob.do("answer", call) for _ in range(2)]
        assert (second.status, second.document) == (200, first.document)

    @pytest.mark.gen_test
    async def test_an_answer_on_a_second_device_comes_too_late(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = (await dial(alice, "bob")).document
        await bob.do("answer", call)
        answer = await (await running.device(bob.user)).do("answer", call)
        assert (answer.status, answer.code) == (409, "already_answered")

    @pytest.mark.gen_test
    async def test_an_answer_after_the_end_comes_too_late(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = (await dial(alice, "bob")).document
        await alice.do("cancel", call)
        answer = await bob.do("answer", call)
        assert (answer.status, answer.code) == (409, "call_ended")

    @pytest.mark.gen_test
    async def test_the_caller_cannot_answer(self, running: Running) -> None:
        alice, _ = await running.people("alice", "bob")
        answer = await alice.do("answer", (await dial(alice, "bob")).document)
        assert (answer.status, answer.code) == (409, "bad_state")

    @pytest.mark.gen_test
    async def test_a_decline_ends_the_call(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = (await bob.do("decline", (await dial(alice, "bob")).document)).document
        assert (call["state"], call["end_reason"], call["legs"][1]["state"]) == ("ended", "declined", "declined")

    @pytest.mark.gen_test
    async def test_a_decline_after_the_answer_comes_too_late(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = (await dial(alice, "bob")).document
        await bob.do("answer", call)
        answer = await (await running.device(bob.user)).do("decline", call)
        assert (answer.status, answer.code) == (409, "already_answered")

    @pytest.mark.gen_test
    async def test_a_cancel_ends_the_call(self, running: Running) -> None:
        alice, _ = await running.people("alice", "bob")
        call = (await alice.do("cancel", (await dial(alice, "bob")).document)).document
        assert (call["end_reason"], call["legs"][1]["state"], call["duration_s"]) == ("cancelled", "missed", None)

    @pytest.mark.gen_test
    async def test_a_cancel_after_the_answer_comes_too_late(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        answer = await alice.do("cancel", await running.answered(alice, bob))
        assert (answer.status, answer.code) == (409, "already_answered")

    @pytest.mark.gen_test
    async def test_a_callee_cannot_cancel(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        answer = await bob.do("cancel", (await dial(alice, "bob")).document)
        assert (answer.status, answer.code) == (409, "bad_state")

    @pytest.mark.gen_test
    @pytest.mark.parametrize("who", [0, 1])
    async def test_a_hangup_by_either_ends_the_call(self, running: Running, who: int) -> None:
        people = await running.people("alice", "bob")
        call = await running.answered(*people)
        running.clock.move(12)
        ended = (await people[who].do("hangup", call)).document
        assert (ended["state"], ended["end_reason"]) == ("ended", "hangup")
        assert 12.0 <= ended["duration_s"] < 13.0

    @pytest.mark.gen_test
    async def test_a_hangup_after_the_end_comes_too_late(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = await running.answered(alice, bob)
        await bob.do("hangup", call)
        answer = await alice.do("hangup", call)
        assert (answer.status, answer.code) == (409, "call_ended")

    @pytest.mark.gen_test
    async def test_a_hangup_of_the_caller_while_it_rings_is_a_cancel(self, running: Running) -> None:
        alice, _ = await running.people("alice", "bob")
        ended = await alice.do("hangup", (await dial(alice, "bob")).document)
        assert ended.document["end_reason"] == "cancelled"

    @pytest.mark.gen_test
    async def test_an_action_takes_no_fields(self, running: Running) -> None:
        alice, _ = await running.people("alice", "bob")
        call = (await dial(alice, "bob")).document
        answer = await alice.api("POST", f"/calls/{call['call_id']}/cancel", {"reason": "bored"})
        assert (answer.status, set(answer.document["errors"])) == (400, {"reason"})

    @pytest.mark.gen_test
    async def test_each_change_raises_rev_by_one(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = (await dial(alice, "bob")).document
        revs = [call["rev"], *[(await bob.do(action, call)).document["rev"] for action in ("answer", "hangup")]]
        assert revs == [1, 2, 3]


class TestStrangers:
    """Whoever is not in a call learns no more than that there is nothing."""

    ADDRESSES = (
        ("GET", "/calls/{call_id}"),
        *(("POST", f"/calls/{{call_id}}/{action}") for action in ("answer", "decline", "cancel", "hangup", "leave")),
    )

    @pytest.mark.gen_test
    @pytest.mark.parametrize(("method", "address"), ADDRESSES, ids=[address for _, address in ADDRESSES])
    async def test_get_the_answer_for_a_call_that_does_not_exist(
        self, running: Running, method: str, address: str
    ) -> None:
        alice, bob, mallory = await running.people("alice", "bob", "mallory")
        real = (await dial(alice, "bob")).document["call_id"]
        theirs = await mallory.api(method, address.format(call_id=real))
        none = await mallory.api(method, address.format(call_id=new_id()))
        assert (theirs.status, theirs.code) == (404, "not_found")
        assert {**theirs.document, "request_id": ""} == {**none.document, "request_id": ""}
        assert (await bob.api("GET", f"/calls/{real}")).document["rev"] == 1

    @pytest.mark.gen_test
    @pytest.mark.parametrize(("method", "address"), ADDRESSES, ids=[address for _, address in ADDRESSES])
    async def test_who_are_not_signed_in_are_asked_to(self, running: Running, method: str, address: str) -> None:
        alice, _ = await running.people("alice", "bob")
        real = (await dial(alice, "bob")).document["call_id"]
        answer = await running.api(method, address.format(call_id=real))
        assert (answer.status, answer.code) == (401, "unauthenticated")

    @pytest.mark.gen_test
    @pytest.mark.parametrize("call_id", ["0" * 36, "-" * 36, "01890a5d-ac96-474b-bcce-b302099a8057"])
    async def test_get_the_same_for_what_is_no_id(self, running: Running, call_id: str) -> None:
        alice = await running.person("alice")
        assert (await alice.api("GET", f"/calls/{call_id}")).code == "not_found"

    @pytest.mark.gen_test
    async def test_do_not_get_a_participants_call_page(self, running: Running) -> None:
        alice, _, mallory = await running.people("alice", "bob", "mallory")
        call = (await dial(alice, "bob")).document
        cookie = {"Cookie": f"ringback_session={mallory.page_cookie()}"}
        assert (await running.fetch("GET", f"/call/{call['call_id']}", headers=cookie)).status == 404


class TestIceServers:
    @pytest.mark.gen_test
    async def test_are_none_unless_configured(self, running: Running) -> None:
        alice, _ = await running.people("alice", "bob")
        await alice.place("bob")
        answer = (await alice.api("GET", "/ice-servers")).document
        assert (answer["ice_servers"], answer["policy"]) == ([], "all")

    @pytest.mark.gen_test
    async def test_come_with_credentials_of_the_person(self, start: Start) -> None:
        running = await start({"ice.turn_urls": ["turn:turn.example.org"], "ice.turn_secret": "shared"})
        alice, _ = await running.people("alice", "bob")
        await alice.place("bob")
        (server,) = (await alice.api("GET", "/ice-servers")).document["ice_servers"]
        assert server["username"].endswith(f":{alice.id}")
        assert server["credential"]

    @pytest.mark.gen_test
    async def test_are_for_people_who_are_signed_in(self, running: Running) -> None:
        assert (await running.api("GET", "/ice-servers")).status == 401

    @pytest.mark.gen_test
    async def test_are_refused_to_whoever_has_no_call(self, running: Running) -> None:
        alice, _, carol = await running.people("alice", "bob", "carol")
        await alice.place("bob")
        answer = await carol.api("GET", "/ice-servers")
        assert (answer.status, answer.code) == (403, "not_in_call")

    @pytest.mark.gen_test
    async def test_are_for_whom_a_call_rings_too(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await alice.place("bob")
        assert (await bob.api("GET", "/ice-servers")).status == 200

    @pytest.mark.gen_test
    async def test_are_refused_after_the_call(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = await running.answered(alice, bob)
        assert (await bob.api("GET", "/ice-servers")).status == 200
        await alice.do("hangup", call)
        assert [(await person.api("GET", "/ice-servers")).code for person in (alice, bob)] == ["not_in_call"] * 2
