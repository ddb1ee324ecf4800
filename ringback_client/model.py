"""What the server tells of people and calls, as typed values.

Fields that a newer server adds are ignored; that is how a client stays compatible. Times are aware datetimes in UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeVar

import msgspec

CallState = Literal["inviting", "ringing", "connecting", "active", "ended"]
MediaKind = Literal["audio", "video"]
HistoryFilter = Literal["all", "missed", "incoming", "outgoing"]
ContactList = Literal["contacts", "received", "sent", "blocked", "favourites"]
PathState = Literal["checking", "connected", "disconnected", "failed"]

T = TypeVar("T")


class User(msgspec.Struct, frozen=True):
    """A person, as everybody sees them."""

    id: str
    username: str
    display_name: str | None = None


class Person(msgspec.Struct, frozen=True):
    """A person in the list of people; `contact` and `presence` are as `state` and `presence` of a `Contact`."""

    id: str
    username: str
    display_name: str | None = None
    presence: str = "offline"
    contact: str = "none"
    favourite: bool = False
    blocked: bool = False


class Contact(msgspec.Struct, frozen=True):
    """What somebody is to one: `none`, `sent`, `received` or `contacts`, since when, and one's own marks. `presence` is
    online, away, in_call, do_not_disturb or offline."""

    user: User
    state: str
    favourite: bool = False
    blocked: bool = False
    presence: str = "offline"
    since: datetime | None = None


class Device(msgspec.Struct, frozen=True):
    """A sign-in of the person themselves. A `silenced` device does not ring; `current` is the one that asked."""

    id: str
    label: str
    created_at: datetime
    last_seen_at: datetime
    current: bool = False
    online: bool = False
    silenced: bool = False


class Leg(msgspec.Struct, frozen=True):
    """One person on one device in one call."""

    leg_id: str
    user: User
    state: str
    device: str | None = None
    reason: str | None = None
    call_waiting: bool = False
    invited_by: str | None = None
    ring_deadline: datetime | None = None
    joined_at: datetime | None = None
    left_at: datetime | None = None


class Consent(msgspec.Struct, frozen=True):
    """What one participant said to a recording; with both moments they agreed first and withdrew that later."""

    leg_id: str
    user: User
    agreed_at: datetime | None = None
    refused_at: datetime | None = None


class KeptRecording(msgspec.Struct, frozen=True):
    """What is kept of a recording."""

    size_bytes: int
    content_type: str
    duration_s: float
    created_at: datetime


class Recording(msgspec.Struct, frozen=True):
    """A recording of a call: `state` is "asked", "on", "paused", "declined" or "stopped". `kept` is set in lists."""

    recording_id: str
    leg_id: str
    by: User
    media: MediaKind
    state: str
    asked_at: datetime
    consents: tuple[Consent, ...] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    kept: KeptRecording | None = None


class Call(msgspec.Struct, frozen=True):
    """A call at one moment. `rev` grows with each change; of two, the one with the higher `rev` is the newer.

    `merged` is set in the answer to dialling when both dialled each other and this is the one call that came of it;
    the fields from `direction` on are set in a history: `unread` is missed and not yet seen, `outcome` and `details`
    are sentences for the person who is signed in. `host` is the leg that may end a call of more than two.
    """

    call_id: str
    state: CallState
    media: MediaKind
    rev: int
    created_at: datetime
    legs: tuple[Leg, ...]
    created_by: str | User | None = None
    ring_deadline: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    duration_s: float | None = None
    end_reason: str | None = None
    ended_by: str | None = None
    host: str | None = None
    alone_until: datetime | None = None
    recording: Recording | None = None
    merged: bool = False
    direction: Literal["outgoing", "incoming"] | None = None
    missed: bool = False
    unread: bool = False
    outcome: str = ""
    details: str = ""

    def leg(self, leg_id: str) -> Leg | None:
        """The leg with that id, if it is one of this call."""
        return next((leg for leg in self.legs if leg.leg_id == leg_id), None)

    def caller_of(self, user_id: str) -> User:
        """Who called that person: somebody in the call, where they were called into one that went on."""
        inviter = next((leg.invited_by for leg in self.legs if leg.user.id == user_id), None)
        return next((leg.user for leg in self.legs if leg.user.id == inviter), self.legs[0].user)

    def rank(self, leg_id: str) -> int:
        """The place of a leg in the call, the caller's is 0. Of two legs the one with the higher rank is polite.

        Raises ValueError for a leg of another call.
        """
        return [leg.leg_id for leg in self.legs].index(leg_id)


class Spread(msgspec.Struct, frozen=True):
    """One measure over the time of a path."""

    mean: float
    low: float
    high: float


class PathQuality(msgspec.Struct, frozen=True):
    """What one participant measured of the path to the leg `leg_id`; what nobody measured is None.

    `score` is from 1 to 4.5, `loss` and `audio_level` from 0 to 1, `kbit_…` in a second; `candidates` are the kinds of
    the own addresses that were used.
    """

    leg_id: str
    user: User
    since: datetime
    until: datetime
    reports: int
    score: Spread | None = None
    loss: Spread | None = None
    jitter_ms: Spread | None = None
    rtt_ms: Spread | None = None
    kbit_in: Spread | None = None
    kbit_out: Spread | None = None
    audio_level: Spread | None = None
    freezes: int = 0
    candidates: tuple[str, ...] = ()


class LegQuality(msgspec.Struct, frozen=True):
    """Everything that one participant measured."""

    leg_id: str
    user: User
    paths: tuple[PathQuality, ...] = ()


class Sending(msgspec.Struct, frozen=True):
    """What a participant sends now, and whether a hand is raised."""

    audio: bool = True
    video: bool = False
    screen: bool = False
    hand: bool = False


class Participant(msgspec.Struct, frozen=True):
    """A leg that is in the room now. `connection` is `connected`, or `reconnecting` while its socket is missed."""

    leg_id: str
    user: User
    rank: int = 0
    connection: str = "connected"
    media: Sending = Sending()
    paths: dict[str, str] = {}


class ChatMessage(msgspec.Struct, frozen=True):
    """One message of a call's chat."""

    message_id: str
    user: User
    text: str
    sent_at: datetime
    client_id: str | None = None  # the name that its writer has given it


