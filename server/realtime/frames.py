"""Every frame that crosses a socket, in one registry: what a client may send, and what the server says.

A frame is one JSON object with a ``type``. Frames from a client are decoded straight into the types below, so that a
handler never meets a wrong field; frames to a client are built from them, and the envelope (``seq``) is added by the
session that sends them. ``docs/protocol.md`` describes each; a test compares the two.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from server.errors import BadRequest, UnknownType
from server.languages.sentences import N_
from server.wire import bad_request

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
"""An id as it crosses the wire: call, leg, user and connection ids, and the ids that clients give to their frames."""

PresenceState = Literal["online", "away", "in_call", "do_not_disturb", "offline"]
"""What others see of a person."""

Milliseconds = Annotated[float, msgspec.Meta(ge=0, le=600_000)]
Kbit = Annotated[float, msgspec.Meta(ge=0, le=10_000_000)]
"""In a second."""

RecordingState = Literal["asked", "on", "paused", "declined", "stopped"]
"""How far a recording of a call is: it waits for somebody's consent (before it began, or since somebody came), goes on,
was not agreed to, or is over."""

Connectivity = Literal["checking", "connected", "disconnected", "failed"]


class UserRef(msgspec.Struct, frozen=True):
    """A person as everybody may see them."""

    id: str
    username: str
    display_name: str


# ── from a client ────────────────────────────────────────────────────────────────────────────────────────────────────


class FromClient(msgspec.Struct, forbid_unknown_fields=True, tag_field="type", kw_only=True):
    """A frame from a client; one with an ``id`` gets exactly one ``ack`` or ``error``."""

    id: Id | None = None


class Auth(FromClient, tag="auth"):
    """The first frame of a client that brought no credentials in the request."""

    token: Annotated[str, msgspec.Meta(max_length=4096)]
    resume: Id | None = None
    last_seq: Annotated[int, msgspec.Meta(ge=0)] = 0


class PingFromClient(FromClient, tag="ping"):
    """Is the server there? It answers ``pong``."""


class PongFromClient(FromClient, tag="pong"):
    """The answer to the server's ``ping``."""


class Ringing(FromClient, tag="ringing"):
    """This device shows the call."""

    call_id: Id


class AnswerCall(FromClient, tag="answer"):
    """This device takes the call."""

    call_id: Id


class Decline(FromClient, tag="decline"):
    """The person does not take the call, on no device."""

    call_id: Id


class Ignore(FromClient, tag="ignore"):
    """This device stops ringing, the others go on."""

    call_id: Id


class Watch(FromClient, tag="watch"):
    """Whose presence this device shows; each ``watch`` replaces the one before."""

    user_ids: Annotated[list[Id], msgspec.Meta(max_length=200)]


class PresenceFromClient(FromClient, tag="presence"):
    """Whether this person wants to be disturbed (``online``, ``do_not_disturb``), or whether somebody uses this device
    (``active``) or not (``away``); the other states are facts that nobody can set."""

    state: Literal["online", "do_not_disturb", "away", "active"]


class Offer(FromClient, tag="offer"):
    """An SDP offer for one leg, passed on byte for byte."""

    to: Id
    sdp: msgspec.Raw


class Answer(FromClient, tag="answer"):
    """An SDP answer for one leg, passed on byte for byte."""

    to: Id
    sdp: msgspec.Raw


class Candidate(FromClient, tag="candidate"):
    """ICE candidates for one leg, passed on byte for byte."""

    to: Id
    candidates: msgspec.Raw


class Media(FromClient, tag="media"):
    """What this participant sends now."""

    audio: bool
    video: bool
    screen: bool
    hand: bool


class ChatFromClient(FromClient, tag="chat"):
    """A written message to everybody in the call."""

    text: Annotated[str, msgspec.Meta(min_length=1)]
    client_id: Id | None = None


class Stats(FromClient, tag="stats"):
    """What this participant sees of the media path to another leg."""

    leg_id: Id
    connection: Connectivity


