"""Signaling between two participants: it passes through byte for byte, and nothing here touches the database."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from server.errors import BadRequest, TooLarge
from server.languages.sentences import N_
from server.realtime import frames
from server.realtime.dispatch import Quick, Result, Slow
from server.realtime.session import Session
from server.rooms.rooms import Rooms

_Plain = str | int | float | bool | None
_candidates = msgspec.json.Decoder(list[dict[str, _Plain] | _Plain])
"""No deeper and with no larger numbers than every client can read: what one passes on must not end another's socket."""


class Signaling:
    """Offers, answers and candidates; the SDP is looked at for its size only."""

    def __init__(self, rooms: Rooms, max_sdp_bytes: int) -> None:
        self._rooms = rooms
        self._max_sdp_bytes = max_sdp_bytes
        self.quick: Mapping[type[frames.FromClient], Quick] = {
            frames.Offer: self._offer,
            frames.Answer: self._answer,
            frames.Candidate: self._candidate,
        }
        self.slow: Mapping[type[frames.FromClient], Slow] = {}

    def _offer(self, session: Session, frame: frames.Offer) -> Result:
        self._require_sdp(frame.sdp)
        room, mine = self._rooms.place_of(session)
        relayed = frames.RelayedOffer(
            timestamp=self._rooms.timestamp(),
            call_id=room.call_id,
            user_id=session.who.user.id,
            from_=mine,
            sdp=frame.sdp,
        )
        self._rooms.say_to(room, mine, frame.to, relayed)
        return None

    def _answer(self, session: Session, frame: frames.Answer) -> Result:
        self._require_sdp(frame.sdp)
        room, mine = self._rooms.place_of(session)
        relayed = frames.RelayedAnswer(
            timestamp=self._rooms.timestamp(),
            call_id=room.call_id,
            user_id=session.who.user.id,
            from_=mine,
            sdp=frame.sdp,
        )
        self._rooms.say_to(room, mine, frame.to, relayed)
        return None

    def _candidate(self, session: Session, frame: frames.Candidate) -> Result:
        try:
            _candidates.decode(frame.candidates)
        except (msgspec.MsgspecError, RecursionError):
            raise BadRequest.of("candidates", N_("a list of RTCIceCandidateInit")) from None
        room, mine = self._rooms.place_of(session)
        relayed = frames.RelayedCandidate(
            timestamp=self._rooms.timestamp(),
            call_id=room.call_id,
            user_id=session.who.user.id,
            from_=mine,
            candidates=frame.candidates,
        )
        self._rooms.say_to(room, mine, frame.to, relayed)
        return None

    def _require_sdp(self, sdp: msgspec.Raw) -> None:
        raw = bytes(sdp)
        if raw[:1] != b'"':
            raise BadRequest.of("sdp", N_("a string"))
        # The escaped form is the longer one, so most are judged without being decoded.
        if len(raw) > self._max_sdp_bytes and len(msgspec.json.decode(raw).encode()) > self._max_sdp_bytes:
            raise TooLarge.of("sdp", N_("at most %(count)s bytes", count=self._max_sdp_bytes))
