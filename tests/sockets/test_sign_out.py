"""A sign-in that ends takes its sockets with it: at once here, and within two seconds everywhere else."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from server.close_codes import CloseCode
from server.settings import JobSettings
from tests.peer import Peer
from tests.running import PASSWORD, Person, Running, StallingMongo, Start

SAME_KEY: dict[str, object] = {"auth.secret": "k" * 32}


async def signed_out(peer: Peer) -> bool:
    """Whether the socket is closed for that reason, and told to stay away."""
    bye, code, _ = await peer.closed()
    return code == CloseCode.SIGNED_OUT and bye is not None and (bye["action"], bye["session_kept"]) == ("stop", False)


class TestALogout:
    @pytest.mark.gen_test
    async def test_closes_every_socket_of_the_sign_in(self, running: Running) -> None:
        alice, _ = await running.people("alice", "bob")
        sockets = [await alice.inbox(), await alice.inbox(), await alice.room(await alice.place("bob"))]
        await alice.api("POST", "/auth/logout")
        assert [await signed_out(socket) for socket in sockets] == [True] * 3

    @pytest.mark.gen_test
    async def test_leaves_the_sockets_of_other_devices(self, running: Running) -> None:
        alice = await running.person("alice")
        other = await (await running.device(alice.user)).inbox()
        await alice.api("POST", "/auth/logout")
        assert "bye" not in await other.settled()

    @pytest.mark.gen_test
    async def test_ends_what_could_have_been_resumed(self, running: Running) -> None:
        alice = await running.person("alice")
        inbox = await alice.inbox()
        inbox.cut()
        await running.until_away(inbox)
        await alice.api("POST", "/auth/logout")
        assert len(running.services.hub) == 0

    @pytest.mark.gen_test
    async def test_lets_the_others_in_a_call_see_somebody_leave(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        _, mine, _ = await running.both_in(alice, bob)
        await bob.api("POST", "/auth/logout")
        assert (await mine.next("leave"))["user_id"] == bob.id
        assert (await mine.next("ended"))["call"]["end_reason"] == "hangup"

    @pytest.mark.gen_test
    async def test_while_a_socket_opens_keeps_it_out(self, start: Start, stalling: StallingMongo) -> None:
        running = await start(stalling.overrides())
        alice = await running.person("alice")
        await alice.inbox()  # warms what is remembered of the sign-in
        hub = running.services.hub
        with stalling.stalled():
            opening = await alice.open("/ws/user")
            await running.until(lambda: len(hub) == 2)
            for session in hub.sessions_of(alice.id):  # what the end of a sign-in does, which the database holds up now
                hub.drop(session, CloseCode.SIGNED_OUT)
        assert await signed_out(opening)
        assert [frame["type"] for frame in opening.frames] == ["bye"]

    @pytest.mark.gen_test
    async def test_in_a_race_with_forty_sockets_leaves_none_open(self, running: Running) -> None:
        alice = await running.person("alice")
        await alice.inbox()
        coming = asyncio.gather(*(alice.open("/ws/user") for _ in range(40)))
        peers, _ = await asyncio.gather(coming, alice.api("POST", "/auth/logout"))
        await running.services.sign_ins.notice_revocations()
        codes = {(await peer.closed()).code for peer in peers}
        assert codes <= {CloseCode.SIGNED_OUT, CloseCode.UNAUTHENTICATED}
        assert len(running.services.hub) == 0


class TestANewPassword:
    @pytest.mark.gen_test
    async def test_closes_the_sockets_of_every_other_sign_in(self, running: Running) -> None:
        alice = await running.person("alice")
        other = await (await running.device(alice.user)).inbox()
        mine = await alice.inbox()
        body = {"current_password": PASSWORD, "new_password": "a horse of another colour"}
        await alice.api("POST", "/users/me/password", body)
        assert await signed_out(other)
        assert "bye" not in await mine.settled()

    @pytest.mark.gen_test
    async def test_given_by_the_operator_closes_all_of_them(self, running: Running) -> None:
        alice = await running.person("alice")
        sockets = [await alice.inbox(), await (await running.device(alice.user)).inbox()]
        await running.services.accounts.set_password(alice.user, "a horse of another colour")
        assert [await signed_out(socket) for socket in sockets] == [True] * 2


class TestADisabledAccount:
    @pytest.mark.gen_test
    async def test_closes_all_its_sockets(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        sockets = [await alice.inbox(), await (await running.device(alice.user)).inbox()]
        bystander = await bob.inbox()
        await running.services.accounts.set_disabled(alice.user, True)
        assert [await signed_out(socket) for socket in sockets] == [True] * 2
        assert "bye" not in await bystander.settled()

    @pytest.mark.gen_test
    async def test_opened_again_lets_nobody_back_in_by_an_old_token(self, running: Running) -> None:
        alice = await running.person("alice")
        for disabled in (True, False):
            await running.services.accounts.set_disabled(alice.user, disabled)
        assert (await (await alice.open("/ws/user")).closed()).code == CloseCode.UNAUTHENTICATED


class TestASignInThatRunsOut:
    @pytest.mark.gen_test
    async def test_closes_its_sockets(self, running: Running) -> None:
        alice = await running.person("alice")
        inbox, other = await alice.inbox(), await (await running.device(alice.user)).inbox()
        soon = running.clock.now() + timedelta(seconds=60)
        sign_ins = running.services.database.collection("sign_ins")
        await sign_ins.update({"_id": alice.sign_in_id}, {"$set": {"expires_at": soon}})
        running.clock.move(61)
        await running.server.jobs.jobs["sign_ins_over"].body()
        assert await signed_out(inbox)
        assert "bye" not in await other.settled()

    @pytest.mark.gen_test
    async def test_and_is_not_stored_any_more_closes_them_with_a_new_password(self, running: Running) -> None:
        alice = await running.person("alice")
        other = await running.device(alice.user)
        inbox, mine = await alice.inbox(), await other.inbox()
        await running.services.database.collection("sign_ins").delete({"_id": alice.sign_in_id})
        await running.services.sign_ins.end_all(alice.id, "the password was changed", but=other.sign_in_id)
        assert await signed_out(inbox)
        assert "bye" not in await mine.settled()


class TestAnotherProcess:
    """What ends sign-ins without this one being told: a second node, the command line."""

    async def elsewhere(self, here: Running, person: Person) -> Person:
        """The same sign-in, as it is known to another server."""
        other = Person(here, person.user, person.sign_in_id)
        other.access_token = person.access_token
        return other

    @pytest.mark.gen_test
    async def test_that_signs_somebody_out_is_noticed(self, start: Start) -> None:
        here, there = await start(SAME_KEY), await start(SAME_KEY)
        alice = await there.person("alice")
        inbox = await (await self.elsewhere(here, alice)).inbox()
        await alice.api("POST", "/auth/logout")
        assert await here.services.sign_ins.notice_revocations() == 1
        assert await signed_out(inbox)

    @pytest.mark.gen_test
    async def test_that_signs_somebody_out_ends_what_was_remembered(self, start: Start) -> None:
        here, there = await start(SAME_KEY), await start(SAME_KEY)
        alice = await there.person("alice")
        same = await self.elsewhere(here, alice)
        assert (await same.api("GET", "/users/me")).status == 200
        await alice.api("POST", "/auth/logout")
        await here.services.sign_ins.notice_revocations()
        assert (await same.api("GET", "/users/me")).status == 401

    @pytest.mark.gen_test
    async def test_that_writes_to_the_database_is_noticed(
        self, running: Running, mongo_uri: str, database: str
    ) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox, bystander = await alice.inbox(), await bob.inbox()
        client: MongoClient[dict[str, Any]]
        with MongoClient(mongo_uri) as client:
            stored: Database[dict[str, Any]] = client[database]
            stored["sign_ins"].update_one({"_id": alice.sign_in_id}, {"$set": {"revoked_at": datetime.now(UTC)}})
        await running.services.sign_ins.notice_revocations()
        assert await signed_out(inbox)
        assert "bye" not in await bystander.settled()

    @pytest.mark.gen_test
    async def test_whose_clock_is_behind_is_noticed(self, start: Start) -> None:
        here, there = await start(SAME_KEY), await start(SAME_KEY)
        alice = await there.person("alice")
        inbox = await (await self.elsewhere(here, alice)).inbox()
        here.clock.move(4)
        await here.services.sign_ins.notice_revocations()
        await alice.api("POST", "/auth/logout")
        await here.services.sign_ins.notice_revocations()
        assert await signed_out(inbox)

    @pytest.mark.gen_test
    async def test_is_noticed_by_itself_within_two_seconds(self, start: Start) -> None:
        here, there = await start(SAME_KEY | {"jobs.revocation_interval_s": 0.05}), await start(SAME_KEY)
        alice = await there.person("alice")
        inbox = await (await self.elsewhere(here, alice)).inbox()
        await alice.api("POST", "/auth/logout")
        assert await signed_out(inbox)

    def test_is_looked_for_every_second_unless_configured(self) -> None:
        assert JobSettings().revocation_interval_s == 1
