"""What a hostile page, a hostile client or a hostile body gets: a clear refusal, and nothing else."""

from __future__ import annotations

import asyncio
import inspect
import re
from typing import Any

import msgspec
import pytest

from handlers.auth import LoginBody, NoBody, PasswordBody, ProfileBody, RefreshBody, RegisterBody
from handlers.base import API, SECURITY_HEADERS
from handlers.calls import InviteBody, PlaceBody
from handlers.contacts import RequestBody
from handlers.devices import DeviceBody
from handlers.dialogues import StartDialogue
from handlers.history import SeenBody
from handlers.push import SubscriptionBody, TokenBody
from handlers.roadmaps import RoadmapBody
from handlers.routes import ROUTES, Route
from handlers.static import COMPUTING_WORKER
from handlers.tasks import EventBody, ReviewBody, TaskBody
from server.ids import new_id
from tests.handlers.browser import Browser
from tests.handlers.test_routes import SERVED, address, each, methods_of
from tests.running import PASSWORD, Answer, Person, Running, Start
from tests.sockets.raw import RawClient

CHANGES = [(method, route) for route in SERVED for method in sorted(methods_of(route)) if method not in ("GET", "HEAD")]
by_change = pytest.mark.parametrize(
    ("method", "route"), CHANGES, ids=[f"{method} {route.shown}" for method, route in CHANGES]
)


def reads_a_body(method: str, route: Route) -> bool:
    """Whether the handler's method asks for one, as all do by `read`."""
    return "self.read(" in inspect.getsource(getattr(route.handler, method.lower()))


BODIES: dict[str, tuple[str, type[msgspec.Struct], dict[str, Any]]] = {
    "/check/ice-servers": ("POST", NoBody, {}),
    "/auth/login": ("POST", LoginBody, {"username": "alice", "password": PASSWORD, "device": "x"}),
    "/auth/refresh": ("POST", RefreshBody, {"refresh_token": "x"}),
    "/auth/register": ("POST", RegisterBody, {"username": "dora", "password": PASSWORD, "display_name": "Dora"}),
    "/auth/ws-token": ("POST", NoBody, {}),
    "/auth/logout": ("POST", NoBody, {}),
    "/users/me": (
        "PATCH",
        ProfileBody,
        {"display_name": "A", "locale": "de", "do_not_disturb": True, "callers": "contacts"},
    ),
    "/users/me/password": ("POST", PasswordBody, {"current_password": PASSWORD, "new_password": PASSWORD}),
    "/calls": ("POST", PlaceBody, {"callees": ["bob"], "media": "audio", "client_key": "k"}),
    "/calls/{call_id}/invite": ("POST", InviteBody, {"usernames": ["carol"]}),
    "/contacts": ("POST", RequestBody, {"username": "bob"}),
    "/contacts/{user_id}": ("DELETE", NoBody, {}),
    "/contacts/{user_id}/favourite": ("PUT", NoBody, {}),
    "/contacts/{user_id}/block": ("PUT", NoBody, {}),
    "/devices/{sign_in_id}": ("PATCH", DeviceBody, {"label": "Kitchen", "silenced": True}),
    "/push/subscriptions": (
        "POST",
        SubscriptionBody,
        {"endpoint": "https://push.example", "keys": {"p256dh": "x", "auth": "x"}},
    ),
    "/push/test": ("POST", NoBody, {}),
    "/push/ringing": ("POST", TokenBody, {"token": "x"}),
    "/push/decline": ("POST", TokenBody, {"token": "x"}),
    "/voicemail/{voicemail_id}/heard": ("POST", NoBody, {}),
    "/calls/seen": ("POST", SeenBody, {"until": "01890a5d-ac96-774b-bcce-b302099a8057"}),
    "/dialogues/book/start": ("POST", StartDialogue, {"book_id": "01890a5d-ac96-774b-bcce-b302099a8057"}),
    "/roadmaps/{roadmap_id}": ("PUT", RoadmapBody, {"document": "# Plan", "rev": 1}),
    "/tasks": ("POST", TaskBody, {"kind": "external", "title": "Nightly"}),
    "/tasks/{task_id}/cancel": ("POST", NoBody, {}),
    "/tasks/{task_id}/review": ("POST", ReviewBody, {"decision": "approve", "comment": "", "round": 1}),
    "/tasks/{task_id}/events": ("POST", EventBody, {"event_id": "1", "type": "progress"}),
}
"""Every address that reads a body, with a good one."""
OPEN = {("/tasks", "params"), ("/tasks/{task_id}/events", "values"), ("/tasks/{task_id}/events", "data")}
"""Fields that hold any object; they are stored as they are, and no query is made of them."""
FIELDS = [
    (path, field)
    for path, (_, shape, _) in BODIES.items()
    for field in shape.__struct_fields__
    if (path, field) not in OPEN
]

