"""The one bus between whoever has news and whoever must hear it.

Rooms, ringing, takeover and sign-out publish to topics and never ask which process a socket hangs on. ``LocalBus`` is
that for one process; a bus for many has the same three methods and its messages are structs for that reason.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

import msgspec

from server.calls.chat import ChatMessage
from server.calls.model import Call
from server.calls.quiet_hours import QuietHours
from server.tasks.model import Task, TaskEvent

log = logging.getLogger("bus")  # the plain one, because the pure rules above import this file for its messages


class ToDevices(msgspec.Struct, frozen=True, tag=True):
    """An encoded frame for a person's devices: all, only the one that acted, or all but that one.

    ``only`` and ``skip`` are a ``connection_id`` (a frame's sender) or a ``sign_in_id`` (an HTTP request's). What
    ``rings`` is kept from the devices that the person has silenced.
    """

    user_id: str
    body: bytes
    only: str | None = None
    skip: str | None = None
    coalesce_key: str | None = None
    rings: bool = False


class ToLeg(msgspec.Struct, frozen=True, tag=True):
    """An encoded frame for one leg in a room."""

    call_id: str
    leg_id: str
    body: bytes


class ToRoom(msgspec.Struct, frozen=True, tag=True):
    """An encoded frame for everybody in a room but ``skip_leg_id``."""

    call_id: str
    body: bytes
    skip_leg_id: str | None = None


class LegTaken(msgspec.Struct, frozen=True, tag=True):
    """A participant has entered a room with ``session_id``: any other session of that leg is replaced."""

    call_id: str
    leg_id: str
    session_id: str


class CallNews(msgspec.Struct, frozen=True, tag=True):
    """A call as it was just stored, for the rooms that show it; ``by`` is the user id of whoever caused it."""

    call: Call
    by: str | None = None


class ChatWritten(msgspec.Struct, frozen=True, tag=True):
    """Somebody has written something in a call, and it is stored."""

    message: ChatMessage


class TaskNews(msgspec.Struct, frozen=True, tag=True):
    """Something has happened to a task, and is stored; ``task`` is how it stands since then, or later."""

    task: Task
    event: TaskEvent


class ToDialogue(msgspec.Struct, frozen=True, tag=True):
    """An encoded frame for everybody who has that dialogue open."""

    session_id: str
    body: bytes


class DialogueDeleted(msgspec.Struct, frozen=True, tag=True):
    """A dialogue was deleted by its owner: its sockets close."""

    session_id: str


class SignInsEnded(msgspec.Struct, frozen=True, tag=True):
    """Sign-ins that are no longer valid: their sockets close and whatever was remembered of them is forgotten."""

    sign_in_ids: tuple[str, ...]


class DeviceChanged(msgspec.Struct, frozen=True, tag=True):
    """A person has given a device (a sign-in) this label, has silenced it, or lets it ring again."""

    sign_in_id: str
    label: str
    silenced: bool


class PresenceNews(msgspec.Struct, frozen=True, tag=True):
    """A person has come, gone, or wants (not) to be disturbed; ``do_not_disturb`` of ``None``: that has not changed,
    nor have their ``quiet_hours``."""

    user_id: str
    do_not_disturb: bool | None = None
    quiet_hours: QuietHours | None = None


Message = (
    ToDevices
    | ToLeg
    | ToRoom
    | LegTaken
    | CallNews
    | ChatWritten
    | TaskNews
    | ToDialogue
    | DialogueDeleted
    | SignInsEnded
    | DeviceChanged
    | PresenceNews
)
Listener = Callable[[Message], None]

SIGN_INS = "sign-ins"
PRESENCE = "presence"


def user_topic(user_id: str) -> str:
    """Where the devices of one person listen."""
    return f"user:{user_id}"


def call_topic(call_id: str) -> str:
    """Where the rooms of one call listen."""
    return f"call:{call_id}"


def task_topic(task_id: str) -> str:
    """Where those listen who follow one task."""
    return f"task:{task_id}"


def tasks_topic(user_id: str) -> str:
    """Where those listen who follow all tasks of one person."""
    return f"tasks:{user_id}"


def dialogue_topic(session_id: str) -> str:
    """Where the sockets of one dialogue listen."""
    return f"dialogue:{session_id}"


class Bus(Protocol):
    """Topics with listeners; a message reaches the listeners of every process, this one included."""

    def publish(self, topic: str, message: Message) -> int:
        """Tells everybody who listens to ``topic``; returns how many listeners of this process heard it."""
        ...

    def subscribe(self, topic: str, listener: Listener) -> None:
        """Lets ``listener`` hear ``topic`` until :meth:`unsubscribe`; it runs in the event loop and must not block."""
        ...

    def unsubscribe(self, topic: str, listener: Listener) -> None:
        """Ends a subscription; one that does not exist is no error."""
        ...


class LocalBus:
    """A bus within one process: publishing is a function call."""

    def __init__(self) -> None:
        self._listeners: dict[str, tuple[Listener, ...]] = {}

    def publish(self, topic: str, message: Message) -> int:
        """See :meth:`Bus.publish`."""
        listeners = self._listeners.get(topic, ())
        for listener in listeners:
            try:
                listener(message)
            except Exception:  # one who fails keeps nobody else from hearing
                log.exception("listener_failed: %s on %s", type(message).__name__, topic.partition(":")[0])
        return len(listeners)

    def subscribe(self, topic: str, listener: Listener) -> None:
        """See :meth:`Bus.subscribe`."""
        self._listeners[topic] = (*self._listeners.get(topic, ()), listener)

    def unsubscribe(self, topic: str, listener: Listener) -> None:
        """See :meth:`Bus.unsubscribe`."""
        left = tuple(each for each in self._listeners.get(topic, ()) if each != listener)
        if left:
            self._listeners[topic] = left
        else:
            self._listeners.pop(topic, None)

    def __len__(self) -> int:
        return len(self._listeners)
