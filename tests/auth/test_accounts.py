"""Accounts: who exists, what they are called, and how they change."""

from __future__ import annotations

import asyncio

import pytest

from server.auth.accounts import good_display_name, require_username
from server.errors import BadRequest, InvalidCredentials, TooManyAttempts, UsernameTaken, UserNotFound
from server.store.sign_ins import SignIn
from server.store.users import User
from tests.auth.conftest import Auth

PASSWORD, NEW_PASSWORD, ADDRESS = "correct horse", "battery staple", "192.0.2.1"


async def alice(auth: Auth) -> User:
    return await auth.accounts.add("alice", PASSWORD, "Alice")


async def lets_in(auth: Auth, password: str, username: str = "alice") -> bool:
    try:
        await auth.sign_ins.sign_in(username, password, "", ADDRESS)
    except InvalidCredentials:
        return False
    return True


async def is_over(auth: Auth, sign_in: SignIn) -> bool:
    stored = await auth.store.get(sign_in.sign_in_id)
    return stored is None or stored.revoked_at is not None


# ── coming ──


@pytest.mark.gen_test
async def test_somebody_new_is_stored(auth: Auth) -> None:
    user = await alice(auth)
    assert await auth.users.get(user.user_id) == user
    assert (user.username, user.display_name, user.admin, user.service, user.disabled) == (
        "alice",
        "Alice",
        False,
        False,
        False,
    )


@pytest.mark.gen_test
async def test_the_password_itself_is_not_stored(auth: Auth) -> None:
    assert PASSWORD not in str(await alice(auth))


@pytest.mark.gen_test
async def test_without_a_display_name_the_user_name_is_shown(auth: Auth) -> None:
    assert (await auth.accounts.add("+49.30-1234".lstrip("+"), PASSWORD)).display_name == "49.30-1234"


@pytest.mark.gen_test
async def test_administrators_and_services_are_made_so(auth: Auth) -> None:
    root, worker = (
        await auth.accounts.add("root", PASSWORD, admin=True),
        await auth.accounts.add("worker", PASSWORD, service=True),
    )
    assert (root.admin, root.service, worker.admin, worker.service) == (True, False, False, True)


@pytest.mark.gen_test
@pytest.mark.parametrize("again", ["alice", "ALICE", "Alice"])
async def test_a_name_that_is_taken_is_refused_however_it_is_capitalised(auth: Auth, again: str) -> None:
    await alice(auth)
    with pytest.raises(UsernameTaken) as refused:
        await auth.accounts.add(again, PASSWORD)
    assert refused.value.fields == {"username": "taken"}


@pytest.mark.gen_test
async def test_one_of_many_who_take_a_name_at_once_gets_it(auth: Auth) -> None:
    results = await asyncio.gather(*(alice(auth) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(result, User) for result in results) == 1
    assert sum(isinstance(result, UsernameTaken) for result in results) == 9


@pytest.mark.gen_test
async def test_a_bad_password_is_refused_before_anything_is_stored(auth: Auth) -> None:
    with pytest.raises(BadRequest) as refused:
        await auth.accounts.add("alice", "short")
    assert list(refused.value.fields) == ["password"]
    assert await auth.users.by_name("alice") is None


@pytest.mark.gen_test
async def test_a_bad_display_name_is_refused(auth: Auth) -> None:
    with pytest.raises(BadRequest) as refused:
        await auth.accounts.add("alice", PASSWORD, "two\nlines")
    assert list(refused.value.fields) == ["display_name"]


@pytest.mark.parametrize("username", ["al", "alice", "a.b_c-d", "4930123456", "Ärger", "阿黛", "x" * 64])
def test_a_name_within_the_rule_is_taken(username: str) -> None:
    require_username(username)


@pytest.mark.parametrize(
    "username",
    ["", "a", "x" * 65, "two words", "alice\n", "al/ice", "al@ice", "<b>", "$ne", "al\x00ce", "../..", "alice​"],
    ids=ascii,
)
def test_a_name_against_the_rule_is_refused(username: str) -> None:
    with pytest.raises(BadRequest) as refused:
        require_username(username)
    assert list(refused.value.fields) == ["username"]


@pytest.mark.parametrize(("given", "shown"), [("Alice", "Alice"), ("  Alice B. ", "Alice B."), ("阿黛", "阿黛")])
def test_a_display_name_is_trimmed(given: str, shown: str) -> None:
    assert good_display_name(given) == shown


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "two\nlines", "a\tb", "a\x00b", "a‮b"], ids=ascii)
def test_a_display_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(BadRequest):
        good_display_name(name)


# ── looking ──


@pytest.mark.gen_test
async def test_somebody_is_found_by_name(auth: Auth) -> None:
    user = await alice(auth)
    assert await auth.accounts.named("Alice") == user


@pytest.mark.gen_test
async def test_an_unknown_name_is_an_error_that_names_it(auth: Auth) -> None:
    with pytest.raises(UserNotFound, match="'nobody'"):
        await auth.accounts.named("nobody")


# ── passwords ──


@pytest.mark.gen_test
async def test_a_new_password_lets_in_and_the_old_one_does_not(auth: Auth) -> None:
    await auth.accounts.set_password(await alice(auth), NEW_PASSWORD)
    assert (await lets_in(auth, NEW_PASSWORD), await lets_in(auth, PASSWORD)) == (True, False)


