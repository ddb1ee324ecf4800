"""Sends push messages (RFC 8030): encrypted for one browser (RFC 8291), signed with the server's key (RFC 8292).

Nobody waits for it. Encrypting and looking names up happen on threads, sending in the event loop with deadlines, and
each push service has places of its own: one that hangs holds up only those who chose it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Literal, NamedTuple

import jwt
import stamina
from stamina.instrumentation import RetryDetails, set_on_retry_hooks
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.httputil import HTTPInputError
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from server.clock import Clock
from server.errors import BadRequest
from server.log import get_logger
from server.metrics import Metrics
from server.push.endpoints import Endpoint, TrustedEndpoints, read_endpoint, refused
from server.push.keys import VapidKey
from server.push.resolver import VettingResolver
from server.store.sign_ins import PushSubscription

log = get_logger("push")

CONNECT_WITHIN_S = 4.0
ANSWER_WITHIN_S = 8.0
"""From the look-up of the name to the answer: a ring of 45 s is worth two or three tries."""
SENDING_PER_ORIGIN = 16
"""Messages under way to one push service; at 100 ms each it takes 160 a second."""
WAITING_PER_ORIGIN = 500
WAITING = 2_000
"""Messages that may wait at all, about 4 KB each; further ones are given up and counted."""
SEALING_THREADS = 2
MAX_ANSWER_BYTES = 64 * 1024
VAPID_LIFE_S = 3_600
"""At most a day by RFC 8292 §2; each message has a signature of its own."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 5.0

Outcome = Literal["taken", "gone", "refused", "failed"]
"""``taken`` by the push service; ``gone``: there is no such subscription any more; ``refused``: this message, or this
server, for good; ``failed``: not in time, or by a fault that is not the browser's."""


class Letter(NamedTuple):
    """One message. ``ttl_s`` is how long the push service keeps it for a browser that is away; a later one of the same
    ``topic`` replaces one that is still kept."""

    body: bytes
    ttl_s: int
    urgency: Literal["normal", "high"]
    topic: str


class _TryAgain(Exception):
    """The push service is busy, broken or not there; ``after_s``: when it says to come back."""

    def __init__(self, after_s: float | None = None) -> None:
        super().__init__("not now")
        self.after_s = after_s


class _Lane:
    """The messages that wait for one push service, or are under way to it."""

    def __init__(self) -> None:
        self.users = 0
        self.places = asyncio.Semaphore(SENDING_PER_ORIGIN)


