"""The pages for people, as a browser without scripts sees them."""

from __future__ import annotations

import html
import re
from http.cookies import SimpleCookie
from typing import Any

import msgspec
import pytest

from handlers.pages import own_path, script_safe
from tests.handlers.browser import Browser
from tests.running import Answer, Running, StallingMongo, Start

ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "https://evil.example/",
    "https:evil.example",
    "https:/evil.example",
    "http://127.0.0.1@evil.example/",
    "javascript:alert(1)",
    "data:text/html,x",
    "/@evil.example",
    "evil.example",
    "",
    " //evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "/\n/evil.example",
    "/\r\nSet-Cookie: a=b",
    "//[",
    "https://[",
    "//\u2100evil.example",
    "/\u202ecom.evil",
    "\u3000//evil.example",
]
"""Where a link to the sign-in page must not lead."""

HERE = ["/", "/call/01890a5d-ac96-774b-bcce-b302099a8057", "/?a=b&c=%2F", "/a//b", "/%09/evil.example", "/x#y"]


def boot_of(page: Answer) -> dict[str, object]:
    """What the page gives to its script."""
    found = re.search(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', page.body.decode(), re.DOTALL)
    assert found is not None
    document: dict[str, object] = msgspec.json.decode(found[1])
    return document


class TestSigningIn:
    @pytest.mark.gen_test
    async def test_leads_to_the_home_page(self, running: Running) -> None:
        await running.person("alice")
        browser = Browser(running)
        answer = await browser.sign_in("alice")
        assert (answer.status, answer.headers["Location"]) == (303, "/")
        assert (await browser.get("/")).status == 200

    @pytest.mark.gen_test
    async def test_leads_back_to_where_one_came_from(self, running: Running) -> None:
        await running.person("alice")
        answer = await Browser(running).sign_in("alice", next="/call/01890a5d-ac96-774b-bcce-b302099a8057")
        assert answer.headers["Location"] == "/call/01890a5d-ac96-774b-bcce-b302099a8057"

    @pytest.mark.gen_test
    async def test_carries_the_way_back_in_the_form(self, running: Running) -> None:
        page = (await Browser(running).get("/login?next=%2Fcall%2Fx%22%3E")).body.decode()
        assert f'value="{html.escape("/call/x")}&quot;&gt;"' in page

    @pytest.mark.gen_test
    async def test_gives_a_cookie_that_no_script_and_no_other_site_gets(self, running: Running) -> None:
        await running.person("alice")
        answer = await Browser(running).sign_in("alice")
        (line,) = [line for line in answer.headers.get_list("Set-Cookie") if line.startswith("ringback_session=")]
        cookie = SimpleCookie(line)["ringback_session"]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
        assert not cookie["secure"]  # this test comes by http

    @pytest.mark.gen_test
    async def test_gives_a_cookie_for_https_only_where_people_come_by_https(self, start: Start) -> None:
        running = await start({"server.trusted_proxies": ["127.0.0.1"]})
        await running.person("alice")
        browser = Browser(running)
        await browser.get("/login")
        form = f"_xsrf={browser.cookies['_xsrf']}&username=alice&password=correct+horse+battery".replace("|", "%7C")
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-Proto": "https"}
        answer = await browser.fetch("POST", "/login", form, headers)
        assert "; Secure" in next(line for line in answer.headers.get_list("Set-Cookie") if "session=" in line)

    @pytest.mark.gen_test
    async def test_says_what_was_wrong_and_keeps_the_name(self, running: Running) -> None:
        await running.person("alice")
        answer = await Browser(running).sign_in("alice", "wrong")
        assert answer.status == 401
        assert "User name or password is wrong" in answer.body.decode()
        assert 'value="alice"' in answer.body.decode()
        assert "wrong password" not in answer.body.decode()

    @pytest.mark.gen_test
    async def test_answers_an_unknown_name_with_the_same_page(self, running: Running) -> None:
        await running.person("alice")
        pages = [(await Browser(running).sign_in(name, "wrong")).body.decode() for name in ("alice", "alicx")]
        masked = [re.sub(r'alic[ex]|name="_xsrf" value="[^"]*"|\b[0-9a-f-]{36}\b', "…", page) for page in pages]
        assert masked[0] == masked[1]

    @pytest.mark.gen_test
    async def test_says_when_to_come_back_after_too_many_tries(self, start: Start) -> None:
        running = await start({"auth.login_attempts_per_account": 1})
        await running.person("alice")
        browser = Browser(running)
        await browser.sign_in("alice", "wrong")
        answer = await browser.sign_in("alice")
        assert answer.status == 429
        assert int(answer.headers["Retry-After"]) >= 1

    @pytest.mark.gen_test
    async def test_starts_a_new_sign_in_whatever_cookie_came_with_it(self, running: Running) -> None:
        alice = await running.person("alice")
        mallory = await running.person("mallory")
        browser = Browser(running)
        await browser.get("/login")
        browser.cookies["ringback_session"] = planted = mallory.page_cookie()
        await browser.submit("/login", username="alice", password="correct horse battery")
        assert browser.cookies["ringback_session"] != planted
        assert (await browser.api("GET", "/users/me")).document["id"] == alice.id

    @pytest.mark.gen_test
    async def test_takes_a_new_xsrf_token_with_the_new_sign_in(self, running: Running) -> None:
        await running.person("alice")
        browser = Browser(running)
        await browser.get("/login")
        before = browser.cookies["_xsrf"]
        await browser.sign_in("alice")
        await browser.get("/")
        assert browser.cookies["_xsrf"].split("|")[2:] != before.split("|")[2:]

    @pytest.mark.gen_test
    @pytest.mark.parametrize("wanted", ELSEWHERE, ids=ascii)
    async def test_leads_nobody_elsewhere(self, running: Running, wanted: str) -> None:
        await running.person("alice")
        answer = await Browser(running).sign_in("alice", next=wanted)
        assert (answer.status, answer.headers["Location"]) == (303, "/")

    @pytest.mark.gen_test
    async def test_leads_nobody_elsewhere_who_is_signed_in_already(self, running: Running) -> None:
        browser = await Browser.of(await running.person("alice"))
        for wanted in ("%2F%2Fevil.example", "%2F%5Cevil.example", "https:%2F%2Fevil.example", "%2F%2F%5B"):
            answer = await browser.get(f"/login?next={wanted}")
            assert (answer.status, answer.headers["Location"]) == (302, "/")

    @pytest.mark.parametrize("wanted", ELSEWHERE, ids=ascii)
    def test_knows_what_is_elsewhere(self, wanted: str) -> None:
        assert own_path(wanted) == "/"

    @pytest.mark.parametrize("wanted", HERE)
    def test_knows_what_is_here(self, wanted: str) -> None:
        assert own_path(wanted) == wanted

    @pytest.mark.gen_test
    async def test_shows_the_form_though_a_proxy_adds_credentials_of_its_own(self, running: Running) -> None:
        answer = await running.fetch("GET", "/login", headers={"Authorization": "Basic cHJveHk6c2VjcmV0"})
        assert (answer.status, b'name="username"' in answer.body) == (200, True)

    @pytest.mark.gen_test
    async def test_shows_a_demo_password_only_where_there_is_one(self, running: Running) -> None:
        assert b"data-fill-in" not in (await running.fetch("GET", "/login")).body
        running.services.demo_password = "only for trying out"
        assert b"only for trying out" in (await running.fetch("GET", "/login")).body


class TestSigningOut:
    @pytest.mark.gen_test
    async def test_leads_to_the_sign_in_page(self, running: Running) -> None:
        browser = await Browser.of(await running.person("alice"))
        answer = await browser.submit("/logout")
        assert (answer.status, answer.headers["Location"]) == (303, "/login")
        assert "ringback_session" not in browser.cookies

    @pytest.mark.gen_test
    async def test_ends_the_sign_in_and_not_only_the_cookie(self, running: Running) -> None:
        alice = await running.person("alice")
        await (await Browser.of(alice)).submit("/logout")
        assert (await alice.api("GET", "/users/me")).status == 401
        assert (await Browser(running, {"ringback_session": alice.page_cookie()}).get("/")).status == 302

    @pytest.mark.gen_test
    async def test_closes_the_sockets_of_the_page(self, running: Running) -> None:
        alice = await running.person("alice")
        inbox = await alice.inbox()
        await (await Browser.of(alice)).submit("/logout")
        assert (await inbox.closed()).code == 4506

    @pytest.mark.gen_test
    async def test_harms_nobody_who_is_signed_out_already(self, running: Running) -> None:
        browser = Browser(running)
        await browser.get("/login")
        assert (await browser.submit("/logout")).headers["Location"] == "/login"


class TestHomePage:
    @pytest.mark.gen_test
    async def test_sends_whoever_is_not_signed_in_to_the_sign_in_page(self, running: Running) -> None:
        answer = await running.fetch("GET", "/?tab=calls")
        assert (answer.status, answer.headers["Location"]) == (302, "/login?next=%2F%3Ftab%3Dcalls")

    @pytest.mark.gen_test
    async def test_shows_the_others_and_not_oneself(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        page = await (await Browser.of(alice)).get("/")
        assert boot_of(page)["user"] == {"id": alice.id, "username": "alice", "display_name": "alice"}
        body = page.body.decode()
        assert (f'"{bob.user.username}"' in body, body.count(alice.id)) == (True, 1)

    @pytest.mark.gen_test
    async def test_shows_what_became_of_calls(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await bob.do("decline", await alice.place("bob"))
        assert "bob declined" in (await (await Browser.of(alice)).get("/")).body.decode()

    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        "name",
        ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</script><b>", "{{ 7*7 }}", "&lt;b&gt;"],
    )
    async def test_shows_a_name_as_text(self, running: Running, name: str) -> None:
        alice = await running.person("alice")
        await running.person("bob", display_name=name)
        page = (await (await Browser.of(alice)).get("/")).body.decode()
        assert html.escape(name) in page or html.escape(name, quote=False) in page
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "</script><b>" not in page

    def test_gives_its_script_nothing_that_could_end_it(self) -> None:
        text = script_safe({"name": "</script><!--&\u2028"})
        assert not set("<>&\u2028") & set(text)
        assert msgspec.json.decode(text) == {"name": "</script><!--&\u2028"}

    @pytest.mark.gen_test
    async def test_forgets_a_cookie_that_is_good_for_nothing(self, running: Running) -> None:
        browser = Browser(running, {"ringback_session": "nonsense"})
        assert (await browser.get("/")).status == 302
        assert "ringback_session" not in browser.cookies

    @pytest.mark.gen_test
    async def test_is_not_kept_by_the_browser(self, running: Running) -> None:
        page = await (await Browser.of(await running.person("alice"))).get("/")
        assert page.headers["Cache-Control"] == "no-store"


class TestCallPage:
    @pytest.mark.gen_test
    async def test_gives_its_script_the_call_and_the_own_leg(self, running: Running) -> None:
        alice, _ = await running.people("alice", "bob")
        call = await alice.place("bob")
        boot = boot_of(await (await Browser.of(alice)).get(f"/call/{call['call_id']}"))
        assert (boot["call"], boot["leg_id"]) == (call, call["legs"][0]["leg_id"])

    @pytest.mark.gen_test
    async def test_shows_a_call_that_is_over(self, running: Running) -> None:
        alice, _ = await running.people("alice", "bob")
        call = await alice.place("bob")
        await alice.do("cancel", call)
        assert (await (await Browser.of(alice)).get(f"/call/{call['call_id']}")).status == 200

    @pytest.mark.gen_test
    async def test_gives_its_script_credentials_for_the_relay(self, start: Start) -> None:
        running = await start({"ice.turn_urls": ["turn:turn.example.org"], "ice.turn_secret": "shared"})
        alice, bob = await running.people("alice", "bob")
        call = await alice.place("bob")
        boot: Any = boot_of(await (await Browser.of(bob)).get(f"/call/{call['call_id']}"))
        assert boot["ice"]["ice_servers"][0]["username"].endswith(f":{bob.id}")

    @pytest.mark.gen_test
    async def test_gives_none_once_the_call_is_over(self, start: Start) -> None:
        running = await start({"ice.turn_urls": ["turn:turn.example.org"], "ice.turn_secret": "shared"})
        alice, _ = await running.people("alice", "bob")
        call = await alice.place("bob")
        await alice.do("cancel", call)
        assert boot_of(await (await Browser.of(alice)).get(f"/call/{call['call_id']}"))["ice"] is None

    @pytest.mark.gen_test
    async def test_leads_by_the_sign_in_page_back_to_the_call(self, running: Running) -> None:
        answer = await running.fetch("GET", "/call/01890a5d-ac96-774b-bcce-b302099a8057")
        assert answer.headers["Location"].endswith("%2Fcall%2F01890a5d-ac96-774b-bcce-b302099a8057")


class TestErrorPages:
    @pytest.mark.gen_test
    async def test_say_that_there_is_nothing(self, running: Running) -> None:
        answer = await running.fetch("GET", "/nothing/here")
        assert (answer.status, answer.headers["Content-Type"]) == (404, "text/html; charset=UTF-8")
        assert "There is nothing here" in answer.body.decode()

    @pytest.mark.gen_test
    async def test_carry_the_request_id(self, running: Running) -> None:
        answer = await running.fetch("GET", "/nothing")
        assert answer.headers["X-Request-Id"] in answer.body.decode()

    @pytest.mark.gen_test
    async def test_repeat_nothing_of_the_address_as_markup(self, running: Running) -> None:
        answer = await running.fetch("GET", "/<script>alert(1)</script>?<b>")
        assert b"<script>alert" not in answer.body
        assert b"<b>" not in answer.body

    @pytest.mark.gen_test
    async def test_say_that_the_database_is_away(self, start: Start, stalling: StallingMongo) -> None:
        running = await start(stalling.overrides(timeout_ms=500))
        browser = await Browser.of(await running.person("alice"))
        with stalling.stalled():
            answer = await browser.get("/")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
        assert "The database is away" in answer.body.decode()

    @pytest.mark.gen_test
    async def test_say_that_the_form_is_out_of_date(self, running: Running) -> None:
        answer = await Browser(running).send_form("/login", {"username": "alice", "password": "x"})
        assert (answer.status, "load it again" in answer.body.decode()) == (403, True)


class TestStaticFiles:
    @pytest.mark.gen_test
    async def test_are_served(self, running: Running) -> None:
        answer = await running.fetch("GET", "/static/js/boot.js")
        assert (answer.status, answer.headers["Content-Type"].split(";")[0]) == (200, "text/javascript")

    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        "path",
        [
            "/static/../config.yaml",
            "/static/..%2fconfig.yaml",
            "/static/%2e%2e/config.yaml",
            "/static/..%5cconfig.yaml",
            "/static//etc/passwd",
            "/static/%2fetc%2fpasswd",
            "/static/js",
            "/static/",
            "/static/%00",
        ],
    )
    async def test_are_nothing_but_static_files(self, running: Running, path: str) -> None:
        answer = await running.fetch("GET", path)
        assert answer.status in (400, 403, 404)
        assert b"mongo" not in answer.body
        assert b"root:" not in answer.body


class TestNavigation:
    @pytest.mark.gen_test
    async def test_leads_to_no_page_that_there_is_not(self, running: Running) -> None:
        browser = await Browser.of(await running.person("alice"))
        page = (await browser.get("/")).body.decode()
        navigation = page[page.index('<nav class="site-nav"') : page.index("</nav>")]
        for path in re.findall(r'href="(/[^"]*)"', navigation):
            assert (await browser.get(path)).status == 200, path

    @pytest.mark.gen_test
    async def test_says_where_one_is(self, running: Running) -> None:
        page = (await (await Browser.of(await running.person("alice"))).get("/")).body.decode()
        assert re.findall(r'<a href="([^"]*)" aria-current="page"', page) == ["/"]

    @pytest.mark.gen_test
    async def test_is_not_shown_to_strangers(self, running: Running) -> None:
        assert "site-nav" not in (await running.fetch("GET", "/login")).body.decode()

    @pytest.mark.gen_test
    async def test_shows_whether_one_wants_to_be_disturbed(self, running: Running) -> None:
        alice = await running.person("alice")
        await alice.api("PATCH", "/users/me", {"do_not_disturb": True})
        page = (await (await Browser.of(alice)).get("/")).body.decode()
        assert 'id="do-not-disturb" checked' in page


class TestASignInThatIsUsed:
    @pytest.mark.gen_test
    async def test_goes_on_as_long_as_somebody_comes_again(self, running: Running) -> None:
        browser = await Browser.of(await running.person("alice"))
        for _ in range(3):
            running.clock.move(13 * 86_400)
            assert (await browser.get("/")).status == 200

    @pytest.mark.gen_test
    async def test_is_over_fourteen_days_after_the_last_time(self, running: Running) -> None:
        browser = await Browser.of(await running.person("alice"))
        running.clock.move(13 * 86_400)
        await browser.get("/")
        running.clock.move(14 * 86_400)
        assert (await browser.get("/")).status == 302

    @pytest.mark.gen_test
    async def test_gets_no_new_cookie_within_a_day(self, running: Running) -> None:
        browser = await Browser.of(await running.person("alice"))
        before = browser.cookies["ringback_session"]
        running.clock.move(86_000)
        await browser.get("/")
        assert browser.cookies["ringback_session"] == before
        running.clock.move(1_000)
        await browser.get("/")
        assert browser.cookies["ringback_session"] != before
