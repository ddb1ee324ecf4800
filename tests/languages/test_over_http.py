"""Pages and refusals in the language of whoever reads them."""

from __future__ import annotations

import re

import msgspec
import pytest

from tests.handlers.browser import Browser
from tests.running import PASSWORD, Answer, Running

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9"}


def language_of(page: Answer) -> str:
    """What the page says it is in."""
    found = re.search(r'<html lang="([^"]*)">', page.body.decode())
    assert found is not None
    return found[1]


class TestPages:
    @pytest.mark.gen_test
    async def test_are_in_the_language_that_the_browser_asks_for(self, running: Running) -> None:
        page = await running.fetch("GET", "/login", headers=CHINESE)
        assert language_of(page) == "zh-Hans"
        assert "<h1" in page.body.decode() and "很高兴见到你" in page.body.decode()

    @pytest.mark.gen_test
    async def test_are_in_english_for_everybody_else(self, running: Running) -> None:
        page = await running.fetch("GET", "/login", headers={"Accept-Language": "de"})
        assert (language_of(page), "Good to see you" in page.body.decode()) == ("en", True)

    @pytest.mark.gen_test
    async def test_carry_what_their_scripts_say(self, running: Running) -> None:
        page = (await running.fetch("GET", "/login", headers=CHINESE)).body.decode()
        found = re.search(r'<script type="application/json" id="messages">(.*?)</script>', page, re.DOTALL)
        assert found is not None
        messages = msgspec.json.decode(found[1])
        assert messages["%(name)s is calling"] == "%(name)s 来电"
        assert "Good to see you" not in messages  # which a template says

    @pytest.mark.gen_test
    async def test_carry_nothing_more_in_english(self, running: Running) -> None:
        assert b'id="messages"' not in (await running.fetch("GET", "/login")).body

    @pytest.mark.gen_test
    async def test_that_say_what_is_wrong_say_it_so_that_it_is_understood(self, running: Running) -> None:
        page = await running.fetch("GET", "/nowhere", headers=CHINESE)
        assert (page.status, language_of(page), "这里什么都没有" in page.body.decode()) == (404, "zh-Hans", True)

    @pytest.mark.gen_test
    async def test_say_a_wrong_password_so_that_it_is_understood(self, running: Running) -> None:
        browser = Browser(running, {"ringback_locale": "zh-Hans"})
        assert "用户名或密码不正确" in (await browser.sign_in("nobody")).body.decode()


class TestChoosing:
    @pytest.mark.gen_test
    async def test_on_the_sign_in_page_every_language_stands_under_its_own_name(self, running: Running) -> None:
        page = (await running.fetch("GET", "/login")).body.decode()
        offered = re.findall(r'<button [^>]*name="language" value="([^"]*)"[^>]*>([^<]*)<', page)
        assert offered == [("en", "English"), ("zh-Hans", "简体中文")]

    @pytest.mark.gen_test
    async def test_is_remembered_by_the_browser_and_leads_back(self, running: Running) -> None:
        browser = Browser(running)
        answer = await browser.submit("/language", language="zh-Hans", next="/login?next=%2F")
        assert (answer.status, answer.headers["Location"]) == (303, "/login?next=%2F")
        assert language_of(await browser.get("/login")) == "zh-Hans"

    @pytest.mark.gen_test
    async def test_leads_nowhere_but_here(self, running: Running) -> None:
        answer = await Browser(running).submit("/language", language="en", next="//evil.example")
        assert answer.headers["Location"] == "/"

    @pytest.mark.gen_test
    async def test_goes_before_what_the_browser_asks_for(self, running: Running) -> None:
        page = await running.fetch("GET", "/login", headers=CHINESE | {"Cookie": "ringback_locale=en"})
        assert language_of(page) == "en"

    @pytest.mark.gen_test
    async def test_of_a_language_that_there_is_not_is_refused(self, running: Running) -> None:
        answer = await Browser(running).submit("/language", language="tlh")
        assert (answer.status, "ringback_locale" in str(answer.headers)) == (400, False)

    @pytest.mark.gen_test
    async def test_by_the_page_of_another_site_is_refused(self, running: Running) -> None:
        answer = await Browser(running).submit("/language", language="zh-Hans", origin="https://evil.example")
        assert answer.status == 403

    @pytest.mark.gen_test
    async def test_by_somebody_signed_in_is_kept_with_their_account(self, running: Running) -> None:
        alice = await running.person("alice")
        await (await Browser.of(alice)).submit("/language", language="zh-Hans")
        elsewhere = await Browser.of(await running.device(alice.user))
        assert language_of(await elsewhere.get("/")) == "zh-Hans"

    @pytest.mark.gen_test
    async def test_a_persons_own_choice_goes_before_the_browsers(self, running: Running) -> None:
        alice = await running.person("alice")
        await alice.api("PATCH", "/users/me", {"locale": "en"})
        browser = await Browser.of(alice)
        browser.cookies["ringback_locale"] = "zh-Hans"
        assert language_of(await browser.fetch("GET", "/", headers=CHINESE)) == "en"

    @pytest.mark.gen_test
    async def test_a_choice_that_is_taken_back_leaves_it_to_the_browser(self, running: Running) -> None:
        alice = await running.person("alice")
        await alice.api("PATCH", "/users/me", {"locale": "en"})
        await alice.api("PATCH", "/users/me", {"locale": None})
        assert language_of(await (await Browser.of(alice)).fetch("GET", "/", headers=CHINESE)) == "zh-Hans"

    @pytest.mark.gen_test
    async def test_a_choice_that_was_stored_and_that_nothing_fits_is_none(self, running: Running) -> None:
        alice = await running.person("alice")
        await running.services.users.change(alice.id, locale="de")
        assert language_of(await (await Browser.of(alice)).fetch("GET", "/", headers=CHINESE)) == "zh-Hans"

    @pytest.mark.gen_test
    async def test_a_choice_is_kept_as_the_language_that_it_finds(self, running: Running) -> None:
        alice = await running.person("alice")
        assert (await alice.api("PATCH", "/users/me", {"locale": "zh-CN"})).document["locale"] == "zh-Hans"

    @pytest.mark.gen_test
    @pytest.mark.parametrize("locale", ["de", "", "zh'"])
    async def test_an_account_refuses_a_language_that_there_is_not(self, running: Running, locale: str) -> None:
        alice = await running.person("alice")
        answer = await alice.api("PATCH", "/users/me", {"locale": locale})
        assert (answer.status, answer.document["errors"]) == (400, {"locale": "one of en, zh-Hans"})


