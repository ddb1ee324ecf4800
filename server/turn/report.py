"""What came of a check-up of one server."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["ok", "failed", "not_checked"]


class Step(msgspec.Struct, frozen=True):
    """One thing that was tried: what was seen and, where it failed, the fault with what it means and what to do."""

    name: str
    state: State
    seen: str
    duration_ms: float
    fault: str | None = None
    meaning: str | None = None
    advice: str | None = None


class Report(msgspec.Struct, frozen=True):
    """All steps of one server; ``passed`` if none failed."""

    url: str
    passed: bool
    steps: list[Step]
