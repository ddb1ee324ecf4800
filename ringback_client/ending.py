"""How one connection ended, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .close_codes import Action, lookup
from .errors import Closed
from .session import Frame

Side = Literal["client", "server", "network"]

# RFC 6455, 7.4.1
NORMAL = 1000
GOING_AWAY = 1001  # from a client: for the moment, keep the session
ABNORMAL = 1006  # never on the wire: no close frame came


@dataclass(frozen=True, slots=True)
class Ending:
    """One connection's end.

    Attributes:
        code: the close code; 1006 when the connection went without one.
        name: its name in the registry.
        by: who ended it.
        reason: the reason of the close frame, or what happened to the connection.
        message: a sentence for people.
        action: what to do next.
        at_once: False where even the first attempt to come back has to wait a little.
        retry_after_s: the wait that the server asks for; 0 if it does not.
        announced: whether a `bye` came first; the server says one before each close of its own.
    """

    code: int
    name: str
    by: Side
    reason: str
    message: str
    action: Action
    at_once: bool = True
    retry_after_s: float = 0.0
    announced: bool = False

    @classmethod
    def of_close(cls, code: int, reason: str, by: Side, bye: Frame | None) -> Ending:
        """Read a close. The server's `bye`, where there was one, knows better than the registry built into a client."""
        said = bye or {}
        if code == ABNORMAL:  # the close frame was lost on the way; its announcement was not
            code = said.get("code", code)
        known = lookup(code)
        action = _action(said.get("action"), known.action)
        if action is Action.RESUME and said.get("session_kept") is False:
            action = Action.RECONNECT
        return cls(
            code=code,
            name=said.get("name", known.name),
            by=by,
            reason=reason,
            message=said.get("message", known.sentence),
            action=action,
            at_once=known.at_once,
            retry_after_s=(said.get("retry_after_ms") or 0) / 1000,
            announced=bye is not None,
        )

    @classmethod
    def of_failure(cls, reason: str, retry_after_s: float | None = None) -> Ending:
        """An attempt that did not come as far as a connection, for a cause that may pass."""
        known = lookup(ABNORMAL)
        return cls(
            ABNORMAL, known.name, "network", reason, known.sentence, known.action, retry_after_s=retry_after_s or 0.0
        )

    def closed(self) -> Closed:
        """The same as an exception."""
        return Closed(self.code, self.name, self.reason, self.message)


def _action(word: object, otherwise: Action) -> Action:
    """The action with that name; `otherwise` for one that only a newer server knows."""
    return next((action for action in Action if action == word), otherwise)
