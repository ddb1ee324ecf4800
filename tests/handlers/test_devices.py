"""Own devices over HTTP: the list, and what a person may do with each."""

from __future__ import annotations

from typing import Any

import pytest

from server.close_codes import CloseCode
from server.ids import new_id
from tests.running import Person, Running


async def devices(person: Person) -> list[dict[str, Any]]:
    """The person's devices as they are listed."""
    items: list[dict[str, Any]] = (await person.api("GET", "/devices")).document["items"]
    return items


class TestTheList:
    @pytest.mark.gen_test
    async def test_shows_every_sign_in_of_the_person_and_no_other(self, running: Running) -> None:
        alice, _ = await running.people("alice", "bob")
        telephone = await running.device(alice.user, "a telephone")
        listed = {device["id"]: device["label"] for device in await devices(alice)}
        assert listed == {alice.sign_in_id: "a device", telephone.sign_in_id: "a telephone"}

    @pytest.mark.gen_test
    async def test_marks_the_one_that_asks(self, running: Running) -> None:
        alice = await running.person("alice")
        await running.device(alice.user)
        assert [device["id"] for device in await devices(alice) if device["current"]] == [alice.sign_in_id]

    @pytest.mark.gen_test
    async def test_marks_those_with_an_open_socket(self, running: Running) -> None:
        alice = await running.person("alice")
        await (await running.device(alice.user, "a telephone")).inbox()
        assert {device["label"]: device["online"] for device in await devices(alice)} == {
            "a device": False,
            "a telephone": True,
        }

    @pytest.mark.gen_test
    async def test_leaves_out_what_was_signed_out_or_has_run_out(self, running: Running) -> None:
        alice = await running.person("alice")
        await running.services.sign_ins.end((await running.device(alice.user)).sign_in_id, "signed out")
        running.clock.move(13 * 86_400)
        later = await running.device(alice.user)
        running.clock.move(2 * 86_400)
        assert [device["id"] for device in await devices(await running.device(alice.user))][1:] == [later.sign_in_id]

    @pytest.mark.gen_test
    async def test_has_the_device_that_was_there_last_in_front(self, running: Running) -> None:
        alice = await running.person("alice")
        running.clock.move(60)
        telephone = await running.device(alice.user)
        running.clock.move(60)
        await alice.inbox()
        assert [device["id"] for device in await devices(telephone)] == [alice.sign_in_id, telephone.sign_in_id]

    @pytest.mark.gen_test
    async def test_knows_when_a_device_was_there_last(self, running: Running) -> None:
        alice = await running.person("alice")
        telephone = await running.device(alice.user)
        running.clock.move(300)
        await telephone.api("GET", "/users/me")
        await running.services.devices.note_seen()
        running.clock.move(300)
        seen = {device["id"]: device["last_seen_at"] for device in await devices(alice)}
        created = {device["id"]: device["created_at"] for device in await devices(alice)}
        assert created[telephone.sign_in_id] < seen[telephone.sign_in_id]
        assert created[alice.sign_in_id] == seen[alice.sign_in_id]


class TestRenaming:
    @pytest.mark.gen_test
    async def test_answers_with_the_device_as_it_is_then(self, running: Running) -> None:
        alice = await running.person("alice")
        answer = await alice.api("PATCH", f"/devices/{alice.sign_in_id}", {"label": "  Kitchen  "})
        assert (answer.status, answer.document["label"]) == (200, "Kitchen")
        assert (await devices(alice))[0]["label"] == "Kitchen"

    @pytest.mark.gen_test
    async def test_shows_in_the_calls_that_are_made_there(self, running: Running) -> None:
        alice, _ = await running.people("alice", "bob")
        await alice.inbox()  # what is remembered of the sign-in
        await alice.api("PATCH", f"/devices/{alice.sign_in_id}", {"label": "Kitchen"})
        assert (await alice.place("bob"))["legs"][0]["device"] == "Kitchen"

    @pytest.mark.gen_test
    async def test_shows_in_a_call_that_a_connected_device_answers(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        await bob.api("PATCH", f"/devices/{bob.sign_in_id}", {"label": "Kitchen"})
        call = await alice.place("bob")
        ack = await inbox.request("answer", call_id=call["call_id"])
        assert ack["call"]["legs"][1]["device"] == "Kitchen"

    @pytest.mark.gen_test
    @pytest.mark.parametrize("label", ["", "   ", "x" * 101, "two\nlines"], ids=["empty", "blank", "long", "lines"])
    async def test_to_a_bad_label_is_refused(self, running: Running, label: str) -> None:
        alice = await running.person("alice")
        answer = await alice.api("PATCH", f"/devices/{alice.sign_in_id}", {"label": label})
        assert (answer.status, answer.document["errors"]) == (400, {"label": "1 to 100 printable characters"})


class TestADeviceThatIsNotOnesOwn:
    @pytest.mark.gen_test
    @pytest.mark.parametrize("method", ["PATCH", "DELETE"])
    async def test_does_not_exist(self, running: Running, method: str) -> None:
        alice, bob = await running.people("alice", "bob")
        answer = await alice.api(method, f"/devices/{bob.sign_in_id}", {"label": "mine"} if method == "PATCH" else None)
        assert (answer.status, answer.code) == (404, "not_found")
        assert (await devices(bob))[0]["label"] == "a device"

    @pytest.mark.gen_test
    @pytest.mark.parametrize("method", ["PATCH", "DELETE"])
    async def test_is_answered_as_one_that_there_is_not(self, running: Running, method: str) -> None:
        alice = await running.person("alice")
        answer = await alice.api(method, f"/devices/{new_id()}", {"silenced": True} if method == "PATCH" else None)
        assert (answer.status, answer.code) == (404, "not_found")

    @pytest.mark.gen_test
    async def test_that_was_signed_out_is_gone(self, running: Running) -> None:
        alice = await running.person("alice")
        path = f"/devices/{(await running.device(alice.user)).sign_in_id}"
        assert [(await alice.api("DELETE", path)).status for _ in range(2)] == [204, 404]
        assert (await alice.api("PATCH", path, {"silenced": True})).status == 404


class TestSigningOut:
    @pytest.mark.gen_test
    async def test_closes_the_devices_sockets_and_no_others(self, running: Running) -> None:
        alice = await running.person("alice")
        telephone = await running.device(alice.user)
        mine, theirs = await alice.inbox(), await telephone.inbox()
        await alice.api("DELETE", f"/devices/{telephone.sign_in_id}")
        assert (await theirs.closed()).code == CloseCode.SIGNED_OUT
        assert "bye" not in await mine.settled()

    @pytest.mark.gen_test
    async def test_all_others_leaves_this_one(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        telephone = await running.device(alice.user)
        assert (await alice.api("DELETE", "/devices")).status == 204
        assert [device["id"] for device in await devices(alice)] == [alice.sign_in_id]
        assert (await telephone.api("GET", "/devices")).status == 401
        assert len(await devices(bob)) == 1
