"""``make bench``: Ringback beside a bare Tornado relay in one run, each server on one core, the generator on another.

Absolute figures hold on no shared machine; the ratios within one run do. Every run is bounded in count and time, and
only ever talks to its own children on loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime

import httpx2
import uvloop
from rich.console import Console
from rich.table import Table

from bench.peers import Peer, connect, percentile
from bench.target import (
    ANSWER_WITHIN_S,
    GENERATOR_CORE,
    MARK,
    SDP_BYTES,
    Figures,
    Target,
    age_ms,
    leave,
    serve,
)
from bench.tasks import measure_following

ROOMS = 200


async def enter_rooms(target: Target, rooms: int, on_frame: Callable[[Peer, bytes], None]) -> list[tuple[Peer, Peer]]:
    """Both members of each of the first ``rooms`` rooms."""
    pairs = []
    for room in range(rooms):
        pair = []
        for member in range(2):
            path, bearer = target.path(room, member)
            peer, _ = await connect(target.port, path, on_frame, bearer)
            pair.append(peer)
        pairs.append((pair[0], pair[1]))
    await asyncio.sleep(0.5)  # joins have been told
    return pairs


async def measure_connecting(target: Target, number: int) -> Figures:
    """From the TCP connection to ``connected``, one after the other, and the memory of those that stay idle."""
    seconds = []
    peers = []
    await settle(target)
    before_kib, cpu_before_s = target.process.resident_kib(), target.process.cpu_s()
    for index in range(number):
        if target.is_ringback:
            person = target.people[index % len(target.people)]
            path, bearer = "/api/v1/ws/user", person["token"]
        else:
            path, bearer = target.path(index, 0)
        peer, took_s = await connect(target.port, path, lambda *_: None, bearer)
        seconds.append(took_s)
        peers.append(peer)
    cpu_s = target.process.cpu_s() - cpu_before_s
    await asyncio.sleep(1.0)
    resident_kib = target.process.resident_kib() - before_kib
    leave(peers)
    return {
        "connect p50 ms": percentile(seconds, 0.5) * 1000,
        "connect p99 ms": percentile(seconds, 0.99) * 1000,
        "connect CPU ms": cpu_s / number * 1000,
        "idle KiB a connection": resident_kib / number,
    }


async def measure_steady(target: Target, rate_per_s: int, seconds: float) -> Figures:
    """Relaying at a fixed rate, latency counted from the moment a frame was due."""
    ages: list[float] = []

    def heard(_: Peer, payload: bytes) -> None:
        age = age_ms(payload)
        if age is not None:
            ages.append(age)

    pairs = await enter_rooms(target, ROOMS, heard)
    makers = [target.message(room, 1) for room in range(ROOMS)]
    await settle(target)
    cpu_before_s, began = target.process.cpu_s(), time.perf_counter()
    sent = 0
    while (now := time.perf_counter()) - began < seconds:
        due = int((now - began) * rate_per_s)
        while sent < due:
            room = sent % ROOMS
            pairs[room][0].send(makers[room]())
            sent += 1
        await asyncio.sleep(0.0005)
    await asyncio.sleep(0.3)
    cpu_s = target.process.cpu_s() - cpu_before_s
    leave([peer for pair in pairs for peer in pair])
    return {
        f"relay {rate_per_s}/s p50 ms": percentile(ages, 0.5),
        f"relay {rate_per_s}/s p99 ms": percentile(ages, 0.99),
        f"relay {rate_per_s}/s CPU µs a frame": cpu_s / max(1, len(ages)) * 1e6,
        f"relay {rate_per_s}/s lost": sent - len(ages),
    }


async def measure_saturated(target: Target, seconds: float, window: int = 8) -> Figures:
    """As many frames as go through, each room with ``window`` under way."""
    ages: list[float] = []
    going = True
    makers = [target.message(room, 1) for room in range(ROOMS)]
    senders: dict[Peer, tuple[Peer, Callable[[], bytes]]] = {}

    def heard(peer: Peer, payload: bytes) -> None:
        age = age_ms(payload)
        if age is None:
            return
        ages.append(age)
        if going:
            sender, make = senders[peer]
            sender.send(make())

    pairs = await enter_rooms(target, ROOMS, heard)
    for room, (first, second) in enumerate(pairs):
        senders[second] = (first, makers[room])
    cpu_before_s, generator_before_s, began = target.process.cpu_s(), time.process_time(), time.perf_counter()
    for room, (first, _) in enumerate(pairs):
        for _ in range(window):
            first.send(makers[room]())
    await asyncio.sleep(seconds)
    going = False
    took_s = time.perf_counter() - began
    cpu_s, frames = target.process.cpu_s() - cpu_before_s, len(ages)
    generator_s = time.process_time() - generator_before_s
    leave([peer for pair in pairs for peer in pair])
    return {
        "saturated frames/s": frames / took_s,
        "saturated CPU µs a frame": cpu_s / max(1, frames) * 1e6,
        "saturated p99 ms": percentile(ages, 0.99),
        "saturated server busy": cpu_s / took_s,
        "saturated generator busy": generator_s / took_s,
    }


async def measure_fanout(target: Target, members: int, seconds: float) -> Figures:
    """One member speaks, all the others hear it; the next frame follows when the last of them has."""
    room = len(target.rooms) - 1 if target.is_ringback else 1_000_000  # nobody was in there before
    heard = 0
    all_heard = asyncio.Event()

    def on_frame(peer: Peer, payload: bytes) -> None:
        nonlocal heard
        if peer.number and MARK in payload:
            heard += 1
            if heard % (members - 1) == 0:
                all_heard.set()

    peers = []
    for member in range(members):
        path, bearer = target.path(room, member)
        peer, _ = await connect(target.port, path, on_frame, bearer)
        peer.number = member
        peers.append(peer)
    await asyncio.sleep(1.0)
    text = "@" + "x" * SDP_BYTES
    payload = json.dumps({"type": "chat", "text": text}).encode()
    cpu_before_s, began = target.process.cpu_s(), time.perf_counter()
    while time.perf_counter() - began < seconds:
        all_heard.clear()
        peers[0].send(payload)
        await asyncio.wait_for(all_heard.wait(), ANSWER_WITHIN_S)
    took_s, cpu_s = time.perf_counter() - began, target.process.cpu_s() - cpu_before_s
    leave(peers)
    return {
        f"fan-out to {members - 1} deliveries/s": heard / took_s,
        f"fan-out to {members - 1} CPU µs a delivery": cpu_s / max(1, heard) * 1e6,
    }


async def measure_inviting(target: Target, number: int) -> Figures:
    """From ``POST /calls`` to ``incoming`` on the callee's device, the write to MongoDB in it."""
    callers, callees = target.people[: len(target.people) // 2], target.people[len(target.people) // 2 :]
    rang: dict[int, asyncio.Future[float]] = {}

    def on_frame(peer: Peer, payload: bytes) -> None:
        if b'"type":"incoming"' in payload:
            waiting = rang.get(peer.number)
            if waiting is not None and not waiting.done():
                waiting.set_result(time.perf_counter())

    count = min(number, len(callees))
    peers = []
    for index in range(count):
        peer, _ = await connect(target.port, "/api/v1/ws/user", on_frame, callees[index]["token"])
        peer.number = index
        peers.append(peer)
    took_ms = []
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{target.port}/api/v1") as http:
        for index in range(count):
            rang[index] = asyncio.get_running_loop().create_future()
            began = time.perf_counter()
            answer = await http.post(
                "/calls",
                json={"callees": [callees[index]["username"]], "media": "audio"},
                headers={"Authorization": f"Bearer {callers[index]['token']}"},
            )
            answer.raise_for_status()
            took_ms.append((await asyncio.wait_for(rang[index], ANSWER_WITHIN_S) - began) * 1000)
    leave(peers)
    return {"invite → incoming p50 ms": percentile(took_ms, 0.5), "invite → incoming p99 ms": percentile(took_ms, 0.99)}


async def settle(target: Target) -> None:
    """Waits until the server has nothing left to do of what came before, at most ten seconds."""
    for _ in range(50):
        before_s = target.process.cpu_s()
        await asyncio.sleep(0.2)
        if target.process.cpu_s() - before_s < 0.01:
            return


async def measure(target: Target, options: argparse.Namespace) -> Figures:
    """All that can be measured of one server."""
    figures = await measure_connecting(target, options.connections)
    figures |= await measure_steady(target, 2000, options.seconds)
    figures |= await measure_saturated(target, options.seconds)
    if target.is_ringback:
        figures |= await measure_inviting(target, 500)
        figures |= await measure_following(target, 500, 200)
    # Last: a crowd that leaves at once is a call with far more legs than any may have, and keeps a server busy.
    figures |= await measure_fanout(target, options.members, options.seconds)
    return figures


async def main(options: argparse.Namespace) -> None:
    """Measures both and prints them side by side."""
    os.sched_setaffinity(0, {GENERATOR_CORE})
    async with serve("bare Tornado", "bench.bare_tornado") as target:
        bare = await measure(target, options)
    arguments = (str(ROOMS), "2", str(options.people), str(options.members))
    async with serve("Ringback", "bench.ringback_server", *arguments) as target:
        ours = await measure(target, options)
        ours["errors logged"] = target.errors_logged()
    table = Table(title=f"{datetime.now(UTC):%Y-%m-%d}, {SDP_BYTES + 80}-byte frames, one core each")
    for column in ("figure", "bare Tornado", "Ringback"):
        table.add_column(column, justify="left" if column == "figure" else "right")
    for name in ours:
        table.add_row(name, f"{bare[name]:,.3f}" if name in bare else "–", f"{ours[name]:,.3f}")
    Console(width=100).print(table)
    if options.json:
        print(json.dumps({"bare_tornado": bare, "ringback": ours}))


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--connections", type=int, default=2000, help="idle connections (default 2000)")
    parser.add_argument("--people", type=int, default=1000, help="people with a device each (default 1000)")
    parser.add_argument("--members", type=int, default=200, help="members of the fan-out room (default 200)")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each measurement (default 5)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON, too")
    return parser.parse_args()


if __name__ == "__main__":
    uvloop.run(main(parse()))
