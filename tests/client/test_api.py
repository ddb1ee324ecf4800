"""Signing in, staying so, and what the server answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from tornado.ioloop import IOLoop
from tornado.testing import bind_unused_port

from ringback_client.api import Api
from ringback_client.errors import ApiError, Unreachable
from ringback_client.model import Spread
from tests.client.looped import looped
from tests.client.scripted_http import Asked, ScriptedHttp
from tests.client.still_clock import StillClock

pytestmark = pytest.mark.gen_test

CALL = {
    "call_id": "k-1",
    "state": "inviting",
    "media": "audio",
    "rev": 1,
    "created_at": "2026-11-20T05:12:07.345Z",
    "legs": [],
    "a_field_of_tomorrow": 1,
}


@pytest.fixture
def stranger(io_loop: IOLoop, http: ScriptedHttp, clock: StillClock) -> Iterator[Api]:
    """Nobody yet."""
    with looped(io_loop, Api(http.url, clock=clock)) as api:
        yield api


@pytest.fixture
def api(io_loop: IOLoop, stranger: Api, http: ScriptedHttp) -> Api:
    """Alice, with tokens for 15 minutes."""
    http.lay_out_sign_in()
    io_loop.run_sync(lambda: stranger.sign_in("alice", "secret", device="test"))
    return stranger


def tokens_shown(http: ScriptedHttp, path: str) -> list[str | None]:
    """The bearer tokens with which a path was asked for, in order."""
    return [asked.token for asked in http.asked if asked.path == path]


async def test_sign_in_says_who_and_on_what(api: Api, http: ScriptedHttp) -> None:
    body = {"username": "alice", "password": "secret", "device": "test"}
    assert http.asked == [Asked("POST", "/auth/login", {}, None, body)]
    assert api.user is not None and api.user.display_name == "Alice"


async def test_wrong_password_is_an_error_with_the_code_of_the_server(stranger: Api, http: ScriptedHttp) -> None:
    problem = {"type": "about:blank", "title": "No", "status": 401, "detail": "Wrong.", "code": "invalid_credentials"}
    http.lay_out("POST /auth/login", problem | {"request_id": "r-1"}, status=401)
    with pytest.raises(ApiError, match="401 invalid_credentials: Wrong") as raised:
        await stranger.sign_in("alice", "wrong")
    assert (raised.value.code, raised.value.request_id, raised.value.retryable) == ("invalid_credentials", "r-1", False)


async def test_bad_input_names_the_fields(api: Api, http: ScriptedHttp) -> None:
    problem = {"code": "bad_request", "detail": "Bad input.", "errors": {"callees": "at least one"}}
    http.lay_out("POST /calls", problem, status=400)
    with pytest.raises(ApiError, match=r"\(callees: at least one\)") as raised:
        await api.create_call([])
    assert raised.value.errors == {"callees": "at least one"}


async def test_too_many_attempts_say_how_long_to_wait(stranger: Api, http: ScriptedHttp) -> None:
    http.lay_out("POST /auth/login", {"code": "too_many_attempts", "detail": "."}, status=429, Retry_After="30")
    with pytest.raises(ApiError) as raised:
        await stranger.sign_in("alice", "wrong")
    assert (raised.value.retry_after_s, raised.value.retryable) == (30.0, True)


async def test_answer_of_a_proxy_is_an_error_too(stranger: Api, http: ScriptedHttp) -> None:
    http.lay_out("GET /health", "<html>Bad Gateway</html>", status=502)
    with pytest.raises(ApiError, match="502 http_error"):
        await stranger.health()


async def test_page_of_somebody_else_is_no_answer(stranger: Api, http: ScriptedHttp) -> None:
    http.lay_out("GET /health", "<html>Welcome to this hotel</html>")
    with pytest.raises(Unreachable, match="not one of Ringback's"):
        await stranger.health()


async def test_redirect_is_no_answer(stranger: Api, http: ScriptedHttp) -> None:
    http.lay_out("GET /health", "", status=302, Location="/elsewhere")
    with pytest.raises(Unreachable, match="redirected elsewhere with 302"):
        await stranger.health()


async def test_server_that_is_not_there_is_unreachable() -> None:
    nobody, port = bind_unused_port()
    nobody.close()
    with pytest.raises(Unreachable, match="GET /health: ConnectError"):
        async with Api(f"http://127.0.0.1:{port}") as api:
            await api.health()


async def test_token_is_sent_along(api: Api, http: ScriptedHttp) -> None:
    http.lay_out("POST /calls", CALL, status=201)
    assert (await api.create_call(["bob"], client_key="key-1")).state == "inviting"
    body = {"callees": ["bob"], "media": "audio", "client_key": "key-1"}
    assert http.asked[-1] == Asked("POST", "/calls", {}, "access-1", body)


async def test_token_is_renewed_half_a_minute_before_its_end(api: Api, http: ScriptedHttp, clock: StillClock) -> None:
    clock.move(869)
    assert await api.access_token() == "access-1"
    clock.move(1)
    assert await api.access_token() == "access-2"
    assert http.asked[-1].body == {"refresh_token": "refresh-1"}


async def test_next_renewal_shows_the_next_refresh_token(api: Api, http: ScriptedHttp) -> None:
    await api.refresh()
    await api.refresh()
    assert http.asked[-1].body == {"refresh_token": "refresh-2"}


async def test_refused_token_is_renewed_once_and_the_request_repeated(api: Api, http: ScriptedHttp) -> None:
    http.lay_out("GET /calls/k-1", {"code": "unauthenticated", "detail": "."}, status=401)
    http.lay_out("GET /calls/k-1", CALL)
    assert (await api.call("k-1")).call_id == "k-1"
    assert tokens_shown(http, "/calls/k-1") == ["access-1", "access-2"]


async def test_token_refused_twice_is_an_error(api: Api, http: ScriptedHttp) -> None:
    http.lay_out("GET /calls/k-1", {"code": "unauthenticated", "detail": "."}, status=401)
    with pytest.raises(ApiError, match="unauthenticated"):
        await api.call("k-1")
    assert tokens_shown(http, "/calls/k-1") == ["access-1", "access-2"]


async def test_many_requests_at_once_renew_once(api: Api, http: ScriptedHttp, clock: StillClock) -> None:
    """A refresh token shown twice counts as stolen and would end the sign-in."""
    clock.move(900)
    assert await asyncio.gather(*(api.access_token() for _ in range(20))) == ["access-2"] * 20
    assert [asked.path for asked in http.asked].count("/auth/refresh") == 1


async def test_refusal_that_comes_after_the_renewal_renews_no_second_time(api: Api, http: ScriptedHttp) -> None:
    release = http.held["GET /users"] = asyncio.Event()
    http.lay_out("GET /users", {"code": "unauthenticated", "detail": "."}, status=401)
    http.lay_out("GET /users", {"items": [], "next": None})
    late = asyncio.create_task(api.users())
    await http.until_asked("/users")
    await api.refresh()
    release.set()
    await late
    assert tokens_shown(http, "/users") == ["access-1", "access-2"]
    assert [asked.path for asked in http.asked].count("/auth/refresh") == 1


async def test_renewal_goes_on_when_nobody_waits_for_it_any_more(api: Api, http: ScriptedHttp) -> None:
    """Else the new pair would be lost and the old one be shown a second time."""
    release = http.held["POST /auth/refresh"] = asyncio.Event()
    impatient = asyncio.create_task(api.refresh())
    await http.until_asked("/auth/refresh")
    impatient.cancel()
    release.set()
    await api.refresh()
    assert await api.access_token() == "access-2"
    assert [asked.path for asked in http.asked].count("/auth/refresh") == 1


async def test_refused_renewal_ends_the_sign_in(api: Api, http: ScriptedHttp) -> None:
    http.lay_out_instead("POST /auth/refresh", {"code": "token_reused", "detail": "."}, status=401)
    with pytest.raises(ApiError, match="token_reused"):
        await api.refresh()
    assert api.user is None


async def test_renewal_that_fails_for_now_keeps_the_sign_in(api: Api, http: ScriptedHttp) -> None:
    http.lay_out_instead("POST /auth/refresh", {"code": "unavailable", "detail": "."}, status=503)
    with pytest.raises(ApiError, match="unavailable"):
        await api.refresh()
    assert await api.access_token() == "access-1"


async def test_without_a_sign_in_nothing_is_asked(stranger: Api, http: ScriptedHttp) -> None:
    with pytest.raises(ApiError, match="nobody is signed in"):
        await stranger.ws_token()
    assert http.asked == []


async def test_logout_forgets_the_tokens(api: Api, http: ScriptedHttp) -> None:
    http.lay_out("POST /auth/logout", status=204)
    await api.logout()
    assert (api.user, http.asked[-1].token) == (None, "access-1")
    with pytest.raises(ApiError, match="nobody is signed in"):
        await api.access_token()


async def test_logout_of_a_sign_in_that_is_over_is_no_error(stranger: Api) -> None:
    await stranger.logout()


async def test_ws_token_is_a_new_one_each_time(api: Api, http: ScriptedHttp) -> None:
    http.lay_out("POST /auth/ws-token", {"ws_token": "ws-a", "expires_in": 120})
    http.lay_out("POST /auth/ws-token", {"ws_token": "ws-b", "expires_in": 120})
    assert [await api.ws_token(), await api.ws_token()] == ["ws-a", "ws-b"]


async def test_people_come_with_presence(api: Api, http: ScriptedHttp) -> None:
    bob = {"id": "u-bob", "username": "bob", "display_name": "Bob", "presence": "in_call"}
    http.lay_out("GET /users", {"items": [bob], "next": "cursor"})
    people = await api.users("bo")
    assert (people.items[0].presence, people.next, http.asked[-1].query) == ("in_call", "cursor", {"q": "bo"})


async def test_history_is_asked_for_page_by_page(api: Api, http: ScriptedHttp) -> None:
    http.lay_out("GET /calls", {"items": [CALL | {"missed": True, "direction": "incoming"}], "next": None})
    page = await api.calls(limit=20, before="cursor")
    assert (page.items[0].missed, page.next) == (True, None)
    assert http.asked[-1].query == {"limit": "20", "before": "cursor"}


async def test_history_can_be_filtered_and_searched(api: Api, http: ScriptedHttp) -> None:
    item = CALL | {"missed": True, "unread": True, "outcome": "Missed call", "details": "Audio call"}
    http.lay_out("GET /calls", {"items": [item], "next": "k-1", "unread": 3})
    page = await api.calls("missed", query="bo")
    assert http.asked[-1].query == {"filter": "missed", "q": "bo"}
    assert (page.items[0].unread, page.items[0].outcome, page.unread) == (True, "Missed call", 3)


@pytest.mark.parametrize(("until", "body"), [(None, {}), ("k-1", {"until": "k-1"})])
async def test_missed_calls_are_said_to_be_seen(
    api: Api, http: ScriptedHttp, until: str | None, body: dict[str, str]
) -> None:
    http.lay_out("POST /calls/seen", {"missed": 2})
    assert (await api.mark_seen(until), http.asked[-1].body) == (2, body)


async def test_one_call_is_removed_from_the_history(api: Api, http: ScriptedHttp) -> None:
    http.lay_out("DELETE /calls/k-1", status=204)
    await api.forget_call("k-1")
    assert (http.asked[-1].method, http.asked[-1].path) == ("DELETE", "/calls/k-1")


@pytest.mark.parametrize(("until", "query"), [(None, {}), ("k-1", {"until": "k-1"})])
async def test_all_calls_are_removed_from_the_history(
    api: Api, http: ScriptedHttp, until: str | None, query: dict[str, str]
) -> None:
    http.lay_out("DELETE /calls", status=204)
    await api.forget_calls(until)
    assert (http.asked[-1].method, http.asked[-1].query) == ("DELETE", query)


@pytest.mark.parametrize("step", ["answer", "decline", "cancel", "hangup", "leave"])
async def test_steps_of_a_call_return_the_call(api: Api, http: ScriptedHttp, step: str) -> None:
    http.lay_out(f"POST /calls/k-1/{step}", CALL | {"rev": 7})
    assert (await getattr(api, step)("k-1")).rev == 7


async def test_others_are_called_in(api: Api, http: ScriptedHttp) -> None:
    http.lay_out("POST /calls/k-1/invite", CALL | {"rev": 7, "host": "l-1"})
    assert (await api.invite("k-1", ["carol"])).host == "l-1"
    assert http.asked[-1].body == {"usernames": ["carol"]}


async def test_what_was_written_in_a_call_comes_in_pages(api: Api, http: ScriptedHttp) -> None:
    written = {"message_id": "m-1", "user": {"id": "u-1", "username": "bob"}, "text": "hello"}
    http.lay_out("GET /calls/k-1/chat", {"items": [written | {"sent_at": "2026-11-20T05:12:07.345Z"}], "next": "m-1"})
    page = await api.chat("k-1", limit=1)
    assert (page.items[0].text, page.next, http.asked[-1].query) == ("hello", "m-1", {"limit": "1"})


async def test_quality_comes_by_leg_and_path(api: Api, http: ScriptedHttp) -> None:
    alice, bob = ({"id": name, "username": name} for name in ("alice", "bob"))
    moments = {"since": "2026-11-20T05:12:07.345Z", "until": "2026-11-20T05:12:17.345Z"}
    score = {"mean": 4.2, "low": 4.0, "high": 4.4}
    path = {"leg_id": "l-2", "user": bob, "reports": 2, "score": score, "loss": None, "candidates": ["relay"]} | moments
    http.lay_out("GET /calls/k-1/quality", {"legs": [{"leg_id": "l-1", "user": alice, "paths": [path]}]})
    (leg,) = await api.quality("k-1")
    assert (leg.user.username, leg.paths[0].user.username, leg.paths[0].candidates) == ("alice", "bob", ("relay",))
    assert (leg.paths[0].score, leg.paths[0].loss) == (Spread(mean=4.2, low=4.0, high=4.4), None)


async def test_ice_servers_keep_their_credential_out_of_sight(api: Api, http: ScriptedHttp) -> None:
    turn = {"urls": ["turn:t.example"], "username": "1:u-alice", "credential": "canary"}
    http.lay_out("GET /ice-servers", {"ice_servers": [turn], "expires_at": "2026-11-20T05:12:07.345Z"})
    servers = await api.ice_servers()
    assert (servers[0].credential, "canary" in repr(servers)) == ("canary", False)


@pytest.mark.parametrize("address", ["calls.example", "ftp://calls.example", "http://", "wss://calls.example"])
def test_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="http://host or https://host"):
        Api(address)


def test_address_with_a_password_is_refused_and_not_shown() -> None:
    with pytest.raises(ValueError, match="no user name or password") as raised:
        Api("https://alice:canary@calls.example")
    assert "canary" not in str(raised.value)


# Devices

KITCHEN = {
    "id": "d-1",
    "label": "Kitchen",
    "created_at": "2026-11-20T05:00:00.000Z",
    "last_seen_at": "2026-11-20T06:00:00.000Z",
    "current": False,
    "online": True,
    "silenced": True,
}


async def test_devices_are_listed(api: Api, http: ScriptedHttp) -> None:
    http.lay_out("GET /devices", {"items": [KITCHEN]})
    [device] = await api.devices()
    assert (device.label, device.online, device.silenced, device.current) == ("Kitchen", True, True, False)


async def test_of_a_device_only_what_is_given_is_changed(api: Api, http: ScriptedHttp) -> None:
    http.lay_out("PATCH /devices/d-1", KITCHEN)
    assert (await api.change_device("d-1", silenced=True)).silenced
    assert http.asked[-1].body == {"silenced": True}


async def test_a_device_is_signed_out_and_so_are_all_others(api: Api, http: ScriptedHttp) -> None:
    http.lay_out("DELETE /devices/d-1", status=204)
    http.lay_out("DELETE /devices", status=204)
    await api.sign_out_device("d-1")
    await api.sign_out_other_devices()
    assert [asked.path for asked in http.asked[1:]] == ["/devices/d-1", "/devices"]


CONTACT = {
    "user": {"id": "u-bob", "username": "bob", "display_name": "Bob"},
    "state": "sent",
    "favourite": False,
    "blocked": False,
    "presence": "away",
    "since": "2026-11-20T05:12:07.345Z",
}


async def test_contacts_are_listed_page_by_page(api: Api, http: ScriptedHttp) -> None:
    http.lay_out("GET /contacts", {"items": [CONTACT], "next": "u-bob.1"})
    page = await api.contacts("sent", before="u-zoe.2")
    assert http.asked[-1].query == {"state": "sent", "before": "u-zoe.2"}
    assert (page.items[0].user.username, page.items[0].presence, page.next) == ("bob", "away", "u-bob.1")


async def test_a_contact_is_asked_for_by_name(api: Api, http: ScriptedHttp) -> None:
    http.lay_out("POST /contacts", CONTACT, status=201)
    assert (await api.add_contact("bob")).state == "sent"
    assert http.asked[-1].body == {"username": "bob"}


async def test_each_thing_to_do_with_a_contact_has_its_address(api: Api, http: ScriptedHttp) -> None:
    for request in ("POST accept", "POST decline", "PUT favourite", "DELETE favourite", "PUT block", "DELETE block"):
        method, what = request.split()
        http.lay_out(f"{method} /contacts/u-bob/{what}", CONTACT)
    http.lay_out("DELETE /contacts/u-bob", status=204)
    await api.accept_contact("u-bob")
    await api.decline_contact("u-bob")
    await api.remove_contact("u-bob")
    for wanted in (True, False):
        await api.set_favourite("u-bob", wanted)
        await api.set_blocked("u-bob", wanted)
    asked = [f"{each.method} {each.path.removeprefix('/contacts/u-bob')}".strip() for each in http.asked[1:]]
    assert asked == [
        "POST /accept",
        "POST /decline",
        "DELETE",
        "PUT /favourite",
        "PUT /block",
        "DELETE /favourite",
        "DELETE /block",
    ]
