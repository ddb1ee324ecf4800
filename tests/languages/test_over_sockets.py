"""What sockets say to people, in the language of those people."""

from __future__ import annotations

import pytest

from tests.running import Running

CHINESE = {"Accept-Language": "zh-CN"}


@pytest.mark.gen_test
async def test_before_anybody_is_known_a_socket_goes_by_its_upgrade(running: Running) -> None:
    peer = await running.open("/ws/user", headers=CHINESE, token="wrong")
    bye, code, _ = await peer.closed()
    assert bye is not None
    assert (code, bye["message"]) == (4501, "令牌无效")


@pytest.mark.gen_test
async def test_a_cookie_goes_before_what_the_browser_asks_for(running: Running) -> None:
    headers = CHINESE | {"Cookie": "ringback_locale=en"}
    bye, _, _ = await (await running.open("/ws/user", headers=headers, token="wrong")).closed()
    assert bye is not None
    assert bye["message"] == "The token is not valid"


@pytest.mark.gen_test
async def test_a_socket_speaks_the_language_that_the_person_has_chosen(running: Running) -> None:
    alice = await running.person("alice")
    await alice.api("PATCH", "/users/me", {"locale": "zh-Hans"})
    inbox = await alice.inbox()
    await alice.api("POST", "/auth/logout")
    bye, code, reason = await inbox.closed()
    assert bye is not None
    assert (code, bye["message"], reason) == (4506, "登录已失效。", "This sign-in has ended.")


@pytest.mark.gen_test
async def test_the_persons_choice_goes_before_the_upgrades(running: Running) -> None:
    alice = await running.person("alice")
    await alice.api("PATCH", "/users/me", {"locale": "en"})
    inbox = await running.open("/ws/user", headers=alice.bearer | CHINESE)
    await inbox.next("connected")
    assert (await inbox.request("answer", call_id="none"))["message"] == "There is no such call"


@pytest.mark.gen_test
async def test_a_refused_frame_is_explained(running: Running) -> None:
    alice = await running.person("alice")
    inbox = await running.open("/ws/user", headers=alice.bearer | CHINESE)
    await inbox.next("connected")
    error = await inbox.request("answer", call_id=7)
    assert (error["code"], error["message"]) == ("bad_request", "call_id：应为 `str`，收到的是 `int`")
    assert error["errors"] == {"call_id": "应为 `str`，收到的是 `int`"}


@pytest.mark.gen_test
async def test_a_reason_with_a_value_in_it_is_translated_around_the_value(running: Running) -> None:
    peer = await running.open("/ws/users", headers=CHINESE)
    bye, code, reason = await peer.closed()
    assert bye is not None
    assert (code, bye["message"]) == (4510, "此处没有套接字，你要找的是 /api/v1/ws/user 吗？")
    assert reason == "No socket here; did you mean /api/v1/ws/user?"


@pytest.mark.gen_test
async def test_a_broken_protocol_is_explained(running: Running) -> None:
    inbox = await running.open("/ws/user", headers=CHINESE)
    await inbox.send_text('{"type":"auth"}')
    bye, _, _ = await inbox.closed()
    assert bye is not None
    assert bye["message"] == "第一帧必须是 auth：token：缺少字段 `token`"
