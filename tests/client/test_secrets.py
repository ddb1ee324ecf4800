"""No token and no password in a log, a repr or an error, even if everything is logged."""

from __future__ import annotations

import logging
import traceback

import pytest

from ringback_client.client import Client
from ringback_client.errors import Refused, RingbackError
from ringback_client.websocket import Credentials
from tests.client.opened import opened, socket_to
from tests.client.scripted_http import ScriptedHttp
from tests.client.scripted_server import ScriptedServer
from tests.client.still_clock import StillClock

pytestmark = pytest.mark.gen_test

SECRETS = ("access-1", "access-2", "refresh-1", "refresh-2", "ws-canary", "the-password")


def hidden(text: str) -> bool:
    """Whether no secret is in a text."""
    return not any(secret in text for secret in SECRETS)


async def test_http_keeps_secrets(http: ScriptedHttp, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    http.lay_out_sign_in()
    http.lay_out("POST /auth/ws-token", {"ws_token": "ws-canary", "expires_in": 120})
    async with Client(http.url) as client:
        await client.sign_in("alice", "the-password")
        await client.api.refresh()
        await client.api.ws_token()
        assert hidden(repr(client)) and hidden(repr(vars(client.api)))
    assert caplog.text and hidden(caplog.text)


@pytest.mark.parametrize("shape", [{"access_token": 1}, "access-1 the-password"])
async def test_answer_that_cannot_be_read_is_not_quoted(http: ScriptedHttp, shape: object) -> None:
    http.lay_out("POST /auth/login", shape)
    async with Client(http.url) as client:
        with pytest.raises(RingbackError) as raised:
            await client.sign_in("alice", "the-password")
    assert hidden("".join(traceback.format_exception_only(raised.value)))


@pytest.mark.parametrize("credentials", ["first_frame", "query", "header"])
async def test_sockets_keep_secrets(
    server: ScriptedServer, clock: StillClock, caplog: pytest.LogCaptureFixture, credentials: Credentials
) -> None:
    caplog.set_level(logging.INFO, logger="websockets.server")  # what the other side logs is not ours
    caplog.set_level(logging.DEBUG)

    async def token() -> str:
        return "ws-canary"

    async with opened(server, clock, credentials=credentials, token=token) as (socket, visit):
        visit.cut()
        await (await server.visit()).bye(4501, "token used")
        error = await socket.closed()
        assert hidden(repr(socket)) and hidden(repr(socket.last_ending)) and hidden(str(error))
    assert "4501 unauthenticated" in caplog.text and hidden(caplog.text)


async def test_refused_upgrade_keeps_secrets(
    server: ScriptedServer, clock: StillClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="websockets.server")
    caplog.set_level(logging.DEBUG)

    async def token() -> str:
        return "ws-canary"

    server.refuse_with = [(403, {})]
    with pytest.raises(Refused) as raised:
        await socket_to(server, clock, credentials="query", token=token).open()
    assert hidden("".join(traceback.format_exception(raised.value))) and hidden(caplog.text)
