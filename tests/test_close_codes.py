"""The registry of close codes."""

from __future__ import annotations

import pytest

from server.close_codes import REGISTRY, CloseCode, comes_back
from server.realtime.framing import MAX_REASON_BYTES, is_legal_close_code

APPLICATION_CODES = [code for code in CloseCode if code >= 4000]


def name(code: CloseCode) -> str:
    return code.name.lower()


def test_every_code_has_its_rule() -> None:
    assert set(REGISTRY) == set(CloseCode)


def test_no_code_stands_there_twice() -> None:
    assert len(CloseCode.__members__) == len(set(CloseCode))


@pytest.mark.parametrize("code", CloseCode, ids=name)
def test_every_code_may_be_sent(code: CloseCode) -> None:
    assert is_legal_close_code(code)


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
