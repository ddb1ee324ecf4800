"""The log: readable by a machine or a person, with nothing of a person in it."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from tornado.httpclient import AsyncHTTPClient, HTTPError
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from server.log import HIDDEN, Format, Level, configure, get_logger, log_request

CANARY = "kanarienvogel"
log = get_logger("tests.log")


class Log:
    """What was logged, as text or as one dict a line."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def logged_to() -> Iterator[Callable[[Format, Level], Log]]:
    """``logged_to("json", "info")`` sends the log to what it returns, until the test has ended."""
    root = logging.getLogger()
    before = root.handlers[:], root.level

    def begin(form: Format, level: Level) -> Log:
        stream = io.StringIO()
        configure(level, form, stream)
        return Log(stream)

    yield begin
    root.handlers[:], root.level = before
    logging.captureWarnings(False)


@pytest.fixture
def as_json(logged_to: Callable[[Format, Level], Log]) -> Log:
    return logged_to("json", "info")


@pytest.fixture
def as_text(logged_to: Callable[[Format, Level], Log]) -> Log:
    return logged_to("text", "info")


# --- Form


def test_a_json_line_has_time_level_event_logger_and_values(as_json: Log) -> None:
    log.info("call ended", call_id="c1", duration_s=3)
    (line,) = as_json.lines
    assert line.pop("timestamp").endswith("Z")
    assert line == {"level": "info", "event": "call ended", "logger": "tests.log", "call_id": "c1", "duration_s": 3}


def test_a_readable_line_has_them_too(as_text: Log) -> None:
    log.info("call ended", call_id="c1")
    assert "[info     ] call ended [tests.log] call_id=c1\n" in as_text.text


def test_auto_is_json_where_nobody_watches(logged_to: Callable[[Format, Level], Log]) -> None:
    written = logged_to("auto", "info")
    log.info("ready")
    assert written.lines[0]["event"] == "ready"


def test_lines_below_the_level_are_not_written(logged_to: Callable[[Format, Level], Log]) -> None:
    written = logged_to("json", "warning")
    log.info("quiet")
    log.warning("loud")
    assert [line["event"] for line in written.lines] == ["loud"]


def test_a_second_configuration_replaces_the_first(logged_to: Callable[[Format, Level], Log]) -> None:
    first, second = logged_to("json", "info"), logged_to("json", "info")
    log.info("once")
    assert (len(first.lines), len(second.lines)) == (0, 1)


def test_bound_context_stands_in_every_line(as_json: Log) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        log.info("inside")
        logging.getLogger("tornado.general").warning("inside too")
    assert [line["request_id"] for line in as_json.lines] == ["r1", "r1"]


@pytest.mark.parametrize("name", ["tornado.access", "tornado.application", "tornado.general", "asyncio", "pymongo"])
def test_lines_of_libraries_are_in_the_same_form(as_json: Log, name: str) -> None:
    logging.getLogger(name).warning("%s happened", "it")
    assert (as_json.lines[0]["event"], as_json.lines[0]["logger"]) == ("it happened", name)


def test_warnings_of_python_are_in_the_log(as_json: Log) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn("this is old", DeprecationWarning, stacklevel=1)
    assert "DeprecationWarning: this is old" in as_json.lines[0]["event"]


def test_an_exception_is_one_json_line(as_json: Log, expect_error: Callable[[str], None]) -> None:
    expect_error("it failed")
    try:
        raise ValueError("why")
    except ValueError:
        log.exception("it failed")
    assert as_json.lines[0]["exception"].endswith("ValueError: why")


def test_a_value_that_json_does_not_know_is_written_in_words(as_json: Log) -> None:
    log.info("odd", value=ValueError("x"), many={1}, number=float("nan"), raw=b"\xff")
    line = as_json.lines[0]
    assert (line["value"], line["many"], line["number"], line["raw"]) == ("ValueError('x')", [1], None, "b'\\xff'")


# --- What is hidden


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "access_token",
        "ws_tokens",
        "password",
        "new_password",
        "passwd",
        "secret",
        "turn_secret",
        "Authorization",
        "Proxy-Authorization",
        "cookie",
        "Set-Cookie",
        "X-XSRFToken",
        "credential",
        "ticket",
        "text",
        "chat_text",
        "sdp",
        "candidate",
        "candidates",
        "body",
    ],
)
def test_the_value_under_a_telling_name_is_hidden(as_json: Log, name: str) -> None:
    log.info("seen", **{name: CANARY}, inside={name: [CANARY]})
    assert CANARY not in as_json.text
    assert as_json.lines[0][name] == HIDDEN


@pytest.mark.parametrize("name", ["token_kind", "context", "secretary", "user_id", "texture", "somebody"])
def test_the_value_under_a_name_that_only_sounds_alike_is_shown(as_json: Log, name: str) -> None:
    log.info("seen", **{name: "shown"})
    assert as_json.lines[0][name] == "shown"