class PathQuality(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one participant has measured of one path within about ten seconds; ``None`` is what nothing came to tell.

    ``score`` is a mean opinion score (``docs/quality.md``), ``loss`` the part of the packets from there that got lost,
    ``rtt_ms`` a round trip, ``kbit_in`` and ``kbit_out`` kbit/s, ``candidate`` the kind of one's own address
    (RFC 8445), ``freezes`` how often the picture stood still, ``audio_level`` how loud they were, from 0 to 1.
    """

    score: Annotated[float, msgspec.Meta(ge=1, le=4.5)] | None = None
    loss: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    jitter_ms: Milliseconds | None = None
    rtt_ms: Milliseconds | None = None
    kbit_in: Kbit | None = None
    kbit_out: Kbit | None = None
    candidate: Literal["host", "srflx", "prflx", "relay"] | None = None
    freezes: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    audio_level: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None


class Quality(FromClient, tag="quality"):
    """What this participant has measured of the paths to the others, by leg id."""

    legs: Annotated[dict[Id, PathQuality], msgspec.Meta(min_length=1, max_length=50)]


class Invite(FromClient, tag="invite"):
    """This participant calls others into the call."""

    usernames: Annotated[list[Annotated[str, msgspec.Meta(max_length=64)]], msgspec.Meta(min_length=1, max_length=50)]


class MuteRequest(FromClient, tag="mute_request"):
    """The host asks a participant to mute their microphone."""

    to: Id


class Remove(FromClient, tag="remove"):
    """The host sends a participant out of the call, or takes an invitation back."""

    leg_id: Id


class RecordingFromClient(FromClient, tag="recording"):
    """This participant asks the others whether the call may be recorded in this browser, or ends such a recording."""

    action: Literal["ask", "stop"]
    media: Literal["audio", "video"] = "audio"
    reason: Literal["stopped", "interrupted", "full"] = "stopped"


class ConsentFromClient(FromClient, tag="consent"):
    """Whether this participant agrees to be recorded; they may change their mind at any time."""

    recording_id: Id
    agree: bool


class Caption(FromClient, tag="caption"):
    """What this participant is saying, or has said: a ``segment`` grows until it is ``final``."""

    segment: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    text: Annotated[str, msgspec.Meta(max_length=1_000)]
    final: bool


class Leave(FromClient, tag="leave"):
    """This participant leaves; a call of two ends with that."""

    reason: Literal["hangup", "media_denied", "ice_failed"] = "hangup"


class HangUp(FromClient, tag="hangup"):
    """The call ends for everybody; where more than two talk the host alone can say it."""

    reason: Literal["hangup", "media_denied", "ice_failed"] = "hangup"


class Ask(FromClient, tag="message"):
    """A message to the assistant; the same ``client_id`` again is the same message."""

    text: Annotated[str, msgspec.Meta(min_length=1)]
    client_id: Id | None = None


class CancelReply(FromClient, tag="cancel"):
    """The reply that is being given, or that one, is not wanted any more."""

    message_id: Id | None = None


class AskAgain(FromClient, tag="ask_again"):
    """The reply to a message is wanted once more; ``message_id`` is the message's or an earlier reply's."""

    message_id: Id


# ── to a client ──────────────────────────────────────────────────────────────────────────────────────────────────────


class ToClient(msgspec.Struct, tag_field="type", kw_only=True, omit_defaults=True):
    """A frame to a client. ``timestamp`` is when it was made."""

    timestamp: str


class Connected(ToClient, tag="connected"):
    """The first frame after success: everything that a client needs to draw itself."""

    connection_id: str
    epoch: str
    user: UserRef
    heartbeat: dict[str, float]
    resume: dict[str, float]
    limits: dict[str, float]
    snapshot: Any


class Resumed(ToClient, tag="resumed"):
    """Ends the replay of what was missed; with ``complete`` false the client starts from the snapshot."""

    from_: int = msgspec.field(name="from")
    to: int
    complete: bool = msgspec.field()


class Ping(ToClient, tag="ping"):
    """Said when there is nothing else to say, so that a page notices a dead server."""


class Pong(ToClient, tag="pong"):
    """The answer to a client's ``ping``."""


class Ack(ToClient, tag="ack"):
    """The frame with that ``id`` was acted on; ``result`` is merged into the frame."""

    id: str


class Error(ToClient, tag="error"):
    """The frame with that ``id`` (or one without) was refused; the connection stays."""

    code: str
    message: str
    retryable: bool = msgspec.field()
    id: str | None = None
    errors: dict[str, str] = msgspec.field(default_factory=dict)


class Bye(ToClient, tag="bye"):
    """Announces that the server closes, why, and what to do."""

    code: int
    name: str
    message: str
    action: Literal["resume", "reconnect", "stop"]
    retry_after_ms: int = msgspec.field()
    session_kept: bool = msgspec.field()


class Incoming(ToClient, tag="incoming"):
    """A call rings for this person."""

    call_id: str
    user_id: str
    call: Any
    expires_in_ms: int


class IncomingStopped(ToClient, tag="incoming_stopped"):
    """The call no longer rings for this device."""

    call_id: str
    reason: Literal["answered_elsewhere", "declined_elsewhere", "held_back", "cancelled", "no_answer", "silenced"]
    user_id: str | None = None


class CallChanged(ToClient, tag="call"):
    """A new snapshot of a call; ``user_id`` is whoever caused it, if it was somebody."""

    call_id: str
    call: Any
    user_id: str | None = None


class Presence(ToClient, tag="presence"):
    """Somebody whom this device watches came or went."""

    user_id: str
    state: PresenceState


class Contact(ToClient, tag="contact"):
    """Something has changed between this person and ``user_id``: a request, a contact, a favourite, a block."""

    user_id: str
    contact: Any


class VoicemailLeft(ToClient, tag="voicemail"):
    """Somebody left a message for this person."""

    voicemail: Any


class Unread(ToClient, tag="unread"):
    """How much waits for this person; what is absent has not changed."""

    missed: int | msgspec.UnsetType = msgspec.UNSET
    """Calls that were missed and not yet seen."""
    voicemail: int | msgspec.UnsetType = msgspec.UNSET
    """Messages that were not yet heard."""


class Join(ToClient, tag="join"):
    """A participant is in the room, with a fresh connection: whoever knew the leg starts anew with it."""

    call_id: str
    user_id: str
    participant: Any


class Participant(ToClient, tag="participant"):
    """What a participant sends, whom they see, or whether their socket hangs, has changed."""

    call_id: str
    user_id: str
    leg_id: str
    connection: Literal["connected", "reconnecting"]
    media: Any
    paths: Any


class MuteRequested(ToClient, tag="mute_request"):
    """The host asks this participant to mute; whether they do is theirs to decide."""

    call_id: str
    user_id: str
    from_: str = msgspec.field(name="from")


class LeaveNotice(ToClient, tag="leave"):
    """A participant is no longer in the room."""

    call_id: str
    user_id: str
    leg_id: str
    reason: str


class Ended(ToClient, tag="ended"):
    """The call is over; the last frame of a room but ``bye``."""

    call_id: str
    call: Any
    user_id: str | None = None


class RelayedOffer(ToClient, tag="offer"):
    """An offer from another leg."""

    call_id: str
    user_id: str
    from_: str = msgspec.field(name="from")
    sdp: msgspec.Raw


class RelayedAnswer(ToClient, tag="answer"):
    """An answer from another leg."""

    call_id: str
    user_id: str
    from_: str = msgspec.field(name="from")
    sdp: msgspec.Raw


class RelayedCandidate(ToClient, tag="candidate"):
    """Candidates from another leg."""

    call_id: str
    user_id: str
    from_: str = msgspec.field(name="from")
    candidates: msgspec.Raw


class Chat(ToClient, tag="chat"):
    """A written message in the call, to everybody in it, the writer too."""

    call_id: str
    user_id: str
    message_id: str
    user: UserRef
    text: str
    sent_at: str
    client_id: str | None


class CaptionNotice(ToClient, tag="caption"):
    """What a participant is saying, or has said; whoever says it gets it, too."""

    call_id: str
    user_id: str
    leg_id: str
    segment: str
    text: str
    final: bool


class QualityNotice(ToClient, tag="quality"):
    """What another participant has measured of their paths, also of the one to me."""

    call_id: str
    user_id: str
    leg_id: str
    legs: dict[str, PathQuality]


class RecordingNotice(ToClient, tag="recording"):
    """Where a recording of the call stands; the call has all of it."""

    call_id: str
    recording_id: str
    state: RecordingState
    by: UserRef
    consents: Any
    reason: str | None = None


class DialogueMessage(ToClient, tag="message"):
    """A message of the dialogue is stored, or the reply to one begins."""

    session_id: str
    message: Any


class ReplyDelta(ToClient, tag="reply_delta"):
    """A reply has grown by ``text``, which is stored: its ``part``-th part, counted from 1."""

    session_id: str
    message_id: str
    part: int
    text: str


class Reply(ToClient, tag="reply"):
    """A reply is whole, with its sources."""

    session_id: str
    message: Any


class ReplyFailed(ToClient, tag="reply_failed"):
    """A reply will not be whole: interrupted, cancelled or failed, which its ``state`` says."""

    session_id: str
    message: Any


TaskState = Literal["queued", "running", "waiting_review", "completed", "failed", "cancelled"]
"""How far a task is; the last three are final."""


class TaskEventFrame(ToClient):
    """What every event of a task says: its number in the task, and how the task stands since.

    ``message`` is a whole English sentence; ``code`` with ``values`` says the same to programs. ``user_id`` is the
    person who brought it about, if somebody did.
    """

    task_id: str
    number: int
    state: TaskState
    progress: float
    stage: str | None
    message: str | None
    code: str | None
    values: dict[str, Any]
    data: dict[str, Any] | None
    user_id: str | None


class TaskQueued(TaskEventFrame, tag="queued"):
    """The task waits for somebody who works on it: since it was made, or again."""


class TaskStarted(TaskEventFrame, tag="started"):
    """Somebody works on the task."""


class TaskProgress(TaskEventFrame, tag="progress"):
    """The task has come further."""


class TaskRetrying(TaskEventFrame, tag="retrying"):
    """A step of the task failed for a passing reason, and is tried again."""


class TaskStalled(TaskEventFrame, tag="stalled"):
    """Nothing was heard of the task for too long."""


class ReviewRequested(TaskEventFrame, tag="review_requested"):
    """The task waits for a person's decision."""


class TaskReviewed(TaskEventFrame, tag="reviewed"):
    """Somebody has decided: the task goes on."""


class CancelRequested(TaskEventFrame, tag="cancel_requested"):
    """Somebody wants the task to stop."""


class TaskCompleted(TaskEventFrame, tag="completed"):
    """The task is done; the last of its events."""


class TaskFailed(TaskEventFrame, tag="failed"):
    """The task could not be done; the last of its events."""


class TaskCancelled(TaskEventFrame, tag="cancelled"):
    """The task was stopped; the last of its events."""


TASK_EVENTS: dict[str, type[TaskEventFrame]] = {
    str(kind.__struct_config__.tag): kind
    for kind in (
        TaskQueued,
        TaskStarted,
        TaskProgress,
        TaskRetrying,
        TaskStalled,
        ReviewRequested,
        TaskReviewed,
        CancelRequested,
        TaskCompleted,
        TaskFailed,
        TaskCancelled,
    )
}
"""The frame of each type of event."""


class CurrentStatus(ToClient, tag="current_status"):
    """How a task stands for whoever has just connected: what follows is its history, if it was asked for, and news."""

    task_id: str
    task: Any


class TaskChanged(ToClient, tag="task"):
    """A task of this person stands differently."""

    task_id: str
    task: Any


UNNUMBERED = frozenset({"connected", "resumed", "ping", "pong", "ack", "error", "bye"})
"""Frames that carry no ``seq``: they belong to one socket and are not replayed."""

EVERYWHERE: tuple[type[FromClient], ...] = (PingFromClient, PongFromClient)
"""What a client may send on any socket once it is in."""

_encoder = msgspec.json.Encoder()


def encode(frame: ToClient) -> bytes:
    """``frame`` as JSON, without ``seq``; the ``result`` of an ack is added by :func:`ack`."""
    return _encoder.encode(frame)


def numbered(seq: int, body: bytes) -> bytes:
    """``body`` (an encoded frame) with ``seq`` in front: a room's frame is encoded once for everybody in it."""
    return b'{"seq":%d,' % seq + body[1:]


def ack(frame_id: str, timestamp: str, result: dict[str, Any] | None = None) -> bytes:
    """The encoded ``ack`` for the frame ``frame_id``, with the fields of ``result`` in it."""
    body = _encoder.encode(Ack(id=frame_id, timestamp=timestamp))
    return body[:-1] + b"," + _encoder.encode(result)[1:] if result else body


class FrameReader:
    """Decodes what a client sends on one kind of socket.

    ``types`` are the frames allowed there beside those allowed everywhere.
    """

    def __init__(self, *types: type[FromClient]) -> None:
        allowed = types + tuple(each for each in EVERYWHERE if each not in types)
        self.types: dict[str, type[FromClient]] = {str(each.__struct_config__.tag): each for each in allowed}
        self._decoder: msgspec.json.Decoder[FromClient] = msgspec.json.Decoder(_union(allowed))

    def read(self, data: bytes) -> FromClient:
        """The frame in ``data``; raises :class:`BadRequest` or :class:`UnknownType`, which name what is wrong."""
        try:
            return self._decoder.decode(data)
        except msgspec.ValidationError as error:
            if "- at `$.type`" in str(error) and "Invalid value" in str(error):
                types = N_("type: one of %(choices)s", choices=", ".join(sorted(self.types)))
                raise UnknownType(types, fields={"type": N_("unknown")}) from None
            raise bad_request(error) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise BadRequest("The frame is not JSON") from None


def _union(types: tuple[type[FromClient], ...]) -> Any:
    union: Any = types[0]
    for each in types[1:]:
        union = union | each
    return union


class _OnlyId(msgspec.Struct):
    id: Id | None = None


_id_decoder = msgspec.json.Decoder(_OnlyId)


def id_of(data: bytes) -> str | None:
    """The ``id`` of a frame that could not be read otherwise, so that its sender learns which one was refused."""
    try:
        return _id_decoder.decode(data).id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
