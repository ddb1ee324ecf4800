"""Sign-ins and used tokens in MongoDB."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace
from tornado.ioloop import IOLoop

from server.ids import new_id
from server.store.driver import Database
from server.store.sign_ins import SIGN_IN_INDEXES, SPENT_INDEXES, PushSubscription, SignIn, SignInStore
from tests.helpers import today
from tests.store.conftest import Plans

LIFE = timedelta(days=14)


@pytest.fixture
def now() -> datetime:
    return today()


@pytest.fixture
def store(db: Database, io_loop: IOLoop) -> SignInStore:
    store = SignInStore(db)
    io_loop.run_sync(store.ensure_indexes)
    return store


async def stored(store: SignInStore, now: datetime, user_id: str = "alice") -> SignIn:
    sign_in = SignIn(new_id(), user_id, "a browser", now, now, now + LIFE)
    await store.insert(sign_in)
    return sign_in


@pytest.mark.gen_test
async def test_a_sign_in_comes_back_as_it_was_stored(store: SignInStore, now: datetime) -> None:
    sign_in = await stored(store, now)
    assert await store.get(sign_in.sign_in_id) == sign_in


@pytest.mark.gen_test
@pytest.mark.parametrize("text", ["unknown", "", "$ne", "\x00"], ids=ascii)
async def test_an_unknown_sign_in_is_none(store: SignInStore, now: datetime, text: str) -> None:
    await stored(store, now)
    assert await store.get(text) is None


# ── rotation ──


@pytest.mark.gen_test
async def test_a_rotation_makes_the_next_number_the_good_one(store: SignInStore, now: datetime) -> None:
    sign_in = await stored(store, now)
    later = now + timedelta(minutes=15)
    assert await store.rotate(sign_in.sign_in_id, 1, later, later + LIFE)
    assert await store.get(sign_in.sign_in_id) == replace(
        sign_in, refresh_number=2, refreshed_at=later, expires_at=later + LIFE
    )


@pytest.mark.gen_test
@pytest.mark.parametrize("number", [0, 2, -1])
async def test_a_number_that_is_not_the_good_one_rotates_nothing(
    store: SignInStore, now: datetime, number: int
) -> None:
    sign_in = await stored(store, now)
    assert not await store.rotate(sign_in.sign_in_id, number, now, now)
    assert await store.get(sign_in.sign_in_id) == sign_in


@pytest.mark.gen_test
async def test_exactly_one_of_20_rotations_wins(store: SignInStore, now: datetime) -> None:
    sign_in = await stored(store, now)
    won = await asyncio.gather(*(store.rotate(sign_in.sign_in_id, 1, now, now + LIFE) for _ in range(20)))
    assert won.count(True) == 1


@pytest.mark.gen_test
async def test_a_sign_in_that_has_ended_does_not_rotate(store: SignInStore, now: datetime) -> None:
    sign_in = await stored(store, now)
    await store.revoke(sign_in.sign_in_id, now, "signed out")
    assert not await store.rotate(sign_in.sign_in_id, 1, now, now + LIFE)


# ── ending ──


@pytest.mark.gen_test
async def test_a_sign_in_ends_once_for_the_first_reason(store: SignInStore, now: datetime) -> None:
    sign_in = await stored(store, now)
    assert await store.revoke(sign_in.sign_in_id, now, "signed out")
    assert not await store.revoke(sign_in.sign_in_id, now + timedelta(hours=1), "disabled")
    assert await store.get(sign_in.sign_in_id) == replace(sign_in, revoked_at=now, revoked_why="signed out")


@pytest.mark.gen_test
async def test_an_unknown_sign_in_does_not_end(store: SignInStore, now: datetime) -> None:
    assert not await store.revoke(new_id(), now, "signed out")


@pytest.mark.gen_test
async def test_all_sign_ins_of_a_person_end(store: SignInStore, now: datetime) -> None:
    mine = [await stored(store, now) for _ in range(3)]
    theirs = await stored(store, now, "bob")
    ended = await store.revoke_all("alice", now, "the password was changed")
    assert sorted(ended) == sorted(each.sign_in_id for each in mine)
    assert await store.get(theirs.sign_in_id) == theirs


@pytest.mark.gen_test
async def test_all_but_one_end(store: SignInStore, now: datetime) -> None:
    this, other = await stored(store, now), await stored(store, now)
    assert await store.revoke_all("alice", now, "why not", but=this.sign_in_id) == [other.sign_in_id]
    assert await store.get(this.sign_in_id) == this


@pytest.mark.gen_test
async def test_those_that_had_ended_do_not_end_again(store: SignInStore, now: datetime) -> None:
    sign_in = await stored(store, now)
    await store.revoke(sign_in.sign_in_id, now, "signed out")
    assert await store.revoke_all("alice", now, "disabled") == []


@pytest.mark.gen_test
async def test_what_has_ended_since_is_found(store: SignInStore, now: datetime) -> None:
    early, late, living = [await stored(store, now) for _ in range(3)]
    await store.revoke(early.sign_in_id, now - timedelta(seconds=1), "signed out")
    await store.revoke(late.sign_in_id, now, "signed out")
    assert await store.revoked_since(now) == [late.sign_in_id]
    assert living.sign_in_id not in await store.revoked_since(now - LIFE)


# ── used tokens ──


@pytest.mark.gen_test
async def test_a_token_is_used_once(store: SignInStore, now: datetime) -> None:
    assert (await store.spend("token", now + LIFE), await store.spend("token", now + LIFE)) == (True, False)


@pytest.mark.gen_test
async def test_exactly_one_of_50_uses_wins(store: SignInStore, now: datetime) -> None:
    won = await asyncio.gather(*(store.spend("token", now + LIFE) for _ in range(50)))
    assert won.count(True) == 1


@pytest.mark.gen_test
async def test_other_tokens_are_used_beside_it(store: SignInStore, now: datetime) -> None:
    assert (await store.spend("one", now + LIFE), await store.spend("other", now + LIFE)) == (True, True)


# ── indexes ──


@pytest.mark.gen_test
async def test_a_sign_in_that_is_in_use_runs_out_later_unless_it_has_ended(store: SignInStore, now: datetime) -> None:
    sign_in = await stored(store, now)
    later = now + timedelta(days=2)
    assert await store.prolong(sign_in.sign_in_id, later, later + LIFE)
    assert await store.get(sign_in.sign_in_id) == replace(sign_in, refreshed_at=later, expires_at=later + LIFE)
    await store.revoke(sign_in.sign_in_id, now, "signed out")
    assert not await store.prolong(sign_in.sign_in_id, later, later + LIFE)


# ── devices ──


@pytest.mark.gen_test
async def test_the_sign_ins_of_a_person_are_those_that_are_good_now(store: SignInStore, now: datetime) -> None:
    good, ended, _ = await stored(store, now), await stored(store, now), await stored(store, now, "bob")
    await store.insert(SignIn(new_id(), "alice", "run out", now, now, now))
    await store.revoke(ended.sign_in_id, now, "signed out")
    assert await store.of("alice", now) == [good]


@pytest.mark.gen_test
async def test_a_change_gives_the_sign_in_as_it_is_then(store: SignInStore, now: datetime) -> None:
    sign_in = await stored(store, now)
    changed = await store.change(sign_in.sign_in_id, "alice", device="Kitchen", silenced=True)
    assert changed == replace(sign_in, device="Kitchen", silenced=True) == await store.get(sign_in.sign_in_id)


@pytest.mark.gen_test
async def test_a_sign_in_of_somebody_else_or_one_that_is_over_is_not_changed(store: SignInStore, now: datetime) -> None:
    sign_in = await stored(store, now)
    assert await store.change(sign_in.sign_in_id, "bob", silenced=True) is None
    await store.revoke(sign_in.sign_in_id, now, "signed out")
    assert await store.change(sign_in.sign_in_id, "alice", silenced=True) is None


@pytest.mark.gen_test
async def test_what_has_changed_is_found_by_when(store: SignInStore, now: datetime) -> None:
    early, late, _ = await stored(store, now), await stored(store, now), await stored(store, now)
    await store.change(early.sign_in_id, "alice", changed_at=now)
    await store.change(late.sign_in_id, "alice", changed_at=now + timedelta(seconds=1))
    assert [each.sign_in_id for each in await store.changed_since(now + timedelta(seconds=1))] == [late.sign_in_id]


@pytest.mark.gen_test
async def test_a_device_was_seen_at_the_latest_time_that_was_noted(store: SignInStore, now: datetime) -> None:
    sign_in = await stored(store, now)
    for moment in (now + timedelta(minutes=2), now + timedelta(minutes=1)):
        await store.saw([sign_in.sign_in_id], moment)
    assert (await store.get(sign_in.sign_in_id)).last_seen_at == now + timedelta(minutes=2)  # type: ignore[union-attr]


# ── where browsers are pushed to ──


def subscription(now: datetime, key: str = "key") -> PushSubscription:
    return PushSubscription(key, "https://push.example/1", "p256dh", "auth", now)


@pytest.mark.gen_test
async def test_a_subscription_comes_back_with_its_sign_in(store: SignInStore, now: datetime) -> None:
    sign_in = await stored(store, now)
    assert await store.subscribe(sign_in.sign_in_id, "alice", subscription(now))
    assert await store.get(sign_in.sign_in_id) == replace(sign_in, push=subscription(now))


@pytest.mark.gen_test
async def test_an_endpoint_belongs_to_whoever_gave_it_last(store: SignInStore, now: datetime) -> None:
    first, second = await stored(store, now), await stored(store, now, "bob")
    await store.subscribe(first.sign_in_id, "alice", subscription(now))
    await store.subscribe(second.sign_in_id, "bob", subscription(now))
    assert await store.get(first.sign_in_id) == first
    assert await store.get(second.sign_in_id) == replace(second, push=subscription(now))


@pytest.mark.gen_test
async def test_a_sign_in_that_is_over_takes_no_subscription_and_has_lost_its_own(
    store: SignInStore, now: datetime
) -> None:
    one, two = await stored(store, now), await stored(store, now)
    await store.subscribe(one.sign_in_id, "alice", subscription(now))
    await store.subscribe(two.sign_in_id, "alice", subscription(now, "other"))
    await store.revoke(one.sign_in_id, now, "signed out")
    await store.revoke_all("alice", now, "disabled")
    assert [(await store.get(each.sign_in_id)).push for each in (one, two)] == [None, None]  # type: ignore[union-attr]
    assert not await store.subscribe(one.sign_in_id, "alice", subscription(now))


@pytest.mark.gen_test
async def test_only_the_subscription_that_is_meant_is_taken_away(store: SignInStore, now: datetime) -> None:
    sign_in = await stored(store, now)
    await store.subscribe(sign_in.sign_in_id, "alice", subscription(now))
    assert not await store.unsubscribe(sign_in.sign_in_id, "an older one")
    assert await store.unsubscribe(sign_in.sign_in_id, "key")
    assert not await store.unsubscribe(sign_in.sign_in_id)


@pytest.mark.gen_test
async def test_failures_are_counted_until_one_message_is_taken(store: SignInStore, now: datetime) -> None:
    sign_in = await stored(store, now)
    await store.subscribe(sign_in.sign_in_id, "alice", subscription(now))
    assert [await store.count_push_failure(sign_in.sign_in_id, "key") for _ in range(2)] == [1, 2]
    await store.forget_push_failures(sign_in.sign_in_id, "key")
    assert await store.count_push_failure(sign_in.sign_in_id, "key") == 1
    assert await store.count_push_failure(sign_in.sign_in_id, "another") == 0


@pytest.mark.gen_test
async def test_every_index_is_made(store: SignInStore, db: Database) -> None:
    for collection, indexes in [("sign_ins", SIGN_IN_INDEXES), ("spent_tokens", SPENT_INDEXES)]:
        made = await db._motor[collection].index_information()
        assert {index.document["name"] for index in indexes} == set(made) - {"_id_"}


@pytest.mark.gen_test
@pytest.mark.parametrize("collection", ["sign_ins", "spent_tokens"])
async def test_what_has_run_out_is_removed_by_the_database(store: SignInStore, db: Database, collection: str) -> None:
    expiry = (await db._motor[collection].index_information())["expiry"]
    assert (expiry["key"], expiry["expireAfterSeconds"]) == ([("expires_at", 1)], 0)


@pytest.mark.gen_test
async def test_no_query_scans_the_collections(store: SignInStore, now: datetime, plans: Plans) -> None:
    sign_in = await stored(store, now)
    await store.get(sign_in.sign_in_id)
    await store.rotate(sign_in.sign_in_id, 1, now, now + LIFE)
    await store.revoke(sign_in.sign_in_id, now, "signed out")
    await store.revoke_all("alice", now, "disabled", but=new_id())
    await store.revoked_since(now)
    await store.spend("token", now + LIFE)
    await store.of("alice", now)
    await store.change(sign_in.sign_in_id, "alice", silenced=True, changed_at=now)
    await store.changed_since(now)
    await store.saw([sign_in.sign_in_id], now)
    await store.subscribe(sign_in.sign_in_id, "alice", subscription(now))
    await store.count_push_failure(sign_in.sign_in_id, "key")
    await store.forget_push_failures(sign_in.sign_in_id, "key")
    await store.unsubscribe(sign_in.sign_in_id, "key")
    await store.prolong(sign_in.sign_in_id, now, now + LIFE)
    found = plans()
    assert len(found) == 16
    assert [plan for plan in found if "COLLSCAN" in plan] == []
