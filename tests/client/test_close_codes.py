"""What a client does after a close code."""

from __future__ import annotations

import pytest

from ringback_client.close_codes import CLOSE_CODES, Action, lookup
from server.close_codes import REGISTRY


def test_registry_is_that_of_the_server() -> None:
    """Same numbers, same names, same actions: the two are written apart, since the client stands by itself."""
    ours = {code: (entry.name, entry.action.value) for code, entry in CLOSE_CODES.items()}
    assert ours == {int(code): (code.name.lower(), rule.action) for code, rule in REGISTRY.items()}


@pytest.mark.parametrize("code", [4000, 4002, 4499])
def test_unknown_code_from_4000_to_4499_comes_back(code: int) -> None:
    assert lookup(code).action is Action.RESUME


@pytest.mark.parametrize("code", [4502, 4511, 4999])
def test_unknown_code_from_4500_to_4999_stops(code: int) -> None:
    assert lookup(code).action is Action.STOP


@pytest.mark.parametrize("code", [1005, 1006, 1012, 1013, 1014, 3000])
def test_codes_of_the_network_and_of_proxies_come_back(code: int) -> None:
    assert lookup(code).action is Action.RESUME


def test_every_entry_has_a_sentence() -> None:
    assert all(entry.sentence.endswith(".") for entry in CLOSE_CODES.values())


def test_trouble_of_the_server_is_not_met_at_once() -> None:
    assert [code for code, entry in CLOSE_CODES.items() if not entry.at_once] == [1011, 4008, 4009]
