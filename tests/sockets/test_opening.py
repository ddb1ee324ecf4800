"""From the upgrade to ``connected``: who gets in, by which credentials, from which pages, and how everybody else learns
why not."""

from __future__ import annotations

import asyncio

import pytest
from websockets.exceptions import InvalidStatus

from handlers.base import API
from server.close_codes import CloseCode
from server.ids import is_id, new_id
from tests.peer import Peer
from tests.running import Person, Running, StallingMongo, Start
from tests.sockets.raw import RawClient, upgrade_request

SOCKETS = ["/ws/user", "/ws/call/{call_id}"]
on_each_socket = pytest.mark.parametrize("path", SOCKETS)


async def refusal(running: Running, path: str, headers: dict[str, str]) -> int:
    """The status of an upgrade that is refused, or 101."""
    try:
        await running.open(path, headers=headers)
    except InvalidStatus as error:
        return error.response.status_code
    return 101


async def code_of(peer: Peer) -> int:
    """The code of a close that was announced by a ``bye`` with the same."""
    bye, code, _ = await peer.closed()
    assert bye is not None
    assert bye["code"] == code
    return code


class TestCredentials:
    @on_each_socket
    @pytest.mark.gen_test
    async def test_may_come_as_a_header(self, running: Running, path: str) -> None:
        alice, _ = await running.people("alice", "bob")
        peer = await running.open(path.format(**await alice.place("bob")), headers=alice.bearer)
        assert (await peer.next("connected"))["user"]["id"] == alice.id

    @on_each_socket
    @pytest.mark.gen_test
    async def test_may_come_in_the_address(self, running: Running, path: str) -> None:
        alice, _ = await running.people("alice", "bob")
        peer = await running.open(path.format(**await alice.place("bob")), token=alice.ws_token())
        assert (await peer.next("connected"))["user"]["id"] == alice.id

    @pytest.mark.gen_test
    async def test_in_a_first_frame_with_an_id_are_acknowledged_after_connected(self, running: Running) -> None:
        alice = await running.person("alice")
        peer = await running.open("/ws/user", origin=running.origin)
        await peer.send("auth", id="a1", token=alice.ws_token())
        assert (await peer.next("ack"))["id"] == "a1"
        assert [frame["type"] for frame in peer.frames[:2]] == ["connected", "ack"]

    @on_each_socket
    @pytest.mark.gen_test
    async def test_may_come_in_the_first_frame(self, running: Running, path: str) -> None:
        alice, _ = await running.people("alice", "bob")
        peer = await running.open(path.format(**await alice.place("bob")), origin=running.origin)
        await peer.send("auth", token=alice.ws_token())
        assert (await peer.next("connected"))["user"]["id"] == alice.id

    @pytest.mark.gen_test
    async def test_may_come_from_a_page_that_is_signed_in(self, running: Running) -> None:
        alice = await running.person("alice")
        cookie = {"Cookie": f"ringback_session={alice.page_cookie()}"}
        peer = await running.open("/ws/user", headers=cookie, origin=running.origin)
        await peer.send("auth", token=alice.ws_token())
        assert (await peer.next("connected"))["user"]["id"] == alice.id

    @pytest.mark.gen_test
    async def test_of_a_user_id_that_is_the_tokens_own_do_no_harm(self, running: Running) -> None:
        alice = await running.person("alice")
        peer = await running.open("/ws/user", headers=alice.bearer | {"X-User-Id": alice.id}, user_id=alice.id)
        assert (await peer.next("connected"))["user"]["id"] == alice.id

    @pytest.mark.gen_test
    async def test_in_the_header_go_before_those_in_the_address(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        token = bob.ws_token()
        peer = await running.open("/ws/user", headers=alice.bearer, token=token)
        assert (await peer.next("connected"))["user"]["id"] == alice.id
        assert await (await running.open("/ws/user", token=token)).next("connected")  # it was not spent

    @pytest.mark.gen_test
    async def test_that_do_not_come_in_time_are_not_waited_for(self, start: Start) -> None:
        running = await start({"sockets.auth_timeout_s": 0.05})
        assert await code_of(await running.open("/ws/user")) == CloseCode.AUTH_TIMEOUT

    @pytest.mark.gen_test
    async def test_have_ten_seconds_unless_configured(self, running: Running) -> None:
        assert running.services.settings.sockets.auth_timeout_s == 10

    @pytest.mark.gen_test
    async def test_are_waited_for_though_pings_come(self, start: Start) -> None:
        running = await start({"sockets.auth_timeout_s": 0.1})
        peer = await running.open("/ws/user")
        await peer.socket.ping()
        assert await code_of(peer) == CloseCode.AUTH_TIMEOUT

    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        "text",
        [
            '{"type":"ping"}',
            '{"type":"ringing","call_id":"x"}',
            '{"type":"auth"}',
            '{"type":"auth","token":1}',
            '{"type":"auth","token":"x","user_id":"y"}',
            '{"type":"auth","token":"x","last_seq":-1}',
            '{"type":"auth","token":"' + "x" * 4097 + '"}',
            '{"type":"Auth","token":"x"}',
            "[]",
            "nonsense",
            "",
        ],
        ids=lambda text: text[:30],
    )
    async def test_are_what_the_first_frame_must_be(self, running: Running, text: str) -> None:
        peer = await running.open("/ws/user")
        await peer.send_text(text)
        assert await code_of(peer) == CloseCode.UNAUTHENTICATED

    @pytest.mark.gen_test
    async def test_are_asked_for_once(self, running: Running) -> None:
        alice = await running.person("alice")
        peer = await alice.inbox()
        answer = await peer.request("auth", token=alice.ws_token())
        assert (answer["type"], answer["code"]) == ("error", "unknown_type")


