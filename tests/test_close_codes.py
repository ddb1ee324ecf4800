"""The registry of close codes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.close_codes import MAX_REASON_BYTES, REGISTRY, CloseCode, comes_back, cut_reason, is_legal_on_the_wire
from tests.helpers import property_of

APPLICATION_CODES = [code for code in CloseCode if code >= 4000]


def name(code: CloseCode) -> str:
    return code.name.lower()


def test_every_code_has_its_rule() -> None:
    assert set(REGISTRY) == set(CloseCode)


def test_no_code_stands_there_twice() -> None:
    assert len(CloseCode.__members__) == len(set(CloseCode))


@pytest.mark.parametrize("code", CloseCode, ids=name)
def test_every_code_may_be_sent(code: CloseCode) -> None:
    assert is_legal_on_the_wire(code)


@pytest.mark.parametrize("code", CloseCode, ids=name)
def test_every_message_is_a_sentence_that_fits_into_a_close_frame(code: CloseCode) -> None:
    message = REGISTRY[code].message
    assert message.endswith(".") and len(message.encode()) <= MAX_REASON_BYTES


@pytest.mark.parametrize("code", APPLICATION_CODES, ids=name)
def test_the_number_tells_whether_to_come_back(code: CloseCode) -> None:
    assert (REGISTRY[code].action != "stop") == (code < 4500)


@pytest.mark.parametrize("code", CloseCode, ids=name)
def test_a_session_is_kept_exactly_where_the_client_shall_resume(code: CloseCode) -> None:
    assert REGISTRY[code].session_kept == (REGISTRY[code].action == "resume")


@pytest.mark.parametrize("code", CloseCode, ids=name)
def test_only_one_who_comes_back_is_told_when(code: CloseCode) -> None:
    assert REGISTRY[code].retry_after_ms >= 0
    assert REGISTRY[code].action != "stop" or REGISTRY[code].retry_after_ms == 0


@pytest.mark.parametrize("code", CloseCode, ids=name)
def test_a_client_follows_the_registry(code: CloseCode) -> None:
    assert comes_back(code) == (REGISTRY[code].action != "stop")


@pytest.mark.parametrize("code", [4000, 4002, 4499, 1006, 1012, 3000])
def test_a_client_comes_back_after_a_code_that_it_has_never_seen(code: int) -> None:
    assert comes_back(code)


@pytest.mark.parametrize("code", [4502, 4511, 4999])
def test_a_client_stays_away_after_a_terminal_code_that_it_has_never_seen(code: int) -> None:
    assert not comes_back(code)


@pytest.mark.parametrize("code", [1000, 1003, 1007, 1011, 1014, 3000, 4999])
def test_codes_of_the_standard_and_of_applications_are_legal(code: int) -> None:
    assert is_legal_on_the_wire(code)


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535])
def test_reserved_codes_are_illegal(code: int) -> None:
    assert not is_legal_on_the_wire(code)


def test_a_short_reason_stays_as_it_is() -> None:
    assert cut_reason("Nothing was heard for too long.") == "Nothing was heard for too long."


def test_a_long_reason_is_cut_at_123_bytes() -> None:
    assert cut_reason("x" * 200) == "x" * 123


def test_a_reason_is_cut_at_a_character() -> None:
    assert cut_reason("x" + "ä" * 100) == "x" + "ä" * 61


@property_of(500)
@given(st.text(max_size=300))
def test_a_cut_reason_fits_and_is_a_beginning(reason: str) -> None:
    cut = cut_reason(reason)
    assert len(cut.encode()) <= MAX_REASON_BYTES and reason.startswith(cut)
    assert cut == reason or len((cut + reason[len(cut)]).encode()) > MAX_REASON_BYTES
