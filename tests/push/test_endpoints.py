"""Endpoints: what a browser may ask the server to send to, before any name is looked up."""

from __future__ import annotations

import pytest

from server.errors import BadRequest
from server.push.endpoints import MAX_ENDPOINT_CHARACTERS, RULE, TrustedEndpoints, read_endpoint

NOBODY = TrustedEndpoints([])


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://fcm.googleapis.com/fcm/send/abc:def", "https://fcm.googleapis.com"),
        ("https://updates.push.services.mozilla.com:443/wpush/v2/x", "https://updates.push.services.mozilla.com"),
        ("https://Web.Push.Apple.com/Q?x=1", "https://web.push.apple.com"),
        ("https://[2a00:1450::1]/x", "https://[2a00:1450::1]"),
    ],
)
def test_an_https_address_is_taken(url: str, origin: str) -> None:
    assert read_endpoint(url, NOBODY).origin == origin


@pytest.mark.parametrize(
    "url",
    [
        "http://push.example/x",
        "ftp://push.example/x",
        "file:///etc/passwd",
        "//push.example/x",
        "push.example/x",
        "",
        "https://",
        "https:///x",
        "https://user@push.example/x",
        "https://user:password@push.example/x",
        "https://push.example@127.0.0.1/x",
        "https://push.example:8443/x",
        "https://push.example:22/x",
        "https://push.example:99999/x",
        "https://push.example:x/x",
        "https://push.example/x#fragment",
        "https://push.example\\@127.0.0.1/x",
        "https://push.example/\r\nHost: other",
        "https://push.example/ x",
        "https://püsh.example/x",
        "https://[::1/x",
        "https://push.example/" + "x" * MAX_ENDPOINT_CHARACTERS,
    ],
    ids=lambda url: url[:40] or "empty",
)
def test_any_other_is_refused_in_the_same_words(url: str) -> None:
    with pytest.raises(BadRequest) as raised:
        read_endpoint(url, NOBODY)
    assert raised.value.fields == {"endpoint": str(RULE)}


def test_a_push_service_of_ones_own_may_be_http_and_have_a_port() -> None:
    own = TrustedEndpoints(["http://push.lan:9000", "https://10.0.0.5"])
    assert read_endpoint("http://push.lan:9000/x", own)[1:] == ("http://push.lan:9000", "push.lan", 9000)
    assert read_endpoint("https://10.0.0.5/x", own).host == "10.0.0.5"


@pytest.mark.parametrize(
    "url", ["https://push.lan:9000/x", "http://push.lan/x", "http://push.lan:9001/x", "http://other.lan:9000/x"]
)
def test_only_the_very_origin_is_trusted(url: str) -> None:
    with pytest.raises(BadRequest):
        read_endpoint(url, TrustedEndpoints(["http://push.lan:9000"]))