@pytest.mark.parametrize(
    "text",
    [
        f"GET /api/v1/ws/user?token={CANARY}&last_seq=3",
        f"/?access_token={CANARY}",
        f"refresh_token={CANARY}; Path=/",
        f"password={CANARY}",
        f"Authorization: Bearer {CANARY}",
        f"authorization: basic {CANARY}=",
        f'{{"token": "{CANARY}"}}',
        f'{{"text":"say \\"hi\\" {CANARY}"}}',
        f"{{'password': '{CANARY}'}}",
        f"{{'sdp': \"it's {CANARY}\"}}",
        f'{{"token":"{CANARY}',
        f"mongodb://ringback:{CANARY}@db.example.org/x",
        f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{CANARY}",
    ],
)
def test_a_credential_inside_a_text_is_hidden(as_json: Log, text: str, expect_error: Callable[[str], None]) -> None:
    expect_error("oops")
    logging.getLogger("tornado.application").warning("Uncaught %s", text)
    log.info(text, uri=text, inner=[{"uri": text}], shown=ValueError(text))
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("oops")
    assert CANARY not in as_json.text


def test_what_is_not_a_credential_in_a_text_is_shown(as_json: Log) -> None:
    log.info("GET /api/v1/calls?limit=5&token=x&before=y")
    assert as_json.lines[0]["event"] == f"GET /api/v1/calls?limit=5&token={HIDDEN}&before=y"


def test_a_stream_that_fails_gives_no_line_away(
    logged_to: Callable[[Format, Level], Log], capfd: pytest.CaptureFixture[str]
) -> None:
    logged_to("json", "info")._stream.close()
    log.info("lost", token=CANARY)
    assert capfd.readouterr() == ("", "")


# --- What cannot be forged


@pytest.mark.parametrize(
    "character", ["\n", "\r", "\x1b", "\x00", "\x7f", "\x85", "\x9b", "\u2028", "\u202e", "\u2066", "\ud800"]
)
@pytest.mark.parametrize("form", ["json", "text"])
def test_a_control_character_is_escaped_wherever_it_stands(
    logged_to: Callable[[Format, Level], Log], form: Format, character: str
) -> None:
    written = logged_to(form, "info")
    log.info(f"a{character}b", name=f"a{character}b", inner={f"a{character}b": [f"a{character}b"]})
    logging.getLogger("tornado.general").warning("a%sb", character)
    assert character not in written.text.replace("\n", "", 2) and len(written.text.splitlines()) == 2


def test_the_lines_of_a_traceback_do_not_begin_at_the_margin(as_text: Log, expect_error: Callable[[str], None]) -> None:
    expect_error("it failed")
    try:
        raise ValueError("why\n2026-11-20T05:12:07.345Z [info     ] forged")
    except ValueError:
        log.exception("it failed")
    first, *rest = as_text.text.splitlines()
    assert "it failed" in first
    assert rest and all(line.startswith("    ") for line in rest)


def test_an_endless_value_is_cut(as_json: Log) -> None:
    log.info("long", value="x" * 1_000_000)
    assert len(as_json.text) < 5_000


# --- The access log


class Hello(RequestHandler):
    """Answers, or fails when it is asked to."""

    def get(self) -> None:
        if self.get_argument("fail", ""):
            raise RuntimeError("asked to fail")
        if self.get_argument("away", ""):
            self.set_status(503)
        self.write("hello")


@pytest.mark.gen_test
async def test_a_request_is_logged_without_its_query(as_json: Log) -> None:
    await fetch(f"/hello?token={CANARY}&q=alice")
    (line,) = as_json.lines
    assert (line["event"], line["method"], line["path"], line["status"]) == ("request", "GET", "/hello", 200)
    assert line["duration_ms"] >= 0 and line["address"] == "127.0.0.1"
    assert "alice" not in as_json.text and CANARY not in as_json.text


@pytest.mark.gen_test
async def test_a_request_that_fails_is_logged_as_an_error_without_its_token(
    as_json: Log, expect_error: Callable[[str], None]
) -> None:
    expect_error("Uncaught exception")
    expect_error("'status': 500")
    with pytest.raises(HTTPError):
        await fetch(f"/hello?fail=1&access_token={CANARY}")
    assert [line["level"] for line in as_json.lines] == ["error", "error"]
    assert CANARY not in as_json.text


@pytest.mark.gen_test
async def test_a_service_that_is_away_for_a_while_is_no_error(as_json: Log) -> None:
    with pytest.raises(HTTPError):
        await fetch("/hello?away=1")
    assert [line["level"] for line in as_json.lines] == ["warning"]


async def fetch(path: str) -> None:
    """Asks a server whose access log is ours."""
    listener, port = bind_unused_port()
    server = HTTPServer(Application([("/hello", Hello)], log_function=log_request))
    server.add_socket(listener)
    try:
        await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}{path}")
    finally:
        server.stop()
        await server.close_all_connections()
