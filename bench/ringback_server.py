"""Ringback for a benchmark: the whole server, with people and running calls in its database, and its limits lifted.

Everything else is as it is delivered: authentication, validation, sequence numbers, resume buffers, heartbeat, MongoDB.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import uvloop

from server.app import Server, open_server
from server.calls import rules
from server.calls.model import Call, Device
from server.calls.rules import Callee
from server.config import load_settings
from server.ids import new_id
from server.log import configure
from server.realtime.frames import UserRef
from server.store.sign_ins import SignIn
from server.store.users import User

# The generator is one client that plays thousands; the limits of one person are not what is measured.
LIFTED = {
    "sockets.frames_per_s": 10_000,
    "sockets.chats_per_minute": 1_000_000,
    "sockets.frames_burst": 100_000,
    "sockets.limited_frames_per_10_s": 100_000,
    "sockets.max_connections_per_user": 10_000,
    "calls.calls_per_minute": 10_000,
    "calls.calls_per_pair_per_minute": 10_000,
    "calls.connect_timeout_s": 600,
}


async def somebody(server: Server, name: str, *, service: bool = False) -> dict[str, Any]:
    """A new person who is signed in: their reference and an access token."""
    services = server.services
    now = services.clock.now()
    user = User(
        user_id=new_id(), username=name, display_name=name, password_hash="none", created_at=now, service=service
    )
    await services.users.insert(user)
    sign_in: SignIn = await services.sign_ins.begin(user, "bench")
    token = services.sign_ins.tokens.issue("access", user.user_id, sign_in.sign_in_id)
    return {"user_id": user.user_id, "username": name, "token": token}


async def running_call(server: Server, people: list[dict[str, Any]]) -> dict[str, Any]:
    """A call that everybody has answered."""
    services = server.services
    now = services.clock.now()
    refs = [UserRef(person["user_id"], person["username"], person["username"]) for person in people]
    timing = services.switchboard.timing
    call: Call = rules.place(
        refs[0],
        Device("bench", "bench"),
        [Callee(user=ref, reached=True) for ref in refs[1:]],
        "video",
        now,
        timing,
        new_id,
    )
    for ref in refs[1:]:
        call = rules.answer(call, ref.id, Device("bench", "bench"), now, timing)
    await services.calls.insert(call)
    legs = {leg.user.id: leg.leg_id for leg in call.legs}
    members = [{"token": person["token"], "leg_id": legs[person["user_id"]]} for person in people]
    return {"call_id": call.call_id, "members": members}


async def main(rooms: int, members: int, people: int, crowd: int) -> None:
    """Prints one line of JSON – port, rooms (the last one with a crowd in it), people, the account of another program –
    and serves until standard input ends."""
    configure("error", "json")
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(None, {}, LIFTED | {"server.port": 0, "server.data_dir": str(Path(folder) / "data")})
        async with open_server(settings) as server:
            port = await server.start()
            made = []
            for room in range(rooms):
                inside = [await somebody(server, f"r{room}m{member}") for member in range(members)]
                made.append(await running_call(server, inside))
            made.append(await running_call(server, [await somebody(server, f"c{member}") for member in range(crowd)]))
            alone = [await somebody(server, f"p{number}") for number in range(people)]
            worker = await somebody(server, "worker", service=True)
            print(json.dumps({"port": port, "rooms": made, "people": alone, "worker": worker}), flush=True)
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
            await server.stop()


if __name__ == "__main__":
    uvloop.run(main(*(int(argument) for argument in sys.argv[1:])))
