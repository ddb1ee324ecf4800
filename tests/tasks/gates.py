"""What a test lets another process wait for; light, because that process imports it."""

from __future__ import annotations

import os
import time
from pathlib import Path

LOOK_S = 0.01


def stand_before(folder: str, number: int) -> None:
    """Waits for a file of that name, and says in which process."""
    Path(folder, "pid").write_text(f"{os.getpid()}")
    while not Path(folder, f"{number}").exists():
        time.sleep(LOOK_S)
