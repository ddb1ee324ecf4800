"""A check-up of one STUN or TURN server: what a call does with it, step by step, and what really came of each.

Two allocations talk to each other through the relay, as two people do who both need it; a packet from a socket of our
own then shows whether the relay's ports are open from here. Beside that the server has to refuse whoever has no
credentials, or such of another secret.
"""

from __future__ import annotations

import secrets
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta

from aioice.stun import TransactionFailed

from server.clock import Clock
from server.turn.address import ServerAddress, parse
from server.turn.credentials import Credentials, turn_credentials
from server.turn.faults import FAULTS, Trouble
from server.turn.pair import NotChecked, Pair
from server.turn.report import Report, State, Step
from server.turn.target import Target, shown, words

USER_ID = "ringback-doctor"
CREDENTIALS_LIVE = timedelta(seconds=60)
FAR_AHEAD = timedelta(days=365)  # further than the clock of any server is wrong

# The error codes of RFC 8489 and RFC 8656, as an answer to Allocate.
REFUSALS = {300: "moved", 401: "wrong_secret", 403: "no_relay", 442: "no_relay", 486: "quota", 508: "no_ports"}
UNAUTHORIZED = 401
SILENCE = {"no_answer", "not_turn"}


class Checkup:
    """Checks one server; ``on_step`` hears of each step when it is done.

    ``tls`` judges certificates, the system's way unless given. No answer is waited for longer than ``timeout_s``.
    """

    def __init__(
        self,
        url: str,
        secret: str = "",
        *,
        clock: Clock,
        timeout_s: float,
        on_step: Callable[[Step], None] = lambda step: None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._url = url
        self._secret = secret
        self._clock = clock
        self._on_step = on_step
        self._steps: list[Step] = []
        self._target = Target(ServerAddress("", 0, "udp"), timeout_s=timeout_s, tls=tls)

    async def stun(self) -> Report:
        """Asks a STUN server for our own address."""
        if await self._step("name", self._find):
            await self._step("own address", self._ask_own_address)
        return self._report()

    async def turn(self) -> Report:
        """Does with a TURN server what two people in a call do; what depends on a step that failed is not tried."""
        if await self._step("name", self._find) and await self._refuses_strangers():
            await self._step("another secret", self._come_with_another_secret)
            async with AsyncExitStack() as lines:
                pairs: list[Pair] = []
                if await self._step("credentials", lambda: self._allocate(lines, pairs)):
                    await self._use(pairs[0])
        return self._report()

    async def _refuses_strangers(self) -> bool:
        """Whether there is somebody to talk to: one who lets in anybody is, too."""
        return await self._step("no credentials", self._come_without) or self._steps[-1].fault == "open_relay"

    async def _use(self, pair: Pair) -> None:
        await self._step("address of the relay", pair.judge_address)
        if await self._step("permission", pair.permit):
            await self._step("through the relay and back", pair.send_through)
        await self._step("ports of the relay", pair.send_from_outside)
        await self._step("renewal", pair.renew)
        await self._step("release", pair.release)

    async def _step(self, name: str, work: Callable[[], Awaitable[str]]) -> bool:
        """Does one step, and keeps what came of it; whether it did not fail."""
        begun = time.perf_counter()
        state: State = "ok"
        explained: dict[str, str] = {}
        try:
            seen = await work()
        except NotChecked as reason:
            state, seen = "not_checked", str(reason)
        except Trouble as trouble:
            state, seen, explained = "failed", trouble.seen, self._explain(trouble)
        step = Step(name, state, seen, round(1000 * (time.perf_counter() - begun), 1), **explained)
        self._steps.append(step)
        self._on_step(step)
        return state != "failed"

    def _explain(self, trouble: Trouble) -> dict[str, str]:
        fault, address = FAULTS[trouble.code], self._target.address
        where = {
            "host": address.host,
            "port": address.port,
            "transport": "UDP" if address.transport == "udp" else "TCP",
            "address": trouble.address,
        }
        return {
            "fault": trouble.code,
            "meaning": fault.meaning.format(**where),
            "advice": fault.advice.format(**where),
        }

    def _report(self) -> Report:
        return Report(self._url, all(step.state != "failed" for step in self._steps), self._steps)

    # ── the steps before there is an allocation: each returns what it saw, or raises Trouble ──

    async def _find(self) -> str:
        try:
            self._target.address = parse(self._url)
        except ValueError as error:
            raise Trouble("bad_address", str(error)) from None
        if self._target.address.transport == "dtls":
            raise Trouble("dtls", f"{self._url} asks for DTLS")
        return ", ".join(await self._target.find())

    async def _ask_own_address(self) -> str:
        async with self._target.line() as line:
            try:
                return f"we are seen as {shown(await self._target.answer(line, line.where_am_i()))}"
            except TransactionFailed as refusal:
                raise Trouble("no_binding", words(refusal)) from None

    async def _come_without(self) -> str:
        try:
            refusal = await self._refusal(None)
        except Trouble as trouble:
            if trouble.code in SILENCE and await self._answers_stun():
                raise Trouble("no_relay", "it answers STUN, and not TURN") from None
            raise
        if refusal is None:
            raise Trouble("open_relay", "it was given an allocation")
        if not {"REALM", "NONCE"} <= refusal.response.attributes.keys():
            raise Trouble("no_realm", words(refusal))
        return f"refused, as it must be ({words(refusal)})"

    async def _answers_stun(self) -> bool:
        try:
            await self._ask_own_address()
        except Trouble:
            return False
        return True

    async def _come_with_another_secret(self) -> str:
        refusal = await self._refusal(self._credentials(secrets.token_urlsafe()))
        if refusal is None:
            raise Trouble("any_secret", "it was given an allocation")
        return f"refused, as it must be ({words(refusal)})"

    async def _allocate(self, lines: AsyncExitStack, pairs: list[Pair]) -> str:
        target = self._target
        a = await lines.enter_async_context(target.line(self._credentials(self._secret)))
        b = await lines.enter_async_context(target.line(self._credentials(self._secret)))
        try:
            at_a = await target.answer(a, a.allocate())
            at_b = await target.answer(b, b.allocate())
        except TransactionFailed as refusal:
            if refusal.response.error_code == UNAUTHORIZED and await self._is_taken_for_longer():
                raise Trouble("clock_ahead", f"{words(refusal)}, but not if they live for a year") from None
            raise _refused(refusal) from None
        pairs.append(Pair(target, (a, b), (at_a, at_b)))
        return f"two allocations, {shown(at_a.relayed)} and {shown(at_b.relayed)}"

    async def _is_taken_for_longer(self) -> bool:
        return await self._refusal(self._credentials(self._secret, FAR_AHEAD)) is None

    async def _refusal(self, credentials: Credentials | None) -> TransactionFailed | None:
        """How the server refuses to let these in; None if it does let them in. Raises Trouble if it is not a 401."""
        async with self._target.line(credentials) as line:
            try:
                await self._target.answer(line, line.allocate())
                await self._target.answer(line, line.release())
            except TransactionFailed as refusal:
                if refusal.response.error_code != UNAUTHORIZED:
                    raise _refused(refusal) from None
                return refusal
        return None

    def _credentials(self, secret: str, lives: timedelta = CREDENTIALS_LIVE) -> Credentials:
        return turn_credentials(secret, USER_ID, self._clock.now() + lives)


def _refused(refusal: TransactionFailed) -> Trouble:
    """The fault that a refused Allocate shows."""
    return Trouble(REFUSALS.get(refusal.response.error_code or 0, "protocol_error"), words(refusal))
