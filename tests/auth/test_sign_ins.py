"""Sign-ins: from a name and a password to tokens, and back from a token to a person."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from server.auth.identity import Identity
from server.auth.passwords import Passwords
from server.auth.sign_ins import TokenPair
from server.errors import InvalidCredentials, TokenExpired, TokenReused, TooManyAttempts, Unauthenticated
from server.ids import new_id
from server.realtime.bus import SIGN_INS, SignInsEnded
from server.store.sign_ins import SignIn
from server.store.users import User
from tests.auth.conftest import CACHE_S, Auth
from tests.helpers import until

PASSWORD, ADDRESS = "correct horse", "192.0.2.1"
LIFE = timedelta(days=14)


async def alice(auth: Auth) -> User:
    return await auth.accounts.add("alice", PASSWORD, "Alice")


async def signed_in(auth: Auth, device: str = "a browser") -> tuple[User, SignIn]:
    """Alice, who exists and has signed in."""
    if await auth.users.by_name("alice") is None:
        await alice(auth)
    return await auth.sign_ins.sign_in("alice", PASSWORD, device, ADDRESS)


async def identified(auth: Auth, sign_in: SignIn) -> Identity:
    return await auth.sign_ins.identify("access", auth.sign_ins.pair(sign_in).access_token)


async def refused(auth: Auth, sign_in: SignIn) -> bool:
    """Whether the access token of the sign-in is worth nothing."""
    try:
        await identified(auth, sign_in)
    except Unauthenticated:
        return True
    return False


# ── signing in ──


@pytest.mark.gen_test
async def test_the_right_password_signs_in(auth: Auth) -> None:
    user, sign_in = await signed_in(auth, "a telephone")
    assert (user.username, sign_in.user_id, sign_in.device) == ("alice", user.user_id, "a telephone")


@pytest.mark.gen_test
async def test_a_sign_in_is_stored_with_its_end(auth: Auth) -> None:
    _, sign_in = await signed_in(auth)
    assert await auth.store.get(sign_in.sign_in_id) == sign_in
    assert sign_in.expires_at == auth.clock.now() + LIFE


@pytest.mark.gen_test
async def test_the_name_in_capitals_signs_in(auth: Auth) -> None:
    await alice(auth)
    user, _ = await auth.sign_ins.sign_in("ALICE", PASSWORD, "", ADDRESS)
    assert user.username == "alice"


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("username", "password"),
    [("alice", "wrong"), ("alice", ""), ("nobody", PASSWORD), ("", ""), ("alice\x00", PASSWORD), ("$ne", PASSWORD)],
)
async def test_anything_else_does_not(auth: Auth, username: str, password: str) -> None:
    await alice(auth)
    with pytest.raises(InvalidCredentials) as error:
        await auth.sign_ins.sign_in(username, password, "", ADDRESS)
    assert (error.value.detail, error.value.fields) == ("User name or password is wrong", {})


@pytest.mark.gen_test
async def test_a_disabled_account_is_refused_as_an_unknown_one(auth: Auth) -> None:
    await auth.accounts.set_disabled(await alice(auth), True)
    with pytest.raises(InvalidCredentials):
        await auth.sign_ins.sign_in("alice", PASSWORD, "", ADDRESS)


@pytest.mark.gen_test
async def test_a_service_does_not_sign_in_with_a_password(auth: Auth) -> None:
    await auth.accounts.add("worker", PASSWORD, service=True)
    with pytest.raises(InvalidCredentials):
        await auth.sign_ins.sign_in("worker", PASSWORD, "", ADDRESS)


@pytest.mark.gen_test
async def test_too_many_wrong_passwords_are_not_looked_at(auth: Auth) -> None:
    await alice(auth)
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            await auth.sign_ins.sign_in("alice", "wrong", "", ADDRESS)
    with pytest.raises(TooManyAttempts):
        await auth.sign_ins.sign_in("alice", PASSWORD, "", ADDRESS)


@pytest.mark.gen_test
async def test_too_many_tries_of_an_unknown_name_are_refused_in_the_same_way(auth: Auth) -> None:
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            await auth.sign_ins.sign_in("nobody", "wrong", "", ADDRESS)
    with pytest.raises(TooManyAttempts):
        await auth.sign_ins.sign_in("nobody", "wrong", "", ADDRESS)


@pytest.mark.gen_test
async def test_a_password_hashed_at_another_cost_is_hashed_anew(auth: Auth) -> None:
    dearer = Passwords(replace(auth.settings, argon2_time_cost=2))
    user = await alice(auth)
    await auth.users.change(user.user_id, password_hash=await dearer.hash(PASSWORD))
    dearer.close()
    await signed_in(auth)
    renewed = await auth.users.get(user.user_id)
    assert renewed is not None and not auth.passwords.needs_rehash(renewed.password_hash)
    await signed_in(auth)


@pytest.mark.gen_test
async def test_the_own_password_is_confirmed(auth: Auth) -> None:
    user, _ = await signed_in(auth)
    await auth.sign_ins.confirm(user, PASSWORD, ADDRESS)
    with pytest.raises(InvalidCredentials):
        await auth.sign_ins.confirm(user, "wrong", ADDRESS)


# ── who somebody is ──


@pytest.mark.gen_test
async def test_an_access_token_says_who_somebody_is(auth: Auth) -> None:
    user, sign_in = await signed_in(auth, "a telephone")
    assert await identified(auth, sign_in) == Identity(user.ref, sign_in.sign_in_id, "a telephone")


@pytest.mark.gen_test
async def test_a_refresh_token_is_no_access_token(auth: Auth) -> None:
    _, sign_in = await signed_in(auth)
    with pytest.raises(Unauthenticated):
        await auth.sign_ins.identify("access", auth.sign_ins.pair(sign_in).refresh_token)


@pytest.mark.gen_test
async def test_a_token_of_an_unknown_sign_in_is_refused(auth: Auth) -> None:
    user, _ = await signed_in(auth)
    with pytest.raises(Unauthenticated):
        await auth.sign_ins.identify("access", auth.tokens.issue("access", user.user_id, new_id()))


@pytest.mark.gen_test
@pytest.mark.parametrize("warm", [False, True])
async def test_a_token_of_somebody_elses_sign_in_is_refused(auth: Auth, warm: bool) -> None:
    _, sign_in = await signed_in(auth)
    bob = await auth.accounts.add("bob", PASSWORD)
    if warm:
        await identified(auth, sign_in)
    with pytest.raises(Unauthenticated):
        await auth.sign_ins.identify("access", auth.tokens.issue("access", bob.user_id, sign_in.sign_in_id))


@pytest.mark.gen_test
async def test_a_sign_in_that_was_not_used_for_long_has_ended(auth: Auth) -> None:
    _, sign_in = await signed_in(auth)
    auth.clock.move(LIFE.total_seconds())
    assert await refused(auth, sign_in)


@pytest.mark.gen_test
async def test_somebody_who_was_removed_is_nobody(auth: Auth) -> None:
    user, sign_in = await signed_in(auth)
    await auth.users.remove(user.user_id)
    assert await refused(auth, sign_in)


# ── what is remembered ──


@pytest.mark.gen_test
async def test_a_warm_node_asks_no_database(auth: Auth) -> None:
    _, sign_in = await signed_in(auth)
    known = await identified(auth, sign_in)
    await auth.database.drop()
    assert await identified(auth, sign_in) == known


@pytest.mark.gen_test
async def test_what_is_remembered_is_looked_up_again_in_time(auth: Auth) -> None:
    _, sign_in = await signed_in(auth)
    await identified(auth, sign_in)
    await auth.database.drop()
    auth.clock.move(CACHE_S)
    assert await refused(auth, sign_in)


@pytest.mark.gen_test
async def test_what_is_remembered_is_forgotten_when_the_sign_in_ends(auth: Auth) -> None:
    _, sign_in = await signed_in(auth)
    await identified(auth, sign_in)
    await auth.sign_ins.end(sign_in.sign_in_id, "signed out")
    assert await refused(auth, sign_in)


@pytest.mark.gen_test
async def test_a_change_of_the_person_is_seen_at_once(auth: Auth) -> None:
    user, sign_in = await signed_in(auth)
    await identified(auth, sign_in)
    await auth.accounts.change_profile(user.user_id, display_name="Alice B.", do_not_disturb=True)
    identity = await identified(auth, sign_in)
    assert (identity.user.display_name, identity.do_not_disturb) == ("Alice B.", True)


@pytest.mark.gen_test
async def test_a_sign_in_that_ends_while_it_is_looked_up_is_not_remembered(auth: Auth) -> None:
    _, sign_in = await signed_in(auth)
    looking = asyncio.ensure_future(identified(auth, sign_in))
    await asyncio.sleep(0)
    auth.bus.publish(SIGN_INS, SignInsEnded((sign_in.sign_in_id,)))
    await looking  # it had read before the end was stored
    await auth.store.revoke(sign_in.sign_in_id, auth.clock.now(), "signed out")
    assert await refused(auth, sign_in)


@pytest.mark.gen_test
async def test_a_person_who_changes_while_a_sign_in_is_looked_up_is_not_remembered_as_before(auth: Auth) -> None:
    user, sign_in = await signed_in(auth)
    looking = asyncio.ensure_future(identified(auth, sign_in))
    await asyncio.sleep(0)
    auth.sign_ins.forget_user(user.user_id)
    await looking  # it had read before the change was stored
    await auth.users.change(user.user_id, display_name="Alice B.")
    assert (await identified(auth, sign_in)).user.display_name == "Alice B."


# ── ending ──


@pytest.mark.gen_test
async def test_the_end_of_a_sign_in_is_told(auth: Auth) -> None:
    _, sign_in = await signed_in(auth)
    await auth.sign_ins.end(sign_in.sign_in_id, "signed out")
    assert auth.ended == [sign_in.sign_in_id]


@pytest.mark.gen_test
async def test_the_end_of_a_sign_in_is_stored_with_its_reason(auth: Auth) -> None:
    _, sign_in = await signed_in(auth)
    await auth.sign_ins.end(sign_in.sign_in_id, "signed out")
    stored = await auth.store.get(sign_in.sign_in_id)
    assert stored is not None and (stored.revoked_at, stored.revoked_why) == (auth.clock.now(), "signed out")


@pytest.mark.gen_test
async def test_every_sign_in_of_a_person_but_one_ends(auth: Auth) -> None:
    user, this = await signed_in(auth)
    others = [(await signed_in(auth))[1] for _ in range(3)]
    assert await auth.sign_ins.end_all(user.user_id, "the password was changed", but=this.sign_in_id) == 3
    assert set(auth.ended) == {other.sign_in_id for other in others}
    assert [await refused(auth, sign_in) for sign_in in (this, *others)] == [False, True, True, True]


@pytest.mark.gen_test
async def test_the_sign_ins_of_others_go_on(auth: Auth) -> None:
    user, _ = await signed_in(auth)
    await auth.accounts.add("bob", PASSWORD)
    _, bobs = await auth.sign_ins.sign_in("bob", PASSWORD, "", ADDRESS)
    await auth.sign_ins.end_all(user.user_id, "why not")
    assert not await refused(auth, bobs)


@pytest.mark.gen_test
async def test_where_nothing_ends_nothing_is_told(auth: Auth) -> None:
    user = await alice(auth)
    assert (await auth.sign_ins.end_all(user.user_id, "why not"), auth.ended) == (0, [])


@pytest.mark.gen_test
async def test_a_sign_in_that_another_process_ended_is_noticed(auth: Auth) -> None:
    _, sign_in = await signed_in(auth)
    await identified(auth, sign_in)
    await auth.second().sign_ins.end(sign_in.sign_in_id, "disabled")
    auth.clock.move(1)
    assert (await auth.sign_ins.notice_revocations(), auth.ended) == (1, [sign_in.sign_in_id])
    assert await refused(auth, sign_in)


@pytest.mark.gen_test
async def test_a_process_whose_clock_is_behind_is_noticed_too(auth: Auth) -> None:
    _, sign_in = await signed_in(auth)
    await auth.store.revoke(sign_in.sign_in_id, auth.clock.now() - timedelta(seconds=4), "disabled")
    assert await auth.sign_ins.notice_revocations() == 1


@pytest.mark.gen_test
async def test_what_ended_long_ago_is_no_news(auth: Auth) -> None:
    _, sign_in = await signed_in(auth)
    await auth.store.revoke(sign_in.sign_in_id, auth.clock.now(), "disabled")
    auth.clock.move(60)
    await auth.sign_ins.notice_revocations()
    auth.clock.move(60)
    assert await auth.sign_ins.notice_revocations() == 0


@pytest.mark.gen_test
async def test_what_a_look_that_failed_did_not_see_is_noticed_by_the_next(auth: Auth) -> None:
    _, sign_in = await signed_in(auth)
    await auth.store.revoke(sign_in.sign_in_id, auth.clock.now(), "disabled")
    auth.clock.move(30)
    looking = asyncio.ensure_future(auth.sign_ins.notice_revocations())
    await asyncio.sleep(0)
    looking.cancel()
    await until(looking.done)
    auth.clock.move(1)
    assert await auth.sign_ins.notice_revocations() == 1


# ── refreshing ──


async def refreshed(auth: Auth, pair: TokenPair) -> TokenPair:
    return (await auth.sign_ins.refresh(pair.refresh_token))[1]


@pytest.mark.gen_test
async def test_a_refresh_gives_the_next_pair(auth: Auth) -> None:
    user, sign_in = await signed_in(auth)
    pair = await refreshed(auth, auth.sign_ins.pair(sign_in))
    assert (await auth.sign_ins.identify("access", pair.access_token)).user == user.ref
    assert await refreshed(auth, pair)


@pytest.mark.gen_test
async def test_a_refresh_starts_the_life_of_a_sign_in_anew(auth: Auth) -> None:
    _, sign_in = await signed_in(auth)
    auth.clock.move(86_400)
    await refreshed(auth, auth.sign_ins.pair(sign_in))
    stored = await auth.store.get(sign_in.sign_in_id)
    assert stored is not None and stored.expires_at == auth.clock.now() + LIFE


@pytest.mark.gen_test
async def test_a_refresh_token_shown_again_ends_the_sign_in(auth: Auth) -> None:
    _, sign_in = await signed_in(auth)
    first = auth.sign_ins.pair(sign_in)
    second = await refreshed(auth, first)
    with pytest.raises(TokenReused):
        await refreshed(auth, first)
    with pytest.raises(Unauthenticated):
        await refreshed(auth, second)
    with pytest.raises(Unauthenticated):
        await auth.sign_ins.identify("access", second.access_token)
    assert set(auth.ended) == {sign_in.sign_in_id}


@pytest.mark.gen_test
async def test_one_of_many_refreshes_at_once_wins(auth: Auth) -> None:
    _, sign_in = await signed_in(auth)
    first = auth.sign_ins.pair(sign_in)
    results = await asyncio.gather(*(refreshed(auth, first) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(result, TokenPair) for result in results) == 1
    assert sum(isinstance(result, TokenReused) for result in results) == 9


@pytest.mark.gen_test
async def test_a_sign_in_that_has_ended_is_not_refreshed(auth: Auth) -> None:
    _, sign_in = await signed_in(auth)
    pair = auth.sign_ins.pair(sign_in)
    await auth.sign_ins.end(sign_in.sign_in_id, "signed out")
    with pytest.raises(Unauthenticated):
        await refreshed(auth, pair)


@pytest.mark.gen_test
async def test_an_access_token_does_not_refresh(auth: Auth) -> None:
    _, sign_in = await signed_in(auth)
    with pytest.raises(Unauthenticated):
        await auth.sign_ins.refresh(auth.sign_ins.pair(sign_in).access_token)


@pytest.mark.gen_test
async def test_an_expired_refresh_token_is_refused_and_ends_nothing(auth: Auth) -> None:
    _, sign_in = await signed_in(auth)
    pair = auth.sign_ins.pair(sign_in)
    auth.clock.move(LIFE.total_seconds() + 10)
    with pytest.raises(TokenExpired):
        await refreshed(auth, pair)
    assert auth.ended == []


@pytest.mark.gen_test
async def test_somebody_who_was_removed_does_not_refresh(auth: Auth) -> None:
    user, sign_in = await signed_in(auth)
    await auth.users.remove(user.user_id)
    with pytest.raises(Unauthenticated):
        await refreshed(auth, auth.sign_ins.pair(sign_in))


# ── tokens for one use ──


@pytest.mark.gen_test
async def test_exactly_one_of_50_uses_of_a_socket_token_wins(auth: Auth) -> None:
    user, sign_in = await signed_in(auth)
    claims = auth.tokens.check("ws", auth.tokens.issue("ws", user.user_id, sign_in.sign_in_id))
    uses = await asyncio.gather(*(auth.sign_ins.spend(claims) for _ in range(50)))
    assert uses.count(True) == 1


@pytest.mark.gen_test
async def test_a_token_that_was_used_in_another_process_is_used(auth: Auth) -> None:
    user, sign_in = await signed_in(auth)
    claims = auth.tokens.check("ws", auth.tokens.issue("ws", user.user_id, sign_in.sign_in_id))
    assert await auth.sign_ins.spend(claims)
    assert not await auth.second().sign_ins.spend(claims)


@pytest.mark.gen_test
async def test_every_token_may_be_used_once(auth: Auth) -> None:
    user, sign_in = await signed_in(auth)
    claims = [auth.tokens.check("ws", auth.tokens.issue("ws", user.user_id, sign_in.sign_in_id)) for _ in range(3)]
    assert [await auth.sign_ins.spend(each) for each in claims] == [True, True, True]
