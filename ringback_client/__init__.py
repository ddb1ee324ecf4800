"""Reference client of the Ringback calling server, for asyncio.

    from ringback_client import Client

    async with Client("https://calls.example") as client:
        await client.sign_in("alice", password)
        async with client.inbox() as inbox:
            incoming = await inbox.next_incoming()

Sound is in `ringback_client.media` (extra `media`), a check of a running server in `ringback_client.selftest`.
"""

from __future__ import annotations

from .api import Api
from .backoff import Backoff
from .call import CallRoom
from .client import Client
from .clock import Clock, SystemClock
from .close_codes import CLOSE_CODES, Action, CloseCode, lookup
from .dialogues import Dialogue, DialogueHistory, DialogueMessage, DialoguePage, DialogueRoom, Dialogues
from .ending import Ending
from .errors import (
    ApiError,
    Closed,
    FrameError,
    MediaMissing,
    Refused,
    RequestLost,
    RingbackError,
    SocketEnded,
    Unreachable,
)
from .model import (
    Call,
    ChatMessage,
    Consent,
    Contact,
    Contacts,
    IceServer,
    KeptRecording,
    Leg,
    LegQuality,
    Page,
    Participant,
    PathQuality,
    People,
    Person,
    Recording,
    Sending,
    Spread,
    Transcript,
    TranscriptLine,
    User,
)
from .session import Frame
from .tasks import Task, TaskEvent, TaskFeed, TaskList, TaskPage, Tasks, TaskWithEvents
from .user import Incoming, UserInbox
from .websocket import RingbackSocket, SocketState

__all__ = [
    "CLOSE_CODES",
    "Action",
    "Api",
    "ApiError",
    "Backoff",
    "Call",
    "CallRoom",
    "ChatMessage",
    "Client",
    "Clock",
    "CloseCode",
    "Closed",
    "Consent",
    "Contact",
    "Contacts",
    "Dialogue",
    "DialogueHistory",
    "DialogueMessage",
    "DialoguePage",
    "DialogueRoom",
    "Dialogues",
    "Ending",
    "Frame",
    "FrameError",
    "IceServer",
    "Incoming",
    "KeptRecording",
    "Leg",
    "LegQuality",
    "MediaMissing",
    "Page",
    "Participant",
    "PathQuality",
    "People",
    "Person",
    "Recording",
    "Refused",
    "RequestLost",
    "RingbackError",
    "RingbackSocket",
    "Sending",
    "SocketEnded",
    "SocketState",
    "Spread",
    "SystemClock",
    "Task",
    "TaskEvent",
    "TaskFeed",
    "TaskList",
    "TaskPage",
    "TaskWithEvents",
    "Tasks",
    "Transcript",
    "TranscriptLine",
    "Unreachable",
    "User",
    "UserInbox",
    "lookup",
]