NOT_JSON = [
    b"{",
    b"[1,",
    b"nonsense",
    b"{'a':1}",
    b'{"a":NaN}',
    b'{"a":Infinity}',
    b"\xff\xfe",
    b'{"username":"\xff"}',
    b'{"username":"\\ud800","password":"x"}',
    b"[" * 50_000,
    b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    b'{"a":1}{"b":2}',
    b"1e999999",
    b'"text"',
    b"null",
    b"[]",
    b"0",
]
OPERATORS: list[Any] = [
    {"$ne": None}, {"$gt": ""}, {"$where": "1"}, {"$regex": ".*"}, {}, [[]], [{"$ne": 1}], 10**400, -1.5, [None],
]  # fmt: skip


def problem(answer: Answer) -> tuple[int, str]:
    """Status and code of a refusal, whose form is checked."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    document = answer.document
    assert {"type", "title", "status", "detail", "code", "request_id"} <= set(document)
    assert document["type"] == f"urn:ringback:error:{document['code']}"
    assert document["status"] == answer.status
    assert document["request_id"] == answer.headers["X-Request-Id"]
    return answer.status, document["code"]


class TestAForeignPage:
    """Cookies come along by themselves; the token of our own pages does not."""

    @by_change
    @pytest.mark.gen_test
    async def test_changes_nothing_without_the_pages_token(self, running: Running, method: str, route: Route) -> None:
        alice, bob = await running.people("alice", "bob")
        call = await bob.place("alice")
        browser = await Browser.of(alice)
        target = address(route, call["call_id"])
        for token in ("", "nonsense", "2|a|b|1", "2|00|00|99999999999999999999", "\xff"):
            headers = {"X-XSRFToken": token} if token else {}
            assert (await browser.fetch(method, target, headers=headers)).status == 403
        assert (await bob.api("GET", f"/calls/{call['call_id']}")).document["rev"] == 1
        assert (await alice.api("GET", "/users/me")).status == 200

    @by_change
    @pytest.mark.gen_test
    async def test_is_refused_by_its_origin_though_it_had_the_token(
        self, running: Running, method: str, route: Route
    ) -> None:
        browser = await Browser.of(await running.person("alice"))
        for origin in ("http://evil.example", "null", f"https://127.0.0.1:{running.port}", "http://127.0.0.1:1"):
            headers = {"X-XSRFToken": browser.cookies["_xsrf"], "Origin": origin}
            assert (await browser.fetch(method, address(route, new_id()), headers=headers)).status == 403

    @by_change
    @pytest.mark.gen_test
    async def test_could_do_it_if_it_were_our_own(self, running: Running, method: str, route: Route) -> None:
        browser = await Browser.of(await running.person("alice"))
        headers = {"X-XSRFToken": browser.cookies["_xsrf"], "Origin": running.origin}
        answer = await browser.fetch(method, address(route, new_id()), headers=headers)
        assert answer.status != 403 or answer.code == "registration_closed"

    @pytest.mark.gen_test
    @pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
    async def test_sends_no_json_as_a_form(self, running: Running, content_type: str) -> None:
        alice, _ = await running.people("alice", "bob")
        browser = await Browser.of(alice)
        body = msgspec.json.encode({"callees": ["bob"], "media": "audio"})
        answer = await browser.fetch("POST", f"{API}/calls", body, {"Content-Type": content_type})
        assert answer.status in (400, 403)
        assert await alice.history() == []

    @pytest.mark.gen_test
    async def test_signs_nobody_in_as_somebody_else(self, running: Running) -> None:
        await running.person("mallory")
        answer = await Browser(running).send_form("/login", {"username": "mallory", "password": PASSWORD})
        assert answer.status == 403

    @pytest.mark.gen_test
    async def test_with_the_token_of_another_browser_is_refused(self, running: Running) -> None:
        mallory, alice = await running.people("mallory", "alice")
        theirs = (await Browser.of(mallory)).cookies["_xsrf"]
        answer = await (await Browser.of(alice)).api("POST", "/auth/logout", xsrf=theirs)
        assert problem(answer) == (403, "xsrf_failed")

    @pytest.mark.gen_test
    async def test_gets_no_answer_that_it_may_read(self, running: Running) -> None:
        answer = await running.fetch("OPTIONS", f"{API}/calls", headers={"Origin": "http://evil.example"})
        assert "Access-Control-Allow-Origin" not in answer.headers
        answer = await running.api("GET", "/livez", Origin="http://evil.example")
        assert "Access-Control-Allow-Origin" not in answer.headers

    @pytest.mark.gen_test
    async def test_needs_no_token_where_no_cookie_is_believed(self, running: Running) -> None:
        alice, _ = await running.people("alice", "bob")
        assert (await alice.api("POST", "/auth/ws-token")).status == 200  # by bearer: nothing comes along by itself


class TestAForeignHost:
    """A name that was rebound to this machine."""

    @each([route for route in SERVED if "GET" in methods_of(route)])
    @pytest.mark.gen_test
    async def test_is_refused_everywhere(self, running: Running, route: Route) -> None:
        alice = await running.person("alice")
        host = f"evil.example:{running.port}"
        headers = alice.bearer | {"Host": host, "Origin": f"http://{host}"}
        assert (await running.fetch("GET", address(route, new_id()), headers=headers)).status == 421

    @pytest.mark.gen_test
    @pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil", "[::2]", "", "a b"])
    async def test_is_refused_however_it_looks(self, running: Running, host: str) -> None:
        async with await RawClient.dial(running.port) as client:
            await client.request(f"GET {API}/livez HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert client.status in (400, 421)

    @pytest.mark.gen_test
    @pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.0.0.1:1", "[::1]", "localhost:80"])
    async def test_is_not_one_of_the_own_names(self, running: Running, host: str) -> None:
        assert (await running.api("GET", "/livez", Host=host)).status == 200

    @pytest.mark.gen_test
    async def test_is_one_that_the_configuration_does_not_name(self, start: Start) -> None:
        running = await start({"server.allowed_hosts": ["calls.example"]})
        assert (await running.api("GET", "/livez", Host="calls.example")).status == 200
        assert (await running.api("GET", "/livez", Host="localhost")).status == 421

    @pytest.mark.gen_test
    async def test_says_so_as_a_problem(self, running: Running) -> None:
        assert problem(await running.api("GET", "/livez", Host="evil.example")) == (421, "host_refused")

    @pytest.mark.gen_test
    async def test_never_stands_in_a_link(self, running: Running) -> None:
        answer = await running.fetch("GET", "/", headers={"X-Forwarded-Host": "evil.example"})
        assert answer.headers["Location"] == "/login?next=%2F"


class TestHeaders:
    PLACES = ("/login", "/", "/nothing", "/static/js/boot.js", "/static/nothing", f"{API}/livez", f"{API}/nothing")

    @pytest.mark.gen_test
    @pytest.mark.parametrize("path", PLACES)
    async def test_are_on_everything(self, running: Running, path: str) -> None:
        answer = await running.fetch("GET", path)
        assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS

    @pytest.mark.gen_test
    async def test_are_on_a_page_that_is_signed_in(self, running: Running) -> None:
        answer = await (await Browser.of(await running.person("alice"))).get("/")
        assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS

    @pytest.mark.gen_test
    @pytest.mark.parametrize("path", PLACES)
    async def test_say_nothing_of_what_serves(self, running: Running, path: str) -> None:
        answer = await running.fetch("GET", path)
        assert "Server" not in answer.headers
        assert b"Tornado" not in answer.body

    def test_allow_no_inline_script_and_no_frame(self) -> None:
        policy = SECURITY_HEADERS["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'self'" in policy

    @pytest.mark.gen_test
    async def test_let_one_worker_alone_compute_and_let_it_talk_to_nobody_else(self, running: Running) -> None:
        page = SECURITY_HEADERS["Content-Security-Policy"]
        for path in ("/static/js/captions/worker.js", "/static/js/captions/worklet.js"):
            policy = (await running.fetch("GET", path)).headers["Content-Security-Policy"]
            assert ("wasm-unsafe-eval" in policy) == (path == f"/static/{COMPUTING_WORKER}")
            assert "connect-src 'self'" in policy
            assert policy == page or "default-src 'none'" in policy

    @pytest.mark.gen_test
    async def test_carry_another_request_id_each_time(self, running: Running) -> None:
        ids = {(await running.api("GET", "/livez")).headers["X-Request-Id"] for _ in range(3)}
        assert len(ids) == 3


class TestBodies:
    async def send(self, alice: Person, path: str, body: bytes, content_type: str = "application/json") -> Answer:
        method = BODIES[path][0]
        there = API + re.sub(r"{\w+}", new_id(), path)
        return await alice.running.fetch(method, there, body, alice.bearer | {"Content-Type": content_type})

    @pytest.mark.parametrize("path", BODIES)
    def test_are_known_for_every_address_that_reads_one(self, path: str) -> None:
        reading = {
            route.shown.removeprefix(API)
            for method, route in CHANGES
            if route.kind == "api" and "{action}" not in route.shown and reads_a_body(method, route)
        }
        assert reading == set(BODIES)

    @pytest.mark.gen_test
    @pytest.mark.parametrize("path", BODIES)
    async def test_that_are_not_json_are_refused(self, start: Start, path: str) -> None:
        running = await start({"auth.registration": "open"})
        alice = await running.person("alice")
        for body in NOT_JSON:
            assert problem(await self.send(alice, path, body)) == (400, "bad_request"), body[:40]

    @pytest.mark.gen_test
    @pytest.mark.parametrize("path", BODIES)
    async def test_with_an_unknown_field_are_refused_by_name(self, start: Start, path: str) -> None:
        running = await start({"auth.registration": "open"})
        alice = await running.person("alice")
        answer = await self.send(alice, path, msgspec.json.encode(BODIES[path][2] | {"colour": "blue"}))
        assert problem(answer) == (400, "bad_request")
        assert answer.document["errors"] == {"colour": "There is no field `colour`"}

    @pytest.mark.gen_test
    @pytest.mark.parametrize(("path", "field"), FIELDS)
    async def test_with_something_else_than_the_field_holds_are_refused(
        self, start: Start, path: str, field: str
    ) -> None:
        running = await start({"auth.registration": "open"})
        alice = await running.person("alice")
        for value in OPERATORS:
            body = msgspec.json.encode(BODIES[path][2]).replace(b"}", b"", 1)
            good = {name: each for name, each in BODIES[path][2].items() if name != field}
            body = msgspec.json.encode(good)[:-1] + (b"," if good else b"")
            body += msgspec.json.encode(field) + b":" + number_or_json(value) + b"}"
            answer = await self.send(alice, path, body)
            assert problem(answer) == (400, "bad_request"), value
            assert next(iter(answer.document["errors"])).startswith((field, "body"))

    @pytest.mark.gen_test
    @pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "text/json", "application/jsonx"])
    async def test_of_another_type_are_refused(self, running: Running, content_type: str) -> None:
        alice, _ = await running.people("alice", "bob")
        answer = await self.send(alice, "/calls", b'{"callees":["bob"],"media":"audio"}', content_type)
        assert problem(answer) == (415, "unsupported_media_type")

    @pytest.mark.gen_test
    async def test_of_json_in_utf_8_are_taken_with_that_said(self, running: Running) -> None:
        alice, _ = await running.people("alice", "bob")
        body = b'{"callees":["bob"],"media":"audio"}'
        assert (await self.send(alice, "/calls", body, "Application/JSON; charset=utf-8")).status == 201

    @pytest.mark.gen_test
    @pytest.mark.parametrize("path", ["/auth/login", "/calls"])
    @pytest.mark.parametrize("size", [64 * 1024 + 1, 1024 * 1024, 3 * 1024 * 1024])
    async def test_over_64_kib_are_refused(self, running: Running, path: str, size: int) -> None:
        alice = await running.person("alice")
        body = b'{"username":"' + b"x" * size + b'"}'
        assert problem(await self.send(alice, path, body)) == (413, "too_large")

    @pytest.mark.gen_test
    async def test_over_64_kib_are_refused_on_pages_too(self, running: Running) -> None:
        answer = await Browser(running).send_form("/login", {"username": "x" * 70_000})
        assert answer.status == 413

    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        "form",
        [b"------x", b"--x\r\n\r\n", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1', b"\xff" * 100],
    )
    async def test_of_broken_forms_are_no_fault_of_the_server(self, running: Running, form: bytes) -> None:
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        assert 400 <= (await running.fetch("POST", "/login", form, headers)).status < 500


def number_or_json(value: Any) -> bytes:
    """As JSON, numbers larger than the encoder takes included."""
    return str(value).encode() if isinstance(value, int) else msgspec.json.encode(value)


class TestRequestsThatAreNone:
    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        "request_head",
        [
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: +5\r\n\r\nabcde",
            b"GET / HTTP/1.1\r\nHost: localhost\r\nA: b\r\n\tc: d\r\nContent Length: 1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: localhost\r\nA\rB: c\r\n\r\n",
            b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
            b"nonsense\r\n\r\n",
        ],
        ids=range(9),
    )
    async def test_are_answered_with_400_and_the_connection_ends(self, running: Running, request_head: bytes) -> None:
        async with await RawClient.dial(running.port) as client:
            await client.request(request_head)
            assert client.status == 400
            async with asyncio.timeout(5):
                await client.read_end()

    @pytest.mark.gen_test
    @pytest.mark.parametrize("route", ROUTES, ids=[route.shown for route in ROUTES])
    async def test_with_line_breaks_in_a_parameter_add_no_header(self, running: Running, route: Route) -> None:
        broken = "x%0d%0aSet-Cookie:%20evil=1%0d%0a%0d%0a"
        answer = await running.fetch("GET", re.sub(r"{\w+}", broken, route.shown) + f"?next={broken}")
        assert "evil" not in str(answer.headers.get_list("Set-Cookie"))