class TestTokens:
    @pytest.mark.gen_test
    async def test_that_have_expired_are_told_from_bad_ones(self, running: Running) -> None:
        alice = await running.person("alice")
        token = alice.ws_token()
        running.clock.move(120 + 11)
        bye, code, _ = await (await running.open("/ws/user", token=token)).closed()
        assert bye is not None
        assert (code, bye["action"]) == (CloseCode.TOKEN_EXPIRED, "resume")

    @pytest.mark.gen_test
    async def test_of_access_that_have_expired_are_told_as_well(self, running: Running) -> None:
        alice = await running.person("alice")
        running.clock.move(900 + 11)
        assert await code_of(await alice.open("/ws/user")) == CloseCode.TOKEN_EXPIRED

    @pytest.mark.gen_test
    async def test_survive_a_small_difference_of_clocks(self, running: Running) -> None:
        alice = await running.person("alice")
        token = alice.ws_token()
        running.clock.move(120 + 8)
        assert await (await running.open("/ws/user", token=token)).next("connected")

    @pytest.mark.gen_test
    async def test_open_one_socket(self, running: Running) -> None:
        alice = await running.person("alice")
        token = alice.ws_token()
        assert await (await running.open("/ws/user", token=token)).next("connected")
        bye, code, _ = await (await running.open("/ws/user", token=token)).closed()
        assert bye is not None
        assert (code, bye["action"]) == (CloseCode.UNAUTHENTICATED, "stop")
        assert "used before" in bye["message"]

    @pytest.mark.gen_test
    async def test_used_fifty_times_at_once_open_one_socket(self, running: Running) -> None:
        alice = await running.person("alice")
        token = alice.ws_token()
        peers = await asyncio.gather(*(running.open("/ws/user", token=token) for _ in range(50)))
        firsts = [(await peer.next_of("connected", "bye"))["type"] for peer in peers]
        assert sorted(firsts) == 49 * ["bye"] + ["connected"]
        assert len(running.services.hub) == 1

    @pytest.mark.gen_test
    async def test_used_on_two_servers_at_once_open_one_socket(self, start: Start) -> None:
        key = {"auth.secret": "k" * 32}
        here, there = await start(key), await start(key)
        token = (await here.person("alice")).ws_token()
        peers = await asyncio.gather(*(each.open("/ws/user", token=token) for each in 10 * [here, there]))
        firsts = [(await peer.next_of("connected", "bye"))["type"] for peer in peers]
        assert sorted(firsts) == 19 * ["bye"] + ["connected"]

    @pytest.mark.gen_test
    async def test_are_spent_though_the_door_stays_shut(self, running: Running) -> None:
        alice = await running.person("alice")
        token = alice.ws_token()
        assert await code_of(await running.open(f"/ws/call/{new_id()}", token=token)) == CloseCode.NOT_FOUND
        assert await code_of(await running.open("/ws/user", token=token)) == CloseCode.UNAUTHENTICATED

    @pytest.mark.gen_test
    async def test_of_an_account_that_was_disabled_open_nothing(self, running: Running) -> None:
        alice = await running.person("alice")
        await running.services.accounts.set_disabled(alice.user, True)
        assert await code_of(await running.open("/ws/user", token=alice.ws_token())) == CloseCode.UNAUTHENTICATED

    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        "token", ["nonsense", "a.b.c", "\x00", "\U0001f600", "x" * 3000, "null", "eyJhbGciOiJub25lIn0.e30."]
    )
    async def test_that_are_none_open_nothing(self, running: Running, token: str) -> None:
        assert await code_of(await running.open("/ws/user", token=token)) == CloseCode.UNAUTHENTICATED

    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        "query", ["token=%ff", "token=", "token=%ff&user_id=%ff", "token=x&resume=%ff&last_seq=%ff"]
    )
    async def test_that_are_not_even_text_open_nothing(self, running: Running, query: str) -> None:
        peer = await Peer.connect(f"{running.ws_url('/ws/user')}?{query}")
        assert await code_of(peer) == CloseCode.UNAUTHENTICATED

    @pytest.mark.gen_test
    async def test_need_the_database_to_be_spent(self, start: Start, stalling: StallingMongo) -> None:
        running = await start(stalling.overrides(timeout_ms=500))
        alice = await running.person("alice")
        with stalling.stalled():
            bye, code, _ = await (await running.open("/ws/user", token=alice.ws_token())).closed()
        assert bye is not None
        assert (code, bye["action"], bye["retry_after_ms"] > 0) == (CloseCode.UNAVAILABLE, "reconnect", True)


