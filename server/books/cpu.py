"""Where work is done that would hold up the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol


class Cpu(Protocol):
    """Runs a function somewhere where it does not hold up the event loop."""

    def __call__(self, function: Callable[..., Any], *args: Any) -> Awaitable[Any]:
        """What ``function(*args)`` returns."""
        ...


async def on_a_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Runs it beside the event loop."""
    return await asyncio.to_thread(function, *args)
