"""Small makers of what many tests need: people, calls, ids, and how much hypothesis tries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import count
from typing import Any, TypeVar

import msgspec
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from server.auth.identity import Identity
from server.calls import rules
from server.calls.model import Call, Device, MediaKind
from server.calls.rules import Callee, Timing
from server.clock import SystemClock
from server.ids import new_id
from server.realtime.bus import ToDevices
from server.realtime.frames import UserRef
from tests.clock import START

TIMING = Timing()
T = TypeVar("T")


def property_of(examples: int) -> hypothesis_settings:
    """The same examples in every run, with nothing kept between runs: a property that fails, fails everywhere."""
    return hypothesis_settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )


def long_lists(of: Sequence[T]) -> SearchStrategy[list[T]]:
    """Lists of some forty items; unlike those with a `min_size` they shrink to the shortest that shows a fault."""
    parts = [st.lists(st.sampled_from(of), max_size=30)] * 8
    return st.tuples(*parts).map(lambda lists: [item for part in lists for item in part])


def today() -> datetime:
    """Where a test's clock starts that has to do with MongoDB, which by its own clock removes what has run out."""
    return SystemClock().now()


def counted_ids(prefix: str = "id") -> Callable[[], str]:
    """A maker of ids that can be read: `id-1`, `id-2` …"""
    numbers = count(1)
    return lambda: f"{prefix}-{next(numbers)}"


def person(name: str) -> UserRef:
    """Somebody whose id and user name are `name`."""
    return UserRef(name, name, name.capitalize())


ALICE, BOB, CAROL = person("alice"), person("bob"), person("carol")


def identity(user: UserRef = ALICE, sign_in_id: str | None = None, device: str = "a browser") -> Identity:
    """That person, signed in."""
    return Identity(user, sign_in_id or f"sign-in of {user.id}", device)


def device(name: str) -> Device:
    """A device that a person answers on."""
    return Device(name, name)


def placed(
    *callees: UserRef | Callee,
    caller: UserRef = ALICE,
    media: MediaKind = "video",
    now: datetime = START,
    timing: Timing = TIMING,
    client_key: str | None = None,
    make_id: Callable[[], str] = new_id,
) -> Call:
    """A call that was just placed, to Bob unless somebody else is named; the devices of those named are there."""
    people = [each if isinstance(each, Callee) else Callee(user=each, reached=True) for each in callees or (BOB,)]
    return rules.place(caller, device(f"{caller.id}'s"), people, media, now, timing, make_id, client_key)


def leg_id(call: Call, user: UserRef) -> str:
    """The id of that person's leg."""
    leg = call.leg_of(user.id)
    assert leg is not None
    return leg.leg_id


def answered(call: Call, by: UserRef = BOB, on: str = "telephone", now: datetime = START) -> Call:
    """The call once `by` has answered it."""
    return rules.answer(call, by.id, device(on), now, TIMING)


def active(call: Call, now: datetime = START) -> Call:
    """The answered call once all in it report media."""
    for leg in call.legs:
        call = rules.media_connected(call, leg.leg_id, now, TIMING)
    return call


def frame_in(message: ToDevices) -> dict[str, Any]:
    """What a message says to the devices, decoded."""
    frame: dict[str, Any] = msgspec.json.decode(message.body)
    return frame


async def until(done: Callable[[], bool]) -> None:
    """Lets the loop turn until `done()`; the test's own deadline ends a wait in vain."""
    while not done():
        await asyncio.sleep(0)
