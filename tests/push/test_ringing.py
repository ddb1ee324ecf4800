"""A call rings browsers whose page is closed, and stops ringing there."""

from __future__ import annotations

from gettext import NullTranslations
from typing import Any

import pytest

from server.languages.language import Language
from tests.push.service import Browser, PushService
from tests.running import Person, Running, Start

TOKEN = "token"


async def ring(running: Running, service: PushService, **call: Any) -> tuple[Person, Person, Browser, dict[str, Any]]:
    """Alice calls Bob, whose only browser is closed."""
    alice, bob = await running.people("alice", "bob")
    browser = await service.subscribed(bob)
    return alice, bob, browser, await alice.place("bob", **call)


async def acknowledge(running: Running, token: str) -> Any:
    """What the service worker says when it is about to show a call."""
    return await running.api("POST", "/push/ringing", {"token": token})


class French(NullTranslations):
    """A language of which one sees that it was used."""

    def gettext(self, message: str) -> str:
        """See :class:`gettext.NullTranslations`."""
        return f"fr: {message}"


class TestAnInvitation:
    @pytest.mark.gen_test
    async def test_is_pushed_with_all_that_is_shown(self, pushing: Running, push_service: PushService) -> None:
        _, _, browser, call = await ring(pushing, push_service)
        document = (await browser.next("incoming")).document
        assert document.pop(TOKEN)
        assert document == {
            "type": "incoming",
            "call_id": call["call_id"],
            "invited_at": call["created_at"],
            "expires_at": call["ring_deadline"],
            "soft": False,
            "title": "\u2068alice\u2069 is calling",
            "body": "Incoming video call",
            "answer": "Answer",
            "decline": "Decline",
        }

    @pytest.mark.gen_test
    async def test_is_urgent_and_kept_no_longer_than_it_rings(
        self, pushing: Running, push_service: PushService
    ) -> None:
        _, _, browser, call = await ring(pushing, push_service)
        headers = (await browser.next("incoming")).headers
        assert (headers["Urgency"], headers["Topic"]) == ("high", call["call_id"].replace("-", ""))
        assert 40 <= int(headers["TTL"]) <= 42
        assert headers["Content-Encoding"] == "aes128gcm"

    @pytest.mark.gen_test
    async def test_is_signed_with_the_key_that_browsers_are_given(
        self, pushing: Running, push_service: PushService
    ) -> None:
        _, bob, browser, _ = await ring(pushing, push_service)
        message = await browser.next("incoming")
        assert message.vapid_key == (await bob.api("GET", "/push/key")).document["key"]
        assert (message.vapid["sub"], message.vapid["aud"]) == ("mailto:ops@example.org", push_service.origin)

    @pytest.mark.gen_test
    async def test_reaches_every_browser_of_the_callee_and_nobody_elses(
        self, pushing: Running, push_service: PushService
    ) -> None:
        alice, bob, carol = await pushing.people("alice", "bob", "carol")
        first = await push_service.subscribed(bob)
        second = await push_service.subscribed(await pushing.device(bob.user))
        others = [await push_service.subscribed(person) for person in (alice, carol)]
        await alice.place("bob")
        await first.next("incoming")
        await second.next("incoming")
        assert [browser.kinds for browser in others] == [[], []]

    @pytest.mark.gen_test
    async def test_reaches_a_browser_whose_page_is_open_too(self, pushing: Running, push_service: PushService) -> None:
        alice, bob = await pushing.people("alice", "bob")
        browser = await push_service.subscribed(bob)
        await bob.inbox()
        await alice.place("bob")
        await browser.next("incoming")

    @pytest.mark.gen_test
    async def test_is_in_the_language_of_the_person_or_else_of_the_browser(
        self, pushing: Running, push_service: PushService
    ) -> None:
        languages = pushing.services.languages
        languages.all = (*languages.all, Language("fr", "français", French()))
        alice, bob = await pushing.people("alice", "bob")
        browsers = [Browser(push_service), Browser(push_service)]
        for device, browser in zip((bob, await pushing.device(bob.user)), browsers, strict=True):
            language = "fr-CH" if browser is browsers[0] else "en"
            await device.api("POST", "/push/subscriptions", browser.subscription, **{"Accept-Language": language})
        call = await alice.place("bob")
        assert [(await each.next("incoming")).document["answer"] for each in browsers] == ["fr: Answer", "Answer"]
        await bob.api("PATCH", "/users/me", {"locale": "fr"})
        await alice.do("cancel", call)
        bodies = [(await each.next("stopped")).document["body"] for each in browsers]
        assert bodies == ["fr: Video call", "fr: Video call"]

    @pytest.mark.gen_test
    async def test_does_not_reach_a_device_that_was_silenced(self, pushing: Running, push_service: PushService) -> None:
        alice, bob = await pushing.people("alice", "bob")
        silent = await push_service.subscribed(bob)
        loud = await push_service.subscribed(await pushing.device(bob.user))
        await bob.api("PATCH", f"/devices/{bob.sign_in_id}", {"silenced": True})
        await alice.place("bob")
        await loud.next("incoming")
        assert silent.kinds == []

    @pytest.mark.gen_test
    async def test_does_not_reach_a_device_that_was_signed_out(
        self, pushing: Running, push_service: PushService
    ) -> None:
        alice, bob = await pushing.people("alice", "bob")
        gone = await push_service.subscribed(bob)
        here = await push_service.subscribed(await pushing.device(bob.user))
        await bob.api("POST", "/auth/logout")
        await alice.place("bob")
        await here.next("incoming")
        assert gone.kinds == []

    @pytest.mark.gen_test
    async def test_to_somebody_who_does_not_want_to_be_disturbed_is_told_quietly(
        self, pushing: Running, push_service: PushService
    ) -> None:
        alice, bob = await pushing.people("alice", "bob")
        browser = await push_service.subscribed(bob)
        await bob.api("PATCH", "/users/me", {"do_not_disturb": True})
        await alice.place("bob", media="audio")
        message = await browser.next("notice")
        assert (message.document["title"], message.document["body"]) == (
            "Missed call from \u2068alice\u2069",
            "Audio call",
        )
        assert (message.headers["Urgency"], browser.kinds) == ("normal", [])

    @pytest.mark.gen_test
    async def test_is_not_pushed_where_the_operator_switched_it_off(
        self, start: Start, push_service: PushService
    ) -> None:
        running = await start({"push.enabled": False, "push.trusted_endpoints": [push_service.origin]})
        alice, bob = await running.people("alice", "bob")
        assert (await bob.api("GET", "/push/key")).document == {"key": None}
        answer = await bob.api("POST", "/push/subscriptions", Browser(push_service).subscription)
        assert (answer.status, answer.code) == (409, "bad_state")
        await alice.place("bob")
        assert push_service.asked == 0


