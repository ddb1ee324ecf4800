"""What goes to a push service: signed for every contact that the settings take; nothing that goes wrong comes out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jwt
import msgspec
import pytest

from handlers.base import API
from server.push import sender
from server.push.keys import VapidKey, new_private_key
from server.push.sender import seal
from server.settings import PushSettings
from server.store.sign_ins import PushSubscription
from tests.helpers import today
from tests.push.service import Browser, PushService
from tests.running import Running

CONTACTS = [
    "mailto:ops@example.org",
    "mailto:postmaster@localhost",
    "mailto:ops@intranet",
    "https://calls.example.org",
    "https://calls.example.org:8443",
    "https://intranet",
    "https://calls.example.org/imprint?of=us",
]


def subscription(service: PushService) -> PushSubscription:
    """That of a browser there."""
    given = Browser(service).subscription
    return PushSubscription("key", given["endpoint"], given["keys"]["p256dh"], given["keys"]["auth"], today(), "en")


@pytest.mark.gen_test
@pytest.mark.parametrize("contact", CONTACTS)
async def test_every_contact_of_the_settings_can_be_signed(push_service: PushService, contact: str) -> None:
    assert msgspec.convert({"contact": contact}, PushSettings).contact == contact
    assert signed(push_service, contact, "https://push.example")["sub"] == contact


@pytest.mark.gen_test
@pytest.mark.parametrize("origin", ["http://push.lan:9000", "https://[2a00:1450::1]", "http://[::1]:9000"])
async def test_every_origin_that_is_taken_can_be_signed(push_service: PushService, origin: str) -> None:
    assert signed(push_service, CONTACTS[0], origin)["aud"] == origin


def signed(service: PushService, contact: str, origin: str) -> dict[str, Any]:
    """What the signature of a message says, which was checked with the public key that goes with it."""
    key = VapidKey(new_private_key())
    claims: dict[str, str | int] = {"aud": origin, "exp": int(today().timestamp()) + 10**9, "sub": contact}
    _, authorization = seal(key, claims, subscription(service), b"{}")
    found = re.fullmatch(r"vapid t=([^,]+),k=(.+)", authorization)
    assert found is not None and found[2] == key.public
    checked: dict[str, Any] = jwt.decode(found[1], key.private.public_key(), algorithms=["ES256"], audience=origin)
    return checked


@pytest.mark.gen_test
async def test_what_goes_wrong_within_is_logged_and_counted_as_failed(
    pushing: Running,
    push_service: PushService,
    monkeypatch: pytest.MonkeyPatch,
    expect_error: Callable[[str], None],
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("out of order")

    expect_error("push_not_sent")
    bob = await pushing.person("bob")
    await push_service.subscribed(bob)
    monkeypatch.setattr(sender, "seal", broken)
    assert (await bob.api("POST", "/push/test")).code == "push_failed"
    assert 'push_messages_total{outcome="failed"} 1.0' in (await pushing.fetch("GET", f"{API}/metrics")).body.decode()
