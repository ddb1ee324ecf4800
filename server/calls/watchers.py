"""Who watches whom: which device shows whose presence, what it was told, and who is hidden from whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from server.clock import Clock
from server.realtime.frames import Presence as PresenceFrame
from server.realtime.frames import PresenceState, encode
from server.realtime.session import Session
from server.wire import rfc3339


class Watchers:
    """Tells devices of the people they show; ``state_of`` says how somebody is now.

    A person's state is worked out once for all who watch them, and a frame is encoded once.
    """

    def __init__(self, clock: Clock, state_of: Callable[[str], PresenceState]) -> None:
        self._clock = clock
        self._state_of = state_of
        self._of: dict[str, set[Session]] = {}  # user id → sessions that watch them
        self._watched: dict[str, tuple[str, ...]] = {}  # session id → user ids
        self._said: dict[str, PresenceState] = {}  # user id → what those were told last from whom nothing is hidden
        self._hidden: dict[str, set[str]] = {}  # user id → ids of those they are hidden from; only of the watched

    def __contains__(self, user_id: str) -> bool:
        return user_id in self._of

    def watch(self, session: Session, user_ids: Iterable[str], hidden: Iterable[str] = ()) -> None:
        """From now on ``session`` hears of these people, and of no others; to it the ``hidden`` ones are offline."""
        self.unwatch(session)
        viewer_id, hidden = session.who.user.id, set(hidden)
        watched = self._watched[session.id] = tuple(dict.fromkeys(user_ids))
        for user_id in watched:
            self._of.setdefault(user_id, set()).add(session)
            self._said.setdefault(user_id, self._state_of(user_id))
            (self._hide if user_id in hidden else self._show)(user_id, viewer_id)

    def unwatch(self, session: Session) -> None:
        """``session`` hears of nobody any more."""
        for user_id in self._watched.pop(session.id, ()):
            watchers = self._of.get(user_id)
            if watchers is not None:
                watchers.discard(session)
                if not watchers:
                    del self._of[user_id]
                    self._said.pop(user_id, None)
                    self._hidden.pop(user_id, None)

    def hide(self, user_id: str, viewer_id: str) -> None:
        """From now on ``user_id`` is offline to ``viewer_id``, who is told of it once, however often it is said."""
        if user_id in self._of and not self._is_hidden(user_id, viewer_id):
            self._hide(user_id, viewer_id)
            self._tell_one(user_id, viewer_id, "offline")

    def show(self, user_id: str, viewer_id: str) -> None:
        """From now on ``viewer_id`` sees how ``user_id`` is; where they do already, nobody is told anything."""
        if user_id in self._of and self._is_hidden(user_id, viewer_id):
            self._show(user_id, viewer_id)
            self._tell_one(user_id, viewer_id, self._said[user_id])

    def tell(self, user_id: str) -> None:
        """Tells those who watch that person, if what they see has changed."""
        watchers = self._of.get(user_id)
        if not watchers:
            return
        state = self._state_of(user_id)
        if self._said.get(user_id) == state:
            return
        self._said[user_id] = state
        body = self._frame(user_id, state)
        hidden_from = self._hidden.get(user_id, ())
        for session in list(watchers):
            if session.who.user.id not in hidden_from:
                session.deliver(body, coalesce_key=f"presence:{user_id}")

    def _is_hidden(self, user_id: str, viewer_id: str) -> bool:
        return viewer_id in self._hidden.get(user_id, ())

    def _hide(self, user_id: str, viewer_id: str) -> None:
        self._hidden.setdefault(user_id, set()).add(viewer_id)

    def _show(self, user_id: str, viewer_id: str) -> None:
        hidden_from = self._hidden.get(user_id)
        if hidden_from is not None:
            hidden_from.discard(viewer_id)
            if not hidden_from:
                del self._hidden[user_id]

    def _tell_one(self, user_id: str, viewer_id: str, state: PresenceState) -> None:
        if self._said[user_id] == "offline":
            return  # hidden or not, it looks the same
        body = self._frame(user_id, state)
        for session in [each for each in self._of[user_id] if each.who.user.id == viewer_id]:
            session.deliver(body, coalesce_key=f"presence:{user_id}")

    def _frame(self, user_id: str, state: PresenceState) -> bytes:
        return encode(PresenceFrame(timestamp=rfc3339(self._clock.now()), user_id=user_id, state=state))
