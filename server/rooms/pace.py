"""How much one participant may say in a room, of each kind: nobody uses up what is kept for everybody."""

from __future__ import annotations

from typing import Literal, NamedTuple

from server.clock import Clock
from server.errors import RateLimited
from server.realtime.limits import TokenBucket
from server.rooms.room import Room

Kind = Literal["chat", "caption", "interim_caption", "quality"]


class Rate(NamedTuple):
    """So many in so many seconds, all of which may come at once."""

    most: int
    within_s: float


RATES: dict[Kind, Rate] = {  # that of messages is a setting
    # Whoever talks without a pause says a sentence in some three seconds.
    "caption": Rate(60, 60.0),
    # A sentence while it is said: nobody reads faster. Ten seconds' worth may come late and at once.
    "interim_caption": Rate(30, 10.0),
    # One in ten seconds is sent, and some more when a client comes back.
    "quality": Rate(12, 60.0),
}


class Pace:
    """Counts with the room, by leg: to leave and come back gets around nothing while somebody is there."""

    def __init__(self, clock: Clock, chats_per_minute: int) -> None:
        self._now_s = clock.monotonic
        self._chat = Rate(chats_per_minute, 60.0)

    def count(self, room: Room, leg_id: str, kind: Kind) -> None:
        """Counts one of that participant; raises :class:`RateLimited`, which says when the next may come."""
        now_s = self._now_s()
        bucket = room.buckets.get((leg_id, kind))
        if bucket is None:
            rate = self._chat if kind == "chat" else RATES[kind]
            bucket = TokenBucket(rate.most / rate.within_s, rate.most, now_s)
            room.buckets[leg_id, kind] = bucket
        if not bucket.take(now_s):
            raise RateLimited("Too much from you in a short time; wait a moment", retry_after_s=bucket.wait_s())
