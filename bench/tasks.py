"""``python -m bench.tasks``: one task with hundreds of subscribers, driven over HTTP by another program.

Measured is what a person sees of it: from the moment in which the program sends an event to the one in which a
subscriber has it, HTTP and the write to MongoDB in it. Part of ``python -m bench``, too.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections import defaultdict
from typing import Any

import httpx2
import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

from bench.peers import Peer, connect, percentile
from bench.target import ANSWER_WITHIN_S, GENERATOR_CORE, Figures, Target, age_ms, leave, serve

EVENTS_PER_S = 20.0
"""More often nobody sees a bar move."""


class Number(msgspec.Struct):
    """What counts of a frame; only events have it."""

    number: int = 0


_decoder = msgspec.json.Decoder(Number)


async def measure_following(target: Target, subscribers: int, events: int) -> Figures:
    """How late ``events`` events of one task come to ``subscribers`` sockets that follow it from its beginning.

    Raises AssertionError unless each of them has every event once and in order and none has lost its socket.
    """
    person, worker = target.people[0], target.worker
    ages: list[float] = []
    heard: defaultdict[Peer, list[int]] = defaultdict(list)
    outstanding = subscribers * (events + 1)
    all_heard = asyncio.Event()

    def on_frame(peer: Peer, payload: bytes) -> None:
        nonlocal outstanding
        age = age_ms(payload)
        number = _decoder.decode(payload).number
        if not number:
            return  # `current_status`
        heard[peer].append(number)
        if age is not None:
            ages.append(age)
        outstanding -= 1
        if outstanding == 0:
            all_heard.set()

    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{target.port}/api/v1") as http:
        task = await _post(http, "/tasks", person, {"kind": "external", "title": "bench", "worker": worker["username"]})
        path = f"{task['ws_url']}?include_history=true"
        peers = []
        for _ in range(subscribers):
            peer, _ = await connect(target.port, path, on_frame, person["token"])
            peers.append(peer)
        cpu_before_s, began = target.process.cpu_s(), time.perf_counter()
        for index in range(events):
            await asyncio.sleep(max(0.0, began + index / EVENTS_PER_S - time.perf_counter()))
            event = {
                "event_id": str(index),
                "type": "progress",
                "progress": index / events,
                "message": f"@{time.perf_counter_ns():020d} a chapter was read",
            }
            await _post(http, f"/tasks/{task['task_id']}/events", worker, event)
        await asyncio.wait_for(all_heard.wait(), ANSWER_WITHIN_S)
        cpu_s = target.process.cpu_s() - cpu_before_s
        story = list(range(1, events + 2))
        assert all(heard[peer] == story for peer in peers), "an event is missing or doubled"
        assert not any(peer.lost for peer in peers), "a subscriber has lost its socket"
        await _post(http, f"/tasks/{task['task_id']}/cancel", person, None)
    leave(peers)
    return {
        f"task to {subscribers} p50 ms": percentile(ages, 0.5),
        f"task to {subscribers} p99 ms": percentile(ages, 0.99),
        f"task to {subscribers} longest ms": max(ages),
        f"task to {subscribers} CPU µs a delivery": cpu_s / max(1, len(ages)) * 1e6,
    }


async def _post(http: httpx2.AsyncClient, path: str, who: dict[str, Any], document: Any) -> dict[str, Any]:
    answer = await http.post(path, json=document or {}, headers={"Authorization": f"Bearer {who['token']}"})
    answer.raise_for_status()
    body: dict[str, Any] = answer.json()
    return body


async def main(subscribers: int, events: int) -> None:
    """Measures on a server of its own and prints the figures."""
    os.sched_setaffinity(0, {GENERATOR_CORE})
    async with serve("Ringback", "bench.ringback_server", "0", "2", "1", "2") as target:
        figures = await measure_following(target, subscribers, events)
        figures["errors logged"] = target.errors_logged()
    table = Table(
        "figure", "Ringback", title=f"{events} events to {subscribers} subscribers, {EVENTS_PER_S:g} a second"
    )
    for name, value in figures.items():
        table.add_row(name, f"{value:,.3f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.tasks", description=__doc__)
    parser.add_argument("--subscribers", type=int, default=500, help="sockets that follow the task (default 500)")
    parser.add_argument("--events", type=int, default=200, help="events that it has (default 200)")
    options = parser.parse_args()
    uvloop.run(main(options.subscribers, options.events))
