"""Profiles, and finding people."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.running import Running, Start

NIGHT = {"start": "22:00", "end": "07:00", "time_zone": "Europe/Berlin"}


class TestProfile:
    @pytest.mark.gen_test
    async def test_is_what_a_person_sees_of_themselves(self, running: Running) -> None:
        alice = await running.person("alice", display_name="Alice A.")
        assert (await alice.api("GET", "/users/me")).document == {
            "id": alice.id,
            "username": "alice",
            "display_name": "Alice A.",
            "locale": None,
            "do_not_disturb": False,
            "quiet_hours": None,
            "call_waiting": "ring",
            "callers": "everybody",
            "admin": False,
        }

    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        "field",
        [
            ("display_name", "Ada"),
            ("locale", "en"),
            ("do_not_disturb", True),
            ("quiet_hours", NIGHT),
            ("call_waiting", "busy"),
            ("callers", "contacts"),
        ],
    )
    async def test_keeps_what_is_changed(self, running: Running, field: tuple[str, object]) -> None:
        alice = await running.person("alice")
        changed = await alice.api("PATCH", "/users/me", dict([field]))
        assert (changed.status, changed.document[field[0]]) == (200, field[1])
        assert (await alice.api("GET", "/users/me")).document == changed.document

    @pytest.mark.gen_test
    async def test_stays_as_it_is_when_nothing_is_said(self, running: Running) -> None:
        alice = await running.person("alice")
        before = (await alice.api("GET", "/users/me")).document
        assert (await alice.api("PATCH", "/users/me", {})).document == before

    @pytest.mark.gen_test
    async def test_shows_a_new_name_on_sockets_at_once(self, running: Running) -> None:
        alice = await running.person("alice")
        await alice.inbox()
        await alice.api("PATCH", "/users/me", {"display_name": "Ada"})
        assert (await alice.inbox()).connected["user"]["display_name"] == "Ada"

    @pytest.mark.gen_test
    @pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\nb", "a\u202eb", "a\x00b", "\u2028"], ids=ascii)
    async def test_refuses_a_name_that_cannot_be_shown(self, running: Running, name: str) -> None:
        alice = await running.person("alice")
        answer = await alice.api("PATCH", "/users/me", {"display_name": name})
        assert (answer.status, set(answer.document["errors"])) == (400, {"display_name"})

    @pytest.mark.gen_test
    @pytest.mark.parametrize("field", ["admin", "username", "id", "password_hash", "disabled", "service"])
    async def test_refuses_to_change_what_is_not_the_persons_to_change(self, running: Running, field: str) -> None:
        alice = await running.person("alice")
        answer = await alice.api("PATCH", "/users/me", {field: True})
        assert (answer.status, set(answer.document["errors"])) == (400, {field})

    @pytest.mark.gen_test
    async def test_gives_quiet_hours_up(self, running: Running) -> None:
        alice = await running.person("alice")
        await alice.api("PATCH", "/users/me", {"quiet_hours": NIGHT})
        assert (await alice.api("PATCH", "/users/me", {"quiet_hours": None})).document["quiet_hours"] is None

    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"start": "25:00"}, "quiet_hours.start"),
            ({"end": "22:00"}, "quiet_hours.end"),
            ({"time_zone": "Europe/Atlantis"}, "quiet_hours.time_zone"),
            ({"days": "all"}, "quiet_hours"),
        ],
    )
    async def test_refuses_quiet_hours_that_are_none(self, running: Running, change: object, field: str) -> None:
        alice = await running.person("alice")
        answer = await alice.api("PATCH", "/users/me", {"quiet_hours": NIGHT | change})  # type: ignore[operator]
        assert (answer.status, set(answer.document["errors"])) == (400, {field})

    @pytest.mark.gen_test
    @pytest.mark.parametrize("field", ["call_waiting", "callers"])
    async def test_refuses_a_choice_that_there_is_not(self, running: Running, field: str) -> None:
        alice = await running.person("alice")
        answer = await alice.api("PATCH", "/users/me", {field: "nobody"})
        assert (answer.status, set(answer.document["errors"])) == (400, {field})

    @pytest.mark.gen_test
    async def test_refuses_a_locale_of_any_length(self, running: Running) -> None:
        alice = await running.person("alice")
        assert (await alice.api("PATCH", "/users/me", {"locale": "x" * 36})).status == 400


class TestPeople:
    async def names(self, running: Running, query: str = "") -> list[str]:
        asker = await running.person("zoe")
        items = (await asker.api("GET", f"/users{query}")).document["items"]
        return [item["username"] for item in items if item["username"] != "zoe"]

    @pytest.mark.gen_test
    async def test_are_listed_by_name(self, running: Running) -> None:
        await running.people("carol", "Alice", "bob")
        assert await self.names(running) == ["Alice", "bob", "carol"]

    @pytest.mark.gen_test
    async def test_are_found_by_how_their_name_begins(self, running: Running) -> None:
        await running.people("alice", "Albert", "bob")
        assert await self.names(running, "?q=AL") == ["Albert", "alice"]

    @pytest.mark.gen_test
    async def test_are_found_by_display_names_in_any_script(self, running: Running) -> None:
        await running.person("asa", display_name="Åsa Öberg")
        await running.person("ming", display_name="王小明")
        asker = await running.person("zoe")
        for query, name in (("oberg", "asa"), ("小", "ming")):
            items = (await asker.api("GET", f"/users?q={quote(query)}")).document["items"]
            assert [item["username"] for item in items] == [name]

    @pytest.mark.gen_test
    async def test_of_an_older_version_are_found_once_a_newer_one_has_started(self, start: Start) -> None:
        older = await start()
        alice = await older.person("alice", display_name="Ada Bell")
        users = older.services.database.collection("users")
        await users.update({"_id": alice.id}, {"$unset": {"search_keys": ""}})
        assert await older.services.users.search("bell", limit=5) == []
        newer = await start()
        assert [user.username for user in await newer.services.users.search("bell", limit=5)] == ["alice"]

    @pytest.mark.gen_test
    @pytest.mark.parametrize("text", [".*", "^", "$", "[", "(", "a|b", "\\", "%", "a" * 5000, "." * 15_000])
    async def test_are_searched_for_as_text(self, running: Running, text: str) -> None:
        await running.people("alice", "bob")
        assert await self.names(running, f"?q={quote(text)}") == []

    @pytest.mark.gen_test
    async def test_are_shown_without_anything_private(self, running: Running) -> None:
        alice = await running.person("alice")
        assert (await alice.api("GET", "/users")).document["items"] == [
            {
                "id": alice.id,
                "username": "alice",
                "display_name": "alice",
                "presence": "offline",
                "contact": "none",
                "favourite": False,
                "blocked": False,
            }
        ]

    @pytest.mark.gen_test
    async def test_are_neither_services_nor_disabled(self, running: Running) -> None:
        await running.person("worker", service=True)
        gone = await running.person("gone")
        await running.services.accounts.set_disabled(gone.user, True)
        assert await self.names(running) == []

    @pytest.mark.gen_test
    async def test_come_page_by_page(self, running: Running) -> None:
        alice, *_ = await running.people("alice", "bob", "carol", "dave", "erin")
        first = (await alice.api("GET", "/users?limit=2")).document
        second = (await alice.api("GET", f"/users?limit=2&before={first['next']}")).document
        third = (await alice.api("GET", f"/users?limit=2&before={second['next']}")).document
        pages = [[item["username"] for item in page["items"]] for page in (first, second, third)]
        assert pages == [["alice", "bob"], ["carol", "dave"], ["erin"]]
        assert third["next"] is None

    @pytest.mark.gen_test
    @pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "", "1e1", "0001000", "9" * 400, "\u0665" * 3], ids=ascii)
    async def test_come_in_pages_of_1_to_100(self, running: Running, limit: str) -> None:
        alice = await running.person("alice")
        answer = await alice.api("GET", f"/users?limit={quote(limit)}")
        assert (answer.status, answer.document["errors"]) == (400, {"limit": "a whole number from 1 to 100"})


class TestPresence:
    async def seen(self, running: Running, username: str) -> str:
        """What others see of somebody."""
        watcher = await running.device(await running.services.accounts.named("watcher"))
        (item,) = (await watcher.api("GET", f"/users?q={username}")).document["items"]
        return str(item["presence"])

    @pytest.mark.gen_test
    async def test_is_offline_without_a_device(self, running: Running) -> None:
        await running.people("watcher", "alice")
        assert await self.seen(running, "alice") == "offline"

    @pytest.mark.gen_test
    async def test_is_online_with_a_device(self, running: Running) -> None:
        _, alice = await running.people("watcher", "alice")
        await alice.inbox()
        assert await self.seen(running, "alice") == "online"

    @pytest.mark.gen_test
    async def test_is_still_online_while_a_page_is_left_for_the_next_one(self, running: Running) -> None:
        _, alice = await running.people("watcher", "alice")
        inbox = await alice.inbox()
        await inbox.close(1001)
        assert await self.seen(running, "alice") == "online"

    @pytest.mark.gen_test
    async def test_is_offline_some_time_after_a_device_was_lost(self, running: Running) -> None:
        _, alice = await running.people("watcher", "alice")
        inbox = await alice.inbox()
        inbox.cut()
        await running.until_away(inbox)
        running.clock.move(10.5)
        assert await self.seen(running, "alice") == "offline"

    @pytest.mark.gen_test
    async def test_is_in_call_in_a_room(self, running: Running) -> None:
        _, alice, bob = await running.people("watcher", "alice", "bob")
        await running.both_in(alice, bob)
        assert await self.seen(running, "alice") == "in_call"

    @pytest.mark.gen_test
    async def test_is_do_not_disturb_for_somebody_who_is_there_and_wants_quiet(self, running: Running) -> None:
        _, alice = await running.people("watcher", "alice")
        await alice.inbox()
        await alice.api("PATCH", "/users/me", {"do_not_disturb": True})
        assert await self.seen(running, "alice") == "do_not_disturb"
