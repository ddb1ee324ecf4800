"""Web Push: subscriptions of browsers, and what their service worker says of a call that it shows."""

from __future__ import annotations

from typing import Annotated

import msgspec

from handlers.auth import NoBody
from handlers.base import ApiHandler
from server.push.endpoints import MAX_ENDPOINT_CHARACTERS


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The keys of a browser's subscription, in base64url."""

    p256dh: Annotated[str, msgspec.Meta(max_length=100)]
    auth: Annotated[str, msgspec.Meta(max_length=50)]


class SubscriptionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /push/subscriptions``."""

    endpoint: Annotated[str, msgspec.Meta(max_length=MAX_ENDPOINT_CHARACTERS)]
    keys: Keys


class TokenBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /push/ringing`` and ``POST /push/decline``."""

    token: Annotated[str, msgspec.Meta(max_length=4096)]


class PushKeyHandler(ApiHandler):
    """``GET /push/key``."""

    def get(self) -> None:
        """What a browser subscribes with; null where push messages are switched off."""
        enabled = self.services.settings.push.enabled
        self.reply({"key": self.services.push_key.public if enabled else None})


class SubscriptionsHandler(ApiHandler):
    """``/push/subscriptions``: the one of this sign-in."""

    async def post(self) -> None:
        """204; from now on this sign-in's browser is pushed to."""
        body = self.read(SubscriptionBody)
        keys = body.keys
        await self.services.push.subscribe(self.who, body.endpoint, keys.p256dh, keys.auth, self.language.tag)
        self.no_content()

    async def delete(self) -> None:
        """204; not any more."""
        await self.services.push.unsubscribe(self.who)
        self.no_content()


class PushTestHandler(ApiHandler):
    """``POST /push/test``."""

    async def post(self) -> None:
        """204 when the push service has taken a notification for this browser."""
        self.read(NoBody)
        await self.services.push.test(self.who)
        self.no_content()


class PushRingingHandler(ApiHandler):
    """``POST /push/ringing``: the token is the credential, because a service worker has no other."""

    public = True

    async def post(self) -> None:
        """200 ``{expires_in_ms}``: show the call; 409 when it must not ring here."""
        body = self.read(TokenBody)
        self.reply({"expires_in_ms": await self.services.push.acknowledge(body.token)})


class PushDeclineHandler(ApiHandler):
    """``POST /push/decline``."""

    public = True

    async def post(self) -> None:
        """204; the call is declined, on all devices."""
        body = self.read(TokenBody)
        await self.services.push.decline(body.token)
        self.no_content()
