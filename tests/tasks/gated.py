"""A kind of task whose work waits for a test at each step."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

from server.realtime.frames import UserRef
from server.tasks.assembly import TaskArea
from server.tasks.work import Work
from tests.tasks.gates import LOOK_S, stand_before

STEPS = 4
IN_ANOTHER_PROCESS = 3


class Gated:
    """Step 1 is done when there is a file called ``1`` in the folder, and so on; ``done`` says which were."""

    name = "gated"
    stages = ("steps",)
    deadline_s = 600.0

    def title(self, params: dict[str, Any]) -> str:
        """See :class:`server.tasks.kinds.Kind`, as for the others."""
        return "Gates"

    async def check(self, params: dict[str, Any], user: UserRef) -> dict[str, Any]:
        """Takes everything."""
        return params

    async def run(self, work: Work) -> dict[str, Any]:
        """Goes through one gate after the other."""
        folder = work.params["folder"]
        for number in range(1, STEPS + 1):
            await work.step(f"{number}", partial(go_through, work, folder, number))
            await work.progress(number / STEPS, "steps", "step_done", "Step %(number)s is done", number=number)
        return {"steps": STEPS}


async def go_through(work: Work, folder: str, number: int) -> int:
    """One step."""
    if number == IN_ANOTHER_PROCESS:
        await work.cpu(stand_before, folder, number)
    while not Path(folder, f"{number}").exists():
        await asyncio.sleep(LOOK_S)
    with Path(folder, "done").open("a") as done:
        done.write(f"{number}\n")
    return number


class WithGates(TaskArea):
    """Tasks as ever, and this kind."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.kinds.register(Gated())
