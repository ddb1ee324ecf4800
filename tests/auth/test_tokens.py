"""Tokens: a good one says who somebody is, and nothing else is a good one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from itertools import product
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from server.auth.tokens import KINDS, MAX_REMEMBERED, REQUIRED, Claims, Kind, Tokens, _key_id
from server.errors import TokenExpired, Unauthenticated
from server.ids import new_id
from server.settings import AuthSettings
from tests.clock import START, ManualClock
from tests.helpers import property_of

SECRET, OTHER_SECRET = "s" * 40, "o" * 40
SETTINGS = AuthSettings()
NOW_S = int(START.timestamp())
USER, SIGN_IN = new_id(), new_id()
LIFE_S: dict[Kind, int] = {"access": 900, "ws": 120, "page": 14 * 86_400, "refresh": 14 * 86_400, "push": 600}
PUBLIC_KEY = """\
-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf
9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ==
-----END PUBLIC KEY-----
"""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def tokens(clock: ManualClock) -> Tokens:
    return Tokens(SETTINGS, SECRET, clock)


def good(kind: Kind = "access") -> dict[str, Any]:
    """The claims of a good token."""
    return {
        "iss": "ringback",
        "aud": kind,
        "sub": USER,
        "sid": SIGN_IN,
        "jti": new_id(),
        "iat": NOW_S,
        "exp": NOW_S + LIFE_S[kind],
    }


def signed(
    claims: dict[str, Any], secret: str = SECRET, algorithm: str = "HS256", header: dict[str, Any] | None = None
) -> str:
    """A token with those claims, by hand, as nobody's library would hinder an attacker."""
    head = {"alg": algorithm, "typ": "JWT", "kid": _key_id(secret), **(header or {})}
    parts = [_base64(json.dumps(part).encode()) for part in (head, claims)]
    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}.get(algorithm)
    signature = hmac.new(secret.encode(), ".".join(parts).encode(), digest).digest() if digest else b""
    return ".".join([*parts, _base64(signature)])


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def refuse(tokens: Tokens, token: str, kind: Kind = "access") -> None:
    """The token is refused as every bad one is."""
    with pytest.raises(Unauthenticated) as refused:
        tokens.check(kind, token)
    assert (refused.value.code, refused.value.detail) == ("unauthenticated", "The token is not valid")


# ── good ones ──


def test_the_token_by_hand_is_good(tokens: Tokens) -> None:
    assert tokens.check("access", signed(good())).user_id == USER


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_says_who_and_until_when(tokens: Tokens, kind: Kind) -> None:
    claims = tokens.check(kind, tokens.issue(kind, USER, SIGN_IN))
    assert (claims.user_id, claims.sign_in_id) == (USER, SIGN_IN)
    assert (claims.issued_at_s, claims.expires_at_s) == (NOW_S, NOW_S + LIFE_S[kind])


def test_a_refresh_token_is_numbered(tokens: Tokens) -> None:
    assert tokens.check("refresh", tokens.issue("refresh", USER, SIGN_IN, 7)).number == 7


def test_no_two_tokens_are_the_same(tokens: Tokens) -> None:
    one, other = (tokens.check("ws", tokens.issue("ws", USER, SIGN_IN)) for _ in range(2))
    assert one.token_id != other.token_id


def test_a_token_says_nothing_of_its_key(tokens: Tokens) -> None:
    header = jwt.get_unverified_header(tokens.issue("access", USER, SIGN_IN))
    assert header == {"alg": "HS256", "typ": "JWT", "kid": _key_id(SECRET)}
    assert SECRET not in header["kid"]


def test_a_token_has_every_claim_that_is_required(tokens: Tokens) -> None:
    token = tokens.issue("access", USER, SIGN_IN)
    assert sorted(jwt.decode(token, options={"verify_signature": False})) == sorted(REQUIRED)


# ── kinds ──


