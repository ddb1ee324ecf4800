"""Passwords: argon2id, off the event loop, a few at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace

from server.auth.passwords import MAX_PASSWORD_BYTES, Passwords
from server.errors import BadRequest, Unavailable
from server.settings import AuthSettings
from tests.helpers import until

CHEAP = AuthSettings(argon2_memory_kib=8, argon2_time_cost=1)


@pytest.fixture
def make() -> Iterator[Callable[[AuthSettings], Passwords]]:
    """`make(settings)`, closed after the test."""
    made: list[Passwords] = []

    def begin(settings: AuthSettings = CHEAP) -> Passwords:
        made.append(Passwords(settings))
        return made[-1]

    yield begin
    for passwords in made:
        passwords.close()


@pytest.fixture
def passwords(make: Callable[[AuthSettings], Passwords]) -> Passwords:
    return make(CHEAP)


@pytest.mark.gen_test
async def test_a_password_matches_its_hash(passwords: Passwords) -> None:
    assert await passwords.matches(await passwords.hash("correct horse"), "correct horse")


@pytest.mark.gen_test
async def test_another_password_does_not(passwords: Passwords) -> None:
    assert not await passwords.matches(await passwords.hash("correct horse"), "battery staple")


@pytest.mark.gen_test
async def test_a_hash_is_argon2id_with_the_cost_of_the_settings(passwords: Passwords) -> None:
    assert (await passwords.hash("correct horse")).startswith("$argon2id$v=19$m=8,t=1,p=1$")


@pytest.mark.gen_test
async def test_no_two_hashes_of_one_password_are_the_same(passwords: Passwords) -> None:
    assert await passwords.hash("correct horse") != await passwords.hash("correct horse")


@pytest.mark.gen_test
@pytest.mark.parametrize("password", ["nobody has this password", "", "correct horse"])
async def test_nobody_has_no_password(passwords: Passwords, password: str) -> None:
    assert not await passwords.matches(None, password)


@pytest.mark.gen_test
async def test_an_unknown_name_takes_as_long_as_a_wrong_password(make: Callable[[AuthSettings], Passwords]) -> None:
    passwords = make(replace(CHEAP, argon2_memory_kib=4_096, argon2_time_cost=2))
    known = await passwords.hash("correct horse")

    async def least_s(password_hash: str | None) -> float:
        times = []
        for _ in range(7):
            begun = time.perf_counter()
            await passwords.matches(password_hash, "battery staple")
            times.append(time.perf_counter() - begun)
        return min(times)

    # One that is not hashed at all is a thousand times faster each time; a busy machine errs now and then.
    ratios = [await least_s(None) / await least_s(known) for _ in range(5)]
    assert any(0.5 < ratio < 2.0 for ratio in ratios), ratios


@pytest.mark.gen_test
@pytest.mark.parametrize("broken", ["", "plain text", "$argon2id$v=19$m=8,t=1,p=1$", "$2b$12$abcdefghijklmnopqrstuv"])
async def test_a_broken_hash_matches_nothing(passwords: Passwords, broken: str) -> None:
    assert not await passwords.matches(broken, "correct horse")


@pytest.mark.gen_test
async def test_a_password_over_the_bound_matches_nothing_and_is_not_hashed_whole(passwords: Passwords) -> None:
    known = await passwords.hash("x" * (MAX_PASSWORD_BYTES + 1))
    assert not await passwords.matches(known, "x" * (MAX_PASSWORD_BYTES + 1))


@pytest.mark.gen_test
async def test_hashing_leaves_the_event_loop_free(make: Callable[[AuthSettings], Passwords]) -> None:
    passwords = make(replace(CHEAP, argon2_memory_kib=4_096, argon2_time_cost=4))
    hashing = asyncio.ensure_future(passwords.hash("correct horse"))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10


@pytest.mark.gen_test
async def test_more_sign_ins_than_may_wait_are_told_to_come_back(make: Callable[[AuthSettings], Passwords]) -> None:
    passwords = make(replace(CHEAP, hashing_threads=1, hashing_queue=2))
    waiting = [asyncio.ensure_future(passwords.hash("correct horse")) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="signing in"):
        await passwords.hash("correct horse")
    await asyncio.gather(*waiting)


@pytest.mark.gen_test
async def test_there_is_room_again_when_the_others_are_done(make: Callable[[AuthSettings], Passwords]) -> None:
    passwords = make(replace(CHEAP, hashing_threads=1, hashing_queue=1))
    await asyncio.gather(passwords.hash("one"), passwords.hash("two"))
    assert await passwords.hash("three")


@pytest.mark.gen_test
async def test_one_who_gives_up_waiting_makes_room(make: Callable[[AuthSettings], Passwords]) -> None:
    passwords = make(replace(CHEAP, hashing_threads=1, hashing_queue=1))
    waiting = asyncio.ensure_future(passwords.hash("one"))
    await asyncio.sleep(0)
    waiting.cancel()
    await until(waiting.done)
    await asyncio.gather(passwords.hash("two"), passwords.hash("three"))


@pytest.mark.gen_test
async def test_a_hash_of_another_cost_is_to_be_renewed(make: Callable[[AuthSettings], Passwords]) -> None:
    old = await make(CHEAP).hash("correct horse")
    dearer = make(replace(CHEAP, argon2_time_cost=2))
    assert (dearer.needs_rehash(old), dearer.needs_rehash(await dearer.hash("correct horse"))) == (True, False)


def test_a_password_that_follows_the_rules_is_good(passwords: Passwords) -> None:
    passwords.require_good("x" * 8)
    passwords.require_good("x" * MAX_PASSWORD_BYTES)


def test_a_short_password_is_refused(passwords: Passwords) -> None:
    with pytest.raises(BadRequest) as refused:
        passwords.require_good("x" * 7)
    assert refused.value.fields == {"password": "At least 8 characters"}


def test_a_long_password_is_refused(passwords: Passwords) -> None:
    with pytest.raises(BadRequest) as refused:
        passwords.require_good("x" * (MAX_PASSWORD_BYTES + 1))
    assert refused.value.fields == {"password": "At most 1024 bytes"}


def test_the_bound_is_one_of_bytes(passwords: Passwords) -> None:
    with pytest.raises(BadRequest):
        passwords.require_good("ä" * (MAX_PASSWORD_BYTES // 2 + 1))
