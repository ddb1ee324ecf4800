"""A real coturn on loopback, with the configuration that we ship and the few lines that a test adds."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from aioice import stun

from server.turn.client import TurnClient
from server.turn.credentials import Credentials, turn_credentials
from tools.turnserver import find_turnserver

SHIPPED = Path(__file__).parents[2] / "deploy" / "coturn" / "turnserver.conf"
SECRET = "a secret that both of them know"
LOOPBACK = "127.0.0.1"
READY_WITHIN_S = 30
# By the shipped file nobody is relayed to loopback, where everybody in a test is.
REACHES_LOOPBACK = ("allow-loopback-peers", f"allowed-peer-ip={LOOPBACK}")


class Coturn(NamedTuple):
    """One that runs."""

    host: str
    port: int
    tls_port: int
    log: Path
    seen_ports: set[int]

    @property
    def url(self) -> str:
        """Its address, for UDP."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"turn:{host}:{self.port}?transport=udp"

    async def client(self, credentials: Credentials | None) -> TurnClient:
        """Somebody who speaks to it by UDP, from a port from which nobody has: coturn knows everybody by their address,
        and remembers those who have left for a while."""
        while True:
            client = await TurnClient.open((self.host, self.port), "udp", credentials)
            port: int = client._protocol.transport.get_extra_info("sockname")[1]
            if port not in self.seen_ports:
                self.seen_ports.add(port)
                return client
            client.close()


@contextmanager
def coturn(
    folder: Path, *lines: str, host: str = LOOPBACK, secret: str | None = SECRET, without: str = ""
) -> Iterator[Coturn]:
    """Starts it on free ports, with ``lines`` after those of the shipped file, which lacks the line ``without``."""
    program = find_turnserver()
    assert program is not None, "there is no coturn: run make test, which brings it, or apt-get install coturn"
    port, tls_port = free_port(host), free_port(host)
    own = [f"listening-port={port}", f"tls-listening-port={tls_port}", f"listening-ip={host}", f"relay-ip={host}"]
    own += ["log-file=stdout", "simple-log", "verbose", f"userdb={folder / 'turndb'}", f"pidfile={folder / 'pid'}"]
    own += [f"static-auth-secret={secret}"] if secret is not None else []
    configuration, log = folder / "turnserver.conf", folder / "coturn.log"
    shipped = [line for line in SHIPPED.read_text(encoding="utf-8").splitlines() if line != without]
    # The last of two lines for one setting counts.
    configuration.write_text("\n".join([*shipped, *own, *lines, ""]), encoding="utf-8")
    with (
        log.open("wb") as output,
        subprocess.Popen([program, "-c", str(configuration)], cwd=folder, stdout=output, stderr=output) as process,
    ):
        try:
            _wait_until_ready(host, port, process, log)
            yield Coturn(host, port, tls_port, log, set())
        finally:
            process.kill()


def credentials(user_id: str = "alice", *, secret: str = SECRET, live_s: float = 600) -> Credentials:
    """What Ringback would give that person."""
    return turn_credentials(secret, user_id, datetime.now(UTC) + timedelta(seconds=live_s))


def free_port(host: str = LOOPBACK) -> int:
    """A port on which nobody listens, by TCP."""
    with socket.create_server((host, 0), family=_family(host)) as server:
        port: int = server.getsockname()[1]
        return port


def has_ipv6() -> bool:
    """Whether this machine has ::1; containers often have not."""
    try:
        free_port("::1")
    except OSError:
        return False
    return True


def stun_binding(host: str, port: int) -> stun.Message:
    """The answer to a binding request; raises OSError if there is none at once."""
    with socket.socket(_family(host), socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.1)
        asking.connect((host, port))
        asking.send(bytes(stun.Message(stun.Method.BINDING, stun.Class.REQUEST)))
        return stun.parse_message(asking.recv(1_500))


def _wait_until_ready(host: str, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end_s = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < end_s and process.poll() is None:
        with suppress(OSError):
            stun_binding(host, port)
            socket.create_connection((host, port), timeout=1).close()
            return
    raise AssertionError(f"coturn did not start:\n{log.read_text()}")


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
