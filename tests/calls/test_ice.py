"""STUN and TURN servers with credentials that live minutes, as coturn's `use-auth-secret` checks them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from server.calls.ice import ice_servers
from server.settings import IceSettings
from tests.clock import START, ManualClock

TURN = IceSettings(turn_urls=("turn:turn.example:3478",), turn_secret="shared with coturn", credential_ttl_s=600)
EXPIRY = int(START.timestamp()) + 600


def turn_server(user_id: str = "alice", clock: ManualClock | None = None) -> dict[str, Any]:
    (server,) = ice_servers(TURN, user_id, clock or ManualClock())["ice_servers"]
    assert isinstance(server, dict)
    return server


def test_nothing_is_asked_of_anybody_unless_it_is_configured() -> None:
    assert ice_servers(IceSettings(), "alice", ManualClock())["ice_servers"] == []


def test_stun_servers_come_without_credentials() -> None:
    servers = ice_servers(IceSettings(stun_urls=("stun:stun.example",)), "alice", ManualClock())
    assert servers["ice_servers"] == [{"urls": ["stun:stun.example"]}]


def test_the_turn_user_name_is_the_expiry_and_the_person() -> None:
    assert turn_server("alice")["username"] == f"{EXPIRY}:alice"


def test_the_turn_password_is_the_hmac_of_the_user_name() -> None:
    expected = hmac.new(b"shared with coturn", f"{EXPIRY}:alice".encode(), hashlib.sha1).digest()
    assert turn_server("alice")["credential"] == base64.b64encode(expected).decode()


def test_credentials_of_two_people_differ() -> None:
    assert turn_server("alice")["credential"] != turn_server("bob")["credential"]


def test_credentials_change_with_time() -> None:
    clock = ManualClock()
    first = turn_server(clock=clock)
    clock.move(1)
    assert turn_server(clock=clock)["credential"] != first["credential"]


def test_the_answer_says_when_the_credentials_run_out() -> None:
    assert ice_servers(TURN, "alice", ManualClock())["expires_at"] == "2026-11-20T05:22:07.345Z"


def test_the_answer_says_for_how_long_they_live_to_clients_whose_clock_is_wrong() -> None:
    assert ice_servers(TURN, "alice", ManualClock())["expires_in"] == 600


def test_the_secret_itself_is_never_told() -> None:
    assert "shared with coturn" not in str(ice_servers(TURN, "alice", ManualClock()))


def test_the_policy_is_passed_on() -> None:
    assert ice_servers(IceSettings(policy="relay"), "alice", ManualClock())["policy"] == "relay"
