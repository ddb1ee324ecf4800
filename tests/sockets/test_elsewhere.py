"""A socket on a path where there is none: it is told where the real ones are, and to stop."""

from __future__ import annotations

import pytest

from handlers.sockets.elsewhere import nearest
from server.close_codes import CloseCode
from server.realtime.framing import BINARY, TEXT
from tests.peer import Peer
from tests.running import Running
from tests.sockets.raw import RawClient, masked

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
USER, CALL = "/api/v1/ws/user", "/api/v1/ws/call/{call_id}"
TASK, TASKS = "/api/v1/ws/task/{task_id}", "/api/v1/ws/tasks/{user_id}"

WRONG = [
    ("/ws/user", USER),
    ("/api/v1/api/v1/ws/user", USER),
    ("/api/v1/ws/user/", USER),
    ("/api/v1/ws/users", USER),
    ("/api/v1/ws/usr", USER),
    ("/api/v1//ws/user", USER),
    ("/api/v2/ws/user", USER),
    ("/API/V1/ws/user", USER),
    ("/api/v1/ws", USER),
    ("/", USER),
    (f"/ws/call/{ID}", CALL),
    (f"/api/v1/api/v1/ws/call/{ID}", CALL),
    (f"/api/v1/ws/calls/{ID}", CALL),
    (f"/api/v1/ws/call/{ID}/", CALL),
    ("/api/v1/ws/call/", CALL),
    ("/api/v1/ws/call", CALL),
    (f"/call/{ID}", CALL),
    (f"/api/v1/calls/{ID}", CALL),
    (f"/ws/task/{ID}", TASK),
    (f"/task/{ID}", TASK),
    (f"/api/v1/api/v1/ws/tasks/{ID}", TASKS),
]


@pytest.mark.parametrize(("path", "meant"), WRONG, ids=[path for path, _ in WRONG])
@pytest.mark.gen_test
async def test_the_reason_names_the_path_that_was_meant(running: Running, path: str, meant: str) -> None:
    bye, code, reason = await (await Peer.connect(f"ws://127.0.0.1:{running.port}{path}")).closed()
    assert bye is not None
    assert (code, bye["name"], bye["action"]) == (CloseCode.NO_SUCH_ENDPOINT, "no_such_endpoint", "stop")
    assert reason == f"No socket here; did you mean {meant}?"


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/login", "/api/v1/livez", "/api/v1/ws/status", "/static/js/boot.js"])
async def test_a_page_an_api_and_a_file_are_no_sockets_either(running: Running, path: str) -> None:
    peer = await Peer.connect(f"ws://127.0.0.1:{running.port}{path}")
    assert (await peer.closed()).code == CloseCode.NO_SUCH_ENDPOINT


@pytest.mark.gen_test
async def test_a_page_of_another_site_may_be_told_as_well(running: Running) -> None:
    peer = await Peer.connect(f"ws://127.0.0.1:{running.port}/ws", origin="http://evil.example")
    assert (await peer.closed()).code == CloseCode.NO_SUCH_ENDPOINT


@pytest.mark.gen_test
async def test_a_token_that_was_sent_to_a_wrong_address_is_not_spent(running: Running) -> None:
    token = (await running.person("alice")).ws_token()
    await (await running.open("/ws/usr", token=token)).closed()
    assert await (await running.open("/ws/user", token=token)).next("connected")


@pytest.mark.gen_test
async def test_what_is_said_there_is_not_listened_to(running: Running) -> None:
    early = masked(TEXT, b"hello?") + masked(BINARY, b"anybody?")
    async with await RawClient.connect(running.port, "/ws", early=early) as client:
        assert b'"type":"bye"' in (await client.read_frame()).payload
        assert (await client.read_close())[0] == CloseCode.NO_SUCH_ENDPOINT


@pytest.mark.parametrize("path", ["", "/", "//", "/ws/", "x" * 5000, "/ws/\u4f60"], ids=lambda path: path[:9])
def test_every_path_is_near_to_some_real_one(path: str) -> None:
    assert nearest(path) in (USER, CALL, TASK, TASKS)