@pytest.mark.parametrize(("issued", "asked"), list(product(KINDS, KINDS)))
def test_a_token_is_good_for_its_own_kind_only(tokens: Tokens, issued: Kind, asked: Kind) -> None:
    token = tokens.issue(issued, USER, SIGN_IN)
    if issued == asked:
        assert isinstance(tokens.check(asked, token), Claims)
    else:
        refuse(tokens, token, asked)


@pytest.mark.parametrize(("issued", "asked"), [(a, b) for a, b in product(KINDS, KINDS) if a != b])
def test_a_token_that_was_once_seen_is_not_good_for_another_kind(tokens: Tokens, issued: Kind, asked: Kind) -> None:
    token = tokens.issue(issued, USER, SIGN_IN)
    tokens.check(issued, token)
    refuse(tokens, token, asked)


# ── signatures ──


def test_a_token_without_a_signature_is_refused(tokens: Tokens) -> None:
    refuse(tokens, signed(good(), algorithm="none"))


@pytest.mark.parametrize("algorithm", ["None", "NONE", "nOnE", "", "HS1", "hs256", "RS256", "ES256", "EdDSA"])
def test_a_token_of_an_algorithm_that_is_none_is_refused(tokens: Tokens, algorithm: str) -> None:
    refuse(tokens, signed(good(), algorithm=algorithm))


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_a_token_of_another_algorithm_with_our_key_is_refused(tokens: Tokens, algorithm: str) -> None:
    refuse(tokens, signed(good(), algorithm=algorithm))


def test_a_public_key_is_no_secret(tokens: Tokens) -> None:
    """The confusion of RS256 with HS256: a key that everybody may know, taken for the secret of an HMAC."""
    refuse(tokens, signed(good(), secret=PUBLIC_KEY, header={"kid": _key_id(SECRET)}))


def test_a_token_of_another_key_is_refused(tokens: Tokens) -> None:
    refuse(tokens, signed(good(), secret=OTHER_SECRET))


def test_a_token_of_another_key_under_our_keys_name_is_refused(tokens: Tokens) -> None:
    refuse(tokens, signed(good(), secret=OTHER_SECRET, header={"kid": _key_id(SECRET)}))


@pytest.mark.parametrize(
    "kid", ["", "unknown", "../../etc/passwd", "' OR 1=1 --", 7, None, ["a"], {"$ne": ""}], ids=str
)
def test_a_token_of_an_unknown_key_is_refused(tokens: Tokens, kid: object) -> None:
    refuse(tokens, signed(good(), header={"kid": kid}))


def test_a_token_without_a_key_name_is_refused(tokens: Tokens) -> None:
    refuse(tokens, jwt.encode(good(), SECRET, algorithm="HS256"))


@pytest.mark.parametrize(
    "header", [{"jku": "https://evil.example/keys"}, {"jwk": {"kty": "oct", "k": "AAAA"}}], ids=str
)
def test_a_token_that_brings_its_own_key_is_refused(tokens: Tokens, header: dict[str, Any]) -> None:
    refuse(tokens, signed(good(), secret=OTHER_SECRET, header=header | {"kid": _key_id(SECRET)}))


@property_of(300)
@given(st.data())
def test_a_token_with_any_one_character_changed_is_refused(data: st.DataObject) -> None:
    tokens = Tokens(SETTINGS, SECRET, ManualClock())
    token = signed(good() | {"jti": SIGN_IN})
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    # The last character of a signature carries bits that mean nothing; every other one counts.
    place = data.draw(st.integers(0, len(token) - 2))
    other = data.draw(st.sampled_from(alphabet).filter(lambda character: character != token[place]))
    refuse(tokens, token[:place] + other + token[place + 1 :])


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "ä.ö.ü",
        "\x00",
        "\ud800",
        "e30.e30.",
        "Bearer x",
        "null",
        "x" * 100_000,
        "[]",
        "{}",
    ],
    ids=lambda token: ascii(token)[:20],
)
def test_what_is_no_token_is_refused(tokens: Tokens, token: str) -> None:
    refuse(tokens, token)