@pytest.mark.gen_test
async def test_a_new_password_ends_all_sign_ins(auth: Auth) -> None:
    user = await alice(auth)
    sign_in = await auth.sign_ins.begin(user, "a browser")
    await auth.accounts.set_password(user, NEW_PASSWORD)
    assert await is_over(auth, sign_in)


@pytest.mark.gen_test
async def test_a_bad_new_password_changes_nothing(auth: Auth) -> None:
    user = await alice(auth)
    sign_in = await auth.sign_ins.begin(user, "a browser")
    with pytest.raises(BadRequest):
        await auth.accounts.set_password(user, "short")
    assert (await lets_in(auth, PASSWORD), await is_over(auth, sign_in)) == (True, False)


@pytest.mark.gen_test
async def test_one_who_changes_the_password_stays_signed_in_alone(auth: Auth) -> None:
    user = await alice(auth)
    this, other = await auth.sign_ins.begin(user, "this"), await auth.sign_ins.begin(user, "other")
    await auth.accounts.change_password(
        user.user_id, PASSWORD, NEW_PASSWORD, sign_in_id=this.sign_in_id, address=ADDRESS
    )
    assert (await is_over(auth, this), await is_over(auth, other)) == (False, True)


@pytest.mark.gen_test
async def test_one_who_does_not_know_the_password_does_not_change_it(auth: Auth) -> None:
    user = await alice(auth)
    with pytest.raises(InvalidCredentials) as refused:
        await auth.accounts.change_password(user.user_id, "wrong", NEW_PASSWORD, sign_in_id="", address=ADDRESS)
    assert list(refused.value.fields) == ["current_password"]
    assert await lets_in(auth, PASSWORD)


@pytest.mark.gen_test
async def test_guesses_of_the_current_password_are_throttled(auth: Auth) -> None:
    user = await alice(auth)
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            await auth.accounts.change_password(user.user_id, "wrong", NEW_PASSWORD, sign_in_id="", address=ADDRESS)
    with pytest.raises(TooManyAttempts):
        await auth.accounts.change_password(user.user_id, PASSWORD, NEW_PASSWORD, sign_in_id="", address=ADDRESS)


@pytest.mark.gen_test
async def test_a_bad_new_password_is_named_as_the_new_one(auth: Auth) -> None:
    user = await alice(auth)
    with pytest.raises(BadRequest) as refused:
        await auth.accounts.change_password(user.user_id, PASSWORD, "short", sign_in_id="", address=ADDRESS)
    assert list(refused.value.fields) == ["new_password"]


@pytest.mark.gen_test
async def test_nobody_has_no_password_to_change(auth: Auth) -> None:
    with pytest.raises(UserNotFound):
        await auth.accounts.change_password("nobody", PASSWORD, NEW_PASSWORD, sign_in_id="", address=ADDRESS)


@pytest.mark.gen_test
async def test_a_password_is_that_persons_or_not(auth: Auth) -> None:
    user = await alice(auth)
    assert (await auth.accounts.has_password(user, PASSWORD), await auth.accounts.has_password(user, "x")) == (
        True,
        False,
    )


# ── changing and going ──


@pytest.mark.gen_test
async def test_a_disabled_account_ends_its_sign_ins_and_lets_nobody_in(auth: Auth) -> None:
    user = await alice(auth)
    sign_in = await auth.sign_ins.begin(user, "a browser")
    await auth.accounts.set_disabled(user, True)
    assert (await is_over(auth, sign_in), await lets_in(auth, PASSWORD)) == (True, False)


@pytest.mark.gen_test
async def test_an_account_that_is_opened_again_lets_in(auth: Auth) -> None:
    user = await alice(auth)
    await auth.accounts.set_disabled(user, True)
    await auth.accounts.set_disabled(user, False)
    assert await lets_in(auth, PASSWORD)


@pytest.mark.gen_test
async def test_somebody_who_is_removed_is_gone_with_their_sign_ins(auth: Auth) -> None:
    user = await alice(auth)
    sign_in = await auth.sign_ins.begin(user, "a browser")
    await auth.accounts.remove(user)
    assert (await auth.users.get(user.user_id), await is_over(auth, sign_in)) == (None, True)


@pytest.mark.gen_test
async def test_with_somebody_who_is_removed_goes_what_else_is_theirs(auth: Auth) -> None:
    user = await alice(auth)
    gone: list[str] = []

    async def remove_theirs(user_id: str) -> None:
        gone.append(user_id)

    auth.accounts.on_remove.append(remove_theirs)
    await auth.accounts.remove(user)
    assert gone == [user.user_id]


@pytest.mark.gen_test
async def test_a_profile_changes_where_it_is_said(auth: Auth) -> None:
    user = await alice(auth)
    changed = await auth.accounts.change_profile(user.user_id, display_name=" Alice B. ", locale="de")
    assert (changed.display_name, changed.locale, changed.do_not_disturb) == ("Alice B.", "de", False)


@pytest.mark.gen_test
async def test_a_profile_takes_no_bad_display_name(auth: Auth) -> None:
    user = await alice(auth)
    with pytest.raises(BadRequest):
        await auth.accounts.change_profile(user.user_id, display_name="")


@pytest.mark.gen_test
async def test_nobody_has_no_profile(auth: Auth) -> None:
    with pytest.raises(UserNotFound):
        await auth.accounts.change_profile("nobody", locale="de")
