"""Everything that can go wrong, as one tree.

RingbackError
├── ApiError        the server answered an HTTP request with a problem
├── Unreachable     no answer to an HTTP request at all
├── FrameError      the server answered a frame with `error`
├── RequestLost     a frame was sent, its answer cannot come any more: done or not done, nobody can say
├── SocketEnded     a socket is over and will not come back
│   ├── Closed      … by a close code, ours or the server's
│   └── Refused     … because the upgrade itself was refused with an HTTP status
└── MediaMissing    the extra `media` is not installed

Waiting too long raises the built-in `TimeoutError`. No error carries a token, a password or the text of a frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import packages_distributions


class RingbackError(Exception):
    """The root of all errors of this package."""


class ApiError(RingbackError):
    """An HTTP answer of 400 or above (RFC 9457 problem details).

    Attributes:
        status: the HTTP status.
        code: stable, snake_case, made for programs (`invalid_credentials`).
        detail: a sentence for people.
        errors: field → what is wrong with it; empty unless the input was bad.
        request_id: what an operator finds the request by in the log.
        retry_after_s: how long the server asks to wait, from `Retry-After`; None if it does not say.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Mapping[str, str] | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = dict(errors or {})
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        super().__init__(f"{status} {code}: {detail}{_listed(self.errors)}")

    @property
    def retryable(self) -> bool:
        """True where the same request may succeed later: too many requests, or a fault of the server."""
        return self.status == 429 or self.status >= 500


class Unreachable(RingbackError):
    """No HTTP answer came: the name, the route, the port or the certificate is wrong, or the server is away."""


class FrameError(RingbackError):
    """The server answered a frame with `error`.

    Attributes:
        code: stable, snake_case; the same codes as over HTTP.
        message: a sentence for people.
        retryable: True where the same frame may succeed later.
        errors: field → what is wrong with it.
        frame_type: the type of the frame that was refused.
    """

    def __init__(
        self,
        frame_type: str,
        code: str,
        message: str,
        *,
        retryable: bool = False,
        errors: Mapping[str, str] | None = None,
    ) -> None:
        self.frame_type = frame_type
        self.code = code
        self.message = message
        self.retryable = retryable
        self.errors = dict(errors or {})
        super().__init__(f"{frame_type} was refused with {code}: {message}{_listed(self.errors)}")


class RequestLost(RingbackError):
    """A frame was sent, then its session ended before the answer came. It may or may not have been done."""


class SocketEnded(RingbackError):
    """A socket is over for good: it will not reconnect by itself."""


class Closed(SocketEnded):
    """A socket was closed with a code that ends it, by either side.

    Attributes:
        code: the close code.
        name: its name in the registry (`unauthenticated`).
        reason: the reason of the close frame, at most 123 bytes.
        message: a sentence for people.
    """

    def __init__(self, code: int, name: str, reason: str, message: str) -> None:
        self.code = code
        self.name = name
        self.reason = reason
        self.message = message
        super().__init__(f"closed with {code} {name}: {message}" + (f" ({reason})" if reason else ""))


class Refused(SocketEnded):
    """The upgrade to a WebSocket was refused with an HTTP status that a repetition will not change (403, say)."""

    def __init__(self, status: int, detail: str) -> None:
        self.status = status
        self.detail = detail
        super().__init__(f"the upgrade was refused with HTTP {status}" + (f": {detail}" if detail else ""))


class MediaMissing(RingbackError, ImportError):
    """Sound was asked for, and the extra `media` is not installed, or not all of it."""

    def __init__(self, module: str) -> None:
        """`module` is what could not be imported; its package is what is missing."""
        package = module.split(".")[0]
        super().__init__(f"{package} is missing: install the extra [media] of {_distribution()}", name=package)


def _distribution() -> str:
    """What this package was installed as: by itself, or as a part of the server's."""
    # A folder that was built in and installed from shows the same one twice.
    return ", ".join(sorted(set(packages_distributions().get(__package__, ["ringback-client"]))))


def _listed(errors: Mapping[str, str]) -> str:
    """`{"username": "too short"}` as ` (username: too short)`; nothing for nothing."""
    return f" ({'; '.join(f'{field}: {problem}' for field, problem in errors.items())})" if errors else ""
