"""Who is pushed what: the ringing of a call to every browser of the callee, and its end."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial

from cryptography.hazmat.primitives.asymmetric import ec

from server.auth.identity import Identity
from server.auth.sign_ins import SignIns
from server.calls import rules
from server.calls.model import Call, Leg
from server.calls.notices import Stopped, begins_to_ring, expires_in_ms, why_it_stopped
from server.calls.outcomes import spoken_duration
from server.calls.switchboard import Switchboard
from server.clock import Clock
from server.errors import AlreadyAnswered, BadRequest, BadState, CallEnded, PushFailed, RateLimited
from server.languages.choice import Languages
from server.languages.sentences import N_, Translate
from server.push.messages import MISSED, incoming, isolated, missed_words, notice, stopped
from server.push.sender import Letter, Sender
from server.realtime.background import Background
from server.realtime.bus import SIGN_INS, Bus, DeviceChanged, Message, SignInsEnded
from server.realtime.limits import TokenBucket
from server.store.sign_ins import PushSubscription, SignIn, SignInStore
from server.store.users import User, UserStore
from server.store.voicemail import Voicemail

MAX_SUBSCRIPTIONS = 10
"""Browsers of one person that are pushed to; the eleventh takes the place of the oldest."""
MAX_FAILURES = 5
"""Refusals in a row until a subscription is taken for dead; a push service that is only busy does not count."""
NOTICE_WITHIN_S = 60.0
"""How long a push service that is busy is tried again for what does not ring."""
RINGS_AT_MOST = timedelta(seconds=60)
"""How long after its deadline a call may still count as ringing: its end is stored within seconds."""
TEST_WITHIN_S = 8.0
CHANGES_PER_MINUTE = 10
"""Subscriptions and tests of one person; each lets the server look a name up."""

Render = Callable[[SignIn, Translate], Letter]


class _Ring:
    """A call that rings for a person, ``until`` then at most: by sign-in, the browsers that were told and the message
    to each, on its way or there; and those that must not be told any more."""

    def __init__(self, call: Call, leg: Leg) -> None:
        self.call = call
        self.invited_at = leg.invited_at
        self.until = call.rings_until(leg)
        self.told: dict[str, tuple[SignIn, asyncio.Task[bool]]] = {}
        self.silent: set[str] = set()

    def end(self, sign_in_ids: Iterable[str] | None = None) -> list[SignIn]:
        """Sends no more to these sign-ins, or to none; returns those of them that were told."""
        ending = set(self.told if sign_in_ids is None else sign_in_ids)
        self.silent |= ending
        told = [self.told.pop(each) for each in ending & self.told.keys()]
        for _, task in told:
            task.cancel()
        return [sign_in for sign_in, _ in told]


class Notifier:
    """Pushes to the browsers of a person, silenced ones excepted. What it sends is nobody's to wait for."""

    def __init__(
        self,
        store: SignInStore,
        users: UserStore,
        sign_ins: SignIns,
        switchboard: Switchboard,
        sender: Sender,
        languages: Languages,
        background: Background,
        bus: Bus,
        clock: Clock,
        sign_in_of: Callable[[str], str],
        *,
        enabled: bool,
    ) -> None:
        """``sign_in_of``: the sign-in of an actor, see :func:`~server.calls.notices.notices`."""
        self._store = store
        self._users = users
        self._sign_ins = sign_ins
        self._switchboard = switchboard
        self._sender = sender
        self._languages = languages
        self._background = background
        self._clock = clock
        self._sign_in_of = sign_in_of
        self._enabled = enabled
        self._ringing: dict[tuple[str, str], _Ring] = {}  # by call id and user id
        self._stopping: dict[tuple[str, str], set[asyncio.Task[bool]]] = {}  # what is taken back of a ring
        self._sending: set[asyncio.Task[bool]] = set()
        self._buckets: dict[str, TokenBucket] = {}
        if enabled:
            switchboard.listeners.append(self._on_change)
            bus.subscribe(SIGN_INS, self._on_sign_ins)

    # ── subscriptions ──

    async def subscribe(self, who: Identity, endpoint: str, p256dh: str, auth: str, language: str) -> None:
        """Lets the browser of this sign-in be pushed to; one that it had before is replaced.

        Raises :class:`BadRequest` that names ``endpoint``, ``p256dh`` or ``auth``, :class:`BadState` where the operator
        has switched push off, :class:`RateLimited`.
        """
        if not self._enabled:
            raise BadState("Push messages are switched off on this server")
        self._require_within_rate(who.user.id)
        require_keys(p256dh, auth)
        await self._sender.require_reachable(endpoint)
        key = hashlib.sha256(endpoint.encode()).hexdigest()
        push = PushSubscription(key, endpoint, p256dh, auth, self._clock.now(), language)
        await self._store.subscribe(who.sign_in_id, who.user.id, push)
        for oldest in (await self._subscribed(who.user.id))[:-MAX_SUBSCRIPTIONS]:
            await self._store.unsubscribe(oldest.sign_in_id)

    async def unsubscribe(self, who: Identity) -> None:
        """The browser of this sign-in is not pushed to any more."""
        await self._store.unsubscribe(who.sign_in_id)

    async def test(self, who: Identity) -> None:
        """Pushes a notification to this very browser.

        Raises :class:`BadState` if it has not subscribed, :class:`PushFailed` if the push service does not take it,
        :class:`RateLimited`.
        """
        self._require_within_rate(who.user.id)
        sign_in = await self._store.get(who.sign_in_id)
        if sign_in is None or sign_in.push is None:
            raise BadState("This browser has not subscribed")
        user = await self._users.get(who.user.id)
        title = N_("Notifications work")
        body = N_("This is how Ringback tells you of calls while its page is closed.")
        letter = notice("test", "/settings", title, body, self._clock.now(), self._translate(user, sign_in.push))
        if not await self._deliver(sign_in, sign_in.push, letter, TEST_WITHIN_S):
            raise PushFailed()

    # ── a browser that shows a call ──

    async def acknowledge(self, token: str) -> int:
        """A browser is about to show the call of ``token``; returns for how many milliseconds more it rings.

        Raises :class:`~server.errors.Unauthenticated`, :class:`BadState` for a device that was silenced, and
        :class:`AlreadyAnswered` or :class:`CallEnded` when it must not ring: the machine slept, say.
        """
        who, call_id = await self._holder(token)
        if who.silenced:
            raise BadState("This device does not ring")
        call = await self._switchboard.of(call_id, who.user.id)
        leg = call.leg_of(who.user.id)
        if call.is_over or leg is None or expires_in_ms(call, leg, self._clock.now()) < rules.LEAST_RING_S * 1000:
            raise CallEnded()
        if not leg.is_ringable:
            raise AlreadyAnswered()
        call = await self._switchboard.acknowledge_ringing(call_id, who)
        # A telephone that only ever rings is in use, too.
        self._background.start(partial(self._sign_ins.prolong, who.sign_in_id), "prolong")
        return expires_in_ms(call, leg, self._clock.now())

    async def decline(self, token: str) -> None:
        """The person declines the call of ``token`` from its notification."""
        who, call_id = await self._holder(token)
        await self._switchboard.decline(call_id, who, who.sign_in_id)

    async def _holder(self, token: str) -> tuple[Identity, str]:
        claims = self._sign_ins.tokens.check("push", token)
        return await self._sign_ins.resolve(claims), claims.call_id

    # ── telling ──

    def notify(self, user_id: str, tag: str, url: str, title: str, body: str) -> None:
        """Tells a person something, quietly, in their language: ``title`` and ``body`` are sentences made by
        :func:`~server.languages.sentences.N_`. A click opens ``url``, an own path; a later notification of the same
        ``tag`` replaces it."""

        def render(sign_in: SignIn, translate: Translate) -> Letter:
            return notice(tag, url, title, body, self._clock.now(), translate)

        if self._enabled:
            self._background.start(partial(self._notify, user_id, render), "push_notice")

    async def _notify(self, user_id: str, render: Render) -> None:
        await self._send(user_id, await self._loud(user_id), render, NOTICE_WITHIN_S)

    def voicemail_left(self, message: Voicemail) -> None:
        """Somebody has left a message after a call that was not taken."""
        title = N_("New voicemail from %(name)s", name=isolated(message.sender.display_name))
        body = N_("A message of %(duration)s", duration=spoken_duration(message.duration_ms / 1000))
        self.notify(message.to, f"voicemail-{message.voicemail_id}", "/voicemail", title, body)

    def close(self) -> None:
        """Gives up what is under way."""
        for task in self._sending:
            task.cancel()
        self._sender.close()

    def _on_change(self, before: Call | None, after: Call, actor: str | None) -> None:
        """A call was stored by this process: who begins to ring, and who stops?"""
        for leg in after.legs:
            was = before.leg(leg.leg_id) if before else None
            if begins_to_ring(was, leg):
                self._forget_old()
                self._ringing[after.call_id, leg.user.id] = _Ring(after, leg)
                for task in self._stopping.pop((after.call_id, leg.user.id), ()):
                    task.cancel()  # it rings again, which what is taken back late would end
                self._background.start(partial(self._ring, after, leg), "push_ring")
            elif was is not None and was.is_ringable and not leg.is_ringable:
                ring = self._ringing.pop((after.call_id, leg.user.id), None)
                told = ring.end() if ring else None
                but = self._sign_in_of(actor) if actor else None
                self._background.start(partial(self._stop, after, leg, told, but), "push_stop")
            elif (was is None or was.invited_at != leg.invited_at) and _is_held_back(leg):
                self.notify(leg.user.id, after.call_id, "/history", *missed_words(after, leg))

    async def _ring(self, call: Call, leg: Leg) -> None:
        left_s = expires_in_ms(call, leg, self._clock.now()) / 1000 - rules.LEAST_RING_S
        if left_s <= 0:  # the database was away meanwhile
            return

        def render(sign_in: SignIn, translate: Translate) -> Letter:
            token = self._sign_ins.tokens.issue("push", leg.user.id, sign_in.sign_in_id, call_id=call.call_id)
            return incoming(call, leg, token, int(left_s), soft=leg.call_waiting, translate=translate)

        to = await self._loud(leg.user.id)
        await self._send(leg.user.id, to, render, left_s, rings=(call.call_id, leg.user.id))

    async def _stop(self, call: Call, leg: Leg, told: list[SignIn] | None, but: str | None) -> None:
        """Takes it back from all who were ``told``, ``but`` the one that acted. A page that seems to be open may be
        frozen, so that does not count. ``told`` is None where another process let it ring."""
        reason = why_it_stopped(leg)
        to = {each.sign_in_id: each for each in told or ()}
        if told is None or reason in MISSED:  # a missed call is news to every browser
            to |= {each.sign_in_id: each for each in await self._loud(leg.user.id)}
        await self._take_back(call, leg.user.id, reason, [each for each in to.values() if each.sign_in_id != but])

    async def _take_back(self, call: Call, user_id: str, reason: Stopped, to: list[SignIn]) -> None:
        leg, key = call.leg_of(user_id), (call.call_id, user_id)

        def is_rung_again() -> bool:
            ring = self._ringing.get(key)
            return ring is not None and leg is not None and ring.invited_at > leg.invited_at

        await self._send(
            user_id,
            to,
            lambda _, translate: stopped(call, user_id, reason, translate),
            NOTICE_WITHIN_S,
            stops=key,
            unless=is_rung_again,
        )

    def _on_sign_ins(self, message: Message) -> None:
        """A device that was silenced or signed out shows no call any longer."""
        if isinstance(message, SignInsEnded):
            silent = message.sign_in_ids
        elif isinstance(message, DeviceChanged) and message.silenced:
            silent = (message.sign_in_id,)
        else:
            return
        for (_, user_id), ring in self._ringing.items():
            if told := ring.end(silent):
                self._background.start(partial(self._take_back, ring.call, user_id, "held_back", told), "push_stop")

    def _forget_old(self) -> None:
        """Forgets what stopped without this process being told: another one did it."""
        oldest = self._clock.now() - RINGS_AT_MOST
        self._ringing = {key: ring for key, ring in self._ringing.items() if ring.until > oldest}

    # ── sending ──

    async def _loud(self, user_id: str) -> list[SignIn]:
        """The browsers of the person that are pushed to and have not been silenced."""
        return [each for each in await self._subscribed(user_id) if not each.silenced]

    async def _send(
        self,
        user_id: str,
        to: list[SignIn],
        render: Render,
        within_s: float,
        *,
        rings: tuple[str, str] | None = None,
        stops: tuple[str, str] | None = None,
        unless: Callable[[], bool] = lambda: False,
    ) -> None:
        """Sends to these browsers of a person; with ``rings`` as long as that rings, and it is noted who was told; with
        ``stops`` until that rings again."""
        user = await self._users.get(user_id) if to else None
        ring = self._ringing.get(rings) if rings else None
        if unless() or (rings is not None and ring is None):
            return
        for sign_in in to:
            if sign_in.push is None or (ring is not None and sign_in.sign_in_id in ring.silent):
                continue
            letter = render(sign_in, self._translate(user, sign_in.push))
            task = asyncio.get_running_loop().create_task(self._deliver(sign_in, sign_in.push, letter, within_s))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
            if stops is not None:
                self._note_stopping(stops, task)
            if ring is not None:
                ring.told[sign_in.sign_in_id] = (sign_in, task)

    def _note_stopping(self, key: tuple[str, str], task: asyncio.Task[bool]) -> None:
        def forget(done: asyncio.Task[bool]) -> None:
            left = self._stopping.get(key, set())
            left.discard(done)
            if not left:
                self._stopping.pop(key, None)

        self._stopping.setdefault(key, set()).add(task)
        task.add_done_callback(forget)

    async def _deliver(self, sign_in: SignIn, push: PushSubscription, letter: Letter, within_s: float) -> bool:
        """Whether the push service took it; what it says of the subscription is written down."""
        outcome = await self._sender.send(push, letter, within_s)
        sign_in_id, key = sign_in.sign_in_id, push.endpoint_key
        if outcome == "gone":
            self._background.start(partial(self._store.unsubscribe, sign_in_id, key), "push_gone")
        elif outcome == "refused":
            self._background.start(partial(self._refused, sign_in_id, key), "push_refused")
        elif outcome == "taken" and push.failures:
            self._background.start(partial(self._store.forget_push_failures, sign_in_id, key), "push_works_again")
        return outcome == "taken"

    async def _refused(self, sign_in_id: str, endpoint_key: str) -> None:
        if await self._store.count_push_failure(sign_in_id, endpoint_key) >= MAX_FAILURES:
            await self._store.unsubscribe(sign_in_id, endpoint_key)

    async def _subscribed(self, user_id: str) -> list[SignIn]:
        """The sign-ins of the person that are pushed to, the oldest subscription first."""
        found = await self._store.of(user_id, self._clock.now())
        by_age = sorted((each.push.created_at, each.sign_in_id, each) for each in found if each.push is not None)
        return [sign_in for _, _, sign_in in by_age]

    def _translate(self, user: User | None, push: PushSubscription) -> Translate:
        """The person's own choice, or else the language in which the browser subscribed."""
        chosen = self._languages.of(user.locale if user else None) or self._languages.of(push.locale)
        return (chosen or self._languages.english).translate

    def _require_within_rate(self, user_id: str) -> None:
        now_s = self._clock.monotonic()
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if not bucket.is_full(now_s)}
        bucket = self._buckets.setdefault(user_id, TokenBucket(CHANGES_PER_MINUTE / 60, CHANGES_PER_MINUTE, now_s))
        if not bucket.take(now_s):
            raise RateLimited(retry_after_s=bucket.wait_s())


def require_keys(p256dh: str, auth: str) -> None:
    """Raises :class:`BadRequest` unless these are the keys of a browser's subscription (RFC 8291 §2)."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _base64url(p256dh))
    except ValueError:
        raise BadRequest.of("p256dh", N_("a P-256 public key: 65 bytes in base64url")) from None
    try:
        is_secret = len(_base64url(auth)) == 16
    except ValueError:
        is_secret = False
    if not is_secret:
        raise BadRequest.of("auth", N_("16 bytes in base64url"))


def _base64url(text: str) -> bytes:
    return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)


def _is_held_back(leg: Leg) -> bool:
    """Whether the person missed the call by their own settings; not of callers whom they do not want to hear of."""
    return leg.state in ("busy", "do_not_disturb") and leg.reason != "contacts_only"