@pytest.mark.parametrize(
    "payload", [b"null", b"[]", b'"text"', b"7", b"nonsense", b"\xff", b"{", b'{"iat":' + b"9" * 9999]
)
def test_claims_that_are_no_object_are_refused(tokens: Tokens, payload: bytes) -> None:
    head = _base64(json.dumps({"alg": "HS256", "kid": _key_id(SECRET)}).encode())
    signing_input = f"{head}.{_base64(payload)}"
    signature = hmac.new(SECRET.encode(), signing_input.encode(), hashlib.sha256).digest()
    refuse(tokens, f"{signing_input}.{_base64(signature)}")


# ── claims ──


@pytest.mark.parametrize("claim", REQUIRED)
def test_a_token_without_a_claim_is_refused(tokens: Tokens, claim: str) -> None:
    claims = good()
    del claims[claim]
    refuse(tokens, signed(claims))


@pytest.mark.parametrize("wrong", [None, 7, 1.5, True, [], ["access"], {}, {"$ne": None}, ""], ids=str)
@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "jti", "sid"])
def test_a_claim_of_the_wrong_type_is_refused(tokens: Tokens, claim: str, wrong: object) -> None:
    refuse(tokens, signed(good() | {claim: wrong}))


WRONG_TIMES: list[object] = [
    None,
    "",
    "soon",
    str(NOW_S + 60),
    1.5,
    float(NOW_S + 60),
    True,
    [],
    {},
    1e400,
    -(2**70),
    2**70,
]


@pytest.mark.parametrize("wrong", WRONG_TIMES, ids=str)
@pytest.mark.parametrize("claim", ["iat", "exp"])
def test_a_time_that_is_no_whole_number_of_seconds_of_ours_is_refused(
    tokens: Tokens, claim: str, wrong: object
) -> None:
    refuse(tokens, signed(good() | {claim: wrong}))


@pytest.mark.parametrize("number", ["1", 1.0, True, None, [], {}], ids=str)
def test_a_refresh_number_that_is_none_is_refused(tokens: Tokens, number: object) -> None:
    refuse(tokens, signed(good("refresh") | {"n": number}), "refresh")


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_that_lives_longer_than_any_that_was_issued_is_refused(tokens: Tokens, kind: Kind) -> None:
    refuse(tokens, signed(good(kind) | {"exp": NOW_S + LIFE_S[kind] + 1}), kind)


@pytest.mark.parametrize("life_s", [0, -1])
def test_a_token_that_ends_when_it_begins_is_refused(tokens: Tokens, life_s: int) -> None:
    refuse(tokens, signed(good() | {"exp": NOW_S + life_s}))


@pytest.mark.parametrize("issuer", ["Ringback", "ringback ", "evil", "https://ringback"])
def test_a_token_of_another_issuer_is_refused(tokens: Tokens, issuer: str) -> None:
    refuse(tokens, signed(good() | {"iss": issuer}))


@pytest.mark.parametrize("audience", ["Access", "api", ["access"], ["access", "ws"], "access ws"], ids=str)
def test_a_token_for_somebody_else_is_refused(tokens: Tokens, audience: object) -> None:
    refuse(tokens, signed(good() | {"aud": audience}))


@pytest.mark.parametrize("claim", ["sub", "sid", "jti"])
@pytest.mark.parametrize(
    "wrong",
    ["alice", "not-a-uuid", "00000000-0000-0000-0000-000000000000", "../x", USER.upper()],
    ids=["a name", "no id", "no id of ours", "a path", "capitals"],
)
def test_what_is_no_id_of_ours_is_refused(tokens: Tokens, claim: str, wrong: str) -> None:
    refuse(tokens, signed(good() | {claim: wrong}))


# ── time ──


