"""``ringback serve``: the server itself."""

from __future__ import annotations

import asyncio
import errno
import shlex
from pathlib import Path

import click

from server.app import Server, open_server
from server.cli import demo as demo_mode
from server.cli.failures import Failure
from server.cli.options import load_for_server, settings_options
from server.cli.running import run
from server.cli.signals import StopSignals
from server.config import load_or_create_secret, resolve_data_dir
from server.log import get_logger
from server.origins import LOOPBACK_NAMES, WILDCARDS
from server.settings import ServerSettings, Settings
from server.store.embedded import EmbeddedMongo
from server.version import VERSION

DATABASE_LOOK_S = 1.0  # how soon the end of our mongod is noticed; a look reads three small files

log = get_logger("server")


@click.command()
@click.option("--host", metavar="ADDRESS", help="Address to listen on (server.host); 0.0.0.0 for every interface.")
@click.option("--port", type=int, metavar="NUMBER", help="Port to listen on (server.port); 0 takes any free one.")
@click.option("--demo", is_flag=True, help="With three people to try it with; listens on this machine only.")
@settings_options
def serve(host: str | None, port: int | None, demo: bool, config: Path | None, data_dir: str | None) -> None:
    """Start the server, and MongoDB unless mongo.uri names one.

    SIGTERM or Ctrl-C stop it: clients are told where they stand, what is under way is finished. A second one ends it
    at once.
    """
    settings = load_for_server(config, data_dir, host, port)
    if demo:
        demo_mode.require_loopback(settings.server.host)
    run(_serve(settings, demo, _same_options(config, data_dir)))


async def _serve(settings: Settings, demo: bool, same_options: str) -> None:
    """Serves until a signal comes; raises Failure when that cannot begin or go on."""
    with StopSignals() as signals:
        try:
            await _start(settings, demo, same_options)
        except asyncio.CancelledError:
            if not signals.received:
                raise
            log.info("stopped")


async def _start(settings: Settings, demo: bool, same_options: str) -> None:
    data_dir = resolve_data_dir(settings)
    password = None
    if demo:
        secret = settings.auth.secret or load_or_create_secret(data_dir)
        password = demo_mode.demo_password(secret, settings.auth.password_min_length)
    async with open_server(settings, demo_password=password) as server:
        try:
            if password:
                await demo_mode.add_people(server, password)
            url = url_of(settings.server, await _listen(server))
            server.unpack()
            log.info("ready", url=url, version=VERSION, node=server.services.node)
            # In one piece: whoever waits for the first line and closes the pipe then does not end the server.
            click.echo("\n".join([f"Ringback is ready on {url}", *await _hints(server, url, password, same_options)]))
            await (asyncio.Event().wait() if settings.mongo.uri else _until_database_ends(data_dir))
        finally:
            await server.stop()


async def _listen(server: Server) -> int:
    """Starts to listen; returns the port."""
    where = server.settings.server
    try:
        return await server.start()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Failure(
                f"port {where.port} of {where.host} is in use: stop what listens there, or take another (--port)"
            ) from error
        raise Failure(f"cannot listen on port {where.port} of {where.host}: {error.strerror or error}") from error


async def _until_database_ends(data_dir: Path) -> None:
    """Waits until the mongod that this process runs is gone; then raises Failure.

    Without it nothing works, and whoever supervises this process starts both again.
    """
    while EmbeddedMongo.running(data_dir) is not None:
        await asyncio.sleep(DATABASE_LOOK_S)
    log.error("database_ended", data_dir=str(data_dir))
    raise Failure(f"the database in {data_dir} has ended by itself: see mongo.log there, and start again")


def url_of(settings: ServerSettings, port: int) -> str:
    """The address under which a browser on this machine reaches the server."""
    host = settings.host.lower()
    if host in LOOPBACK_NAMES | WILDCARDS:  # camera and microphone: http://localhost is as good as https to a browser
        host = "localhost"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


async def _hints(server: Server, url: str, demo_password: str | None, same_options: str) -> list[str]:
    """What to do next, as lines below the one that says that the server is ready."""
    lines = []
    if demo_password:
        lines += demo_mode.guide(url, demo_password, await demo_mode.strangers(server, demo_password))
    elif not await server.services.users.search("", limit=1):
        lines += [f"Nobody can sign in yet: ringback users add NAME --admin{same_options}"]
    if server.settings.server.host in WILDCARDS and not server.settings.server.public_url:
        lines += [
            "From other machines: put a reverse proxy with https before it and set server.public_url, for browsers "
            "give camera and microphone to https only."
        ]
    return lines


def _same_options(config: Path | None, data_dir: str | None) -> str:
    """The options that bring another command to the same database."""
    given = {"--config": config, "--data-dir": data_dir}
    return "".join(f" {name} {shlex.quote(str(value))}" for name, value in given.items() if value is not None)
