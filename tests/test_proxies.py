"""Whose word about a client's address is believed."""

from __future__ import annotations

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from server.proxies import Proxies

PROXY, CLIENT, STRANGER = "10.0.0.1", "203.0.113.9", "198.51.100.66"


def request(remote: str, *, forwarded_for: str | None = None, proto: str | None = None) -> HTTPServerRequest:
    """A request as it comes over a connection from `remote`."""
    headers = HTTPHeaders({"Host": "localhost"})
    if forwarded_for is not None:
        headers["X-Forwarded-For"] = forwarded_for
    if proto is not None:
        headers["X-Forwarded-Proto"] = proto
    made = HTTPServerRequest(headers=headers, start_line=RequestStartLine("GET", "/", "HTTP/1.1"))
    made.remote_ip, made.protocol = remote, "http"
    return made


def address(made: HTTPServerRequest, *trusted: str) -> str | None:
    Proxies(trusted).apply(made)
    return made.remote_ip


def scheme(made: HTTPServerRequest, *trusted: str) -> str:
    Proxies(trusted).apply(made)
    return made.protocol


def test_without_proxies_nobody_is_believed() -> None:
    assert address(request(PROXY, forwarded_for=CLIENT)) == PROXY


def test_a_proxy_that_is_named_is_believed() -> None:
    assert address(request(PROXY, forwarded_for=CLIENT), PROXY) == CLIENT


def test_a_stranger_is_not_believed() -> None:
    assert address(request(STRANGER, forwarded_for=CLIENT), PROXY) == STRANGER


def test_a_proxy_may_be_one_of_a_network() -> None:
    assert address(request(PROXY, forwarded_for=CLIENT), "10.0.0.0/8") == CLIENT


def test_what_the_client_wrote_itself_is_not_believed() -> None:
    assert address(request(PROXY, forwarded_for=f"127.0.0.1, {CLIENT}"), PROXY) == CLIENT


def test_a_chain_of_proxies_is_followed() -> None:
    assert address(request(PROXY, forwarded_for=f"{STRANGER}, {CLIENT}, 10.0.0.2"), "10.0.0.0/8") == CLIENT


def test_a_client_inside_the_trusted_network_is_the_first_of_the_chain() -> None:
    assert address(request(PROXY, forwarded_for="10.0.0.9, 10.0.0.2"), "10.0.0.0/8") == "10.0.0.9"


def test_an_ipv6_client_is_understood() -> None:
    assert address(request(PROXY, forwarded_for="2001:db8::1"), PROXY) == "2001:db8::1"


@pytest.mark.parametrize("nonsense", ["", "unknown", "203.0.113.9:4711", f"{CLIENT},", "<script>", "_hidden"])
def test_what_is_no_address_changes_nothing(nonsense: str) -> None:
    assert address(request(PROXY, forwarded_for=nonsense), PROXY) == PROXY


def test_what_is_no_address_ends_the_chain() -> None:
    assert address(request(PROXY, forwarded_for=f"{STRANGER}, nonsense, 10.0.0.2"), "10.0.0.0/8") == "10.0.0.2"


def test_a_request_without_the_header_keeps_its_address() -> None:
    assert address(request(PROXY), PROXY) == PROXY


@pytest.mark.parametrize("proto", ["https", "HTTPS", "http, https", " https "])
def test_the_scheme_of_a_proxy_is_believed(proto: str) -> None:
    assert scheme(request(PROXY, proto=proto), PROXY) == "https"


def test_the_scheme_of_a_stranger_is_not_believed() -> None:
    assert scheme(request(STRANGER, proto="https"), PROXY) == "http"


def test_a_scheme_that_there_is_not_is_not_believed() -> None:
    assert scheme(request(PROXY, proto="javascript"), PROXY) == "http"


def test_a_connection_without_an_address_is_nobodys() -> None:
    assert address(request("", forwarded_for=CLIENT), PROXY) == ""


def test_a_proxy_that_is_no_address_stops_the_start() -> None:
    with pytest.raises(ValueError, match=r"proxy\.example"):
        Proxies(["proxy.example"])