class Sender:
    """Sends to whatever a browser gave as its endpoint, if that is allowed; see :mod:`server.push.endpoints`."""

    def __init__(self, key: VapidKey, contact: str, trusted: TrustedEndpoints, clock: Clock, metrics: Metrics) -> None:
        self._key = key
        self._contact = contact
        self._trusted = trusted
        self._clock = clock
        self._metrics = metrics
        self._resolver = VettingResolver(trusted, now_s=clock.monotonic)
        self._client: SimpleAsyncHTTPClient | None = None
        self._threads = ThreadPoolExecutor(SEALING_THREADS, thread_name_prefix="push-seal")
        self._lanes: dict[str, _Lane] = {}
        self._waiting = 0

    async def require_reachable(self, url: str) -> None:
        """Raises :class:`BadRequest` unless messages may be sent to ``url``, now and by its address of today."""
        endpoint = read_endpoint(url, self._trusted)
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                await self._resolver.check(endpoint.host, endpoint.port)
        except (OSError, TimeoutError):
            raise refused() from None

    async def send(self, subscription: PushSubscription, letter: Letter, within_s: float) -> Outcome:
        """Sends ``letter`` and says what came of it, at the latest after ``within_s``; it raises nothing."""
        outcome: Outcome = "failed"
        try:
            endpoint = read_endpoint(subscription.endpoint, self._trusted)
        except BadRequest:  # it was trusted once
            outcome = "refused"
        else:
            try:
                async with self._lane(endpoint.origin) as lane, asyncio.timeout(within_s):
                    outcome = await self._until_taken(lane, endpoint, subscription, letter, within_s)
            except (_TryAgain, TimeoutError):
                outcome = "failed"
            except Exception:  # a fault of ours costs this message, and not those that wait behind it
                log.exception("push_not_sent")
                outcome = "failed"
        self._metrics.push_messages.labels(outcome).inc()
        return outcome

    def close(self) -> None:
        """Gives up what is under way."""
        if self._client is not None:
            self._client.close()
        self._resolver.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    @asynccontextmanager
    async def _lane(self, origin: str) -> AsyncIterator[_Lane]:
        lane = self._lanes.setdefault(origin, _Lane())
        if lane.users >= WAITING_PER_ORIGIN or self._waiting >= WAITING:
            raise _TryAgain
        lane.users += 1
        self._waiting += 1
        try:
            yield lane
        finally:
            lane.users -= 1
            self._waiting -= 1
            if not lane.users:
                del self._lanes[origin]

    async def _until_taken(
        self, lane: _Lane, endpoint: Endpoint, subscription: PushSubscription, letter: Letter, within_s: float
    ) -> Outcome:
        expires_at_s = math.floor(self._clock.now().timestamp()) + VAPID_LIFE_S
        claims: dict[str, str | int] = {"aud": endpoint.origin, "exp": expires_at_s, "sub": self._contact}
        body, authorization = await asyncio.get_running_loop().run_in_executor(
            self._threads, seal, self._key, claims, subscription, letter.body
        )
        request = HTTPRequest(
            endpoint.url,
            "POST",
            headers={
                "TTL": str(letter.ttl_s),
                "Urgency": letter.urgency,
                "Topic": letter.topic,
                "Content-Type": "application/octet-stream",
                "Content-Encoding": "aes128gcm",
                "Authorization": authorization,
            },
            body=body,
            connect_timeout=CONNECT_WITHIN_S,
            request_timeout=ANSWER_WITHIN_S,
            follow_redirects=False,
            decompress_response=False,
        )
        retries = stamina.retry_context(
            on=_pause,
            attempts=None,
            timeout=within_s,
            wait_initial=FIRST_PAUSE_S,
            wait_max=LONGEST_PAUSE_S,
            wait_jitter=FIRST_PAUSE_S,
        )
        async for attempt in retries:
            with attempt:
                async with lane.places:
                    return await self._post(request)
        raise _TryAgain

    async def _post(self, request: HTTPRequest) -> Outcome:
        try:
            answer = await self._http.fetch(request, raise_error=False)
        except (OSError, HTTPClientError, HTTPInputError):
            raise _TryAgain from None
        if 200 <= answer.code < 300:
            return "taken"
        if answer.code in (404, 410):
            return "gone"
        if answer.code == 429 or answer.code >= 500:
            raise _TryAgain(_seconds(answer.headers.get("Retry-After", "")))
        if answer.code == 401 or answer.code < 400:
            log.warning("push_not_accepted", status=answer.code)  # our signature, or the service itself, is at fault
            return "failed"
        return "refused"

    @property
    def _http(self) -> SimpleAsyncHTTPClient:
        if self._client is None:  # it belongs to the event loop that is running, which the constructor has not
            self._client = SimpleAsyncHTTPClient(
                force_instance=True,
                resolver=self._resolver,
                max_clients=WAITING,
                max_buffer_size=MAX_ANSWER_BYTES,
                max_header_size=MAX_ANSWER_BYTES,
                max_body_size=MAX_ANSWER_BYTES,
            )
        return self._client


def seal(key: VapidKey, claims: dict[str, str | int], subscription: PushSubscription, body: bytes) -> tuple[bytes, str]:
    """``body`` encrypted for the browser, and the ``Authorization`` that goes with it; about a millisecond."""
    # Imported by the first message: it takes half a second, which no command should wait for.
    from pywebpush import WebPusher

    keys = {"p256dh": subscription.p256dh, "auth": subscription.auth}
    sealed = WebPusher({"endpoint": subscription.endpoint, "keys": keys}).encode(body)["body"]
    # Not with py_vapid: it refuses contacts and origins that are good by RFC 8292 (a path, a port, IPv6).
    token = jwt.encode(claims, key.private, algorithm="ES256")
    return bytes(sealed), f"vapid t={token},k={key.public}"


def _pause(error: Exception) -> bool | float:
    if not isinstance(error, _TryAgain):
        return False
    return True if error.after_s is None else error.after_s


def _seconds(retry_after: str) -> float | None:
    return float(retry_after) if retry_after.isdecimal() and len(retry_after) < 5 else None


def _log_retry(details: RetryDetails) -> None:
    log.debug("push_retried", attempt=details.retry_num, wait_s=round(details.wait_for, 3))


# In place of its own, which writes to standard output.
set_on_retry_hooks([_log_retry])