def test_a_token_is_good_until_it_expires_and_the_leeway_is_over(tokens: Tokens, clock: ManualClock) -> None:
    token = tokens.issue("access", USER, SIGN_IN)
    clock.move(900 + SETTINGS.leeway_s - 1)
    assert tokens.check("access", token)


@pytest.mark.parametrize("seen_before", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_token_expires(tokens: Tokens, clock: ManualClock, kind: Kind, seen_before: bool) -> None:
    token = tokens.issue(kind, USER, SIGN_IN)
    if seen_before:
        tokens.check(kind, token)
    clock.move(LIFE_S[kind] + SETTINGS.leeway_s)
    with pytest.raises(TokenExpired):
        tokens.check(kind, token)


def test_an_expired_token_of_another_key_is_not_called_expired(tokens: Tokens) -> None:
    refuse(tokens, signed(good() | {"iat": NOW_S - 9000, "exp": NOW_S - 8500}, secret=OTHER_SECRET))


def test_a_token_of_a_clock_that_is_a_little_fast_is_good(tokens: Tokens) -> None:
    ahead_s = SETTINGS.leeway_s
    token = signed(good() | {"iat": NOW_S + ahead_s, "exp": NOW_S + ahead_s + 900})
    assert tokens.check("access", token)


def test_a_token_from_the_future_is_refused(tokens: Tokens) -> None:
    ahead_s = SETTINGS.leeway_s + 1
    refuse(tokens, signed(good() | {"iat": NOW_S + ahead_s, "exp": NOW_S + ahead_s + 900}))


def test_a_token_from_before_the_epoch_has_expired(tokens: Tokens) -> None:
    with pytest.raises(TokenExpired):
        tokens.check("access", signed(good() | {"iat": -1000, "exp": -100}))


def test_without_leeway_the_end_is_exact(clock: ManualClock) -> None:
    tokens = Tokens(replace(SETTINGS, leeway_s=0), SECRET, clock)
    token = tokens.issue("access", USER, SIGN_IN)
    clock.move(899)
    assert tokens.check("access", token)
    clock.move(1)
    with pytest.raises(TokenExpired):
        tokens.check("access", token)


# ── keys ──


def test_tokens_of_the_previous_key_are_good_until_they_run_out(clock: ManualClock) -> None:
    old = Tokens(SETTINGS, OTHER_SECRET, clock).issue("access", USER, SIGN_IN)
    new = Tokens(replace(SETTINGS, previous_secret=OTHER_SECRET), SECRET, clock)
    assert new.check("access", old).user_id == USER
    clock.move(910)
    with pytest.raises(TokenExpired):
        new.check("access", old)


def test_new_tokens_are_signed_with_the_new_key(clock: ManualClock) -> None:
    rotated = Tokens(replace(SETTINGS, previous_secret=OTHER_SECRET), SECRET, clock)
    assert Tokens(SETTINGS, SECRET, clock).check("access", rotated.issue("access", USER, SIGN_IN))


def test_once_the_previous_key_is_gone_its_tokens_are_refused(clock: ManualClock) -> None:
    old = Tokens(SETTINGS, OTHER_SECRET, clock).issue("access", USER, SIGN_IN)
    refuse(Tokens(SETTINGS, SECRET, clock), old)


# ── memory ──


def test_what_is_remembered_is_bounded(tokens: Tokens) -> None:
    for _ in range(MAX_REMEMBERED + 10):
        tokens.check("access", tokens.issue("access", USER, SIGN_IN))
    assert len(tokens._remembered) <= MAX_REMEMBERED


@pytest.mark.parametrize("kind", ["ws", "page", "refresh"])
def test_tokens_that_are_seldom_seen_twice_are_not_remembered(tokens: Tokens, kind: Kind) -> None:
    tokens.check(kind, tokens.issue(kind, USER, SIGN_IN))
    assert not tokens._remembered


def test_what_was_refused_is_not_remembered(tokens: Tokens) -> None:
    refuse(tokens, signed(good(), secret=OTHER_SECRET))
    assert not tokens._remembered
