"""The inbox of a person: where a device rings, and where it hears what becomes of the person's calls."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from .channel import Channel
from .clock import Clock, SystemClock, within
from .model import Call, Contact, Voicemail, newer
from .session import Frame
from .websocket import WAIT_TIMEOUT_S, RingbackSocket, SocketState

# With less than this left a telephone would stop as soon as it had begun.
SHORTEST_RING_S = 3.0


@dataclass(frozen=True, slots=True)
class Incoming:
    """A call that rings here, until `rings_until` on the inbox's clock."""

    call: Call
    rings_until: float


class UserInbox(Channel):
    """`/ws/user`.

        async with client.inbox() as inbox:
            incoming = await inbox.next_incoming()
            await inbox.ringing(incoming.call.call_id)
            call = await inbox.answer(incoming.call.call_id)

    Attributes:
        incoming: the calls that ring on this device now, by call id.
        calls: the person's live calls, by call id, each in its newest state.
        presence: user id → online, away, in_call, do_not_disturb or offline; of the people watched.
        contacts: user id → how it stands with that person; of those with whom something has changed meanwhile.
        unread: `missed` calls not yet seen, `voicemail` not yet heard; each once the server has said that it changed.
        voicemail: the messages that were left meanwhile, by id.
    """

    def __init__(self, socket: RingbackSocket, *, clock: Clock | None = None) -> None:
        super().__init__(socket)
        self.incoming: dict[str, Incoming] = {}
        self.calls: dict[str, Call] = {}
        self.presence: dict[str, str] = {}
        self.contacts: dict[str, Contact] = {}
        self.unread: dict[str, int] = {}
        self.voicemail: dict[str, Voicemail] = {}
        self._clock = clock or SystemClock()
        self._shown: set[str] = set()  # the calls that `next_incoming` has returned
        self._changed = asyncio.Event()
        self._connected_at: datetime | None = None  # on the server's clock
        socket.on_state(lambda _: self._changed.set())

    async def next_incoming(self, timeout_s: float | None = None) -> Incoming:
        """The next call to ring for, each once; at once if it rings already.

        A call with less than 3 s left is not worth beginning. Raises TimeoutError, or what ended the socket.
        """
        found = self._next_incoming()
        return await (found if timeout_s is None else within(self._clock, timeout_s, found, "an incoming call"))

    async def ringing(self, call_id: str) -> None:
        """Say that this device now shows the call: only then the caller hears it ring.

        FrameError `already_answered` or `call_ended` if it must not ring any more.
        """
        await self._say("ringing", call_id)

    async def answer(self, call_id: str) -> Call:
        """Take the call on this device. FrameError `already_answered` if another was faster."""
        return self._know(await self._say("answer", call_id))

    async def decline(self, call_id: str) -> Call:
        """Decline the call, for all devices of this person."""
        return self._know(await self._say("decline", call_id))

    async def ignore(self, call_id: str) -> None:
        """Silence this device; the others go on ringing."""
        await self._say("ignore", call_id)
        self.incoming.pop(call_id, None)

    async def watch(self, user_ids: list[str], timeout_s: float = WAIT_TIMEOUT_S) -> dict[str, str]:
        """Keep the presence of these people (200 at most) up to date from now on; how it is now."""
        ack = await self.socket.request({"type": "watch", "user_ids": user_ids}, timeout_s=timeout_s)
        self.presence |= {person["user_id"]: person["state"] for person in ack["people"]}
        return {user_id: self.presence[user_id] for user_id in user_ids if user_id in self.presence}

    async def disturb(self, may_ring: bool) -> None:
        """Let calls ring for this person, on all their devices, or hold them back as do_not_disturb."""
        state = "online" if may_ring else "do_not_disturb"
        await self.socket.request({"type": "presence", "state": state})

    async def use(self, used: bool) -> None:
        """Say whether somebody uses this device. Whose devices are all unused is away; a new session begins as used."""
        await self.socket.request({"type": "presence", "state": "active" if used else "away"})

    # Underneath

    async def _say(self, frame_type: str, call_id: str) -> Frame:
        return await self.socket.request({"type": frame_type, "call_id": call_id})

    async def _next_incoming(self) -> Incoming:
        while True:
            self._changed.clear()
            # During a replay a call may come up whose end comes right behind it.
            for call_id, incoming in self.incoming.items() if not self.socket.replaying else ():
                if call_id not in self._shown and incoming.rings_until - self._clock.now() >= SHORTEST_RING_S:
                    self._shown.add(call_id)
                    return incoming
            if self.socket.state is SocketState.CLOSED:
                raise await self.socket.closed()
            await self._changed.wait()

    def _apply(self, frame: Frame) -> None:
        match frame["type"]:
            case "connected":
                self._connected_at = _time(frame)
                self._draw(frame["snapshot"])
            case "resumed" if "snapshot" in frame:
                self._draw(frame["snapshot"])
            case "incoming":
                self._ring(frame, age_s=self._age_s(frame))
            case "incoming_stopped":
                self._stop(frame["call_id"], frame["reason"])
            case "call":
                self._know(frame)
            case "presence":
                self.presence[frame["user_id"]] = frame["state"]
            case "contact":
                self.contacts[frame["user_id"]] = msgspec.convert(frame["contact"], Contact)
            case "unread":
                self.unread |= {kind: frame[kind] for kind in ("missed", "voicemail") if kind in frame}
            case "voicemail":
                message = msgspec.convert(frame["voicemail"], Voicemail)
                self.voicemail[message.voicemail_id] = message
        self._changed.set()

    def _draw(self, snapshot: dict[str, Any]) -> None:
        """Begin anew from a snapshot."""
        self.incoming, self.calls = {}, {}
        for ringing in snapshot["incoming"]:
            self._ring(ringing, age_s=0.0)
        for call in snapshot["calls"]:
            self._know({"call": call})

    def _ring(self, told: dict[str, Any], age_s: float) -> None:
        call = self._know(told)
        left_s = told["expires_in_ms"] / 1000 - age_s
        self.incoming[call.call_id] = Incoming(call, self._clock.now() + left_s)

    def _stop(self, call_id: str, reason: str) -> None:
        """It rings no longer here; it still is a call of this person if another device answered, or rings on."""
        self.incoming.pop(call_id, None)
        if reason not in ("answered_elsewhere", "silenced"):
            self.calls.pop(call_id, None)

    def _know(self, told: dict[str, Any]) -> Call:
        """Take in a call that a frame carries; the newest state that is known of it."""
        call = msgspec.convert(told["call"], Call)
        call = self.calls[call.call_id] = newer(self.calls.get(call.call_id), call)
        if call.state == "ended":
            del self.calls[call.call_id]
        if not self._rings(call):
            self.incoming.pop(call.call_id, None)
        return call

    def _rings(self, call: Call) -> bool:
        """Whether the call still waits for this person."""
        me = self.socket.terms.user.id if self.socket.terms else None
        return call.state != "ended" and any(
            leg.user.id == me and leg.state in ("invited", "ringing") for leg in call.legs
        )

    def _age_s(self, frame: Frame) -> float:
        """How old a frame was when the connection began: what is replayed was said some time ago."""
        sent_at = _time(frame)
        return max(0.0, (self._connected_at - sent_at).total_seconds()) if self._connected_at else 0.0


def _time(frame: Frame) -> datetime:
    """When the server said it."""
    return msgspec.convert(frame["timestamp"], datetime)
