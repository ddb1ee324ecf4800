"""A call's room: who is in it, and the way from one to the other for what WebRTC has to say."""

from __future__ import annotations

from bisect import insort
from typing import Any

import msgspec

from .channel import Channel
from .errors import FrameError
from .model import Call, ChatMessage, MediaKind, Participant, PathState, Sending, newer
from .session import Frame
from .websocket import RingbackSocket

IN_CALL = ("joined", "reconnecting")
"""States of a leg whose person takes part, also while their socket is away."""


class CallRoom(Channel):
    """`/ws/call/{call_id}`.

        async with client.room(call.call_id) as room:
            for leg_id in room.participants:            # they were here first: the newcomer offers
                await room.offer(leg_id, sdp)
            async for frame in room.socket: ...         # offer, answer, candidate, join, leave, call, ended …

    Leaving the block disconnects from the room with 1000; `leave()` and `hangup()` say it to the others.

    Attributes:
        call: the call in its newest state; None before the room is open.
        leg_id: one's own leg; "" before the room is open.
        participants: the others who are in the room now, by leg id.
        chat_log: the newest messages from before, and all since, in order.
    """

    def __init__(self, socket: RingbackSocket) -> None:
        super().__init__(socket)
        self.call: Call | None = None
        self.leg_id = ""
        self.participants: dict[str, Participant] = {}
        self.chat_log: list[ChatMessage] = []

    def polite_towards(self, leg_id: str) -> bool:
        """Whether it is ours to give way when two offers meet: of two legs the later one in the call is polite.

        Raises ValueError for a leg that is not one of this call.
        """
        if self.call is None:
            raise ValueError("the room is not open")
        return self.call.rank(self.leg_id) > self.call.rank(leg_id)

    # To one other leg; the text arrives byte for byte

    async def offer(self, to: str, sdp: str) -> None:
        """Send an SDP offer to a leg."""
        await self.socket.request({"type": "offer", "to": to, "sdp": sdp})

    async def answer(self, to: str, sdp: str) -> None:
        """Send the answer to a leg's offer."""
        await self.socket.request({"type": "answer", "to": to, "sdp": sdp})

    async def candidate(self, to: str, candidates: list[dict[str, Any]]) -> None:
        """Send ICE candidates (RTCIceCandidateInit objects); an empty list says that these were all."""
        await self.socket.request({"type": "candidate", "to": to, "candidates": candidates})

    async def stats(self, leg_id: str, connection: PathState) -> None:
        """Report the media path to a leg. The call is `active` once both sides have reported `connected`."""
        await self.socket.request({"type": "stats", "leg_id": leg_id, "connection": connection})

    # To everybody

    async def quality(self, legs: dict[str, dict[str, Any]]) -> None:
        """Say what was measured of the paths to other legs, by leg id; the fields are those of docs/protocol.md."""
        await self.socket.request({"type": "quality", "legs": legs})

    async def ask_to_record(self, media: MediaKind = "audio") -> str:
        """Ask the others to agree to a recording, which this client makes; returns its id. It may begin when the
        call's `recording.state` is "on", and has to pause while it is "paused". Refused: `bad_state`, `forbidden`."""
        answer = await self.socket.request({"type": "recording", "action": "ask", "media": media})
        return str(answer["recording_id"])

    async def stop_recording(self, reason: str = "stopped") -> None:
        """End the recording that one asked for: `stopped`, `interrupted` or `full`."""
        await self.socket.request({"type": "recording", "action": "stop", "reason": reason})

    async def consent(self, recording_id: str, agree: bool) -> None:
        """Agree to a recording, or not, or not any longer."""
        await self.socket.request({"type": "consent", "recording_id": recording_id, "agree": agree})

    async def caption(self, segment: str, text: str, *, final: bool) -> None:
        """Say what one is saying, or has said: the same `segment` until it is `final`, which stays with the call."""
        await self.socket.request({"type": "caption", "segment": segment, "text": text, "final": final})

    async def media(self, sending: Sending) -> None:
        """Say what one sends from now on."""
        await self.socket.request({"type": "media"} | msgspec.structs.asdict(sending))

    async def chat(self, text: str, client_id: str | None = None) -> None:
        """Write something, up to 4,096 characters. It comes back as a `chat` frame, to the sender as well.

        It is stored with the call. With a `client_id` of one's own it can be said again without harm.
        """
        await self.socket.request({"type": "chat", "text": text} | ({"client_id": client_id} if client_id else {}))

    async def invite(self, usernames: list[str]) -> Call:
        """Call others into the call, once somebody has answered; they ring. Refused with `call_full`."""
        ack = await self.socket.request({"type": "invite", "usernames": usernames})
        self._know(ack["call"])
        return msgspec.convert(ack["call"], Call)

    async def leave(self, reason: str | None = None) -> None:
        """Leave the call, `media_denied` or `ice_failed` if that is why. A call of two ends with that."""
        await self.socket.request({"type": "leave"} | ({"reason": reason} if reason else {}))

    async def hangup(self, reason: str | None = None) -> None:
        """End the call for everybody; `media_denied` or `ice_failed` if that is why. Where more than two talk, only the
        host can."""
        await self.socket.request({"type": "hangup"} | ({"reason": reason} if reason else {}))

    async def go(self, reason: str | None = None) -> None:
        """Be done with the call: two end it, of more than two this one leaves. Whoever is away for a moment counts."""
        legs = self.call.legs if self.call else []
        if sum(leg.state in IN_CALL for leg in legs) > 2:
            await self.leave(reason)
            return
        try:
            await self.hangup(reason)
        except FrameError as error:
            if error.code != "forbidden":
                raise
            await self.leave(reason)  # somebody has come in at the same moment

    # For the host; refused with `forbidden` for others

    async def ask_to_mute(self, leg_id: str) -> None:
        """Ask a participant to mute; whether they do is theirs to decide."""
        await self.socket.request({"type": "mute_request", "to": leg_id})

    async def remove(self, leg_id: str) -> None:
        """Send a participant out of the call, or take an invitation back."""
        await self.socket.request({"type": "remove", "leg_id": leg_id})

    # Underneath

    def _apply(self, frame: Frame) -> None:
        match frame["type"]:
            case "connected":
                self._draw(frame["snapshot"])
            case "resumed" if "snapshot" in frame:
                self._draw(frame["snapshot"])
            case "call" | "ended":
                self._know(frame["call"])
            case "join":
                participant = msgspec.convert(frame["participant"], Participant)
                self.participants[participant.leg_id] = participant
            case "leave":
                self.participants.pop(frame["leg_id"], None)
            case "participant" if frame["leg_id"] in self.participants:
                known = self.participants[frame["leg_id"]]
                self.participants[known.leg_id] = msgspec.structs.replace(
                    known,
                    connection=frame["connection"],
                    media=msgspec.convert(frame["media"], Sending),
                    paths=frame.get("paths", {}),
                )
            case "chat":
                self._hear(frame)

    def _draw(self, snapshot: dict[str, Any]) -> None:
        """Begin anew from a snapshot."""
        self._know(snapshot["call"])
        self.leg_id = snapshot["leg_id"]
        participants = msgspec.convert(snapshot["participants"], list[Participant])
        self.participants = {participant.leg_id: participant for participant in participants}
        self.chat_log = []
        for message in snapshot["chat"]:
            self._hear(message)

    def _know(self, told: dict[str, Any]) -> None:
        self.call = newer(self.call, msgspec.convert(told, Call))

    def _hear(self, told: dict[str, Any]) -> None:
        """Add a message; one from before a resume is in the snapshot and comes once more behind it."""
        message = msgspec.convert(told, ChatMessage)
        if all(known.message_id != message.message_id for known in self.chat_log):
            insort(self.chat_log, message, key=lambda known: known.message_id)
