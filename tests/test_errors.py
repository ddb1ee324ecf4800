"""The tree of errors, each with its stable code."""

from __future__ import annotations

import re
from http import HTTPStatus

import pytest

from server import errors
from server.errors import BadRequest, RateLimited, RingbackError, TooManyAttempts, Unavailable, catalogue

ALL = list(catalogue())


def code(error: type[RingbackError]) -> str:
    return error.code


def test_the_catalogue_has_every_error_once() -> None:
    defined = {
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, RingbackError) and each is not RingbackError
    }
    assert set(ALL) == defined and len(ALL) == len(defined)


def test_no_two_errors_share_a_code() -> None:
    assert len({error.code for error in ALL}) == len(ALL)


@pytest.mark.parametrize("error", ALL, ids=code)
def test_every_code_is_snake_case(error: type[RingbackError]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", error.code)


@pytest.mark.parametrize("error", ALL, ids=code)
def test_every_status_is_one_of_http_and_says_that_it_failed(error: type[RingbackError]) -> None:
    assert HTTPStatus(error.status) >= 400


@pytest.mark.parametrize("error", ALL, ids=code)
def test_every_error_has_a_sentence_of_its_own(error: type[RingbackError]) -> None:
    assert error.title and sum(error.title == other.title for other in ALL) == 1


@pytest.mark.parametrize("error", ALL, ids=code)
def test_every_error_stands_in_the_drawing_of_the_tree(error: type[RingbackError]) -> None:
    assert errors.__doc__ is not None
    assert re.search(rf"{error.__name__}\s+{error.status} {error.code}\b", errors.__doc__)


@pytest.mark.parametrize("error", ALL, ids=code)
def test_only_what_may_pass_is_to_be_tried_again(error: type[RingbackError]) -> None:
    assert error.retryable == (error.status in (429, 500, 502, 503))


def test_an_error_says_its_title_unless_told_otherwise() -> None:
    assert (str(BadRequest()), BadRequest("Too long").detail) == ("The request breaks a rule", "Too long")


def test_an_error_names_the_fields() -> None:
    assert BadRequest(fields={"name": "too long"}).fields == {"name": "too long"}


def test_an_error_keeps_fields_of_its_own() -> None:
    given = {"name": "too long"}
    error = BadRequest(fields=given)
    given.clear()
    assert error.fields == {"name": "too long"}


def test_a_limit_says_when_to_try_again() -> None:
    assert TooManyAttempts(retry_after_s=30.0).retry_after_s == 30.0


def test_a_database_that_is_away_is_soon_tried_again() -> None:
    assert (Unavailable().retry_after_s, Unavailable(retry_after_s=None).retry_after_s) == (2.0, None)


def test_a_kind_of_limit_is_a_limit() -> None:
    with pytest.raises(RateLimited):
        raise TooManyAttempts()
