"""Two allocations on one relay that talk to each other, as two people do who both need it."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import socket
import time

from aioice.stun import TransactionFailed

from server.turn.client import Allocation, Endpoint, TurnClient
from server.turn.faults import Trouble
from server.turn.target import Target, shown, words

FORBIDDEN = 403
MIN_RENEWED_S = 60
PACKET_BYTES = 32
# A packet is sent this often within the time for an answer: that UDP loses one is no fault.
PACKETS = 3


class NotChecked(Exception):
    """A step that could not be done from here, for a reason that is no fault of the server."""


class Pair:
    """Two connections with their allocations. Each method is a step: it returns what it saw, or raises Trouble."""

    def __init__(self, target: Target, lines: tuple[TurnClient, TurnClient], at: tuple[Allocation, Allocation]) -> None:
        self._target = target
        self._lines = lines
        self._at = at

    async def judge_address(self) -> str:
        """Whether the address that the relay gives out is one to which others can send."""
        host = self._at[0].relayed[0]
        if is_private(host) and not is_private(self._target.host):
            raise Trouble("private_relay", f"{host}, while the server is at {self._target.host}", host)
        return f"{host}, good for people of this network only" if is_private(host) else host

    async def permit(self) -> str:
        """Each allows packets from the other."""
        for line, peer in zip(self._lines, reversed(self._at), strict=True):
            try:
                await self._target.answer(line, line.permit(peer.relayed))
            except TransactionFailed as refusal:
                code = "peer_denied" if refusal.response.error_code == FORBIDDEN else "protocol_error"
                raise Trouble(code, words(refusal), peer.relayed[0]) from None
        return "each may send to the other"

    async def send_through(self) -> str:
        """A packet goes from the one to the other and back, unharmed."""
        (a, b), (at_a, at_b) = self._lines, self._at
        packet = secrets.token_bytes(PACKET_BYTES)
        try:
            async with asyncio.timeout(self._target.timeout_s):
                begun = time.perf_counter()
                await self._carry(packet, a, at_b.relayed, b)
                await self._carry(packet, b, at_a.relayed, a)
                round_trip_ms = 1000 * (time.perf_counter() - begun)
        except TimeoutError:
            raise Trouble("relay_silent", f"no packet came within {self._target.timeout_s:g} s") from None
        return f"{PACKET_BYTES} bytes unharmed, there and back in {round_trip_ms:.1f} ms"

    async def send_from_outside(self) -> str:
        """A packet from a socket of our own comes in at the relay's port."""
        line, (relayed, mapped) = self._lines[0], self._at[0]
        try:
            await self._target.answer(line, line.permit(mapped))
        except TransactionFailed as refusal:
            raise NotChecked(
                f"the relay does not send to {mapped[0]}, as it sees this machine ({words(refusal)}); "
                "to know, run this from outside of its network"
            ) from None
        family = socket.AF_INET6 if ":" in relayed[0] else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as outside:
            outside.setblocking(False)
            for _ in range(PACKETS):
                packet = secrets.token_bytes(PACKET_BYTES)
                try:
                    outside.sendto(packet, relayed)
                except OSError as error:
                    raise Trouble("relay_blocked", words(error), relayed[0]) from None
                if await self._comes(packet, line):
                    return f"a packet from here to {shown(relayed)} arrives"
        raise Trouble("relay_blocked", f"no packet came within {self._target.timeout_s:g} s", relayed[0])

    async def renew(self) -> str:
        """The server keeps both for longer."""
        kept_s = []
        for line in self._lines:
            try:
                kept_s.append(await self._target.answer(line, line.refresh()))
            except TransactionFailed as refusal:
                raise Trouble("not_renewed", words(refusal)) from None
        if min(kept_s) < MIN_RENEWED_S:
            raise Trouble("not_renewed", f"for {min(kept_s)} s only")
        return f"for another {min(kept_s)} s"

    async def release(self) -> str:
        """Both are given back, so that a check-up takes nothing from anybody's calls."""
        for line in self._lines:
            try:
                await self._target.answer(line, line.release())
            except TransactionFailed as refusal:
                raise Trouble("protocol_error", words(refusal)) from None
        return "both are given back"

    async def _carry(self, packet: bytes, sender: TurnClient, to: Endpoint, receiver: TurnClient) -> None:
        """Sends until it has come; the deadline is around it."""
        while True:
            await sender.send(packet, to)
            if await self._comes(packet, receiver):
                return

    async def _comes(self, packet: bytes, receiver: TurnClient) -> bool:
        try:
            async with asyncio.timeout(self._target.timeout_s / PACKETS):
                while (await receiver.receive())[0] != packet:
                    pass
        except TimeoutError:
            return False
        return True


def is_private(host: str) -> bool:
    """Whether an address is one that the Internet does not reach, by IANA's registries."""
    return not ipaddress.ip_address(host).is_global