class TestPagesOfOthers:
    ORIGINS = (
        "http://evil.example",
        "null",
        "",
        "http://127.0.0.1.evil.example:{port}",
        "http://evil127.0.0.1:{port}",
        "http://127.0.0.1:{port}.evil.example",
        "http://127.0.0.1:{port}@evil.example",
        "http://sub.127.0.0.1:{port}",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1:1",
        "http://127.0.0.1",
        "http://127.0.0.1:{port}/",
        "127.0.0.1:{port}",
        "file://",
    )

    @on_each_socket
    @pytest.mark.parametrize("origin", ORIGINS)
    @pytest.mark.gen_test
    async def test_are_refused_before_the_upgrade(self, running: Running, path: str, origin: str) -> None:
        alice, _ = await running.people("alice", "bob")
        token = alice.ws_token()
        target = path.format(**await alice.place("bob"))
        async with await RawClient.dial(running.port) as client:
            headers: dict[str, str | None] = {"Host": f"127.0.0.1:{running.port}"}
            headers["Origin"] = origin.format(port=running.port)
            await client.request(upgrade_request(f"{API}{target}?token={token}", headers))
            assert client.status == 403
        assert await (await running.open(target, token=token)).next("connected")  # the token was not spent

    @on_each_socket
    @pytest.mark.gen_test
    async def test_are_refused_though_a_script_claims_to_be_on_the_same_site(self, running: Running, path: str) -> None:
        headers = {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}
        assert await refusal(running, path.format(call_id=new_id()), headers) == 403

    @on_each_socket
    @pytest.mark.parametrize("host", ["evil.example:{port}", "127.0.0.1.evil.example:{port}", "localhost.:{port}"])
    @pytest.mark.gen_test
    async def test_that_were_rebound_to_this_machine_are_refused(self, running: Running, path: str, host: str) -> None:
        host = host.format(port=running.port)
        for origin, status in ((f"http://{host}", 403), (running.origin, 421), (None, 421)):
            async with await RawClient.dial(running.port) as client:
                target = API + path.format(call_id=new_id())
                await client.request(upgrade_request(target, {"Host": host, "Origin": origin}))
                assert client.status == status

    @pytest.mark.gen_test
    @pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
    async def test_are_not_our_own(self, running: Running, name: str) -> None:
        alice = await running.person("alice")
        peer = await running.open("/ws/user", origin=f"http://{name}:{running.port}", token=alice.ws_token())
        assert await peer.next("connected")

    @pytest.mark.gen_test
    async def test_are_not_those_that_the_configuration_names(self, start: Start) -> None:
        running = await start({"server.public_url": "https://calls.example"})
        alice = await running.person("alice")
        peer = await running.open("/ws/user", origin="https://calls.example", token=alice.ws_token())
        assert await peer.next("connected")
        assert await refusal(running, "/ws/user", {"Origin": "http://calls.example"}) == 403

    @pytest.mark.gen_test
    async def test_are_told_apart_from_telephones_which_have_no_origin(self, running: Running) -> None:
        alice = await running.person("alice")
        assert await (await running.open("/ws/user", token=alice.ws_token())).next("connected")

    @on_each_socket
    @pytest.mark.gen_test
    async def test_could_leave_out_the_origin_but_not_with_a_cookie_alone(self, running: Running, path: str) -> None:
        alice = await running.person("alice")
        headers = {"Cookie": f"ringback_session={alice.page_cookie()}"}
        assert await refusal(running, path.format(call_id=new_id()), headers) == 403

    @pytest.mark.gen_test
    async def test_do_not_get_in_by_claiming_the_same_site(self, running: Running) -> None:
        peer = await running.open("/ws/user", headers={"Sec-Fetch-Site": "same-origin"}, token="")
        assert await code_of(peer) == CloseCode.UNAUTHENTICATED


