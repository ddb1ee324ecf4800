"""The five failures that Ringback was built to be free of; each test fails when its fix is taken out."""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pymongo
import pytest
from pymongo.database import Database

from handlers.base import API
from handlers.routes import ROUTES
from handlers.sockets.elsewhere import SOCKET_PATHS
from server.close_codes import REGISTRY, CloseCode
from server.ids import new_id
from server.realtime.framing import truncate_reason
from server.wire import encode
from tests.dialogues.talking import begin
from tests.peer import Peer
from tests.running import (
    Person,
    Running,
    StallingMongo,
    Start,
    _one_database,
    database,
    http_client,
    running,
    stalling,
    start,
)

__all__ = ["_one_database", "database", "http_client", "running", "stalling", "start"]  # the fixtures

RFC3339_MS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class TestASocketThatOpensWithoutKnowingItsUser:
    """A call's room was entered by whoever knew its address."""

    @staticmethod
    async def used(running: Running, alice: Person) -> str:
        """A ws token that has opened a socket before."""
        token = alice.ws_token()
        first = await running.open("/ws/user", token=token)
        await first.next("connected")
        await first.close()
        return token

    CREDENTIALS: tuple[tuple[str, CloseCode], ...] = (
        ("none", CloseCode.AUTH_TIMEOUT),
        ("user_id in the query", CloseCode.AUTH_TIMEOUT),
        ("user_id in a header", CloseCode.AUTH_TIMEOUT),
        ("page cookie", CloseCode.AUTH_TIMEOUT),
        ("empty token", CloseCode.UNAUTHENTICATED),
        ("used ws token", CloseCode.UNAUTHENTICATED),
        ("access token as ws token", CloseCode.UNAUTHENTICATED),
        ("page token as ws token", CloseCode.UNAUTHENTICATED),
        ("refresh token as ws token", CloseCode.UNAUTHENTICATED),
        ("ws token as bearer", CloseCode.UNAUTHENTICATED),
        ("page token as bearer", CloseCode.UNAUTHENTICATED),
        ("refresh token as bearer", CloseCode.UNAUTHENTICATED),
        ("page token in the first frame", CloseCode.UNAUTHENTICATED),
        ("somebody else's user_id", CloseCode.FORBIDDEN),
        ("somebody else's X-User-Id", CloseCode.FORBIDDEN),
        ("a stranger's token", CloseCode.FORBIDDEN),
    )

    async def come(self, running: Running, path: str, credential: str, alice: Person, mallory: Person) -> Peer:
        """A socket to ``path``, opened with what ``credential`` says."""
        match credential:
            case "none":
                return await running.open(path)
            case "user_id in the query":
                return await running.open(path, user_id=alice.id)
            case "user_id in a header":
                return await running.open(path, headers={"X-User-Id": alice.id})
            case "page cookie":
                cookie = {"Cookie": f"ringback_session={alice.page_cookie()}"}
                return await running.open(path, headers=cookie, origin=running.origin)
            case "empty token":
                return await running.open(path, token="")
            case "used ws token":
                return await running.open(path, token=await self.used(running, alice))
            case "access token as ws token":
                return await running.open(path, token=alice.access_token)
            case "page token as ws token":
                return await running.open(path, token=alice.page_cookie())
            case "refresh token as ws token":
                return await running.open(path, token=alice.refresh_token())
            case "ws token as bearer":
                return await running.open(path, headers={"Authorization": f"Bearer {alice.ws_token()}"})
            case "page token as bearer":
                return await running.open(path, headers={"Authorization": f"Bearer {alice.page_cookie()}"})
            case "refresh token as bearer":
                return await running.open(path, headers={"Authorization": f"Bearer {alice.refresh_token()}"})
            case "page token in the first frame":
                peer = await running.open(path)
                await peer.send("auth", token=alice.page_cookie())
                return peer
            case "somebody else's user_id":
                return await running.open(path, headers=alice.bearer, user_id=mallory.id)
            case "somebody else's X-User-Id":
                return await running.open(path, headers=alice.bearer | {"X-User-Id": mallory.id})
            case _:
                return await running.open(path, headers=mallory.bearer)

    @pytest.mark.gen_test
    @pytest.mark.parametrize(("credential", "code"), CREDENTIALS, ids=[name for name, _ in CREDENTIALS])
    async def test_is_told_why_it_is_closed(self, start: Start, credential: str, code: CloseCode) -> None:
        running = await start({"sockets.auth_timeout_s": 0.1})
        alice, _, mallory = await running.people("alice", "bob", "mallory")
        call = await alice.place("bob")
        peer = await self.come(running, f"/ws/call/{call['call_id']}", credential, alice, mallory)
        bye, closed_with, _ = await peer.closed()
        assert bye is not None
        assert (bye["code"], closed_with, bye["action"]) == (code, code, "stop")
        assert [frame["type"] for frame in peer.frames] == ["bye"]

    @pytest.mark.gen_test
    @pytest.mark.parametrize("credential", [name for name, _ in CREDENTIALS])
    async def test_touches_no_room(self, start: Start, credential: str) -> None:
        running = await start({"sockets.auth_timeout_s": 0.1})
        alice, bob, mallory = await running.people("alice", "bob", "mallory")
        call, in_room, _ = await running.both_in(alice, bob)
        sessions = len(running.services.hub)
        peer = await self.come(running, f"/ws/call/{call['call_id']}", credential, alice, mallory)
        await peer.closed()
        assert (len(running.server.rooms), len(running.services.hub)) == (1, sessions)
        assert await in_room.settled() == []
        assert (await alice.api("GET", f"/calls/{call['call_id']}")).document["rev"] == call["rev"]

    @pytest.mark.gen_test
    async def test_leaves_nothing_of_any_token_in_the_log(self, start: Start, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        caplog.set_level(logging.INFO, "websockets")  # the client of this test, not the server
        running = await start({"sockets.auth_timeout_s": 0.1})
        alice, _, mallory = await running.people("alice", "bob", "mallory")
        call = await alice.place("bob")
        for credential, _ in self.CREDENTIALS:
            await (await self.come(running, f"/ws/call/{call['call_id']}", credential, alice, mallory)).closed()
        await (await running.open("/ws/usr", token=alice.ws_token())).closed()
        await (await running.open("/ws/user", token=alice.ws_token(), resume="ÿ", last_seq="x")).next("connected")
        await running.fetch("GET", f"{API}/ws/user?token={alice.ws_token()}&token=%ff&resume=%ff")
        await running.fetch("GET", f"{API}/ws/status?token={alice.ws_token()}&token=%ff")
        await running.fetch("GET", f"{API}/nothing?token={alice.access_token}")
        assert [record.getMessage() for record in caplog.records if "eyJ" in record.getMessage()] == []


STEPS = ("caller's inbox", "callee's inbox", "invitation", "caller's room", "callee's room")
ORDERS = [
    order
    for order in itertools.permutations(STEPS)
    if order.index("invitation") < min(order.index("caller's room"), order.index("callee's room"))
]
"""Every order in which two people can connect: only a call that was placed has a room."""


class TestACalleeWhoIsConnectedAndNeverTold:
    """Whether it rang depended on who had connected first."""

    @pytest.mark.gen_test
    @pytest.mark.parametrize("order", ORDERS, ids=", ".join)
    async def test_is_told_in_every_order_of_connecting(self, running: Running, order: tuple[str, ...]) -> None:
        alice, bob = await running.people("alice", "bob")
        call: dict[str, Any] = {}
        peers: dict[str, Peer] = {}
        for step in order:
            match step:
                case "invitation":
                    call = await alice.place("bob")
                case "caller's inbox":
                    peers[step] = await alice.inbox()
                case "callee's inbox":
                    peers[step] = await bob.inbox()
                case "caller's room":
                    peers[step] = await alice.room(call)
                case "callee's room":
                    peers[step] = await bob.room(call)
        assert await self.rings(peers["callee's inbox"]) == call["call_id"]
        rooms = [peers[step] for step in order if step.endswith("room")]
        await self.assert_each_knows_the_other(*rooms)

    @staticmethod
    async def rings(inbox: Peer) -> str:
        """The call that the device was told of, in its snapshot or since; it must be exactly once."""
        await inbox.settled()
        told = [item["call"]["call_id"] for item in inbox.connected["snapshot"]["incoming"]]
        told += [frame["call_id"] for frame in inbox.frames if frame["type"] == "incoming"]
        assert len(told) == 1
        return str(told[0])

    @staticmethod
    async def assert_each_knows_the_other(first: Peer, second: Peer) -> None:
        join = await first.next("join")
        assert join["participant"]["leg_id"] == second.leg_id
        assert [other["leg_id"] for other in second.connected["snapshot"]["participants"]] == [first.leg_id]
        await first.send("chat", text="do you hear me?")
        assert (await second.next("chat"))["text"] == "do you hear me?"
        await second.send("chat", text="I do")
        assert (await first.next("chat", text="I do"))["user"]["id"] == second.connected["user"]["id"]

    @pytest.mark.gen_test
    async def test_is_told_after_a_reload_while_it_rings(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        call = await alice.place("bob")
        await inbox.next("incoming")
        await inbox.close(1001)
        assert await self.rings(await bob.inbox()) == call["call_id"]

    @pytest.mark.gen_test
    async def test_is_told_by_the_resume_of_a_connection_that_was_cut(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        inbox.cut()
        await running.until_away(inbox)
        call = await alice.place("bob")
        again = await bob.again(inbox)
        assert (await again.next("incoming"))["call_id"] == call["call_id"]

    @pytest.mark.gen_test
    async def test_is_told_while_the_socket_opens(self, start: Start, stalling: StallingMongo) -> None:
        running = await start(stalling.overrides())
        alice, bob = await running.people("alice", "bob")
        await bob.inbox()  # warms what is remembered of the sign-in
        with stalling.stalled():
            opening = asyncio.create_task(bob.inbox())
            placing = asyncio.create_task(alice.place("bob"))
            await running.until(lambda: len(running.services.hub) == 2)
        call = await placing
        assert await self.rings(await opening) == call["call_id"]

    @pytest.mark.gen_test
    async def test_hears_of_others_though_a_stranger_knocked_meanwhile(
        self, start: Start, stalling: StallingMongo
    ) -> None:
        running = await start(stalling.overrides())
        alice, bob, mallory = await running.people("alice", "bob", "mallory")
        call = await running.answered(alice, bob)
        for person in (alice, mallory):
            await person.api("GET", "/users/me")  # warms what is remembered of the sign-ins
        with stalling.stalled():
            knocking = await mallory.open(f"/ws/call/{call['call_id']}")
            entering = asyncio.create_task(alice.room(call))
            await running.until(lambda: len(running.services.hub.connections) == 2)
        await knocking.closed()
        await self.assert_each_knows_the_other(await entering, await bob.room(call))

    @pytest.mark.gen_test
    async def test_lets_the_caller_know_that_it_rings(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        mine, theirs = await alice.inbox(), await bob.inbox()
        call = await alice.place("bob")
        assert call["state"] == "inviting"
        await theirs.request("ringing", call_id=call["call_id"])
        told = [(await mine.next("call"))["call"]["state"] for _ in range(2)]
        assert told == ["inviting", "ringing"]


class TestARouteThatIsNotWhereItSeemsAndARefusalBeforeTheUpgrade:
    """A path was registered twice, under a doubled prefix, and a refused upgrade told the page nothing."""

    def test_every_path_is_registered_once(self) -> None:
        for paths in ([route.shown for route in ROUTES], [route.pattern for route in ROUTES]):
            assert [path for path, count in Counter(paths).items() if count > 1] == []

    def test_the_prefix_stands_once_in_every_path_under_it(self) -> None:
        assert {route.pattern.count(API) for route in ROUTES if route.kind != "page"} == {1}
        assert {route.pattern.count(API) for route in ROUTES if route.kind == "page"} == {0}

    @pytest.mark.parametrize("path", [f"{API}/ws/user", f"{API}/ws/call/{new_id()}"], ids=["user", "call"])
    def test_every_socket_is_matched_by_one_route_only(self, path: str) -> None:
        assert len([route for route in ROUTES if re.fullmatch(route.pattern, path)]) == 1

    def test_the_nearest_path_is_looked_for_among_the_real_ones(self) -> None:
        assert {route.shown for route in ROUTES if route.kind == "socket"} == set(SOCKET_PATHS)

    @pytest.mark.gen_test
    async def test_a_doubled_prefix_is_answered_with_the_real_path(self, running: Running) -> None:
        peer = await Peer.connect(f"ws://127.0.0.1:{running.port}{API}{API}/ws/user")
        bye, code, reason = await peer.closed()
        assert (code, bye and bye["action"]) == (CloseCode.NO_SUCH_ENDPOINT, "stop")
        assert f" {API}/ws/user?" in reason

    @pytest.mark.gen_test
    @pytest.mark.parametrize("path", ["/ws/user", "/ws/call/01890a5d-ac96-774b-bcce-b302099a8057"])
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Authorization": "Bearer nonsense"},
            {"Authorization": "Bearer a.b.c"},
            {"Authorization": "Basic YWxpY2U6c2VjcmV0"},
            {"Authorization": "nonsense"},
            {"Authorization": "Bearer \xff"},
            {"X-User-Id": "01890a5d-ac96-774b-bcce-b302099a8057"},
        ],
        ids=str,
    )
    async def test_no_problem_with_credentials_refuses_the_upgrade(
        self, start: Start, path: str, headers: dict[str, str]
    ) -> None:
        running = await start({"sockets.auth_timeout_s": 0.1})
        bye, code, _ = await (await running.open(path, headers=headers)).closed()
        assert bye is not None
        assert bye["code"] == code
        assert code in (CloseCode.UNAUTHENTICATED, CloseCode.AUTH_TIMEOUT)

    @pytest.mark.gen_test
    async def test_a_slow_look_up_does_not_hold_up_the_upgrade(self, start: Start, stalling: StallingMongo) -> None:
        running = await start(stalling.overrides(timeout_ms=500))
        alice = await running.person("alice")
        token = alice.ws_token()
        with stalling.stalled():
            async with asyncio.timeout(0.4):  # before the database's own deadline
                peer = await running.open("/ws/user", token=token)
            async with asyncio.timeout(3.0):
                bye, code, _ = await peer.closed()
        assert (code, bye and bye["action"]) == (CloseCode.UNAVAILABLE, "reconnect")

    @pytest.mark.gen_test
    @pytest.mark.parametrize("path", ["/ws/user", "/ws/call/{call_id}", "/ws/dialogue/{session_id}"])
    async def test_a_warm_node_reads_at_most_once_before_connected(
        self, running: Running, mongo_uri: str, database: str, path: str
    ) -> None:
        talking = await begin(running)
        await talking.replied(await talking.open())
        alice, _ = talking.alice, await running.person("bob")
        call = await alice.place("bob") | talking.dialogue
        await alice.api("GET", "/users/me")
        await running.until(lambda: not len(running.services.background), "the new call was looked at again")
        client: pymongo.MongoClient[dict[str, Any]]
        with pymongo.MongoClient(mongo_uri) as client:
            profiled: Database[dict[str, Any]] = client[database]
            profiled.drop_collection("system.profile")  # what was noted in a test before
            profiled.command("profile", 2)
            await (await running.open(path.format(**call), token=alice.ws_token())).next("connected")
            profiled.command("profile", 0)
            # Nobody waits for the lease that says who is there: it is written aside.
            done = Counter(
                entry["op"]
                for entry in profiled["system.profile"].find({"appName": "ringback"})
                if not entry["ns"].endswith(".presence")
            )
            profiled.drop_collection("system.profile")
        # The token is spent, the snapshot is read; a dialogue's has two collections in it.
        assert done == {"insert": 1, "command" if "dialogue" in path else "query": 1}


class TestACloseWith1008ThatNoOneCanExplain:
    """A datetime that did not serialise and an owner compared across types ended as a bare policy violation."""

    def test_1008_is_not_in_the_registry(self) -> None:
        assert 1008 not in {int(code) for code in CloseCode} | {int(code) for code in REGISTRY}

    @pytest.mark.parametrize(
        "moment",
        [
            datetime(2026, 11, 20, 5, 12, 7, 345_999),
            datetime(2026, 11, 20, 5, 12, 7, 345_000, tzinfo=UTC),
            datetime(2026, 11, 20, 7, 12, 7, 345_000, tzinfo=timezone(timedelta(hours=2))),
        ],
        ids=["naive", "UTC", "elsewhere"],
    )
    def test_a_datetime_anywhere_in_a_document_serialises(self, moment: datetime) -> None:
        document = msgspec.json.decode(encode({"at": moment, "in": [{"deep": (moment,)}]}))
        assert document == {"at": "2026-11-20T05:12:07.345Z", "in": [{"deep": ["2026-11-20T05:12:07.345Z"]}]}

    @pytest.mark.gen_test
    async def test_a_call_with_every_time_set_serialises_over_http(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = await running.answered(alice, bob)
        ended = (await alice.do("hangup", call)).document
        times = [ended[name] for name in ("created_at", "ring_deadline", "answered_at", "ended_at")]
        times += [leg[name] for leg in ended["legs"] for name in ("joined_at", "left_at")]
        assert all(RFC3339_MS.fullmatch(time) for time in times)
        assert (await bob.history())[0]["legs"] == ended["legs"]

    @pytest.mark.gen_test
    async def test_a_call_with_every_time_set_serialises_in_a_snapshot_and_at_its_end(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        _, mine, theirs = await running.both_in(alice, bob)
        shown = theirs.connected["snapshot"]["call"]
        assert all(RFC3339_MS.fullmatch(leg["joined_at"]) for leg in shown["legs"])
        await mine.send("hangup")
        ended = (await theirs.next("ended"))["call"]
        assert RFC3339_MS.fullmatch(ended["ended_at"])
        assert (await theirs.closed()).code == CloseCode.NORMAL

    @pytest.mark.gen_test
    async def test_a_dialogue_socket_with_every_time_set_opens_for_its_owner_and_says_why_it_closes(
        self, running: Running
    ) -> None:
        talking = await begin(running)
        reply = await talking.replied(await talking.open())
        snapshot = (await talking.open()).connected["snapshot"]
        times = [snapshot["dialogue"][name] for name in ("created_at", "updated_at")]
        times += [message[name] for message in snapshot["messages"] for name in ("created_at", "completed_at")]
        times += [reply[name] for name in ("created_at", "completed_at")]
        assert len(times) == 8 and all(RFC3339_MS.fullmatch(time) for time in times)
        owners = await running.services.dialogues.store.by_id(talking.session_id)
        assert owners is not None and (type(owners.user_id), owners.user_id) == (str, talking.alice.id)
        mallory = await running.person("mallory")
        bye, code, reason = await (await mallory.open(talking.path)).closed()
        assert bye is not None and (code, bye["name"], bye["action"]) == (CloseCode.NOT_FOUND, "not_found", "stop")
        assert reason == bye["message"] == "There is no such dialogue"

    @pytest.mark.gen_test
    async def test_the_owner_gets_in_and_a_stranger_does_not(self, running: Running) -> None:
        alice, bob, mallory = await running.people("alice", "bob", "mallory")
        call = await running.answered(alice, bob)
        assert (await alice.room(call)).connected["snapshot"]["call"]["call_id"] == call["call_id"]
        assert (await bob.room(call)).connected["user"]["id"] == bob.id
        stranger = await mallory.open(f"/ws/call/{call['call_id']}")
        assert (await stranger.closed()).code == CloseCode.FORBIDDEN

    @pytest.mark.gen_test
    async def test_ids_are_of_one_type_wherever_they_are_compared(
        self, running: Running, mongo_uri: str, database: str
    ) -> None:
        alice, bob = await running.people("alice", "bob")
        await running.answered(alice, bob)
        client: pymongo.MongoClient[dict[str, Any]]
        with pymongo.MongoClient(mongo_uri) as client:
            stored: Database[dict[str, Any]] = client[database]
            ids = [document["_id"] for name in stored.list_collection_names() for document in stored[name].find()]
            ids += [leg["user"]["id"] for call in stored["calls"].find() for leg in call["legs"]]
            ids += [document["user_id"] for document in stored["sign_ins"].find()]
        assert {type(each) for each in ids} == {str}

    @pytest.mark.gen_test
    async def test_every_close_is_announced_and_explained(self, start: Start) -> None:
        limits = {"sockets.max_frame_bytes": 1024, "sockets.max_sdp_bytes": 512}
        running = await start({"sockets.auth_timeout_s": 0.1} | limits)
        alice, bob = await running.people("alice", "bob")
        _, room, _ = await running.both_in(alice, bob)
        sockets = [
            await running.open("/ws/user"),
            await running.open("/ws/user", token="nonsense"),
            await running.open("/ws/elsewhere"),
            await bob.open(f"/ws/call/{new_id()}"),
            await bob.open("/ws/call/nonsense"),
            await bob.inbox(),
            await bob.inbox(),
            room,
        ]
        await sockets[5].send_text("x" * 2000)
        await sockets[6].socket.send(b"binary")
        await room.send("hangup")
        for socket in sockets:
            bye, code, reason = await socket.closed()
            assert bye is not None
            assert (bye["code"], bye["name"]) == (code, CloseCode(code).name.lower())
            assert reason == truncate_reason(bye["message"])


class TestAPageThatReconnectsForEverAndASendAfterTheClose:
    """A wrong address was tried again and again, and every late sender logged an error."""

    def test_a_wrong_address_is_terminal(self) -> None:
        assert CloseCode.NO_SUCH_ENDPOINT >= 4500
        assert REGISTRY[CloseCode.NO_SUCH_ENDPOINT].action == "stop"

    @pytest.mark.gen_test
    async def test_a_page_on_a_wrong_address_is_told_to_stop(self, running: Running) -> None:
        bye, code, _ = await (await Peer.connect(f"ws://127.0.0.1:{running.port}/ws/user")).closed()
        assert bye is not None
        assert (code, bye["action"], bye["retry_after_ms"]) == (CloseCode.NO_SUCH_ENDPOINT, "stop", 0)

    @pytest.mark.gen_test
    async def test_what_is_sent_after_a_close_is_dropped_and_counted(
        self, running: Running, caplog: pytest.LogCaptureFixture
    ) -> None:
        alice = await running.person("alice")
        inbox = await alice.inbox()
        (connection,) = running.services.hub.connections
        running.services.hub.close(connection, CloseCode.DRAINING)
        connection.send(b'{"type":"late"}')
        assert connection.transport.dropped_after_close == 1
        assert (await inbox.closed()).code == CloseCode.DRAINING
        assert inbox.frames[-1]["type"] == "bye"
        await running.until(lambda: not running.services.hub.connections)
        assert b"ringback_frames_dropped_after_close_total 1.0" in running.services.metrics.text()
        assert caplog.records == []

    @pytest.mark.gen_test
    async def test_fifty_closes_in_a_race_with_sends_log_nothing(
        self, start: Start, caplog: pytest.LogCaptureFixture
    ) -> None:
        running = await start({"calls.calls_per_pair_per_minute": 100})
        alice, bob = await running.people("alice", "bob")
        devices = [await running.device(bob.user) for _ in range(50)]
        inboxes = [await device.inbox() for device in devices]

        async def end(number: int) -> None:
            match number % 5:
                case 0:
                    await inboxes[number].close()
                case 1:
                    inboxes[number].cut()
                case 2:
                    await devices[number].api("POST", "/auth/logout")
                case 3:
                    await inboxes[number].socket.send(b"binary")
                case _:
                    await inboxes[number].close(1001)

        async def talk() -> None:
            call = await alice.place("bob")
            await bob.do("decline", call)

        await asyncio.gather(*(end(number) for number in range(50)), *(talk() for _ in range(10)))
        await running.until(lambda: not running.services.hub.connections)
        assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
