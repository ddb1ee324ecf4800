"""Signing in, staying signed in, and signing out, over HTTP."""

from __future__ import annotations

import asyncio

import jwt
import pytest

from tests.running import PASSWORD, Answer, Person, Running, Start

NEW_PASSWORD = "a horse of another colour"


async def login(running: Running, username: str, password: str = PASSWORD, **fields: object) -> Answer:
    return await running.api("POST", "/auth/login", {"username": username, "password": password, **fields})


async def refresh(running: Running, token: str) -> Answer:
    return await running.api("POST", "/auth/refresh", {"refresh_token": token})


async def is_signed_in(running: Running, access_token: str) -> bool:
    answer = await running.api("GET", "/users/me", Authorization=f"Bearer {access_token}")
    return answer.status == 200


class TestLogin:
    @pytest.mark.gen_test
    async def test_gives_tokens_and_the_person(self, running: Running) -> None:
        alice = await running.person("alice", display_name="Alice A.")
        answer = await login(running, "alice")
        assert answer.status == 200
        assert set(answer.document) == {
            "access_token", "refresh_token", "ws_token", "token_type", "expires_in", "user",
        }  # fmt: skip
        assert (answer.document["token_type"], answer.document["expires_in"]) == ("Bearer", 900)
        assert answer.document["user"] == {"id": alice.id, "username": "alice", "display_name": "Alice A."}

    @pytest.mark.gen_test
    async def test_gives_an_access_token_that_signs_in(self, running: Running) -> None:
        await running.person("alice")
        assert await is_signed_in(running, (await login(running, "alice")).document["access_token"])

    @pytest.mark.gen_test
    async def test_gives_a_ws_token_that_opens_a_socket(self, running: Running) -> None:
        await running.person("alice")
        peer = await running.open("/ws/user", token=(await login(running, "alice")).document["ws_token"])
        assert (await peer.next("connected"))["user"]["username"] == "alice"

    @pytest.mark.gen_test
    async def test_does_not_mind_how_the_name_is_capitalised(self, running: Running) -> None:
        await running.person("Alice")
        assert (await login(running, "aLICE")).document["user"]["username"] == "Alice"

    @pytest.mark.gen_test
    async def test_names_the_device_for_its_owner(self, running: Running) -> None:
        await running.people("alice", "bob")
        token = (await login(running, "alice", device="Kitchen")).document["access_token"]
        call = await running.api(
            "POST", "/calls", {"callees": ["bob"], "media": "audio"}, Authorization=f"Bearer {token}"
        )
        assert call.document["legs"][0]["device"] == "Kitchen"

    @pytest.mark.gen_test
    async def test_names_the_device_by_its_browser_otherwise(self, running: Running) -> None:
        await running.people("alice", "bob")
        firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
        body = {"username": "alice", "password": PASSWORD}
        token = (await running.api("POST", "/auth/login", body, **{"User-Agent": firefox})).document["access_token"]
        call = await running.api(
            "POST", "/calls", {"callees": ["bob"], "media": "audio"}, Authorization=f"Bearer {token}"
        )
        assert call.document["legs"][0]["device"] == "Firefox on Linux"

    @pytest.mark.gen_test
    async def test_is_another_sign_in_each_time(self, running: Running) -> None:
        await running.person("alice")
        first, second = [(await login(running, "alice")).document["access_token"] for _ in range(2)]
        await running.api("POST", "/auth/logout", Authorization=f"Bearer {first}")
        assert await is_signed_in(running, second)

    @pytest.mark.gen_test
    async def test_refuses_a_wrong_password(self, running: Running) -> None:
        await running.person("alice")
        answer = await login(running, "alice", "wrong")
        assert (answer.status, answer.code) == (401, "invalid_credentials")

    @pytest.mark.gen_test
    @pytest.mark.parametrize("who", ["nobody", "", "x" * 64, "$where", "a\u0000b"])
    async def test_answers_an_unknown_name_like_a_wrong_password(self, running: Running, who: str) -> None:
        await running.person("alice")
        wrong, unknown = await login(running, "alice", "wrong"), await login(running, who, "wrong")
        assert unknown.status == wrong.status
        assert {**unknown.document, "request_id": ""} == {**wrong.document, "request_id": ""}
        assert set(unknown.headers) == set(wrong.headers)

    @pytest.mark.gen_test
    async def test_hashes_for_an_unknown_name_too(self, start: Start) -> None:
        running = await start({"auth.argon2_memory_kib": 8192, "auth.argon2_time_cost": 8})
        await running.person("alice")
        known = min([await took_s(login(running, "alice", "wrong")) for _ in range(3)])
        unknown = min([await took_s(login(running, "nobody", "wrong")) for _ in range(3)])
        assert unknown > known / 3  # without a hash it is a hundredth

    @pytest.mark.gen_test
    async def test_refuses_a_disabled_account_like_a_wrong_password(self, running: Running) -> None:
        alice = await running.person("alice")
        await running.services.accounts.set_disabled(alice.user, True)
        assert (await login(running, "alice")).code == "invalid_credentials"

    @pytest.mark.gen_test
    async def test_refuses_a_service_account(self, running: Running) -> None:
        await running.person("worker", service=True)
        assert (await login(running, "worker")).code == "invalid_credentials"

    @pytest.mark.gen_test
    async def test_refuses_a_password_of_a_megabyte_without_hashing_it(self, running: Running) -> None:
        await running.person("alice")
        assert (await login(running, "alice", "x" * 60_000)).code == "invalid_credentials"

    @pytest.mark.gen_test
    async def test_takes_a_password_in_any_script(self, running: Running) -> None:
        user = (await running.person("alice")).user
        await running.services.accounts.set_password(user, "пароль 密码 🔑\u0000")
        assert (await login(running, "alice", "пароль 密码 🔑\u0000")).status == 200
        assert (await login(running, "alice", "пароль 密码 🔑")).status == 401

    @pytest.mark.gen_test
    async def test_sends_sign_ins_away_when_too_many_wait_for_a_hash(self, start: Start) -> None:
        running = await start({"auth.hashing_queue": 1, "auth.hashing_threads": 1, "auth.argon2_memory_kib": 4096})
        await running.people(*(f"user{number}" for number in range(8)))
        answers = await asyncio.gather(*(login(running, f"user{number}") for number in range(8)))
        refused = [answer for answer in answers if answer.status != 200]
        assert {answer.code for answer in refused} == {"unavailable"}
        assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)