class TestABrowserThatShowsTheCall:
    @pytest.mark.gen_test
    async def test_lets_the_caller_hear_it_ring(self, pushing: Running, push_service: PushService) -> None:
        alice, _, browser, call = await ring(pushing, push_service)
        token = (await browser.next("incoming")).document[TOKEN]
        answer = await acknowledge(pushing, token)
        assert answer.status == 200
        assert 40_000 < answer.document["expires_in_ms"] <= 45_000
        assert (await alice.api("GET", f"/calls/{call['call_id']}")).document["state"] == "ringing"

    @pytest.mark.gen_test
    async def test_keeps_the_person_from_being_called_unreachable(
        self, pushing: Running, push_service: PushService
    ) -> None:
        alice, _, browser, _ = await ring(pushing, push_service)
        await acknowledge(pushing, (await browser.next("incoming")).document[TOKEN])
        pushing.clock.move(45)
        await pushing.server.sweep()
        assert (await alice.history())[0]["end_reason"] == "no_answer"

    @pytest.mark.gen_test
    async def test_is_in_use_and_stays_signed_in(self, pushing: Running, push_service: PushService) -> None:
        alice, bob = await pushing.people("alice", "bob")
        browser = await push_service.subscribed(bob)
        pushing.clock.move(13 * 86_400)
        await (await pushing.device(alice.user)).place("bob")
        await acknowledge(pushing, (await browser.next("incoming")).document[TOKEN])
        await pushing.until(lambda: len(pushing.services.background) == 0, "it is written down")
        pushing.clock.move(13 * 86_400)
        assert bob.sign_in_id in [each.sign_in_id for each in await pushing.services.devices.of(bob.id)]

    @pytest.mark.gen_test
    async def test_declines_from_the_notification(self, pushing: Running, push_service: PushService) -> None:
        alice, _, browser, _ = await ring(pushing, push_service)
        token = (await browser.next("incoming")).document[TOKEN]
        assert (await pushing.api("POST", "/push/decline", {"token": token})).status == 204
        assert (await alice.history())[0]["end_reason"] == "declined"

    @pytest.mark.gen_test
    @pytest.mark.parametrize("waited_s", [42.5, 44.9])
    async def test_does_not_ring_with_less_than_three_seconds_left(
        self, pushing: Running, push_service: PushService, waited_s: float
    ) -> None:
        alice, _, browser, _ = await ring(pushing, push_service)
        token = (await browser.next("incoming")).document[TOKEN]
        pushing.clock.move(waited_s)
        answer = await acknowledge(pushing, token)
        assert (answer.status, answer.code) == (409, "call_ended")
        assert (await alice.history())[0]["state"] == "inviting"

    @pytest.mark.gen_test
    async def test_does_not_ring_for_a_call_that_is_over(self, pushing: Running, push_service: PushService) -> None:
        alice, _, browser, call = await ring(pushing, push_service)
        token = (await browser.next("incoming")).document[TOKEN]
        await alice.do("cancel", call)
        assert (await acknowledge(pushing, token)).code == "call_ended"

    @pytest.mark.gen_test
    async def test_does_not_ring_for_a_call_that_was_answered(
        self, pushing: Running, push_service: PushService
    ) -> None:
        _, bob, browser, call = await ring(pushing, push_service)
        token = (await browser.next("incoming")).document[TOKEN]
        await bob.do("answer", call)
        assert (await acknowledge(pushing, token)).code == "already_answered"

    @pytest.mark.gen_test
    async def test_does_not_ring_once_it_was_silenced(self, pushing: Running, push_service: PushService) -> None:
        _, bob, browser, _ = await ring(pushing, push_service)
        token = (await browser.next("incoming")).document[TOKEN]
        await bob.api("PATCH", f"/devices/{bob.sign_in_id}", {"silenced": True})
        assert (await acknowledge(pushing, token)).code == "bad_state"

    @pytest.mark.gen_test
    @pytest.mark.parametrize("path", ["/push/ringing", "/push/decline"])
    async def test_needs_the_token_of_a_push(self, pushing: Running, push_service: PushService, path: str) -> None:
        alice, bob, _, _ = await ring(pushing, push_service)
        for token in ("", "x", bob.access_token, alice.ws_token(), bob.page_cookie()):
            answer = await pushing.api("POST", path, {"token": token})
            assert (answer.status, answer.code) == (401, "unauthenticated")

    @pytest.mark.gen_test
    async def test_has_no_say_after_its_sign_in_is_over(self, pushing: Running, push_service: PushService) -> None:
        _, bob, browser, _ = await ring(pushing, push_service)
        token = (await browser.next("incoming")).document[TOKEN]
        await bob.api("POST", "/auth/logout")
        assert (await acknowledge(pushing, token)).status == 401

    @pytest.mark.gen_test
    async def test_can_use_its_token_for_nothing_else(self, pushing: Running, push_service: PushService) -> None:
        _, _, browser, _ = await ring(pushing, push_service)
        token = (await browser.next("incoming")).document[TOKEN]
        answer = await pushing.api("GET", "/users/me", Authorization=f"Bearer {token}")
        assert answer.status == 401


