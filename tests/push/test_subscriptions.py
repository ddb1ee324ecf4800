"""Subscriptions: whose they are, when they end, and what a push service says of them."""

from __future__ import annotations

from typing import Any

import pytest

from server.push.notifier import MAX_FAILURES, MAX_SUBSCRIPTIONS
from tests.push.service import Browser, PushService, base64url, subscribe
from tests.running import Person, Running, Start


async def is_subscribed(person: Person) -> bool:
    """Whether the person's device says so."""
    items = (await person.api("GET", "/devices")).document["items"]
    [mine] = [device["push"] for device in items if device["current"]]
    return bool(mine)


async def until_unsubscribed(person: Person) -> None:
    """Waits for what is done in the background."""
    while await is_subscribed(person):
        pass


class TestASubscription:
    @pytest.mark.gen_test
    async def test_shows_in_the_list_of_devices_until_it_is_taken_back(
        self, pushing: Running, push_service: PushService
    ) -> None:
        bob = await pushing.person("bob")
        assert not await is_subscribed(bob)
        await push_service.subscribed(bob)
        assert await is_subscribed(bob)
        assert (await bob.api("DELETE", "/push/subscriptions")).status == 204
        assert not await is_subscribed(bob)

    @pytest.mark.gen_test
    async def test_can_be_tried(self, pushing: Running, push_service: PushService) -> None:
        bob = await pushing.person("bob")
        browser = await push_service.subscribed(bob)
        assert (await bob.api("POST", "/push/test")).status == 204
        assert (await browser.next("notice")).document["title"] == "Notifications work"

    @pytest.mark.gen_test
    async def test_cannot_be_tried_where_there_is_none(self, pushing: Running) -> None:
        answer = await (await pushing.person("bob")).api("POST", "/push/test")
        assert (answer.status, answer.code) == (409, "bad_state")

    @pytest.mark.gen_test
    async def test_that_does_not_work_says_so_when_it_is_tried(
        self, pushing: Running, push_service: PushService
    ) -> None:
        bob = await pushing.person("bob")
        await push_service.subscribed(bob)
        push_service.answers = [(403, {})]
        answer = await bob.api("POST", "/push/test")
        assert (answer.status, answer.code) == (502, "push_failed")

    @pytest.mark.gen_test
    async def test_replaces_an_older_one_of_the_same_browser(self, pushing: Running, push_service: PushService) -> None:
        bob = await pushing.person("bob")
        older, newer = await push_service.subscribed(bob), await push_service.subscribed(bob)
        await bob.api("POST", "/push/test")
        await newer.next("notice")
        assert older.kinds == []

    @pytest.mark.gen_test
    async def test_leaves_whoever_was_signed_in_there_before(self, pushing: Running, push_service: PushService) -> None:
        alice, bob = await pushing.people("alice", "bob")
        browser = await push_service.subscribed(alice)
        await subscribe(bob, browser.subscription)
        assert [await is_subscribed(person) for person in (alice, bob)] == [False, True]

    @pytest.mark.gen_test
    async def test_is_one_of_ten_at_the_most(self, pushing: Running, push_service: PushService) -> None:
        bob = await pushing.person("bob")
        devices = [bob, *[await pushing.device(bob.user) for _ in range(MAX_SUBSCRIPTIONS)]]
        for device in devices:
            pushing.clock.move(60)  # which keeps them below the limit of changes a minute
            await push_service.subscribed(device)
        assert [await is_subscribed(device) for device in devices] == [False] + [True] * MAX_SUBSCRIPTIONS

    @pytest.mark.gen_test
    async def test_is_refused_above_ten_changes_a_minute(self, pushing: Running, push_service: PushService) -> None:
        bob = await pushing.person("bob")
        answers = [await subscribe(bob, Browser(push_service).subscription) for _ in range(11)]
        assert [answer.status for answer in answers] == [204] * 10 + [429]


class TestWhatIsNoSubscription:
    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        ("p256dh", "auth", "field"),
        [
            (base64url(b"\x04" + b"\x01" * 64), base64url(b"a" * 16), "p256dh"),  # not on the curve
            (base64url(b"\x04" * 64), base64url(b"a" * 16), "p256dh"),
            ("no base64!", base64url(b"a" * 16), "p256dh"),
            ("", base64url(b"a" * 16), "p256dh"),
            (None, base64url(b"a" * 15), "auth"),
            (None, "é", "auth"),
            (None, "", "auth"),
        ],
    )
    async def test_because_of_its_keys_is_refused_by_name(
        self, pushing: Running, push_service: PushService, p256dh: str | None, auth: str, field: str
    ) -> None:
        good: dict[str, Any] = Browser(push_service).subscription
        keys = {"p256dh": good["keys"]["p256dh"] if p256dh is None else p256dh, "auth": auth}
        answer = await subscribe(await pushing.person("bob"), good | {"keys": keys})
        assert (answer.status, list(answer.document["errors"])) == (400, [field])

    @pytest.mark.gen_test
    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.0.0.1", "[::1]", "169.254.169.254", "0x7f.1"])
    async def test_because_its_host_is_not_public_is_refused(
        self, pushing: Running, push_service: PushService, host: str
    ) -> None:
        subscription = Browser(push_service).subscription | {"endpoint": f"https://{host}/push/1"}
        answer = await subscribe(await pushing.person("bob"), subscription)
        assert (answer.status, list(answer.document["errors"])) == (400, ["endpoint"])


