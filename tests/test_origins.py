"""Which hosts this server answers to, and whose pages may open sockets."""

from __future__ import annotations

import pytest

from server.origins import Origins
from server.settings import ServerSettings

LOCAL = Origins(ServerSettings(), 8000)
PUBLIC = Origins(ServerSettings(public_url="https://ring.example"), 8000)


@pytest.mark.parametrize("host", ["localhost:8000", "LOCALHOST", "127.0.0.1:8000", "[::1]:8000", "localhost:9"])
def test_this_machine_is_answered(host: str) -> None:
    assert LOCAL.allows_host(host)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "", ":8000", "[::1", "192.0.2.1", "localhost."],
)
def test_a_name_that_was_bound_to_this_machine_is_not(host: str) -> None:
    assert not LOCAL.allows_host(host)


def test_the_public_name_is_answered() -> None:
    assert PUBLIC.allows_host("ring.example")


def test_the_address_listened_on_is_answered() -> None:
    assert Origins(ServerSettings(host="192.0.2.7"), 8000).allows_host("192.0.2.7:8000")


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_every_interface_is_no_name(host: str) -> None:
    origins = Origins(ServerSettings(host=host), 8000)
    assert not origins.allows_host(f"[{host}]" if ":" in host else host)


def test_a_list_of_hosts_replaces_the_own_ones() -> None:
    origins = Origins(ServerSettings(allowed_hosts=("Ring.Example",)), 8000)
    assert (origins.allows_host("ring.example:443"), origins.allows_host("localhost")) == (True, False)


@pytest.mark.parametrize(
    "origin", ["http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000", "HTTP://LOCALHOST:8000"]
)
def test_own_pages_are_let_in(origin: str) -> None:
    assert LOCAL.allows_origin(origin)


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://localhost",
        "http://localhost:8001",
        "https://localhost:8000",
        "http://localhost:8000.evil.example",
        "http://evil.example/http://localhost:8000",
        "null",
        "",
        "file://",
    ],
)
def test_foreign_pages_are_not(origin: str) -> None:
    assert not LOCAL.allows_origin(origin)


def test_the_public_page_is_let_in() -> None:
    assert PUBLIC.allows_origin("https://ring.example")


def test_the_public_page_without_tls_is_not() -> None:
    assert not PUBLIC.allows_origin("http://ring.example")


@pytest.mark.parametrize(
    ("public_url", "origin"),
    [
        ("https://ring.example:443", "https://ring.example"),
        ("http://ring.example:80", "http://ring.example"),
        ("https://ring.example:8443", "https://ring.example:8443"),
        ("https://Ring.Example", "https://ring.example"),
    ],
)
def test_the_port_of_the_scheme_may_be_said_or_not(public_url: str, origin: str) -> None:
    assert Origins(ServerSettings(public_url=public_url), 8000).allows_origin(origin)


def test_on_port_80_browsers_leave_the_port_out() -> None:
    assert Origins(ServerSettings(), 80).allows_origin("http://localhost")


def test_a_list_of_origins_replaces_the_own_ones() -> None:
    origins = Origins(ServerSettings(allowed_origins=("https://App.Example:443",)), 8000)
    assert (origins.allows_origin("https://app.example"), origins.allows_origin("http://localhost:8000")) == (
        True,
        False,
    )


def test_own_origins_follow_the_list_of_hosts() -> None:
    assert Origins(ServerSettings(allowed_hosts=("ring.example",)), 8000).origins() == ["http://ring.example:8000"]
