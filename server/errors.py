"""The tree of errors that a person or a client can be answered with, each with its stable code.

    RingbackError
    ├── BadRequest            400 bad_request          a field breaks a rule; ``fields`` names it
    │   ├── CannotCallSelf    400 cannot_call_self
    │   ├── CannotAddSelf     400 cannot_add_self
    │   ├── UnknownType       400 unknown_type         sockets: no such frame here
    │   └── TooLarge          413 too_large
    ├── Unauthenticated       401 unauthenticated
    │   ├── InvalidCredentials 401 invalid_credentials
    │   ├── TokenExpired      401 token_expired        was good; fetch a new one
    │   └── TokenReused       401 token_reused
    ├── Forbidden             403 forbidden
    │   ├── XsrfFailed        403 xsrf_failed
    │   ├── OriginRefused     403 origin_refused
    │   ├── RegistrationClosed 403 registration_closed
    │   └── NotInCall         403 not_in_call          credentials for a relay are for people with a call
    ├── NotFound              404 not_found
    │   └── UserNotFound      404 user_not_found
    ├── MethodNotAllowed      405 method_not_allowed
    ├── Conflict              409 conflict
    │   ├── UsernameTaken     409 username_taken
    │   ├── AlreadyAnswered   409 already_answered
    │   ├── CallEnded         409 call_ended
    │   ├── CallFull          409 call_full
    │   ├── ChatFull          409 chat_full
    │   ├── AlreadyLeft       409 already_left         a message for the same call
    │   ├── MailboxFull       409 mailbox_full
    │   └── BadState          409 bad_state
    ├── UnsupportedMediaType  415 unsupported_media_type
    ├── RangeNotSatisfiable   416 range_not_satisfiable
    ├── HostRefused           421 host_refused
    ├── RateLimited           429 rate_limited
    │   ├── TooManyAttempts   429 too_many_attempts
    │   ├── TooManyCalls      429 too_many_calls
    │   └── TooManyContactRequests 429 too_many_contact_requests
    ├── InternalError         500 internal_error
    ├── PushFailed            502 push_failed          a push service did not take a message
    └── Unavailable           503 unavailable

HTTP answers with ``status`` and an ``application/problem+json`` body, a socket with an ``error`` frame of the same
``code``. What ends a connection is another catalogue: :mod:`server.close_codes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Self

from server.languages.sentences import N_, Translate, said


class RingbackError(Exception):
    """A refusal with a stable ``code``, an HTTP ``status`` and a sentence in ``detail``.

    ``retryable`` says whether the same request may succeed later without a change; ``retry_after_s`` then says when.
    ``fields`` maps the name of a field to what is wrong with it. Sentences are English here, whatever language they are
    answered in; one with values in it is made by :func:`~server.languages.sentences.N_`.
    """

    code = "internal_error"
    status = 500
    title = "Something went wrong"
    retryable = False

    def __init__(
        self,
        detail: str | None = None,
        *,
        fields: Mapping[str, str] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        self.sentence = detail or self.title
        self.detail = str(self.sentence)
        self.rules = dict(fields or {})
        self.fields = {name: str(rule) for name, rule in self.rules.items()}
        self.retry_after_s = retry_after_s
        super().__init__(self.detail)

    def detail_in(self, translate: Translate) -> str:
        """``detail`` in the language of ``translate``."""
        return said(self.sentence, translate)

    def fields_in(self, translate: Translate) -> dict[str, str]:
        """``fields`` in the language of ``translate``; their names stay."""
        return {name: said(rule, translate) for name, rule in self.rules.items()}


class BadRequest(RingbackError):
    code, status, title = "bad_request", 400, "The request breaks a rule"

    @classmethod
    def of(cls, field: str, rule: str) -> Self:
        """The refusal of what breaks ``rule``, a sentence, in ``field``."""
        return cls(N_("%(field)s: %(rule)s", field=field, rule=rule), fields={field: rule})


class CannotCallSelf(BadRequest):
    code, title = "cannot_call_self", "Nobody can call themselves"


class CannotAddSelf(BadRequest):
    code, title = "cannot_add_self", "Nobody is a contact of their own"


class UnknownType(BadRequest):
    code, title = "unknown_type", "There is no such frame on this socket"


class TooLarge(BadRequest):
    code, status, title = "too_large", 413, "That is larger than the limit"


class Unauthenticated(RingbackError):
    code, status, title = "unauthenticated", 401, "Sign in first"


class InvalidCredentials(Unauthenticated):
    code, title = "invalid_credentials", "User name or password is wrong"


class TokenExpired(Unauthenticated):
    code, title = "token_expired", "The token has expired; fetch a new one"


class TokenReused(Unauthenticated):
    code, title = "token_reused", "This refresh token was used before; the sign-in has been ended"


class Forbidden(RingbackError):
    code, status, title = "forbidden", 403, "That is not yours"


class XsrfFailed(Forbidden):
    code, title = "xsrf_failed", "The page is out of date; load it again"


class OriginRefused(Forbidden):
    code, title = "origin_refused", "This page's address is not among the allowed origins"


class RegistrationClosed(Forbidden):
    code, title = "registration_closed", "This server does not let people register themselves"


class NotInCall(Forbidden):
    code, title = "not_in_call", "That is for people with a call that rings or goes on"


class NotFound(RingbackError):
    code, status, title = "not_found", 404, "There is nothing here"


class UserNotFound(NotFound):
    code, title = "user_not_found", "There is nobody of that name"


class MethodNotAllowed(RingbackError):
    code, status, title = "method_not_allowed", 405, "This address does not take that method"


class Conflict(RingbackError):
    code, status, title = "conflict", 409, "Somebody else was faster"


class UsernameTaken(Conflict):
    code, title = "username_taken", "That user name is taken"


class AlreadyAnswered(Conflict):
    code, title = "already_answered", "The call was answered or declined on another device"


class CallEnded(Conflict):
    code, title = "call_ended", "The call is over"


class AlreadyLeft(Conflict):
    code, title = "already_left", "A message was left for this call already"


class MailboxFull(Conflict):
    code, title = "mailbox_full", "Their mailbox is full; the message cannot be left"


class CallFull(Conflict):
    code, title = "call_full", "There are as many people in this call as may be"


class ChatFull(Conflict):
    code, title = "chat_full", "As much was written in this call as is kept"


class BadState(Conflict):
    code, title = "bad_state", "That cannot be done now"


class UnsupportedMediaType(RingbackError):
    code, status, title = "unsupported_media_type", 415, "The body must be JSON (Content-Type: application/json)"


class RangeNotSatisfiable(RingbackError):
    code, status, title = "range_not_satisfiable", 416, "The range lies behind the end"


class HostRefused(RingbackError):
    code, status, title = "host_refused", 421, "This server does not answer to that host name"


class RateLimited(RingbackError):
    code, status, title, retryable = "rate_limited", 429, "Too many requests", True


class TooManyAttempts(RateLimited):
    code, title = "too_many_attempts", "Too many attempts to sign in; wait a while"


class TooManyCalls(RateLimited):
    code, title = "too_many_calls", "Too many calls in a short time; wait a while"


class TooManyContactRequests(RateLimited):
    code, title = "too_many_contact_requests", "Too many contact requests in one day; wait until tomorrow"


class InternalError(RingbackError):
    code, title, retryable = "internal_error", "The server failed; the request id helps to find out why", True


class PushFailed(RingbackError):
    code, status, title, retryable = "push_failed", 502, "The push service did not take the message", True


class Unavailable(RingbackError):
    code, status, title, retryable = "unavailable", 503, "The database is away; try again", True

    def __init__(self, detail: str | None = None, *, retry_after_s: float | None = 2.0) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)


def catalogue() -> Iterator[type[RingbackError]]:
    """Every error class below :class:`RingbackError`, each once, parents first."""
    waiting: list[type[RingbackError]] = list(RingbackError.__subclasses__())
    while waiting:
        error = waiting.pop(0)
        yield error
        waiting.extend(error.__subclasses__())