class Chat(msgspec.Struct, frozen=True):
    """Some messages of a call, newest first. `next` goes into `before` for older ones."""

    items: list[ChatMessage]
    next: str | None = None


class TranscriptLine(msgspec.Struct, frozen=True):
    """What one participant said in one breath."""

    line_id: str
    leg_id: str
    user: User
    text: str
    said_at: datetime
    segment: str = ""  # its name among the captions of that participant


class Transcript(msgspec.Struct, frozen=True):
    """A page of what was said in a call, in the order of the talk; `next` leads to what was said before."""

    items: tuple[TranscriptLine, ...]
    next: str | None


class IceServer(msgspec.Struct, frozen=True):
    """A STUN or TURN server (the shape of RTCIceServer). The credential lives minutes and stays out of every repr."""

    urls: str | tuple[str, ...]
    username: str | None = None
    credential: str | None = None

    def __repr__(self) -> str:
        return f"IceServer(urls={self.urls!r})"


class Voicemail(msgspec.Struct, frozen=True):
    """A message that somebody left after a call that was not taken.

    `sender` is whoever left it (`from` on the wire). `waveform` is how loud it is, from 0 to 100, in equal steps.
    """

    voicemail_id: str
    call_id: str
    sender: User = msgspec.field(name="from")
    duration_s: float = msgspec.field()
    size_bytes: int = msgspec.field()
    content_type: str = msgspec.field()
    created_at: datetime = msgspec.field()
    waveform: tuple[int, ...] = ()
    heard_at: datetime | None = None


class Voicemails(msgspec.Struct, frozen=True):
    """One page of the person's messages, the cursor of the next (None on the last), and how many were not heard."""

    items: tuple[Voicemail, ...]
    next: str | None = None
    unheard: int = 0


class Page(msgspec.Struct, frozen=True):
    """One page of a list of calls, and the cursor of the next (`before=`); None on the last. `unread` counts the missed
    calls of the whole history that were not yet seen."""

    items: tuple[Call, ...]
    next: str | None = None
    unread: int = 0


class People(msgspec.Struct, frozen=True):
    """One page of the list of people, and the cursor of the next; None on the last."""

    items: tuple[Person, ...]
    next: str | None = None


class Contacts(msgspec.Struct, frozen=True):
    """One page of a list of contacts, and the cursor of the next; None on the last."""

    items: tuple[Contact, ...]
    next: str | None = None


def newer(known: Call | None, told: Call) -> Call:
    """Of what is known of a call and what is told, the newer: a snapshot whose `rev` was passed is ignored."""
    return told if known is None or told.rev >= known.rev else known