class TestRefusals:
    @pytest.mark.gen_test
    async def test_say_title_and_detail_in_the_language_that_is_asked_for(self, running: Running) -> None:
        alice = await running.person("alice")
        answer = await alice.api("POST", "/calls", {"callees": ["bob"], "media": "audio"}, **CHINESE)
        assert (answer.status, answer.code, answer.headers["Content-Language"]) == (404, "user_not_found", "zh-Hans")
        assert (answer.document["title"], answer.document["detail"]) == ("没有这个人", "没有名为 'bob' 的人")

    @pytest.mark.gen_test
    async def test_say_which_rule_a_field_breaks(self, running: Running) -> None:
        alice = await running.person("alice")
        answer = await alice.api("GET", "/calls?limit=0", **CHINESE)
        assert answer.document["detail"] == "limit：应为 1 至 100 的整数"
        assert answer.document["errors"] == {"limit": "应为 1 至 100 的整数"}

    @pytest.mark.gen_test
    async def test_say_what_is_wrong_with_the_shape_of_a_body(self, running: Running) -> None:
        answer = await running.api("POST", "/auth/login", {"username": 1, "password": "x"}, **CHINESE)
        assert answer.document["errors"] == {"username": "应为 `str`，收到的是 `int`"}

    @pytest.mark.gen_test
    async def test_follow_the_persons_choice(self, running: Running) -> None:
        alice = await running.person("alice")
        await alice.api("PATCH", "/users/me", {"locale": "zh-Hans"})
        answer = await alice.api("GET", "/calls/01890a5d-ac96-774b-bcce-b302099a8057", **{"Accept-Language": "en"})
        assert answer.document["detail"] == "没有此通话"

    @pytest.mark.gen_test
    async def test_are_in_english_for_a_program_that_asks_for_nothing(self, running: Running) -> None:
        answer = await running.api("GET", "/calls")
        assert (answer.document["title"], answer.headers["Content-Language"]) == ("Sign in first", "en")

    @pytest.mark.gen_test
    async def test_of_tornados_own_are_said_as_ours_are(self, running: Running) -> None:
        answer = await running.fetch("GET", "/login?next=%ff", headers=CHINESE)
        assert (answer.status, "请求不符合要求" in answer.body.decode()) == (400, True)


@pytest.mark.gen_test
async def test_a_device_is_named_in_the_language_of_the_sign_in(running: Running) -> None:
    await running.person("alice")
    browser = CHINESE | {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36"}
    document = {"username": "alice", "password": PASSWORD}
    token = (await running.api("POST", "/auth/login", document, **browser)).document["access_token"]
    devices = (await running.api("GET", "/devices", Authorization=f"Bearer {token}")).document["items"]
    assert "Linux 上的 Chrome" in [device["label"] for device in devices]


class TestOutcomes:
    @pytest.mark.gen_test
    async def test_are_told_to_each_side_in_their_language(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await bob.api("PATCH", "/users/me", {"locale": "zh-Hans"})
        await alice.do("cancel", await alice.place("bob", media="audio"))
        mine, theirs = (await alice.history())[0], (await bob.history())[0]
        assert (mine["outcome"], theirs["outcome"]) == ("You hung up before bob answered", "未接来电")
        assert theirs["details"].startswith("语音通话")

    @pytest.mark.gen_test
    async def test_have_the_name_in_the_place_where_the_language_wants_it(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await bob.do("decline", await alice.place("bob"))
        answer = await alice.api("GET", "/calls", **CHINESE)
        assert re.search("bob.* 已拒接", answer.document["items"][0]["outcome"])