class TestConnected:
    @pytest.mark.gen_test
    async def test_is_the_first_frame_and_has_no_number(self, running: Running) -> None:
        inbox = await (await running.person("alice")).inbox()
        assert [frame["type"] for frame in inbox.frames] == ["connected"]
        assert "seq" not in inbox.connected

    @pytest.mark.gen_test
    async def test_says_all_that_a_client_needs(self, running: Running) -> None:
        alice = await running.person("alice", display_name="Alice A.")
        connected = (await alice.inbox()).connected
        assert is_id(connected["connection_id"])
        assert connected["epoch"] == running.services.epoch
        assert connected["user"] == {"id": alice.id, "username": "alice", "display_name": "Alice A."}
        assert connected["heartbeat"] == {"interval_s": 300, "timeout_s": 300}
        assert connected["resume"] == {"window_s": 120}
        assert connected["limits"] == {
            "max_frame_bytes": 65536, "max_sdp_bytes": 32768, "frames_per_s": 20, "burst": 100,
        }  # fmt: skip

    @pytest.mark.gen_test
    async def test_shows_a_device_what_rings_and_what_goes_on(self, running: Running) -> None:
        alice, bob, _, _ = await running.people("alice", "bob", "carol", "dave")
        ringing = await bob.place("alice")
        placed = await alice.place("carol")
        snapshot = (await alice.inbox()).connected["snapshot"]
        assert [item["call"]["call_id"] for item in snapshot["incoming"]] == [ringing["call_id"]]
        assert 44_000 < snapshot["incoming"][0]["expires_in_ms"] <= 45_000
        assert [call["call_id"] for call in snapshot["calls"]] == [placed["call_id"]]

    @pytest.mark.gen_test
    async def test_does_not_start_to_ring_for_the_last_moments(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await alice.place("bob")
        running.clock.move(42.5)
        assert (await bob.inbox()).connected["snapshot"]["incoming"] == []

    @pytest.mark.gen_test
    async def test_shows_a_participant_the_call_the_others_and_the_chat(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = await running.answered(alice, bob)
        mine = await alice.room(call)
        assert mine.connected["snapshot"]["participants"] == []
        await mine.request("chat", text="first")
        snapshot = (await bob.room(call)).connected["snapshot"]
        assert snapshot["call"]["call_id"] == call["call_id"]
        assert snapshot["leg_id"] == call["legs"][1]["leg_id"]
        assert snapshot["participants"] == [
            {
                "leg_id": call["legs"][0]["leg_id"],
                "user": call["legs"][0]["user"],
                "rank": 0,
                "connection": "connected",
                "media": {"audio": False, "video": False, "screen": False, "hand": False},
                "paths": {},
            }
        ]
        assert [message["text"] for message in snapshot["chat"]] == ["first"]

    @pytest.mark.gen_test
    async def test_comes_before_what_was_sent_too_early(self, running: Running) -> None:
        alice = await running.person("alice")
        peer = await alice.open("/ws/user")
        await peer.send("ping", id="early")
        assert (await peer.answer_to("early"))["type"] == "ack"
        assert peer.frames[0]["type"] == "connected"


class TestTheDoor:
    @pytest.mark.gen_test
    async def test_stays_shut_for_a_call_that_does_not_exist(self, running: Running) -> None:
        alice = await running.person("alice")
        assert await code_of(await alice.open(f"/ws/call/{new_id()}")) == CloseCode.NOT_FOUND

    @pytest.mark.gen_test
    @pytest.mark.parametrize("call_id", ["x", "0" * 36, "$ne", "%2e%2e", "%ff", "%00", "x" * 64])
    async def test_stays_shut_for_what_is_no_call_id(self, running: Running, call_id: str) -> None:
        alice = await running.person("alice")
        assert await code_of(await alice.open(f"/ws/call/{call_id}")) == CloseCode.NOT_FOUND

    @pytest.mark.gen_test
    async def test_stays_shut_for_a_stranger(self, running: Running) -> None:
        alice, _, mallory = await running.people("alice", "bob", "mallory")
        call = await alice.place("bob")
        assert await code_of(await mallory.open(f"/ws/call/{call['call_id']}")) == CloseCode.FORBIDDEN

    @pytest.mark.gen_test
    async def test_stays_shut_when_the_call_is_over(self, running: Running) -> None:
        alice, _ = await running.people("alice", "bob")
        call = await alice.place("bob")
        await alice.do("cancel", call)
        assert await code_of(await alice.open(f"/ws/call/{call['call_id']}")) == CloseCode.ENDED

    @pytest.mark.gen_test
    async def test_stays_shut_for_somebody_who_declined(self, running: Running) -> None:
        alice, bob, _ = await running.people("alice", "bob", "carol")
        call = await alice.place("bob", "carol")
        await bob.do("decline", call)
        assert await code_of(await bob.open(f"/ws/call/{call['call_id']}")) == CloseCode.ENDED

    @pytest.mark.gen_test
    async def test_leaves_no_room_behind_for_those_who_stay_outside(self, running: Running) -> None:
        alice, _, mallory = await running.people("alice", "bob", "mallory")
        call = await alice.place("bob")
        for _ in range(3):
            await (await mallory.open(f"/ws/call/{call['call_id']}")).closed()
        assert (len(running.server.rooms), len(running.services.hub)) == (0, 0)


class TestTooMany:
    @pytest.mark.gen_test
    async def test_connections_of_one_person_are_refused(self, start: Start) -> None:
        running = await start({"sockets.max_connections_per_user": 2})
        alice = await running.person("alice")
        for _ in range(2):
            await alice.inbox()
        assert await code_of(await alice.open("/ws/user")) == CloseCode.TOO_MANY_CONNECTIONS

    @pytest.mark.gen_test
    async def test_connections_that_come_at_once_are_refused_too(self, start: Start) -> None:
        running = await start({"sockets.max_connections_per_user": 3})
        alice = await running.person("alice")
        peers = await asyncio.gather(*(alice.open("/ws/user") for _ in range(12)))
        firsts = [(await peer.next_of("connected", "bye"))["type"] for peer in peers]
        assert sorted(firsts) == 9 * ["bye"] + 3 * ["connected"]

    @pytest.mark.gen_test
    async def test_connections_are_counted_over_all_devices(self, start: Start) -> None:
        running = await start({"sockets.max_connections_per_user": 1})
        alice = await running.person("alice")
        await alice.inbox()
        other = await running.device(alice.user)
        assert await code_of(await other.open("/ws/user")) == CloseCode.TOO_MANY_CONNECTIONS

    @pytest.mark.gen_test
    async def test_connections_of_one_person_leave_room_for_others(self, start: Start) -> None:
        running = await start({"sockets.max_connections_per_user": 1})
        alice, bob = await running.people("alice", "bob")
        await alice.inbox()
        assert await bob.inbox()

    @pytest.mark.gen_test
    async def test_connections_become_fewer_when_one_closes(self, start: Start) -> None:
        running = await start({"sockets.max_connections_per_user": 1})
        alice = await running.person("alice")
        await (await alice.inbox()).close()
        await running.until(lambda: not running.services.hub.connections)
        assert await alice.inbox()

    @pytest.mark.gen_test
    async def test_connections_are_not_what_a_resume_takes_over(self, start: Start) -> None:
        running = await start({"sockets.max_connections_per_user": 1})
        alice = await running.person("alice")
        inbox = await alice.inbox()
        assert (await alice.again(inbox)).connection_id == inbox.connection_id

    @pytest.mark.gen_test
    async def test_frames_before_one_is_let_in_are_not_kept(self, start: Start, stalling: StallingMongo) -> None:
        running = await start(stalling.overrides())
        alice = await running.person("alice")
        with stalling.stalled():
            peer = await alice.open("/ws/user")
            for _ in range(101):
                await peer.send("ping")
            assert await code_of(peer) == CloseCode.RATE_LIMITED


class TestTheUpgrade:
    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"Sec-WebSocket-Version": "12"}, 426),
            ({"Sec-WebSocket-Version": None}, 426),
            ({"Sec-WebSocket-Key": None}, 400),
            ({"Sec-WebSocket-Key": "short"}, 400),
            ({"Connection": "keep-alive"}, 400),
        ],
        ids=str,
    )
    async def test_that_is_none_is_refused(self, running: Running, headers: dict[str, str | None], status: int) -> None:
        async with await RawClient.dial(running.port) as client:
            await client.request(upgrade_request(f"{API}/ws/user", headers))
            assert client.status == status

    @pytest.mark.gen_test
    async def test_agrees_to_no_compression(self, running: Running) -> None:
        async with await RawClient.dial(running.port) as client:
            offer: dict[str, str | None] = {"Sec-WebSocket-Extensions": "permessage-deflate"}
            await client.request(upgrade_request(f"{API}/ws/user", offer))
            assert client.status == 101
            assert "extensions" not in client.answer.lower()

    @pytest.mark.gen_test
    async def test_is_answered_once_for_each_of_many_at_once(self, running: Running) -> None:
        people: list[Person] = await running.people(*(f"user{number}" for number in range(20)))
        inboxes = await asyncio.gather(*(person.inbox() for person in people))
        assert [inbox.connected["user"]["id"] for inbox in inboxes] == [person.id for person in people]