class TestAPushService:
    @pytest.mark.gen_test
    @pytest.mark.parametrize("status", [404, 410])
    async def test_that_knows_the_subscription_no_more_ends_it(
        self, pushing: Running, push_service: PushService, status: int
    ) -> None:
        alice, bob = await pushing.people("alice", "bob")
        await push_service.subscribed(bob)
        push_service.answers = [(status, {})]
        await alice.place("bob")
        await until_unsubscribed(bob)
        assert push_service.asked == 1

    @pytest.mark.gen_test
    @pytest.mark.parametrize("status", [429, 500, 503])
    async def test_that_is_busy_is_asked_again(self, pushing: Running, push_service: PushService, status: int) -> None:
        alice, bob = await pushing.people("alice", "bob")
        browser = await push_service.subscribed(bob)
        push_service.answers = [(status, {"Retry-After": "0"}), (status, {"Retry-After": "0"})]
        await alice.place("bob")
        await browser.next("incoming")
        assert push_service.asked == 3
        assert await is_subscribed(bob)

    @pytest.mark.gen_test
    async def test_that_refuses_again_and_again_is_given_up(self, pushing: Running, push_service: PushService) -> None:
        bob = await pushing.person("bob")
        await push_service.subscribed(bob)
        push_service.answers = [(403, {})] * MAX_FAILURES
        for _ in range(MAX_FAILURES - 1):
            await bob.api("POST", "/push/test")
        assert await is_subscribed(bob)
        await bob.api("POST", "/push/test")
        await until_unsubscribed(bob)

    @pytest.mark.gen_test
    @pytest.mark.parametrize("status", [301, 304, 307, 401])
    async def test_whose_refusal_is_no_fault_of_the_browser_leaves_the_subscription(
        self, pushing: Running, push_service: PushService, status: int
    ) -> None:
        bob = await pushing.person("bob")
        await push_service.subscribed(bob)
        push_service.answers = [(status, {})] * MAX_FAILURES
        for _ in range(MAX_FAILURES):
            assert (await bob.api("POST", "/push/test")).status == 502
            await pushing.until(lambda: len(pushing.services.background) == 0, "what was said is written down")
        assert await is_subscribed(bob)

    @pytest.mark.gen_test
    async def test_that_takes_one_between_has_refused_nothing(
        self, pushing: Running, push_service: PushService
    ) -> None:
        bob = await pushing.person("bob")
        await push_service.subscribed(bob)
        push_service.answers = [(400, {})] * (MAX_FAILURES - 1) + [(201, {})] + [(400, {})] * (MAX_FAILURES - 1)
        for _ in range(2 * MAX_FAILURES - 1):
            pushing.clock.move(10)
            await bob.api("POST", "/push/test")
            await pushing.until(lambda: len(pushing.services.background) == 0, "what was said is written down")
        assert await is_subscribed(bob)

    @pytest.mark.gen_test
    async def test_that_redirects_is_not_followed(self, pushing: Running, push_service: PushService) -> None:
        bob = await pushing.person("bob")
        browser = await push_service.subscribed(bob)
        push_service.answers = [(307, {"Location": browser.subscription["endpoint"]})]
        assert (await bob.api("POST", "/push/test")).status == 502
        assert (push_service.asked, browser.kinds) == (1, [])

    @pytest.mark.gen_test
    async def test_that_hangs_holds_up_neither_calls_nor_another_push_service(
        self, start: Start, push_service: PushService
    ) -> None:
        other = PushService()
        await other.start()
        running = await start({"push.trusted_endpoints": [push_service.origin, other.origin]})
        alice, bob = await running.people("alice", "bob")
        for _ in range(5):
            await push_service.subscribed(await running.device(bob.user))
        browser = await other.subscribed(bob)
        inbox = await (await running.device(bob.user)).inbox()
        push_service.held.clear()
        call = await alice.place("bob")
        await inbox.next("incoming")
        await browser.next("incoming")
        await alice.do("cancel", call)
        await inbox.next("incoming_stopped")
        await browser.next("stopped")
        await push_service.until_asked(10)
        assert [each.kinds for each in push_service.browsers.values()] == [[]] * 5
        await other.stop()
