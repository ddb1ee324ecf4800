"""The service worker's file: at the root, and never an old one."""

from __future__ import annotations

import pytest

from handlers.base import SECURITY_HEADERS
from server.paths import static_dir
from tests.running import Running


@pytest.mark.gen_test
@pytest.mark.parametrize("address", ["/service-worker.js", "/service-worker.js?v=1"])
async def test_it_is_served_at_the_root_and_asked_for_anew_each_time(running: Running, address: str) -> None:
    answer = await running.fetch("GET", address)
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.body == (static_dir() / "service-worker.js").read_bytes()


@pytest.mark.gen_test
async def test_it_has_the_headers_of_everything(running: Running) -> None:
    headers = (await running.fetch("GET", "/service-worker.js")).headers
    assert {name: headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS


@pytest.mark.gen_test
async def test_a_head_has_no_body(running: Running) -> None:
    answer = await running.fetch("HEAD", "/service-worker.js")
    assert (answer.status, answer.body) == (200, b"")
