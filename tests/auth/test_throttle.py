"""Throttling of sign-in attempts."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from server.auth.throttle import SPREAD_FACTOR, LoginThrottle, network_of
from server.errors import InvalidCredentials, TooManyAttempts, Unavailable
from server.settings import AuthSettings
from tests.clock import ManualClock

SETTINGS = AuthSettings(login_attempts_per_account=5, login_attempts_per_address=20, login_window_s=900)
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.1"


class Door:
    """A throttle at which people knock."""

    def __init__(self, settings: AuthSettings = SETTINGS) -> None:
        self.clock = ManualClock()
        self.throttle = LoginThrottle(settings, self.clock)
        self.looked_at = 0

    async def fails(self, username: str = "alice", address: str = HERE) -> bool:
        """A wrong password; whether it was looked at."""
        return await self._knock(username, address, InvalidCredentials())

    async def succeeds(self, username: str = "alice", address: str = HERE) -> bool:
        """The right password; whether it was looked at."""
        return await self._knock(username, address, None)

    async def _knock(self, username: str, address: str, error: Exception | None) -> bool:
        try:
            async with self.throttle.attempt(username, address):
                self.looked_at += 1
                await asyncio.sleep(0)
                if error is not None:
                    raise error
        except TooManyAttempts:
            return False
        except InvalidCredentials:
            return True
        return True


@pytest.fixture
def door() -> Door:
    return Door()


async def used_up(door: Door, times: int = 5, username: str = "alice", address: str = HERE) -> None:
    for _ in range(times):
        assert await door.fails(username, address)


@pytest.mark.gen_test
async def test_so_many_attempts_are_looked_at_and_no_more(door: Door) -> None:
    assert [await door.fails() for _ in range(7)] == [True] * 5 + [False] * 2


@pytest.mark.gen_test
async def test_the_right_password_is_not_looked_at_either(door: Door) -> None:
    await used_up(door)
    assert not await door.succeeds()


@pytest.mark.gen_test
async def test_the_name_in_capitals_is_the_same_account(door: Door) -> None:
    await used_up(door)
    assert not await door.fails("ALICE")


@pytest.mark.gen_test
async def test_another_account_from_the_same_address_is_looked_at(door: Door) -> None:
    await used_up(door)
    assert await door.fails("bob")


@pytest.mark.gen_test
async def test_the_same_account_from_another_address_is_looked_at(door: Door) -> None:
    await used_up(door)
    assert await door.succeeds(address=ELSEWHERE)


@pytest.mark.gen_test
async def test_an_address_that_tries_many_accounts_is_stopped(door: Door) -> None:
    assert [await door.fails(f"user{number}") for number in range(21)] == [True] * 20 + [False]


@pytest.mark.gen_test
async def test_an_account_that_is_tried_from_many_addresses_is_closed(door: Door) -> None:
    for number in range(5 * SPREAD_FACTOR):
        assert await door.fails(address=f"10.0.{number}.1")
    assert not await door.succeeds()


@pytest.mark.gen_test
async def test_a_success_forgets_the_failures_before_it(door: Door) -> None:
    await used_up(door, times=4)
    await door.succeeds()
    await used_up(door, times=5)


@pytest.mark.gen_test
async def test_a_success_does_not_clear_the_address(door: Door) -> None:
    for number in range(19):
        await door.fails(f"user{number}")
    await door.succeeds("their own account")
    assert [await door.fails("another"), await door.fails("a third")] == [True, False]


@pytest.mark.gen_test
async def test_successes_are_not_counted(door: Door) -> None:
    assert all([await door.succeeds() for _ in range(100)])


@pytest.mark.gen_test
async def test_a_fault_of_ours_is_not_counted(door: Door) -> None:
    for _ in range(10):
        with pytest.raises(Unavailable):
            await door._knock("alice", HERE, Unavailable())
    assert await door.succeeds()


@pytest.mark.gen_test
async def test_the_window_moves(door: Door) -> None:
    await used_up(door, times=3)
    door.clock.move(600)
    await used_up(door, times=2)
    door.clock.move(299.9)
    assert not await door.fails()
    door.clock.move(0.1)
    await used_up(door, times=3)
    assert not await door.fails()


@pytest.mark.gen_test
async def test_a_refusal_says_how_long_to_wait(door: Door) -> None:
    await used_up(door, times=1)
    door.clock.move(100)
    await used_up(door, times=4)
    with pytest.raises(TooManyAttempts) as refused:
        async with door.throttle.attempt("alice", HERE):
            pass
    assert refused.value.retry_after_s == pytest.approx(800)


@pytest.mark.gen_test
async def test_one_who_waited_is_looked_at(door: Door) -> None:
    await used_up(door)
    door.clock.move(900)
    assert await door.succeeds()


@pytest.mark.gen_test
async def test_a_refused_attempt_does_not_lengthen_the_wait(door: Door) -> None:
    await used_up(door)
    door.clock.move(899)
    await door.fails()
    door.clock.move(1)
    assert await door.succeeds()


@pytest.mark.gen_test
async def test_guesses_that_come_at_once_are_as_few_as_those_that_come_one_by_one(door: Door) -> None:
    await asyncio.gather(*(door.fails() for _ in range(50)))
    assert door.looked_at == 5


@pytest.mark.gen_test
async def test_guesses_at_once_from_everywhere_are_limited_too(door: Door) -> None:
    await asyncio.gather(*(door.fails(address=f"10.0.{number}.1") for number in range(100)))
    assert door.looked_at == 5 * SPREAD_FACTOR


@pytest.mark.gen_test
async def test_one_who_signs_in_on_many_devices_at_once_is_let_in(door: Door) -> None:
    assert all(await asyncio.gather(*(door.succeeds() for _ in range(30))))


@pytest.mark.gen_test
async def test_nobody_waits_for_the_attempts_of_others(door: Door) -> None:
    async with door.throttle.attempt("alice", HERE):
        assert await door.succeeds("bob")


@pytest.mark.gen_test
async def test_what_is_long_past_is_forgotten(door: Door) -> None:
    for number in range(100):
        await door.fails(f"user{number}", f"10.0.{number}.1")
    door.clock.move(900)
    await door.fails("alice", HERE)
    assert len(door.throttle) == 3


@pytest.mark.gen_test
async def test_a_limit_of_one_is_one() -> None:
    door = Door(replace(SETTINGS, login_attempts_per_account=1))
    assert [await door.fails(), await door.fails()] == [True, False]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_one_customer_is_one_address(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.gen_test
async def test_the_many_addresses_of_one_ipv6_customer_are_one(door: Door) -> None:
    for number in range(5):
        await door.fails(address=f"2001:db8::{number}")
    assert not await door.fails(address="2001:db8::ffff")
