"""A call with many people in it, put into the database as it is when all have answered."""

from __future__ import annotations

from typing import Any

from server.calls import rules
from server.calls.model import Call, Device, view
from server.calls.rules import Callee
from server.ids import new_id
from tests.running import Person, Running

DEVICE = Device("a device", "a device")


async def call_of(running: Running, people: list[Person], *, is_active: bool = False) -> dict[str, Any]:
    """A call that all of them have answered, and in which media flows if ``is_active``; the first one placed it.

    There may be more people than one may invite.
    """
    services = running.services
    now, timing = services.clock.now(), services.switchboard.timing
    caller, *callees = [person.user.ref for person in people]
    call: Call = rules.place(
        caller, DEVICE, [Callee(user=each, reached=True) for each in callees], "video", now, timing, new_id
    )
    for callee in callees:
        call = rules.answer(call, callee.id, DEVICE, now, timing)
    for leg in call.legs if is_active else ():
        call = rules.media_connected(call, leg.leg_id, now, timing)
    await services.calls.insert(call)
    return view(call, caller.id)
