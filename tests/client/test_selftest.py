"""The self-test: what passes, and what it finds."""

from __future__ import annotations

import pytest

from ringback_client.selftest import Login, Step, run
from tests.client.scripted_http import ScriptedHttp
from tests.running import PASSWORD, Running, Start

ALICE, BOB = Login("alice", PASSWORD), Login("bob", PASSWORD)


async def people(running: Running) -> None:
    """Alice and Bob have accounts, and there is the handbook."""
    running.server.unpack()
    for login in (ALICE, BOB):
        await running.services.accounts.add(login.username, login.password)


def failed(steps: list[Step]) -> list[tuple[str, str]]:
    """Name and finding of the steps that failed."""
    return [(step.name, step.seen) for step in steps if not step.ok]


@pytest.mark.gen_test
async def test_good_server_passes_to_the_end(running: Running) -> None:
    await people(running)
    told: list[Step] = []
    steps = await run(running.origin, [ALICE, BOB], on_step=told.append)
    assert failed(steps) == []
    assert (told, steps[0].name, steps[-1].name) == (steps, "the server is well", "a token that is none is shown")
    assert [step.name for step in steps].count("both report that media flows") == 2


@pytest.mark.gen_test
async def test_second_run_finds_nothing_left_of_the_first(running: Running) -> None:
    await people(running)
    await run(running.origin, [ALICE, BOB])
    assert failed(await run(running.origin, [BOB, ALICE])) == []


@pytest.mark.gen_test
async def test_wrong_password_is_found_and_not_shown(running: Running) -> None:
    await people(running)
    steps = await run(running.origin, [ALICE, Login("bob", "not the password")])
    assert [name for name, _ in failed(steps)] == ["bob signs in"]
    assert "invalid_credentials" in failed(steps)[0][1]
    assert "not the password" not in repr(steps) + repr(Login("bob", "not the password"))


@pytest.mark.gen_test
async def test_what_does_not_build_upon_a_failure_is_still_tried(running: Running) -> None:
    await people(running)
    steps = await run(running.origin, [ALICE, Login("nobody", PASSWORD)])
    assert [step.name for step in steps[-2:]] == ["a wrong path is opened", "a token that is none is shown"]


@pytest.mark.gen_test
async def test_call_that_breaks_off_is_found_and_ended(start: Start) -> None:
    running = await start({"sockets.max_connections_per_user": 1})
    await people(running)
    steps = await run(running.origin, [ALICE, BOB])
    assert [name for name, _ in failed(steps)] == ["alice enters the room first"]
    assert "4505 too_many_connections" in failed(steps)[0][1]
    alice = await running.services.users.by_name("alice")
    assert alice is not None
    assert [call["end_reason"] for call in await (await running.device(alice)).history()] == ["cancelled"]


@pytest.mark.gen_test
async def test_unwell_server_is_asked_no_further(http: ScriptedHttp) -> None:
    http.lay_out("GET /health", {"status": "degraded", "version": "1", "checks": {}})
    steps = await run(http.url, [ALICE, BOB])
    assert failed(steps) == [("the server is well", "degraded")] and len(steps) == 1


@pytest.mark.gen_test
@pytest.mark.parametrize("logins", [[ALICE], [ALICE, ALICE], [ALICE, Login("Alice", PASSWORD)]])
async def test_it_takes_two_different_people(logins: list[Login]) -> None:
    with pytest.raises(ValueError, match="two different people"):
        await run("http://127.0.0.1:9", logins)
