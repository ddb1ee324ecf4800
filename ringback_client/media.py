"""Sound between two legs of a call: perfect negotiation, with aiortc. Part of the extra `media`.

Perfect negotiation (W3C, "WebRTC 1.0", 10.7): both sides may offer at any time; when two offers meet, the polite side
drops its own and takes the other's, the impolite side goes on as if nothing had come. A browser drops an offer with
"rollback" and answers an "ICE restart" on the connection that it has. aiortc has neither; a fresh RTCPeerConnection
is both. It cannot offer an ICE restart, so a path that broke is mended by the other side, or given up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Protocol

from .clock import Clock, SystemClock
from .errors import MediaMissing, RingbackError
from .model import IceServer, PathState
from .session import Frame

try:
    from aiortc import RTCConfiguration, RTCIceCandidate, RTCIceServer, RTCPeerConnection, RTCSessionDescription
    from aiortc.mediastreams import MediaStreamTrack
    from aiortc.sdp import candidate_from_sdp
except ModuleNotFoundError as missing:
    raise MediaMissing(missing.name or "aiortc") from None

from .sound import Recorder, Voice

logger = logging.getLogger(__name__)

# The other side offers an ICE restart at once and again after 8 s; a path that is not back by now will not be.
GIVEN_UP_AFTER_S = 30.0

PATH_STATES: dict[str, PathState] = {"connecting": "checking", "connected": "connected", "failed": "failed"}


class Signaling(Protocol):
    """What a peer asks of the way to the other leg. `CallRoom` is one."""

    async def offer(self, to: str, sdp: str) -> None:
        """Bring an offer to a leg."""

    async def answer(self, to: str, sdp: str) -> None:
        """Bring an answer to a leg."""

    async def stats(self, leg_id: str, connection: PathState) -> None:
        """Report the path to a leg."""


class MediaPeer:
    """The sound between this program and one other leg.

        peer = MediaPeer(room, leg_id, polite=room.polite_towards(leg_id), voice=Voice(path), recorder=Recorder(path))
        await peer.offer()                      # if the other was there first; else the offer comes
        await peer.receive(frame)               # each offer, answer and candidate from that leg

    Pictures that the other side offers are neither taken nor sent.

    Attributes:
        leg_id: the other leg.
        connected: set while the path holds.
        lost: set when the path broke and was not mended in 30 s.
    """

    def __init__(
        self,
        signaling: Signaling,
        leg_id: str,
        *,
        polite: bool,
        voice: Voice,
        recorder: Recorder,
        ice_servers: Sequence[IceServer] = (),
        fresh_ice_servers: Callable[[], Awaitable[Sequence[IceServer]]] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """The voice and the recorder belong to the caller and outlive the peer. `fresh_ice_servers` is asked at an ICE
        restart: the credentials of `ice_servers` may have run out long ago."""
        self.leg_id = leg_id
        self.connected = asyncio.Event()
        self.lost = asyncio.Event()
        self._signaling = signaling
        self._polite = polite
        self._voice = voice
        self._recorder = recorder
        self._configuration = _configuration(ice_servers)
        self._fresh_ice_servers = fresh_ice_servers
        self._clock = clock or SystemClock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._giving_up: asyncio.Task[None] | None = None
        self._closed = False
        # One negotiation at a time; what comes meanwhile waits its turn.
        self._negotiating = asyncio.Lock()
        # Until a description is there, candidates wait; those of an offer that was not taken are dropped.
        self._remote_ufrag: str | None = None
        self._early_candidates: list[dict[str, Any]] = []
        self._offer_ignored = False
        self._connection = self._new_connection()

    async def offer(self) -> None:
        """Offer what we have to say. With an offer under way that is still unanswered, that one stands."""
        async with self._negotiating:
            if not self._closed and self._connection.signalingState == "stable":
                await self._connection.setLocalDescription()
                await self._signaling.offer(self.leg_id, self._connection.localDescription.sdp)

    async def receive(self, frame: Frame) -> None:
        """Take an `offer`, an `answer` or a `candidate` from the other leg."""
        async with self._negotiating:
            if self._closed:
                return
            match frame["type"]:
                case "offer":
                    await self._on_offer(frame["sdp"])
                case "answer":
                    await self._on_answer(frame["sdp"])
                case "candidate":
                    await self._on_candidates(frame["candidates"] or [])

    async def close(self) -> None:
        """End the sound."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await self._connection.close()

    # Negotiation

    async def _on_offer(self, sdp: str) -> None:
        collision = self._connection.signalingState == "have-local-offer"
        self._offer_ignored = collision and not self._polite
        if self._offer_ignored:
            return
        if collision or self._begins_anew(sdp):
            await self._renew()
        await self._describe(RTCSessionDescription(sdp, "offer"))
        for transceiver in self._connection.getTransceivers():
            if transceiver.kind != "audio":
                transceiver.direction = "inactive"
        await self._connection.setLocalDescription()
        await self._signaling.answer(self.leg_id, self._connection.localDescription.sdp)

    async def _on_answer(self, sdp: str) -> None:
        if self._connection.signalingState == "have-local-offer":  # else it answers an offer that we have dropped
            self._offer_ignored = False
            await self._describe(RTCSessionDescription(sdp, "answer"))

    async def _describe(self, description: RTCSessionDescription) -> None:
        await self._connection.setRemoteDescription(description)
        self._remote_ufrag = _ufrag(description.sdp)
        early, self._early_candidates = self._early_candidates, []
        await self._on_candidates(early)

    async def _on_candidates(self, candidates: list[dict[str, Any]]) -> None:
        if self._offer_ignored:
            return
        if self._remote_ufrag is None:
            self._early_candidates += candidates
            return
        for init in candidates:
            candidate = _candidate(init)
            if candidate is not None:
                await self._connection.addIceCandidate(candidate)

    # The connection

    def _begins_anew(self, sdp: str) -> bool:
        """Whether an offer asks for an ICE restart: other credentials than before (RFC 8839, 4.4.3)."""
        return self._remote_ufrag is not None and self._remote_ufrag != _ufrag(sdp)

    async def _renew(self) -> None:
        """A fresh connection in place of the old."""
        if self._fresh_ice_servers is not None:
            self._configuration = _configuration(await self._fresh_ice_servers())
        old, self._connection, self._remote_ufrag = self._connection, self._new_connection(), None
        self.connected.clear()
        await old.close()

    def _new_connection(self) -> RTCPeerConnection:
        connection = RTCPeerConnection(self._configuration)
        connection.addTrack(self._voice.track())

        @connection.on("track")
        def on_track(track: MediaStreamTrack) -> None:
            if track.kind == "audio":
                self._start(self._recorder.take(track))

        @connection.on("connectionstatechange")
        def on_state() -> None:
            if connection is self._connection:
                self._on_state(connection.connectionState)

        return connection

    def _on_state(self, state: str) -> None:
        if state in PATH_STATES:
            self._start(self._report(PATH_STATES[state]))
        if state == "connected":
            self.connected.set()
            if self._giving_up is not None:
                self._giving_up.cancel()
                self._giving_up = None
        else:
            self.connected.clear()
        if state == "failed" and self._giving_up is None:
            self._giving_up = self._start(self._give_up_later())

    async def _give_up_later(self) -> None:
        await self._clock.sleep(GIVEN_UP_AFTER_S)
        self.lost.set()

    async def _report(self, state: PathState) -> None:
        try:
            await self._signaling.stats(self.leg_id, state)
        except (RingbackError, TimeoutError) as error:
            logger.info("the state %s of the path to %s could not be reported: %s", state, self.leg_id, error)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _configuration(ice_servers: Sequence[IceServer]) -> RTCConfiguration:
    """Without any server, aiortc would ask a public one."""
    return RTCConfiguration(iceServers=[_ice_server(server) for server in ice_servers])


def _ice_server(server: IceServer) -> RTCIceServer:
    urls = [server.urls] if isinstance(server.urls, str) else list(server.urls)
    return RTCIceServer(urls=urls, username=server.username, credential=server.credential)


def _ufrag(sdp: str) -> str:
    """The ICE user name of a description; sections that share a transport share it."""
    return next((line for line in sdp.splitlines() if line.startswith("a=ice-ufrag:")), "")


def _candidate(init: dict[str, Any] | None) -> RTCIceCandidate | None:
    """An RTCIceCandidateInit of a browser; None for its "no more candidates"."""
    line = (init or {}).get("candidate") or ""
    if init is None or not line:
        return None
    candidate = candidate_from_sdp(line.removeprefix("candidate:"))
    candidate.sdpMid, candidate.sdpMLineIndex = init.get("sdpMid"), init.get("sdpMLineIndex")
    return candidate
