"""What closes a socket says the same as what refuses a request."""

from __future__ import annotations

import pytest

from server.close_codes import REGISTRY, CloseCode
from server.errors import (
    BadRequest,
    CallEnded,
    Conflict,
    Forbidden,
    InternalError,
    NotFound,
    OriginRefused,
    RateLimited,
    RingbackError,
    TokenExpired,
    TokenReused,
    TooManyCalls,
    Unauthenticated,
    Unavailable,
    UserNotFound,
    catalogue,
)
from server.realtime.endpoint import Refused, close_code_for

CODES: list[tuple[type[RingbackError], CloseCode]] = [
    (Unauthenticated, CloseCode.UNAUTHENTICATED),
    (TokenReused, CloseCode.UNAUTHENTICATED),
    (TokenExpired, CloseCode.TOKEN_EXPIRED),
    (NotFound, CloseCode.NOT_FOUND),
    (UserNotFound, CloseCode.NOT_FOUND),
    (Forbidden, CloseCode.FORBIDDEN),
    (OriginRefused, CloseCode.FORBIDDEN),
    (CallEnded, CloseCode.ENDED),
    (RateLimited, CloseCode.RATE_LIMITED),
    (TooManyCalls, CloseCode.RATE_LIMITED),
    (Unavailable, CloseCode.UNAVAILABLE),
    (InternalError, CloseCode.INTERNAL_ERROR),
    (BadRequest, CloseCode.INTERNAL_ERROR),
    (Conflict, CloseCode.INTERNAL_ERROR),
]


@pytest.mark.parametrize(("error", "code"), CODES, ids=[error.code for error, _ in CODES])
def test_an_error_closes_with_its_code(error: type[RingbackError], code: CloseCode) -> None:
    assert close_code_for(error()) is code


@pytest.mark.parametrize("error", [each for each in catalogue() if each.retryable], ids=lambda error: error.code)
def test_what_may_pass_lets_the_client_come_back(error: type[RingbackError]) -> None:
    assert REGISTRY[close_code_for(error())].action != "stop"


def test_a_refusal_says_its_code_and_reason() -> None:
    refused = Refused(CloseCode.FORBIDDEN, "Not a participant of this call")
    assert (refused.code, refused.reason, str(refused)) == (
        CloseCode.FORBIDDEN,
        "Not a participant of this call",
        "forbidden Not a participant of this call",
    )
