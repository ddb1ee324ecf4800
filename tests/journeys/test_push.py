"""A browser rings with its page closed: what the server pushes is decrypted, and delivered to it by DevTools."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import CDPSession, Worker, expect

from tests.journeys.browsing import PATIENCE_MS, Person
from tests.journeys.conftest import Demo, MakePerson, people_on, serving
from tests.push.service import Browser, Pushed, PushService

pytestmark = pytest.mark.journey

SHOWN = """
async () => {
  const shown = await inTurn(() => self.registration.getNotifications());
  return shown.map(({ title, body, tag, silent, requireInteraction, actions }) =>
    ({ title, body, tag, silent, requireInteraction, actions: actions.map(({ title }) => title) }));
}
"""
# What a click on a notification does; there is no way to click on one from outside.
CLICK = """
async ([tag, action]) => {
  const [notification] = await inTurn(() => self.registration.getNotifications({ tag }));
  self.dispatchEvent(new NotificationEvent("notificationclick", { notification, action }));
}
"""

REGISTER = """
async () => {
  await navigator.serviceWorker.register("/service-worker.js");
  const { active } = await navigator.serviceWorker.ready;
  if (active.state !== "activated") await new Promise((done) => active.addEventListener("statechange", done));
}
"""
PICTURE = "/static/img/favicon.svg"
"""An open window of the site in which nothing rings. To open one from a notification takes a real hand."""


class Desk:
    """A push service in a thread of its own, asked from a test that is not asynchronous."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._service: PushService = self._run(self._open())

    @property
    def origin(self) -> str:
        """The origin that the server has to trust."""
        return self._service.origin

    def browser(self) -> Browser:
        """A new subscription."""
        return Browser(self._service)

    def next(self, browser: Browser, kind: str) -> Pushed:
        """What the server pushes next."""
        return self._run(browser.next(kind))

    def close(self) -> None:
        """Ends it."""
        self._run(self._service.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @staticmethod
    async def _open() -> PushService:
        service = PushService()
        await service.start()
        return service

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    """The push service of the browsers of these tests."""
    desk = Desk()
    yield desk
    desk.close()


@pytest.fixture(scope="module")
def pushing_demo(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A server that trusts it."""
    with serving(tmp_path_factory.mktemp("pushing"), RINGBACK_PUSH__TRUSTED_ENDPOINTS=desk.origin) as demo:
        yield demo


@pytest.fixture
def pushed_to(browser: Chromium, pushing_demo: Demo) -> Iterator[MakePerson]:
    """Makes people who are signed in there."""
    with people_on(browser, pushing_demo) as make:
        yield make


class Telephone:
    """A person's browser that was subscribed. This Chromium has no push service of its maker's, so the test carries
    messages from the one to the other, as they are when they are decrypted."""

    def __init__(self, person: Person, desk: Desk) -> None:
        self.person, self.desk, self.browser = person, desk, desk.browser()
        person.context.grant_permissions(["camera", "microphone", "notifications"])
        page = person.page
        self._cdp: CDPSession = person.context.new_cdp_session(page)
        registrations: list[dict[str, Any]] = []
        self._cdp.on(
            "ServiceWorker.workerRegistrationUpdated", lambda event: registrations.extend(event["registrations"])
        )
        self._cdp.send("ServiceWorker.enable")
        page.evaluate(REGISTER)
        self._registration: str = registrations[-1]["registrationId"]
        cookie = next(each["value"] for each in person.context.cookies() if each["name"] == "_xsrf")
        answer = page.request.post(
            "/api/v1/push/subscriptions", data=self.browser.subscription, headers={"X-XSRFToken": cookie}
        )
        assert answer.status == 204, answer.text()

    def put_away(self) -> None:
        """No page of Ringback's is open any more."""
        self.person.page.goto("about:blank")

    def receive(self, kind: str) -> dict[str, Any]:
        """The next message of that type arrives; returns what stands in it."""
        document = self.desk.next(self.browser, kind).document
        self.deliver(document)
        return document

    def deliver(self, document: dict[str, Any]) -> None:
        """A message arrives."""
        origin = re.match(r"https?://[^/]+", self.person.url)
        assert origin is not None
        message = {"origin": origin[0], "registrationId": self._registration, "data": json.dumps(document)}
        self._cdp.send("ServiceWorker.deliverPushMessage", message)

    @property
    def worker(self) -> Worker:
        """The service worker."""
        [worker] = self.person.context.service_workers
        return worker

    def shown(self) -> list[dict[str, Any]]:
        """The notifications that are shown."""
        shown: list[dict[str, Any]] = self.worker.evaluate(SHOWN)
        return shown

    def expect_shown(self, *titles: str) -> None:
        """Exactly these are shown, before long."""
        deadline_s = time.monotonic() + PATIENCE_MS / 1000
        while (seen := sorted(shown["title"] for shown in self.shown())) != sorted(titles):
            assert time.monotonic() < deadline_s, seen
            self.person.page.wait_for_timeout(20)

    def press(self, tag: str, action: str = "") -> None:
        """Presses a button of the notification, or the notification itself."""
        self.worker.evaluate(CLICK, [tag, action])


Meet = Callable[[], tuple[Person, Telephone]]


@pytest.fixture
def meet(pushed_to: MakePerson, desk: Desk) -> Meet:
    """Alice, and Bob's telephone with every page closed."""

    def make() -> tuple[Person, Telephone]:
        alice, telephone = pushed_to("alice"), Telephone(pushed_to("bob"), desk)
        telephone.put_away()
        return alice, telephone

    return make


def latest(someone: Person) -> dict[str, Any]:
    """The newest call in somebody's history."""
    call: dict[str, Any] = someone.page.request.get("/api/v1/calls?limit=1").json()["items"][0]
    return call


def test_a_closed_page_rings_and_the_caller_hears_it(meet: Meet) -> None:
    alice, telephone = meet()
    alice.call("bob")
    call_id = telephone.receive("incoming")["call_id"]
    telephone.expect_shown("\u2068alice\u2069 is calling")
    [shown] = telephone.shown()
    assert (shown["tag"], shown["requireInteraction"], shown["actions"]) == (call_id, True, ["Answer", "Decline"])
    alice.expect_text("Ringing…")
    alice.button("Hang up").click()


def test_the_notification_becomes_that_of_a_missed_call(meet: Meet) -> None:
    alice, telephone = meet()
    alice.call("bob")
    telephone.receive("incoming")
    telephone.expect_shown("\u2068alice\u2069 is calling")
    alice.button("Hang up").click()
    telephone.receive("stopped")
    telephone.expect_shown("Missed call from \u2068alice\u2069")
    assert telephone.shown()[0]["silent"] is True


def test_the_notification_goes_when_the_call_was_answered_elsewhere(meet: Meet, pushed_to: MakePerson) -> None:
    alice, telephone = meet()
    bob = pushed_to("bob")
    alice.call("bob")
    telephone.receive("incoming")
    telephone.expect_shown("\u2068alice\u2069 is calling")
    bob.answer()
    telephone.receive("stopped")
    telephone.expect_shown()
    alice.button("Hang up").click()


def test_answer_in_the_notification_leads_into_the_call(meet: Meet) -> None:
    alice, telephone = meet()
    bob = telephone.person
    alice.call("bob")
    bob.page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    bob.page.goto(PICTURE)
    call_id = telephone.receive("incoming")["call_id"]
    telephone.expect_shown("\u2068alice\u2069 is calling")
    telephone.press(call_id, "answer")
    alice.expect_media()
    bob.expect_media()
    telephone.expect_shown()
    alice.button("Hang up").click()


def test_decline_in_the_notification_declines_on_all_devices(meet: Meet) -> None:
    alice, telephone = meet()
    alice.call("bob")
    call_id = telephone.receive("incoming")["call_id"]
    telephone.expect_shown("\u2068alice\u2069 is calling")
    telephone.press(call_id, "decline")
    alice.expect_text(re.compile("declined"))
    telephone.expect_shown()
    assert latest(alice)["end_reason"] == "declined"


def test_a_late_end_of_an_earlier_ring_leaves_the_later_one(meet: Meet) -> None:
    alice, telephone = meet()
    alice.call("bob")
    rings = telephone.receive("incoming")
    telephone.expect_shown("\u2068alice\u2069 is calling")
    earlier = {"call_id": rings["call_id"], "invited_at": "2026-01-01T00:00:00.000Z", "reason": "cancelled"}
    telephone.deliver({"type": "stopped", **earlier})
    telephone.deliver(
        {"type": "notice", "tag": "news", "url": "/", "title": "News", "body": "", "at": rings["invited_at"]}
    )
    telephone.expect_shown("\u2068alice\u2069 is calling", "News")
    alice.button("Hang up").click()


def test_a_message_that_comes_when_the_call_is_over_rings_nothing(meet: Meet, desk: Desk) -> None:
    alice, telephone = meet()
    alice.call("bob")
    late = desk.next(telephone.browser, "incoming").document
    alice.button("Hang up").click()
    telephone.receive("stopped")
    telephone.expect_shown("Missed call from \u2068alice\u2069")
    telephone.deliver(late)
    telephone.deliver({"type": "notice", "tag": "after", "url": "/", "title": "After", "body": "", "at": "2026-11-20"})
    telephone.expect_shown("Missed call from \u2068alice\u2069", "After")


def test_a_page_that_one_looks_at_rings_by_itself(pushed_to: MakePerson, desk: Desk) -> None:
    alice, telephone = pushed_to("alice"), Telephone(pushed_to("bob"), desk)
    alice.call("bob")
    expect(telephone.person.button("Answer")).to_be_visible(timeout=PATIENCE_MS)
    telephone.receive("incoming")
    telephone.deliver({"type": "notice", "tag": "after", "url": "/", "title": "After", "body": "", "at": "2026-11-20"})
    telephone.expect_shown("After")
    alice.button("Hang up").click()


@pytest.mark.parametrize(("left_s", "rings"), [(30, True), (2, False)])
def test_a_server_that_cannot_say_leaves_it_to_the_clock(meet: Meet, left_s: float, rings: bool) -> None:
    _, telephone = meet()
    telephone.worker.evaluate("() => { self.fetch = async () => new Response('', { status: 503 }); }")
    expires_at = (datetime.now(UTC) + timedelta(seconds=left_s)).isoformat()
    call = {"call_id": "1", "expires_at": expires_at, "token": "x", "soft": False, "title": "Ring", "body": ""}
    telephone.deliver({"type": "incoming", "answer": "Answer", "decline": "Decline", **call})
    telephone.deliver({"type": "notice", "tag": "after", "url": "/", "title": "After", "body": "", "at": "2026-11-20"})
    telephone.expect_shown(*(["Ring", "After"] if rings else ["After"]))


def test_a_link_that_somebody_sends_only_rings(pushed_to: MakePerson) -> None:
    alice, bob = pushed_to("alice"), pushed_to("bob")
    alice.call("bob")
    expect(bob.button("Answer")).to_be_visible(timeout=PATIENCE_MS)
    bob.page.goto(f"{alice.page.url}#answer")
    expect(bob.page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("ringing"), timeout=PATIENCE_MS)
    expect(bob.page.locator("#call")).to_have_attribute("data-phase", "incoming")
    assert latest(bob)["state"] == "ringing"
    alice.button("Hang up").click()


# The worker believes to be in Safari, and keeps a list of what it shows.
BE_SAFARI = """
() => {
  const userAgent = "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15";
  Object.defineProperty(navigator, "userAgent", { value: userAgent });
  self.told = [];
  const show = self.registration.showNotification.bind(self.registration);
  self.registration.showNotification = (title, options) => {
    self.told.push([options.tag, options.silent]);
    return show(title, options);
  };
}
"""


def told(telephone: Telephone, at_least: int) -> list[list[object]]:
    """The calls of the notifications that were shown, closed ones too, and whether they were silent."""
    deadline_s = time.monotonic() + PATIENCE_MS / 1000
    while len(seen := telephone.worker.evaluate("() => self.told")) < at_least:
        assert time.monotonic() < deadline_s, seen
        telephone.person.page.wait_for_timeout(20)
    shown: list[list[object]] = seen
    return shown


def test_safari_is_shown_something_for_a_call_that_a_page_rings(pushed_to: MakePerson, desk: Desk) -> None:
    alice, telephone = pushed_to("alice"), Telephone(pushed_to("bob"), desk)
    telephone.worker.evaluate(BE_SAFARI)
    alice.call("bob")
    expect(telephone.person.button("Answer")).to_be_visible(timeout=PATIENCE_MS)
    call_id = telephone.receive("incoming")["call_id"]
    assert told(telephone, 1) == [[call_id, True]]
    telephone.expect_shown()
    alice.button("Hang up").click()


def test_safari_is_shown_something_when_the_call_was_answered_elsewhere(meet: Meet, pushed_to: MakePerson) -> None:
    alice, telephone = meet()
    telephone.worker.evaluate(BE_SAFARI)
    bob = pushed_to("bob")
    alice.call("bob")
    call_id = telephone.receive("incoming")["call_id"]
    telephone.expect_shown("\u2068alice\u2069 is calling")
    bob.answer()
    telephone.receive("stopped")
    assert told(telephone, 2)[1] == [call_id, True]
    telephone.expect_shown()
    alice.button("Hang up").click()
