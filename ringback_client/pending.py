"""The frames that wait for their answer, across connections."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from .errors import FrameError, RequestLost
from .session import Frame

# The server remembers the id of a frame for 120 s. After that a repetition would be done a second time.
REPEATABLE_S = 120.0


@dataclass(slots=True)
class Request:
    """A frame with an id, which is answered by one `ack` or `error`.

    Attributes:
        id: ours, and unlike that of any other frame.
        frame_type: its type, for messages.
        asked_at: when it was made, on the socket's clock.
        text: the frame as it is sent, the same bytes each time.
        answer: done with the `ack`, or failed.
        sent: whether the server may have it.
    """

    id: str
    frame_type: str
    asked_at: float
    text: str = field(repr=False)
    answer: asyncio.Future[Frame] = field(repr=False)
    sent: bool = False

    def fail(self, error: Exception) -> None:
        """Answer with an error, unless it is answered already."""
        if not self.answer.done():
            self.answer.set_exception(error)


class Pending:
    """All unanswered requests of one socket, in the order they were made."""

    def __init__(self) -> None:
        self._requests: dict[str, Request] = {}
        self._ids = (f"{secrets.token_hex(4)}-{n}" for n in itertools.count(1))

    def add(self, frame: Frame, now: float) -> Request:
        """Give a frame its id and wait for its answer from now on."""
        request_id = next(self._ids)
        text = msgspec.json.encode({**frame, "id": request_id}).decode()
        request = Request(request_id, frame["type"], now, text, asyncio.get_running_loop().create_future())
        self._requests[request_id] = request
        return request

    def drop(self, request: Request) -> None:
        """Nobody waits for this answer any more."""
        self._requests.pop(request.id, None)

    def ack(self, frame: Frame) -> None:
        """Take an `ack`. A second one for the same request, after a resume, finds nobody waiting."""
        request = self._requests.get(frame["id"])
        if request is not None and not request.answer.done():
            request.answer.set_result(frame)

    def error(self, frame: Frame) -> None:
        """Take an `error` that names a request."""
        request = self._requests.get(frame["id"])
        if request is not None:
            code, message, retryable = frame["code"], frame["message"], frame.get("retryable", False)
            request.fail(FrameError(request.frame_type, code, message, retryable=retryable, errors=frame.get("errors")))

    def to_send(self, now: float, *, session_kept: bool) -> Iterator[Request]:
        """What to send on a new connection, oldest first.

        What was never sent is sent. What was sent is repeated if the server still knows its id; else it fails with
        RequestLost, since to repeat it could do it twice.
        """
        for request in list(self._requests.values()):
            if request.sent and not (session_kept and now - request.asked_at < REPEATABLE_S):
                request.fail(RequestLost(f"the session ended before the answer to {request.frame_type} came"))
            elif not request.answer.done():
                yield request

    def fail_all(self, error: Exception) -> None:
        """The socket is over."""
        for request in self._requests.values():
            request.fail(error)
