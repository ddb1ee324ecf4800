"""A connection: one socket as the domain may see it. It says ``bye`` before it closes, and nothing afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Protocol

from server.close_codes import REGISTRY, CloseCode
from server.languages.sentences import Translate, said
from server.realtime.frames import Bye, encode
from server.realtime.framing import truncate_reason

if TYPE_CHECKING:
    from server.realtime.session import Session


class Transport(Protocol):
    """What a connection needs of the socket below it; the frame layer offers it, a unit test's is a list.

    ``last_received`` and ``blocked_since`` are seconds of the loop's monotonic clock.
    """

    last_received: float
    frames_sent: int
    bytes_received: int
    bytes_sent: int
    dropped_after_close: int
    initiator: Literal["client", "server", "network"] | None
    code_received: int | None
    reason_received: str
    clean: bool

    @property
    def blocked_since(self) -> float | None: ...

    @property
    def frames_received(self) -> int: ...

    @property
    def buffered_bytes(self) -> int: ...

    def send_text(self, data: bytes, /) -> None: ...

    def ping(self, data: bytes = b"", /) -> None: ...

    def close(self, code: int | None = None, reason: str | None = None, /) -> None: ...

    def abort(self) -> None: ...

    def is_closing(self) -> bool: ...


class Connection:
    """One socket: sends, closes with an explanation, and knows what its record needs.

    ``timestamp`` gives the current time as it is written into frames; ``now_s`` the monotonic clock in seconds.
    ``translate`` says sentences in the language of whoever is at the other end.
    """

    __slots__ = (
        "_now_s",
        "close_code",
        "close_reason",
        "due_tick",
        "interval_s",
        "kind",
        "last_error",
        "last_ping_s",
        "last_sent_s",
        "opened_at_s",
        "remote",
        "resource",
        "rtt_ms",
        "session",
        "timestamp",
        "translate",
        "transport",
    )

    def __init__(
        self,
        transport: Transport,
        kind: str,
        resource: str,
        interval_s: float,
        timestamp: Callable[[], str],
        now_s: Callable[[], float],
        remote: str = "",
        translate: Translate = str,
    ) -> None:
        self.transport = transport
        self.kind = kind
        self.resource = resource
        self.interval_s = interval_s
        self.remote = remote
        self.translate = translate
        self.timestamp = timestamp
        self._now_s = now_s
        self.session: Session | None = None
        self.opened_at_s = self.last_sent_s = self.last_ping_s = now_s()
        self.close_code: CloseCode | None = None  # set once, when the server begins to close
        self.close_reason = ""
        self.last_error = ""  # code of the last error answered here
        self.rtt_ms: float | None = None
        self.due_tick = -1  # where the heartbeat keeps it

    @property
    def closing(self) -> bool:
        """Whether a close has begun, from either side: nothing more is sent."""
        return self.close_code is not None or self.transport.is_closing()

    @property
    def buffered_bytes(self) -> int:
        """Bytes that wait because the client does not read."""
        return self.transport.buffered_bytes

    def send(self, data: bytes) -> None:
        """Sends one encoded frame; after a close was begun it is dropped and counted by the frame layer."""
        self.last_sent_s = self._now_s()
        self.transport.send_text(data)

    def close(
        self,
        code: CloseCode,
        reason: str = "",
        *,
        retry_after_ms: int | None = None,
        resumable: bool = False,
    ) -> bool:
        """Says ``bye`` and begins the closing handshake; false if a close has begun before.

        ``reason`` is whole and in the person's language in ``bye``; in the close frame, which no person sees, it is
        English and cut to 123 bytes. ``resumable``: this socket came to resume a session that still waits, and the
        client may try that again.
        """
        if self.closing:
            return False
        rule = REGISTRY[code]
        message = reason or rule.message
        waits = resumable and rule.action != "stop"
        bye = Bye(
            timestamp=self.timestamp(),
            code=int(code),
            name=code.name.lower(),
            message=said(message, self.translate),
            action="resume" if waits else rule.action,
            retry_after_ms=rule.retry_after_ms if retry_after_ms is None else retry_after_ms,
            session_kept=waits or (rule.session_kept and self.session is not None),
        )
        self.transport.send_text(encode(bye))
        self.close_code = code
        self.close_reason = str(message)
        self.transport.close(int(code), truncate_reason(self.close_reason))
        return True

    def cut(self, code: CloseCode) -> None:
        """Ends a connection to a peer that reads nothing: a close frame could not be delivered to it."""
        if self.close_code is None:
            self.close_code = code
            self.close_reason = REGISTRY[code].message
        self.transport.abort()
