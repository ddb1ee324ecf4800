"""The command `ringback-softphone`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ringback_client.softphone import main
from tests.client.desk import desk
from tests.client.loopback import dominant_hz, write_tone
from tests.running import PASSWORD, Running


async def softphone(running: Running, *arguments: str | Path, stdin: str = "", **environment: str) -> Result:
    """Run the command to its end, beside the server."""
    line = [*map(str, arguments), "--url", running.origin]
    return await asyncio.to_thread(CliRunner(env=environment).invoke, main, line, input=stdin)


async def add(running: Running, *usernames: str) -> None:
    """These people have accounts."""
    for username in usernames:
        await running.services.accounts.add(username, PASSWORD)


@pytest.mark.gen_test
async def test_call_plays_and_hangs_up(running: Running, tmp_path: Path) -> None:
    await add(running, "alice")
    tone, heard = write_tone(tmp_path / "440.wav", 440), tmp_path / "heard.wav"
    async with desk(running, "bob", record=heard) as bob:
        waiting = asyncio.create_task(bob.phone.wait())
        await bob.said("waiting for a call")
        line = ("call", "bob", "--play", tone, "--for", "1.5", "--username", "alice", "--password-stdin")
        calling = await softphone(running, *line, stdin=f"{PASSWORD}\n")
        await waiting
    assert (calling.exit_code, calling.stdout.splitlines()[-1]) == (0, "the call is over: hangup"), calling.output
    assert dominant_hz(heard) == 440


@pytest.mark.gen_test
async def test_wait_answers_and_records(running: Running, tmp_path: Path) -> None:
    await add(running, "alice")
    tone, heard = write_tone(tmp_path / "440.wav", 440), tmp_path / "heard.wav"
    line = ("wait", "--record", heard, "--username", "alice")
    waiting = asyncio.create_task(softphone(running, *line, RINGBACK_PASSWORD=PASSWORD))
    await running.until(lambda: len(running.services.hub) == 1)
    async with desk(running, "bob", play=tone, talk_s=1.5) as bob:
        await bob.phone.call("alice")
    waited = await waiting
    assert (waited.exit_code, waited.stdout.splitlines()[1]) == (0, "bob is calling"), waited.output
    assert dominant_hz(heard) == 440


@pytest.mark.gen_test
async def test_call_that_is_not_answered_is_exit_code_1(running: Running) -> None:
    await add(running, "alice")
    bob = await running.person("bob")
    await bob.api("PATCH", "/users/me", {"do_not_disturb": True})
    calling = await softphone(running, "call", "bob", "--username", "alice", RINGBACK_PASSWORD=PASSWORD)
    assert (calling.exit_code, calling.output.splitlines()[-1]) == (1, "the call is over: do_not_disturb")


@pytest.mark.gen_test
async def test_nobody_of_that_name_is_one_line(running: Running) -> None:
    await add(running, "alice")
    calling = await softphone(running, "call", "nobody", "--username", "alice", RINGBACK_PASSWORD=PASSWORD)
    assert calling.exit_code == 1 and calling.stderr.startswith("Error: 404 user_not_found")


@pytest.mark.gen_test
async def test_wrong_password_is_one_line_without_it(running: Running) -> None:
    await add(running, "alice")
    calling = await softphone(running, "wait", "--username", "alice", "--password-stdin", stdin="canary\n")
    assert (calling.exit_code, calling.stderr.splitlines()[0][:31]) == (1, "Error: 401 invalid_credentials:")
    assert "canary" not in calling.output


@pytest.mark.gen_test
async def test_waiting_in_vain_is_exit_code_1(running: Running) -> None:
    await add(running, "alice")
    waiting = await softphone(
        running, "wait", "--timeout", "0.1", "--username", "alice", "--password-env", "P", P=PASSWORD
    )
    assert (waiting.exit_code, waiting.stderr) == (1, "Error: an incoming call did not come within 0.1 s\n")
