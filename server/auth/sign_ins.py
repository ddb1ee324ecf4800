"""Sign-ins: from a name and a password to tokens, and back from a token to a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

import msgspec

from server.auth.identity import Identity
from server.auth.passwords import Passwords
from server.auth.throttle import LoginThrottle
from server.auth.tokens import Claims, Kind, Tokens
from server.clock import Clock
from server.errors import InvalidCredentials, TokenReused, Unauthenticated
from server.ids import new_id
from server.realtime.bus import SIGN_INS, Bus, DeviceChanged, Message, SignInsEnded
from server.store.sign_ins import SignIn, SignInStore
from server.store.users import User, UserStore

MAX_CACHED = 100_000
"""Sign-ins remembered as good, about 0.5 KiB each."""


class TokenPair(msgspec.Struct, frozen=True):
    """What a client holds after signing in: an access token, and the refresh token for the next pair."""

    access_token: str
    refresh_token: str


class SignIns:
    """Signs people in and out, and says who a token belongs to.

    What was found good is remembered for ``cache_s`` seconds, and forgotten at once when a sign-in ends anywhere.
    """

    def __init__(
        self,
        users: UserStore,
        store: SignInStore,
        tokens: Tokens,
        passwords: Passwords,
        throttle: LoginThrottle,
        bus: Bus,
        clock: Clock,
        cache_s: float,
    ) -> None:
        self._users = users
        self._store = store
        self.tokens = tokens
        self._passwords = passwords
        self._throttle = throttle
        self._bus = bus
        self._clock = clock
        self._cache_s = cache_s
        self._known: dict[str, tuple[float, Identity]] = {}
        self._seen: set[str] = set()  # sign-ins that were shown since take_seen()
        self._changes = 0  # how often sign-ins have ended or changed: what was read before that may be stale
        self._revocations_seen_at = clock.now()
        self.in_use: Callable[[str], Iterable[str]] = lambda user_id: ()
        """The sign-ins of a person with which something is open here, stored or not."""
        bus.subscribe(SIGN_INS, self._on_bus)

    async def sign_in(self, username: str, password: str, device: str, address: str) -> tuple[User, SignIn]:
        """A new sign-in; raises :class:`InvalidCredentials` – for an unknown name the same way and in the same time –
        or :class:`~server.errors.TooManyAttempts`."""
        async with self._throttle.attempt(username, address):
            user = await self._users.by_name(username)
            usable = user is not None and not user.disabled and not user.service
            good = await self._passwords.matches(user.password_hash if user and usable else None, password)
            if not good or user is None:
                raise InvalidCredentials()
        if self._passwords.needs_rehash(user.password_hash):
            await self._users.change(user.user_id, password_hash=await self._passwords.hash(password))
        return user, await self.begin(user, device)

    async def confirm(self, user: User, password: str, address: str) -> None:
        """Asks somebody who is signed in for their password again; raises as :meth:`sign_in` does."""
        async with self._throttle.attempt(user.username, address):
            if not await self._passwords.matches(user.password_hash, password):
                raise InvalidCredentials()

    async def begin(self, user: User, device: str) -> SignIn:
        """A new sign-in of somebody whose identity is proven already."""
        now = self._clock.now()
        sign_in = SignIn(
            sign_in_id=new_id(),
            user_id=user.user_id,
            device=device,
            created_at=now,
            refreshed_at=now,
            expires_at=now + self.tokens.life["refresh"],
        )
        await self._store.insert(sign_in)
        return sign_in

    def pair(self, sign_in: SignIn) -> TokenPair:
        """The tokens of a sign-in as it is now."""
        return TokenPair(
            self.tokens.issue("access", sign_in.user_id, sign_in.sign_in_id),
            self.tokens.issue("refresh", sign_in.user_id, sign_in.sign_in_id, sign_in.refresh_number),
        )

    async def refresh(self, refresh_token: str) -> tuple[User, TokenPair]:
        """The next pair; a refresh token that was used before ends the whole sign-in (:class:`TokenReused`)."""
        claims = self.tokens.check("refresh", refresh_token)
        now = self._clock.now()
        rotated = await self._store.rotate(claims.sign_in_id, claims.number, now, now + self.tokens.life["refresh"])
        if not rotated:
            await self.end(claims.sign_in_id, "a refresh token was used twice")
            raise TokenReused()
        user = await self._users.get(claims.user_id)
        if user is None or user.disabled:
            raise Unauthenticated("This account cannot be used")
        sign_in_id = claims.sign_in_id
        return user, TokenPair(
            self.tokens.issue("access", user.user_id, sign_in_id),
            self.tokens.issue("refresh", user.user_id, sign_in_id, claims.number + 1),
        )

    async def prolong(self, sign_in_id: str) -> None:
        """The device is in use without refresh tokens (a page, or a browser that a call rings): from now on its sign-in
        lives as long as a new one."""
        now = self._clock.now()
        await self._store.prolong(sign_in_id, now, now + self.tokens.life["page"])

    async def identify(self, kind: Kind, token: str) -> Identity:
        """Who ``token`` belongs to; raises :class:`Unauthenticated`. It does not :meth:`spend` a ``ws`` token."""
        return await self.resolve(self.tokens.check(kind, token))

    async def resolve(self, claims: Claims) -> Identity:
        """The person behind claims that were checked, if the sign-in still stands; asks the database when cold."""
        known = self._known.get(claims.sign_in_id)
        if known is not None and known[0] > self._clock.monotonic():
            identity = known[1]
        else:
            identity = await self._look_up(claims.sign_in_id)
        if identity.user.id != claims.user_id:
            raise Unauthenticated("The token is not valid")
        return identity

    async def spend(self, claims: Claims) -> bool:
        """Uses up a ``ws`` token; of any number of attempts exactly one gets true."""
        expires_at = self._clock.now() + self.tokens.life["ws"] + timedelta(minutes=5)
        return await self._store.spend(claims.token_id, expires_at)

    async def end(self, sign_in_id: str, why: str) -> None:
        """Ends one sign-in everywhere: its tokens are dead and its sockets close."""
        await self._store.revoke(sign_in_id, self._clock.now(), why)
        self._bus.publish(SIGN_INS, SignInsEnded((sign_in_id,)))

    async def end_all(self, user_id: str, why: str, *, but: str | None = None) -> int:
        """Ends every sign-in of a person ``but`` one; returns how many."""
        ended = await self._store.revoke_all(user_id, self._clock.now(), why, but=but)
        # What has run out is not stored any more, and may be open all the same.
        closing = {*ended, *self.in_use(user_id)} - {but}
        if closing:
            self._bus.publish(SIGN_INS, SignInsEnded(tuple(closing)))
        return len(ended)

    async def notice_revocations(self) -> int:
        """Acts on sign-ins that another process ended (``ringback users disable``, a node whose message was lost)."""
        now = self._clock.now()
        # Five seconds of overlap: clocks of nodes differ, and acting twice changes nothing.
        ended = await self._store.revoked_since(self._revocations_seen_at - timedelta(seconds=5))
        self._revocations_seen_at = now  # only now: without a database nothing was seen
        if ended:
            self._bus.publish(SIGN_INS, SignInsEnded(tuple(ended)))
        return len(ended)

    def take_seen(self) -> set[str]:
        """The sign-ins that were looked up since the last time this was asked."""
        seen, self._seen = self._seen, set()
        return seen

    def forget_user(self, user_id: str) -> None:
        """What is remembered of a person has changed (a new display name, say)."""
        self._changes += 1  # what is being looked up now may have been read before
        for sign_in_id in [key for key, (_, identity) in self._known.items() if identity.user.id == user_id]:
            del self._known[sign_in_id]

    async def _look_up(self, sign_in_id: str) -> Identity:
        changes = self._changes
        sign_in = await self._store.get(sign_in_id)
        if sign_in is None or sign_in.revoked_at is not None or sign_in.expires_at <= self._clock.now():
            raise Unauthenticated("This sign-in has ended")
        user = await self._users.get(sign_in.user_id)
        if user is None or user.disabled:
            raise Unauthenticated("This account cannot be used")
        self._seen.add(sign_in_id)
        identity = Identity(
            user.ref,
            sign_in_id,
            sign_in.device,
            user.admin,
            user.do_not_disturb,
            user.quiet_hours,
            sign_in.silenced,
            user.locale,
            user.service,
        )
        if len(self._known) >= MAX_CACHED:
            self._known.clear()
        if changes == self._changes:
            self._known[sign_in_id] = (self._clock.monotonic() + self._cache_s, identity)
        return identity

    def _on_bus(self, message: Message) -> None:
        if isinstance(message, SignInsEnded):
            self._forget(message.sign_in_ids)
        elif isinstance(message, DeviceChanged):
            self._forget((message.sign_in_id,))

    def _forget(self, sign_in_ids: Iterable[str]) -> None:
        self._changes += 1
        for sign_in_id in sign_in_ids:
            self._known.pop(sign_in_id, None)