class TestTheEndOfTheRinging:
    @pytest.mark.gen_test
    async def test_makes_a_missed_call_of_one_that_was_given_up(
        self, pushing: Running, push_service: PushService
    ) -> None:
        alice, _, browser, call = await ring(pushing, push_service)
        await alice.do("cancel", call)
        message = await browser.next("stopped")
        assert message.document == {
            "type": "stopped",
            "call_id": call["call_id"],
            "invited_at": call["created_at"],
            "reason": "cancelled",
            "title": "Missed call from \u2068alice\u2069",
            "body": "Video call",
        }
        assert (message.headers["TTL"], message.headers["Topic"]) == ("86400", call["call_id"].replace("-", ""))

    @pytest.mark.gen_test
    async def test_makes_a_missed_call_of_one_that_nobody_answered(
        self, pushing: Running, push_service: PushService
    ) -> None:
        _, _, browser, _ = await ring(pushing, push_service)
        pushing.clock.move(45)
        await pushing.server.sweep()
        assert (await browser.next("stopped")).document["reason"] == "no_answer"

    @pytest.mark.gen_test
    async def test_takes_back_what_was_answered_elsewhere(self, pushing: Running, push_service: PushService) -> None:
        _, bob, browser, call = await ring(pushing, push_service)
        await (await pushing.device(bob.user)).do("answer", call)
        message = await browser.next("stopped")
        assert (message.document["call_id"], message.document["reason"]) == (call["call_id"], "answered_elsewhere")

    @pytest.mark.gen_test
    async def test_leaves_an_answered_call_to_the_page_where_one_is_open(
        self, pushing: Running, push_service: PushService
    ) -> None:
        alice, bob = await pushing.people("alice", "bob")
        telephone = await pushing.device(bob.user)
        open_here, closed = await push_service.subscribed(bob), await push_service.subscribed(telephone)
        await bob.inbox()
        call = await alice.place("bob")
        await open_here.next("incoming")
        await bob.do("answer", call)
        await closed.next("stopped")
        assert open_here.kinds == []

    @pytest.mark.gen_test
    async def test_reaches_a_browser_whose_page_only_seems_open(
        self, pushing: Running, push_service: PushService
    ) -> None:
        alice, bob = await pushing.people("alice", "bob")
        frozen = await push_service.subscribed(bob)
        await bob.inbox()
        call = await alice.place("bob")
        await frozen.next("incoming")
        await (await pushing.device(bob.user)).do("answer", call)
        assert (await frozen.next("stopped")).document["reason"] == "answered_elsewhere"

    @pytest.mark.gen_test
    async def test_does_not_reach_the_browser_that_declined_by_its_socket(
        self, pushing: Running, push_service: PushService
    ) -> None:
        alice, bob = await pushing.people("alice", "bob")
        here = await push_service.subscribed(bob)
        elsewhere = await push_service.subscribed(await pushing.device(bob.user))
        inbox = await bob.inbox()
        call = await alice.place("bob")
        await here.next("incoming")
        await inbox.send("decline", call_id=call["call_id"])
        await elsewhere.next("stopped")
        await pushing.until(lambda: not pushing.services.push._sending, "all was sent")
        assert here.kinds == []

    @pytest.mark.gen_test
    async def test_on_a_device_that_is_silenced_is_at_once(self, pushing: Running, push_service: PushService) -> None:
        _, bob, browser, call = await ring(pushing, push_service)
        await browser.next("incoming")
        await bob.api("PATCH", f"/devices/{bob.sign_in_id}", {"silenced": True})
        message = await browser.next("stopped")
        assert (message.document["call_id"], message.document["reason"]) == (call["call_id"], "held_back")

    @pytest.mark.gen_test
    async def test_on_a_device_that_is_signed_out_is_at_once_and_it_learns_no_more(
        self, pushing: Running, push_service: PushService
    ) -> None:
        alice, bob = await pushing.people("alice", "bob")
        gone = await push_service.subscribed(bob)
        here = await push_service.subscribed(await pushing.device(bob.user))
        call = await alice.place("bob")
        await gone.next("incoming")
        await bob.api("POST", "/auth/logout")
        assert (await gone.next("stopped")).document["reason"] == "held_back"
        await alice.do("cancel", call)
        await here.next("stopped")
        await pushing.until(lambda: not pushing.services.push._sending, "all was sent")
        assert gone.kinds == []

    @pytest.mark.gen_test
    async def test_is_not_waited_for_by_an_invitation_that_is_still_under_way(
        self, pushing: Running, push_service: PushService
    ) -> None:
        alice, bob = await pushing.people("alice", "bob")
        browser = await push_service.subscribed(bob)
        push_service.answers = [(503, {"Retry-After": "1"})]
        call = await alice.place("bob")
        await push_service.until_asked(1)
        await alice.do("cancel", call)
        await browser.next("stopped")
        assert browser.kinds == []
        assert len(pushing.services.push._ringing) == 0

    @pytest.mark.gen_test
    async def test_is_not_sent_any_more_to_somebody_who_is_called_again(
        self, pushing: Running, push_service: PushService
    ) -> None:
        alice, bob, carol = await pushing.people("alice", "bob", "carol")
        browser = await push_service.subscribed(carol)
        _, mine, _ = await pushing.both_in(alice, bob)
        leg_id = (await mine.request("invite", usernames=["carol"]))["call"]["legs"][2]["leg_id"]
        first = (await browser.next("incoming")).document
        push_service.answers = [(503, {"Retry-After": "1"})]
        await mine.request("remove", leg_id=leg_id)
        await push_service.until_asked(2)
        await mine.request("invite", usernames=["carol"])
        again = (await browser.next("incoming")).document
        assert again["invited_at"] > first["invited_at"]
        assert (len(pushing.services.push._stopping), browser.kinds) == (0, [])

    @pytest.mark.gen_test
    async def test_says_which_ring_it_was(self, pushing: Running, push_service: PushService) -> None:
        alice, _, browser, call = await ring(pushing, push_service)
        began = (await browser.next("incoming")).document["invited_at"]
        await alice.do("cancel", call)
        assert (await browser.next("stopped")).document["invited_at"] == began
