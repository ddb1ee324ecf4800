"""The log: JSON or readable lines, everything of Tornado, asyncio and other libraries in it, nothing of a person.

Whoever logs writes an event and its values: ``log.info("call ended", call_id=call.id)``. Before a line is written,
values under telling names (token, password, text, sdp …) are removed, credentials inside other text are blotted out,
and control characters are escaped, so that nobody can forge a line or drive a terminal.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import msgspec
import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger
from tornado.web import RequestHandler

from server.wire import rfc3339

HIDDEN = "[hidden]"
MAX_VALUE_CHARACTERS = 4_000  # one client cannot fill the disk with one line
MAX_TRACEBACK_CHARACTERS = 32_000  # deep, but bounded

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "json", "text"]


def get_logger(name: str) -> BoundLogger:
    """The logger of a module: ``log = get_logger(__name__)``. Works before ``configure`` too, as ``logging`` does."""
    logger: BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=BoundLogger,
        context_class=dict,
        cache_logger_on_first_use=True,  # safe: all that ``configure`` changes is on the side of ``logging``
    )
    return logger


def configure(level: Level, form: Format, stream: TextIO | None = None) -> None:
    """Sends every log line of this process to ``stream`` (None: standard error), as the settings ``log.*`` say."""
    stream = stream or sys.stderr
    readable = form == "text" or (form == "auto" and stream.isatty())
    handler = _Handler(stream)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                clean,
                _text_renderer(stream.isatty()) if readable else _render_json,
            ],
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        if isinstance(old, _Handler):  # of an earlier call
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    logging.captureWarnings(True)
    for chatty in ("asyncio", "pymongo"):  # at debug they speak of every poll and every command
        logging.getLogger(chatty).setLevel(max(logging.INFO, root.level))


_LEVELS = {502: logging.WARNING, 503: logging.WARNING}
"""A push service that refuses is a fault of somebody else's, draining and a database that is away are states of
operation; every other 5xx is a fault of ours."""


def log_request(handler: RequestHandler) -> None:
    """Writes the access log: Tornado's ``log_function``. Without the query, which may carry a token."""
    request = handler.request
    status = handler.get_status()
    _access.log(
        _LEVELS.get(status, logging.ERROR) if status >= 500 else logging.INFO,
        "request",
        method=request.method,
        path=request.path,
        status=status,
        request_id=getattr(handler, "request_id", None),
        duration_ms=round(1000 * request.request_time(), 1),
        address=request.remote_ip,
    )


def clean(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: ``event`` without secrets, without control characters, no value endless."""
    traceback = event.pop("exception", None)
    cleaned: EventDict = {key: _clean_value(key, value) for key, value in event.items()}
    if traceback is not None:
        lines = str(traceback)[-MAX_TRACEBACK_CHARACTERS:].split("\n")
        cleaned["exception"] = "\n".join(_clean_text(line) for line in lines)
    return cleaned


# --- What is hidden -------------------------------------------------------------------------------------------------

_SECRET_NAME = re.compile(
    r"(?:^|.*[_-])(?:text|sdp|candidates?|body)"  # what people write and how they can be reached
    r"|.*(?:tokens?|passwords?|passwd|secrets?|authorization|cookies?|credentials?|ticket)",
    re.IGNORECASE,
)
_SECRETS_IN_TEXT: tuple[tuple[re.Pattern[str], str], ...] = (
    # token=… in an address, a form or a sentence
    (re.compile(r"((?:\w*token|passw(?:or)?d|\w*secret|ticket)=)[^\s&;,\"']+", re.IGNORECASE), rf"\1{HIDDEN}"),
    # "token": "…" in JSON or the repr of a dict, however often it was quoted: nothing after it is to be trusted
    (
        re.compile(
            r"""(["'](?:\w*token|passw(?:or)?d|\w*secret|ticket|text|sdp|candidates?)\\*["']\s*:).*""",
            re.IGNORECASE | re.DOTALL,
        ),
        rf"\1 {HIDDEN}",
    ),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]+", re.IGNORECASE), rf"\1 {HIDDEN}"),  # RFC 6750, RFC 7617
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), HIDDEN),  # a JWT, wherever it stands
    (re.compile(r"(://)[^\s/@]+@"), rf"\1{HIDDEN}@"),  # user:password@ in an address
)
# C0, DEL, C1, the line separators that some viewers obey, and what turns the direction of writing (Trojan Source);
# lone surrogates cannot be written as UTF-8 at all.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def _clean_value(key: str, value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if _SECRET_NAME.fullmatch(key):
        return HIDDEN
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, dict):
        return {_clean_text(str(name)): _clean_value(str(name), item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean_value("", item) for item in value]
    return _clean_text(value if isinstance(value, str) else repr(value))


def _clean_text(text: str) -> str:
    if len(text) > MAX_VALUE_CHARACTERS:
        text = text[:MAX_VALUE_CHARACTERS] + "…"
    for pattern, replacement in _SECRETS_IN_TEXT:
        text = pattern.sub(replacement, text)
    return _CONTROL.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")


class _Handler(logging.StreamHandler[TextIO]):
    """A stream that may fail (a full disk, a reader that went away) without a word and without harm."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Drops the line: ``logging`` would print the record to standard error as it is, secrets included."""


# --- How a line looks -----------------------------------------------------------------------------------------------


def _add_time(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event["timestamp"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    _add_time,
]


def _render_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    first = {name: event.pop(name, "") for name in ("timestamp", "level", "event")}
    return msgspec.json.encode({**first, **event}).decode()


def _text_renderer(colors: bool) -> Callable[[WrappedLogger, str, EventDict], str]:
    """Readable lines. A traceback is indented: a line that begins at the margin is always one of our own."""
    render = structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=0, sort_keys=False)

    def render_text(logger: WrappedLogger, method: str, event: EventDict) -> str:
        traceback = event.pop("exception", None)
        line = render(logger, method, event)
        return line if traceback is None else line + "\n" + re.sub("^", "    ", traceback, flags=re.MULTILINE)

    return render_text


_access = get_logger("server.access")