async def took_s(answer: object) -> float:
    """How long something takes, in seconds."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await answer  # type: ignore[misc]
    return loop.time() - began_s


class TestThrottle:
    @pytest.mark.gen_test
    async def test_refuses_even_the_right_password_after_too_many_wrong_ones(self, start: Start) -> None:
        running = await start({"auth.login_attempts_per_account": 3})
        await running.person("alice")
        for _ in range(3):
            assert (await login(running, "alice", "wrong")).status == 401
        answer = await login(running, "alice")
        assert (answer.status, answer.code) == (429, "too_many_attempts")
        assert 1 <= int(answer.headers["Retry-After"]) <= 900

    @pytest.mark.gen_test
    async def test_counts_guesses_that_come_at_once(self, start: Start) -> None:
        running = await start({"auth.login_attempts_per_account": 3})
        await running.person("alice")
        answers = await asyncio.gather(*(login(running, "alice", f"guess {number}") for number in range(20)))
        assert [answer.status for answer in answers].count(401) == 3

    @pytest.mark.gen_test
    async def test_counts_an_unknown_name_as_well(self, start: Start) -> None:
        running = await start({"auth.login_attempts_per_account": 3})
        for _ in range(3):
            await login(running, "nobody", "wrong")
        assert (await login(running, "nobody", "wrong")).status == 429

    @pytest.mark.gen_test
    async def test_counts_an_account_however_it_is_capitalised(self, start: Start) -> None:
        running = await start({"auth.login_attempts_per_account": 3})
        for name in ("alice", "Alice", "ALICE"):
            await login(running, name, "wrong")
        assert (await login(running, "aLiCe", "wrong")).status == 429

    @pytest.mark.gen_test
    async def test_counts_an_address_over_all_accounts(self, start: Start) -> None:
        running = await start({"auth.login_attempts_per_address": 4})
        for number in range(4):
            await login(running, f"user{number}", "wrong")
        assert (await login(running, "another", "wrong")).status == 429

    @pytest.mark.gen_test
    async def test_lets_others_in_meanwhile(self, start: Start) -> None:
        running = await start({"auth.login_attempts_per_account": 3})
        await running.people("alice", "bob")
        for _ in range(4):
            await login(running, "alice", "wrong")
        assert (await login(running, "bob")).status == 200

    @pytest.mark.gen_test
    async def test_starts_anew_after_a_success(self, start: Start) -> None:
        running = await start({"auth.login_attempts_per_account": 3})
        await running.person("alice")
        for password in ("wrong", "wrong", PASSWORD, "wrong", "wrong"):
            await login(running, "alice", password)
        assert (await login(running, "alice")).status == 200

    @pytest.mark.gen_test
    async def test_believes_no_stranger_about_the_address(self, start: Start) -> None:
        running = await start({"auth.login_attempts_per_address": 3})
        for number in range(4):
            body = {"username": f"user{number}", "password": "wrong"}
            answer = await running.api("POST", "/auth/login", body, **{"X-Forwarded-For": f"198.51.100.{number}"})
        assert answer.status == 429

    @pytest.mark.gen_test
    async def test_believes_a_trusted_proxy_about_the_address(self, start: Start) -> None:
        running = await start({"auth.login_attempts_per_address": 3, "server.trusted_proxies": ["127.0.0.0/8"]})
        for number in range(4):
            body = {"username": f"user{number}", "password": "wrong"}
            answer = await running.api("POST", "/auth/login", body, **{"X-Forwarded-For": f"198.51.100.{number}"})
        assert answer.status == 401


class TestRefresh:
    @pytest.mark.gen_test
    async def test_gives_a_new_pair(self, running: Running) -> None:
        await running.person("alice")
        first = (await login(running, "alice")).document
        second = await refresh(running, first["refresh_token"])
        assert second.status == 200
        assert second.document["refresh_token"] != first["refresh_token"]
        assert await is_signed_in(running, second.document["access_token"])

    @pytest.mark.gen_test
    async def test_goes_on_from_pair_to_pair(self, running: Running) -> None:
        await running.person("alice")
        token = (await login(running, "alice")).document["refresh_token"]
        for _ in range(3):
            answer = await refresh(running, token)
            token = answer.document["refresh_token"]
        assert answer.status == 200

    @pytest.mark.gen_test
    async def test_refuses_a_token_that_was_used_before(self, running: Running) -> None:
        alice = await running.person("alice")
        await refresh(running, alice.refresh_token(1))
        answer = await refresh(running, alice.refresh_token(1))
        assert (answer.status, answer.code) == (401, "token_reused")

    @pytest.mark.gen_test
    async def test_ends_the_whole_sign_in_when_a_token_is_used_twice(self, running: Running) -> None:
        alice = await running.person("alice")
        inbox = await alice.inbox()
        newest = (await refresh(running, alice.refresh_token(1))).document
        await refresh(running, alice.refresh_token(1))
        assert not await is_signed_in(running, newest["access_token"])
        assert (await refresh(running, newest["refresh_token"])).status == 401
        assert (await inbox.closed()).code == 4506

    @pytest.mark.gen_test
    async def test_leaves_the_other_sign_ins_alone_then(self, running: Running) -> None:
        alice = await running.person("alice")
        other = await running.device(alice.user)
        for _ in range(2):
            await refresh(running, alice.refresh_token(1))
        assert (await other.api("GET", "/users/me")).status == 200

    @pytest.mark.gen_test
    async def test_of_many_at_once_one_wins(self, running: Running) -> None:
        alice = await running.person("alice")
        answers = await asyncio.gather(*(refresh(running, alice.refresh_token(1)) for _ in range(10)))
        assert sorted(answer.status for answer in answers) == [200] + 9 * [401]

    @pytest.mark.gen_test
    @pytest.mark.parametrize("kind", ["access_token", "ws_token"])
    async def test_refuses_a_token_of_another_kind(self, running: Running, kind: str) -> None:
        await running.person("alice")
        token = (await login(running, "alice")).document[kind]
        assert (await refresh(running, token)).code == "unauthenticated"

    @pytest.mark.gen_test
    async def test_refuses_a_token_that_has_expired(self, running: Running) -> None:
        alice = await running.person("alice")
        token = alice.refresh_token()
        running.clock.move(14 * 86_400 + 11)
        assert (await refresh(running, token)).code == "token_expired"

    @pytest.mark.gen_test
    async def test_refuses_somebody_who_was_disabled(self, running: Running) -> None:
        alice = await running.person("alice")
        await running.services.accounts.set_disabled(alice.user, True)
        assert (await refresh(running, alice.refresh_token())).status == 401


class TestAccessToken:
    @pytest.mark.gen_test
    async def test_expires(self, running: Running) -> None:
        alice = await running.person("alice")
        running.clock.move(900 + 11)
        answer = await alice.api("GET", "/users/me")
        assert (answer.status, answer.code) == (401, "token_expired")

    @pytest.mark.gen_test
    async def test_is_not_taken_for_the_sign_in_of_another_server(self, start: Start) -> None:
        there, here = await start(), await start()
        alice = await there.person("alice")
        assert (await here.api("GET", "/users/me", **alice.bearer)).code == "unauthenticated"

    @pytest.mark.gen_test
    async def test_signed_with_the_key_before_this_one_is_still_good(self, start: Start) -> None:
        key = "k" * 32
        alice = await (await start({"auth.secret": key})).person("alice")
        here = await start({"auth.previous_secret": key})
        assert (await here.api("GET", "/users/me", **alice.bearer)).status == 200

    @pytest.mark.gen_test
    @pytest.mark.parametrize("scheme", ["Basic", "bearer:", "Digest", "Token"])
    async def test_is_taken_in_one_scheme_only(self, running: Running, scheme: str) -> None:
        alice = await running.person("alice")
        answer = await running.api("GET", "/users/me", Authorization=f"{scheme} {alice.access_token}")
        assert (answer.status, answer.code) == (401, "unauthenticated")

    @pytest.mark.gen_test
    async def test_is_refused_in_every_forged_form_with_the_same_answer(self, start: Start) -> None:
        key = "k" * 32
        running = await start({"auth.secret": key})
        alice = await running.person("alice")
        answers = [
            await running.api("GET", "/users/me", Authorization=f"Bearer {token}") for token in forgeries(alice, key)
        ]
        assert {(answer.status, answer.code, answer.document["detail"]) for answer in answers} == {
            (401, "unauthenticated", "The token is not valid")
        }


def forgeries(alice: Person, key: str) -> list[str]:
    """Tokens that somebody might try; those signed with the right key say what was never issued."""
    header = jwt.get_unverified_header(alice.access_token)
    good = jwt.decode(alice.access_token, options={"verify_signature": False})
    head, body, signature = alice.access_token.split(".")

    def signed(*without: str, with_key: str = key, algorithm: str = "HS256", **claims: object) -> str:
        said = {name: value for name, value in {**good, **claims}.items() if name not in without}
        return jwt.encode(said, with_key, algorithm=algorithm, headers={"kid": header["kid"]})

    return [
        signed(algorithm="none", with_key=""),
        signed(algorithm="HS512", with_key=key * 2),
        signed(with_key="another key of which nobody knows"),
        jwt.encode(good, key, algorithm="HS256", headers={"kid": "../../dev/null"}),
        jwt.encode(good, key, algorithm="HS256", headers={"kid": header["kid"], "crit": ["x"], "x": 1}),
        jwt.encode(good, key, algorithm="HS256"),
        *(signed(name) for name in ("iss", "aud", "sub", "exp", "iat", "jti", "sid")),
        signed(exp=10**30),
        signed(exp=good["exp"] + 1),
        signed(exp=-1),
        signed(exp=float(good["exp"])),
        signed(exp=str(good["exp"])),
        signed(iat=good["iat"] + 60, exp=good["exp"] + 60),
        signed(aud=["access"]),
        signed(aud=["access", "ws"]),
        signed(iss="somebody else"),
        signed(sub="alice"),
        signed(jti="1"),
        signed(sid="1"),
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}.{body}.{signature[:-4]}",
        f"{head}..{signature}",
        "null",
        "x" * 8000,
    ]


class TestWsToken:
    @pytest.mark.gen_test
    async def test_opens_a_socket(self, running: Running) -> None:
        alice = await running.person("alice")
        answer = await alice.api("POST", "/auth/ws-token")
        assert (answer.status, answer.document["expires_in"]) == (200, 120)
        peer = await running.open("/ws/user", token=answer.document["ws_token"])
        assert (await peer.next("connected"))["user"]["id"] == alice.id

    @pytest.mark.gen_test
    async def test_is_a_new_one_each_time(self, running: Running) -> None:
        alice = await running.person("alice")
        tokens = [(await alice.api("POST", "/auth/ws-token")).document["ws_token"] for _ in range(2)]
        assert tokens[0] != tokens[1]


class TestLogout:
    @pytest.mark.gen_test
    async def test_ends_the_access_token(self, running: Running) -> None:
        alice = await running.person("alice")
        answer = await alice.api("POST", "/auth/logout")
        assert (answer.status, answer.body) == (204, b"")
        assert not await is_signed_in(running, alice.access_token)

    @pytest.mark.gen_test
    async def test_ends_the_refresh_token(self, running: Running) -> None:
        alice = await running.person("alice")
        await alice.api("POST", "/auth/logout")
        assert (await refresh(running, alice.refresh_token())).status == 401

    @pytest.mark.gen_test
    async def test_ends_a_ws_token_that_was_not_used_yet(self, running: Running) -> None:
        alice = await running.person("alice")
        token = alice.ws_token()
        await alice.api("POST", "/auth/logout")
        assert (await (await running.open("/ws/user", token=token)).closed()).code == 4501

    @pytest.mark.gen_test
    async def test_leaves_the_other_devices_signed_in(self, running: Running) -> None:
        alice = await running.person("alice")
        other = await running.device(alice.user)
        await alice.api("POST", "/auth/logout")
        assert (await other.api("GET", "/users/me")).status == 200


class TestRegistration:
    BODY = {"username": "dora", "password": PASSWORD}  # noqa: RUF012

    @pytest.mark.gen_test
    async def test_is_closed_unless_the_configuration_opens_it(self, running: Running) -> None:
        answer = await running.api("POST", "/auth/register", self.BODY)
        assert (answer.status, answer.code) == (403, "registration_closed")

    @pytest.mark.gen_test
    async def test_makes_an_account(self, start: Start) -> None:
        running = await start({"auth.registration": "open"})
        answer = await running.api("POST", "/auth/register", self.BODY)
        assert (answer.status, answer.document["username"], answer.document["admin"]) == (201, "dora", False)
        assert (await login(running, "dora")).status == 200

    @pytest.mark.gen_test
    async def test_refuses_a_name_that_is_taken_in_other_capitals(self, start: Start) -> None:
        running = await start({"auth.registration": "open"})
        await running.person("Dora")
        answer = await running.api("POST", "/auth/register", self.BODY)
        assert (answer.status, answer.code) == (409, "username_taken")

    @pytest.mark.gen_test
    async def test_of_many_of_one_name_at_once_one_wins(self, start: Start) -> None:
        running = await start({"auth.registration": "open"})
        answers = await asyncio.gather(*(running.api("POST", "/auth/register", self.BODY) for _ in range(20)))
        assert sorted(answer.status for answer in answers) == [201] + 19 * [409]

    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        "username", ["", "a", "x" * 65, "a b", "a/b", "a@b", "<b>", "a\nb", "a\u202eb", "a\u200bb", "$where"]
    )
    async def test_refuses_a_name_against_the_rule(self, start: Start, username: str) -> None:
        running = await start({"auth.registration": "open"})
        answer = await running.api("POST", "/auth/register", self.BODY | {"username": username})
        assert (answer.status, answer.code, set(answer.document["errors"])) == (400, "bad_request", {"username"})

    @pytest.mark.gen_test
    @pytest.mark.parametrize("username", ["ab", "x" * 64, "+49.30_1-2".lstrip("+"), "Ünï.cödé", "4915112345"])
    async def test_takes_every_name_within_the_rule(self, start: Start, username: str) -> None:
        running = await start({"auth.registration": "open"})
        answer = await running.api("POST", "/auth/register", self.BODY | {"username": username})
        assert (answer.status, answer.document["username"]) == (201, username)

    @pytest.mark.gen_test
    @pytest.mark.parametrize("password", ["", "short", "x" * 1025, "é" * 513])
    async def test_refuses_a_password_too_short_or_too_long(self, start: Start, password: str) -> None:
        running = await start({"auth.registration": "open"})
        answer = await running.api("POST", "/auth/register", self.BODY | {"password": password})
        assert (answer.status, set(answer.document["errors"])) == (400, {"password"})

    @pytest.mark.gen_test
    @pytest.mark.parametrize("field", ["admin", "service", "user_id", "disabled"])
    async def test_lets_nobody_make_themselves_more_than_they_are(self, start: Start, field: str) -> None:
        running = await start({"auth.registration": "open"})
        answer = await running.api("POST", "/auth/register", self.BODY | {field: True})
        assert (answer.status, set(answer.document["errors"])) == (400, {field})


class TestPasswordChange:
    async def change(self, alice: Person, current: str = PASSWORD, new: str = NEW_PASSWORD) -> Answer:
        return await alice.api("POST", "/users/me/password", {"current_password": current, "new_password": new})

    @pytest.mark.gen_test
    async def test_lets_the_new_password_in_and_not_the_old_one(self, running: Running) -> None:
        alice = await running.person("alice")
        assert (await self.change(alice)).status == 204
        assert (await login(running, "alice", NEW_PASSWORD)).status == 200
        assert (await login(running, "alice", PASSWORD)).status == 401

    @pytest.mark.gen_test
    async def test_ends_every_other_sign_in(self, running: Running) -> None:
        alice = await running.person("alice")
        other = await running.device(alice.user)
        await self.change(alice)
        assert (await other.api("GET", "/users/me")).status == 401
        assert (await alice.api("GET", "/users/me")).status == 200

    @pytest.mark.gen_test
    async def test_needs_the_current_password(self, running: Running) -> None:
        alice = await running.person("alice")
        answer = await self.change(alice, current="wrong")
        assert (answer.status, answer.code) == (401, "invalid_credentials")
        assert (await login(running, "alice", PASSWORD)).status == 200

    @pytest.mark.gen_test
    async def test_throttles_guesses_of_the_current_password(self, start: Start) -> None:
        running = await start({"auth.login_attempts_per_account": 3})
        alice = await running.person("alice")
        for _ in range(3):
            await self.change(alice, current="wrong")
        assert (await self.change(alice)).code == "too_many_attempts"

    @pytest.mark.gen_test
    async def test_refuses_a_new_one_that_is_too_short(self, running: Running) -> None:
        alice = await running.person("alice")
        answer = await self.change(alice, new="short")
        assert (answer.status, answer.code) == (400, "bad_request")
        assert "new_password" in answer.document["errors"]


class TestATokenOfAnotherKind:
    """Each is good in its own place only."""

    @staticmethod
    def tokens(alice: Person) -> dict[str, str]:
        return {
            "access": alice.access_token,
            "ws": alice.ws_token(),
            "page": alice.page_cookie(),
            "refresh": alice.refresh_token(),
        }

    @pytest.mark.gen_test
    async def test_is_no_bearer_token(self, running: Running) -> None:
        tokens = self.tokens(await running.person("alice"))
        good = {kind for kind, token in tokens.items() if await is_signed_in(running, token)}
        assert good == {"access"}

    @pytest.mark.gen_test
    async def test_is_no_page_cookie(self, running: Running) -> None:
        tokens = self.tokens(await running.person("alice"))
        good = set()
        for kind, token in tokens.items():
            answer = await running.api("GET", "/users/me", Cookie=f"ringback_session={token}")
            good |= {kind} if answer.status == 200 else set()
        assert good == {"page"}

    @pytest.mark.gen_test
    async def test_is_no_refresh_token(self, running: Running) -> None:
        tokens = self.tokens(await running.person("alice"))
        good = {kind for kind, token in tokens.items() if (await refresh(running, token)).status == 200}
        assert good == {"refresh"}

    @pytest.mark.gen_test
    async def test_opens_no_socket(self, running: Running) -> None:
        tokens = self.tokens(await running.person("alice"))
        good = set()
        for kind, token in tokens.items():
            peer = await running.open("/ws/user", token=token)
            good |= {kind} if (await peer.next_of("connected", "bye"))["type"] == "connected" else set()
        assert good == {"ws"}
