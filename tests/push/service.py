"""A push service, and browsers that subscribed there: what the server sends is decrypted as a browser does it."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from typing import Any, NamedTuple

import http_ece
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from tests.peer import PATIENCE_S
from tests.running import Answer, Person


class Pushed(NamedTuple):
    """One message: what stands in it, how it was sent, and what the server's signature says."""

    document: dict[str, Any]
    headers: HTTPHeaders
    vapid: dict[str, Any]
    vapid_key: str


class Browser:
    """A browser's end of a subscription: it alone can read what is pushed to ``endpoint``."""

    def __init__(self, service: PushService) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        self._auth = secrets.token_bytes(16)
        self._service = service
        self.name = secrets.token_urlsafe(16)
        self.pushed: list[Pushed] = []
        service.browsers[self.name] = self

    @property
    def subscription(self) -> dict[str, Any]:
        """What its page sends to the server."""
        point = self._private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {
            "endpoint": f"{self._service.origin}/push/{self.name}",
            "keys": {"p256dh": base64url(point), "auth": base64url(self._auth)},
        }

    def open(self, body: bytes) -> dict[str, Any]:
        """The message in ``body``; raises unless it was meant for this browser."""
        plain = http_ece.decrypt(body, private_key=self._private, auth_secret=self._auth, version="aes128gcm")
        document: dict[str, Any] = json.loads(plain)
        return document

    async def next(self, kind: str) -> Pushed:
        """The next message of that type; any other is skipped."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                while self.pushed:
                    message = self.pushed.pop(0)
                    if message.document["type"] == kind:
                        return message
                await asyncio.sleep(0.001)

    @property
    def kinds(self) -> list[str]:
        """The types of the messages that were not asked for yet."""
        return [message.document["type"] for message in self.pushed]


class PushService:
    """Takes what is pushed. ``answers`` are given in turn, as (status, headers), then 201.

    Attributes:
        asked: how many requests there were.
        held: while it is not set, nothing is answered.
    """

    def __init__(self) -> None:
        self.browsers: dict[str, Browser] = {}
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.asked = 0
        self.held = asyncio.Event()
        self.held.set()
        self.origin = ""
        self._http = HTTPServer(Application([("/push/(.+)", _Push, {"service": self})], log_function=lambda _: None))

    async def start(self) -> None:
        """Listens."""
        listener, port = bind_unused_port()
        self._http.add_socket(listener)
        self.origin = f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        """Answers nobody any more."""
        self.held.set()
        self._http.stop()
        await self._http.close_all_connections()

    async def subscribed(self, person: Person) -> Browser:
        """A browser of that person's sign-in, subscribed."""
        browser = Browser(self)
        answer = await subscribe(person, browser.subscription)
        assert answer.status == 204, answer
        return browser

    async def until_asked(self, times: int) -> None:
        """Waits for that many requests."""
        async with asyncio.timeout(PATIENCE_S):
            while self.asked < times:
                await asyncio.sleep(0.001)


async def subscribe(person: Person, subscription: dict[str, Any]) -> Answer:
    """The person's browser asks to be pushed to."""
    return await person.api("POST", "/push/subscriptions", subscription)


def base64url(data: bytes) -> str:
    """As browsers write it: without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class _Push(RequestHandler):
    def initialize(self, service: PushService) -> None:
        self._service = service

    async def post(self, name: str) -> None:
        service, browser = self._service, self._service.browsers[name]
        service.asked += 1
        await service.held.wait()
        status, headers = service.answers.pop(0) if service.answers else (201, {})
        if status == 201:
            browser.pushed.append(_read(browser, self.request.body, self.request.headers, service.origin))
        self.set_status(status)
        for key, value in headers.items():
            self.set_header(key, value)


def _read(browser: Browser, body: bytes, headers: HTTPHeaders, origin: str) -> Pushed:
    scheme, _, parameters = headers["Authorization"].partition(" ")
    assert scheme == "vapid"
    given = dict(part.strip().split("=", 1) for part in parameters.split(","))
    point = base64.urlsafe_b64decode(given["k"] + "=" * (-len(given["k"]) % 4))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    claims = jwt.decode(given["t"], key, algorithms=["ES256"], audience=origin, options={"require": ["exp", "sub"]})
    return Pushed(browser.open(body), headers, claims, given["k"])
