"""``python -m bench.fuzz``: 100,000 mutated frames against a whole server; exit code 1 if they did any harm.

The mutations and what is asked of the server are those of the tests, which send a few thousand.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
from pathlib import Path

import uvloop
from tornado.httpclient import AsyncHTTPClient

from server.app import Server, open_database
from server.config import load_settings
from server.log import configure
from tests.conftest import CHEAP_HASHING
from tests.faults.fuzzer import LIFTED, Report, fuzz
from tests.running import QUIET, MovableClock, Running

FRAMES = 100_000
SEED = 1


async def run(frames: int, seed: int) -> Report:
    """Starts a server on a database of its own and sends it ``frames`` mutations made from ``seed``."""
    with tempfile.TemporaryDirectory() as folder:
        own = {"server.port": 0, "server.data_dir": folder, "auth.secret": secrets.token_urlsafe(32)}
        settings = load_settings(None, {}, QUIET | LIFTED | CHEAP_HASHING | own)
        async with open_database(settings, Path(folder)) as database:
            clock = MovableClock()
            server = Server(settings, database, settings.auth.secret, clock=clock)
            running = Running(server, clock, AsyncHTTPClient(force_instance=True))
            await running.start()
            report = await fuzz(running, frames, seed)
            await running.stop()
            return report


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--frames", type=int, default=FRAMES, help=f"how many (default {FRAMES:,})")
    parser.add_argument("--seed", type=int, default=SEED, help=f"where chance begins (default {SEED})")
    options = parser.parse_args()
    configure("error", "json")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(run(options.frames, options.seed))
    print(f"{report.frames:,} mutations, seed {options.seed}")
    for name, counted in (("closed with", report.closings), ("answered", report.answers), ("HTTP", report.statuses)):
        print(f"{name}: " + ", ".join(f"{what} {count:,}" for what, count in counted.most_common()))
    print("MiB after each tenth: " + ", ".join(f"{mib:.0f}" for mib in report.memory_mib))
    problems = report.problems()
    print("\n".join(problems) or "no harm was done")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
