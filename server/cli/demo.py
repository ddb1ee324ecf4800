"""Demo mode: three people to try Ringback with, whose password stands on the sign-in page – so on this machine only."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Sequence

from handlers.pages import DEMO_PEOPLE
from server.app import Server
from server.cli.failures import BadlyAsked
from server.errors import UsernameTaken

LEAST_PASSWORD_CHARACTERS = 12  # 48 bits: nobody guesses it, should the database ever be served to more than a machine


def require_loopback(host: str) -> None:
    """Raises BadlyAsked unless ``host`` (server.host) can be reached from this machine only."""
    if not _is_loopback(host):
        raise BadlyAsked(
            f"--demo shows a password to everybody who comes, so it listens on 127.0.0.1 only, not on {host}: leave "
            "out --host (server.host), or --demo"
        )


def demo_password(secret: str, min_length: int) -> str:
    """The one password of the demo's people: made from the key of this installation, so the same at every start."""
    digest = hmac.new(secret.encode(), b"ringback demo password", hashlib.sha256).hexdigest()
    return digest[: max(LEAST_PASSWORD_CHARACTERS, min_length)]


async def add_people(server: Server, password: str) -> None:
    """Adds those of the demo's people who are missing; whoever is there stays as they are."""
    for name in DEMO_PEOPLE:
        if await server.services.users.by_name(name) is None:
            try:
                await server.services.accounts.add(name, password)
            except UsernameTaken:  # another process starts the demo as well
                continue


async def strangers(server: Server, password: str) -> list[str]:
    """Those of the demo's names that somebody with another password has."""
    people = await server.services.users.by_names(DEMO_PEOPLE)
    accounts = server.services.accounts
    return sorted([user.username for user in people if not await accounts.has_password(user, password)])


def guide(url: str, password: str, taken: Sequence[str]) -> list[str]:
    """What to do next, as lines for the one who has started the demo at ``url``."""
    caller, callee, *others = DEMO_PEOPLE
    lines = [
        "",
        f"  1. Open {url} in two browsers, or in one and in a private window of it.",
        f"  2. Sign in as {caller} in the first and as {callee} in the second. The password is {password}",
        f"  3. Click Call {callee} in the first and Answer in the second.",
        "",
        f"  There is {' and '.join(others)}, too. Ctrl-C stops the server.",
    ]
    if taken:
        lines.append(f"  With a password of their own: {', '.join(taken)} (ringback users passwd NAME changes it).")
    return lines


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
