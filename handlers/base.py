"""What every page and every API address share: who is it, which errors, which headers."""

from __future__ import annotations

import hmac
import math
from http import HTTPStatus
from typing import Any, TypeVar

import tornado.web
from tornado.locale import GettextLocale, Locale

from server.auth.identity import Identity
from server.errors import (
    BadRequest,
    HostRefused,
    InternalError,
    MethodNotAllowed,
    NotFound,
    OriginRefused,
    RingbackError,
    TooLarge,
    Unauthenticated,
    UnsupportedMediaType,
    XsrfFailed,
)
from server.ids import new_id
from server.languages.language import Language
from server.languages.sentences import N_, Translate, said
from server.log import get_logger
from server.services import Services
from server.settings import Settings
from server.wire import decode, encode

log = get_logger("http")

API = "/api/v1"
"""The one prefix of everything that is not a page; nobody else writes it."""

PAGE_COOKIE = "ringback_session"
LANGUAGE_COOKIE = "ringback_locale"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
METHODS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE")
MAX_BODY_BYTES = 64 * 1024
KEPT_BODY_BYTES = 1024 * 1024
MAX_DEVICE_CHARACTERS = 100
LENGTH_DIGITS = 18
"""Of a ``Content-Length``: as many already say that it is too large, and Python reads no number of thousands."""

SECURITY_HEADERS = {
    # No inline script or style anywhere; media only from our own page.
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), geolocation=()",
}

T = TypeVar("T")


class BaseHandler(tornado.web.RequestHandler):
    """Identifies the person once, before the method runs; closed unless a class says ``public = True``."""

    public = False

    @classmethod
    def kept_body_bytes(cls, settings: Settings) -> int:
        """What is kept of a body while it arrives; how much of that is taken is the question of ``max_body_bytes``."""
        return KEPT_BODY_BYTES

    def initialize(self, services: Services) -> None:
        """Gives the handler the server's services."""
        self.services = services
        self.identity: Identity | None = None
        self.by_cookie = False

    def set_default_headers(self) -> None:
        """The headers of every answer, errors included."""
        # Called again when an error answer starts over: the id stays.
        self.request_id: str = getattr(self, "request_id", None) or new_id()
        self.set_header("X-Request-Id", self.request_id)
        self.clear_header("Server")
        for name, value in SECURITY_HEADERS.items():
            self.set_header(name, value)

    async def prepare(self) -> None:
        """Refuses foreign hosts, finds out who is there, and refuses changes that another site's page asks for."""
        if not self.services.origins.allows_host(self.request.host):
            raise HostRefused(host_rule(self.request.host))
        if len(self.request.body) > self.max_body_bytes():
            raise TooLarge(N_("The body is larger than %(count)s bytes", count=self.max_body_bytes()))
        await self._identify()
        if self.request.method not in SAFE_METHODS and (self.by_cookie or self.takes_forms()):
            self._require_own_page()
        if self.identity is None and not self.public and self._implements(self.request.method or ""):
            raise Unauthenticated()

    @property
    def language(self) -> Language:
        """What the person reads: their own choice, else this browser's (a cookie), else what it asks for."""
        chosen = self.services.languages.of(self.identity.locale) if self.identity else None
        return chosen or browser_language(self, self.services)

    def get_user_locale(self) -> Locale:
        """See :attr:`language`: it decides for everybody."""
        return GettextLocale(self.language.code, self.language.translations)

    def max_body_bytes(self) -> int:
        """How large a body may be here."""
        return MAX_BODY_BYTES

    def declared_bytes(self) -> int:
        """How large the body says it is; 0 if it does not say."""
        declared = self.request.headers.get("Content-Length", "0")
        return int(declared.lstrip("0")[:LENGTH_DIGITS] or 0) if declared.isdecimal() else 0

    def takes_forms(self) -> bool:
        """Whether a browser's form may be sent here (then it must come from our own page)."""
        return False

    @property
    def who(self) -> Identity:
        """The person; only for addresses that are not public."""
        if self.identity is None:
            raise Unauthenticated()
        return self.identity

    def device_label(self, given: str | None = None) -> str:
        """What the person will recognise this device by: what it says itself, else its browser and system, said in the
        language of the sign-in."""
        label = given or said(browser_label(self.request.headers.get("User-Agent", "")), self.language.translate)
        return label[:MAX_DEVICE_CHARACTERS]

    async def _identify(self) -> None:
        authorization = self.request.headers.get("Authorization", "")
        if authorization:
            scheme, _, token = authorization.partition(" ")
            if scheme.lower() != "bearer":
                raise Unauthenticated("Authorization: Bearer is the only scheme here")
            self.identity = await self.services.sign_ins.identify("access", token.strip())
        else:
            await self._identify_by_cookie()

    async def _identify_by_cookie(self) -> None:
        cookie = self.get_cookie(PAGE_COOKIE)
        if cookie:
            try:
                self.identity = await self.services.sign_ins.identify("page", cookie)
                self.by_cookie = True
            except Unauthenticated:
                self.clear_cookie(PAGE_COOKIE)

    def _require_own_page(self) -> None:
        origin = self.request.headers.get("Origin")
        if origin is not None and not self.services.origins.allows_origin(origin):
            log.warning("origin_refused", origin=origin[:200], allowed=self.services.origins.origins())
            raise OriginRefused("Add this page's address to server.allowed_origins to let it in")
        given = self.request.headers.get("X-XSRFToken") or self.get_body_argument("_xsrf", "")
        try:
            _, token, _ = self._decode_xsrf_token(given or "")
            _, expected, _ = self._get_raw_xsrf_token()
        except Exception:  # Tornado raises what comes to it for tokens that are none
            raise XsrfFailed() from None
        if not token or not hmac.compare_digest(token, expected):
            raise XsrfFailed()

    def _implements(self, method: str) -> bool:
        own = getattr(type(self), method.lower(), None)
        return own is not None and own is not tornado.web.RequestHandler._unimplemented_method

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answers with the error that was raised; what is our fault is logged with the request id, and not shown."""
        raised = kwargs.get("exc_info", (None, None, None))[1]
        error = as_ringback(raised, status_code)
        self.set_status(error.status, HTTPStatus(error.status).phrase)
        if isinstance(error, MethodNotAllowed):
            self.set_header("Allow", ", ".join(method for method in METHODS if self._implements(method)))
        self.set_retry_after(error)
        self.write_problem(error)

    def set_retry_after(self, error: RingbackError) -> None:
        """Says when to come back, if ``error`` does."""
        if error.retry_after_s is not None:
            self.set_header("Retry-After", str(max(1, math.ceil(error.retry_after_s))))

    def write_problem(self, error: RingbackError) -> None:
        """Writes the body for ``error``."""
        raise NotImplementedError

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """A refusal is no news; what is our fault is logged whole, under the request id that the person is shown."""
        if isinstance(value, RingbackError) or (isinstance(value, tornado.web.HTTPError) and value.status_code < 500):
            return
        log.error(
            "request_failed",
            request_id=self.request_id,
            method=self.request.method,
            path=self.request.path,
            exc_info=(typ, value, tb),
        )


class ApiHandler(BaseHandler):
    """JSON in, JSON out, problems as RFC 9457."""

    def read(self, shape: type[T]) -> T:
        """The body as a ``shape``; raises :class:`BadRequest` that names the field, 415 for another content type."""
        content_type = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if self.request.body and content_type != "application/json":
            raise UnsupportedMediaType()
        return decode(self.request.body or b"{}", shape)

    def reply(self, document: Any, status: int = 200) -> None:
        """Answers with ``document`` as JSON."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish(encode(document))

    def no_content(self) -> None:
        """Answers 204."""
        self.set_status(204)
        self.finish()

    def page_limit(self) -> int:
        """``?limit=``: 1 to 100, 50 if it is not given."""
        text = self.get_query_argument("limit", "50")
        if not text.isdecimal() or len(text) > 3 or not 1 <= int(text) <= 100:
            raise bad_query("limit", N_("a whole number from 1 to 100"))
        return int(text)

    def write_problem(self, error: RingbackError) -> None:
        """See :func:`problem`."""
        self.set_header("Content-Type", "application/problem+json")
        if error.status == HTTPStatus.UNAUTHORIZED:
            self.set_header("WWW-Authenticate", "Bearer")  # RFC 9110 §15.5.2; no browser asks a person for it
        self.set_header("Content-Language", self.language.tag)
        self.finish(encode(problem(error, self.request_id, self.language.translate)))


def problem(error: RingbackError, request_id: str, translate: Translate) -> dict[str, Any]:
    """``error`` as RFC 9457 has it: ``type, title, status, detail`` and our ``code``, ``request_id``, ``errors``.

    What persons read in it is in the language of ``translate``.
    """
    document: dict[str, Any] = {
        "type": f"urn:ringback:error:{error.code}",
        "title": translate(error.title),
        "status": error.status,
        "detail": error.detail_in(translate),
        "code": error.code,
        "request_id": request_id,
    }
    if error.fields:
        document["errors"] = error.fields_in(translate)
    return document


def bad_query(name: str, rule: str) -> RingbackError:
    """The refusal of a query argument."""
    return BadRequest.of(name, rule)


def host_rule(host: str) -> str:
    """What is wrong with ``host``, by which we are not known."""
    return N_("Not one of server.allowed_hosts: %(host)s", host=repr(host[:100]))


def browser_language(handler: tornado.web.RequestHandler, services: Services) -> Language:
    """What is read at this browser by somebody who has chosen nothing, or is not known yet."""
    languages = services.languages
    chosen = languages.of(handler.get_cookie(LANGUAGE_COOKIE))
    return chosen or languages.asked_for(handler.request.headers.get("Accept-Language", ""))


def browser_label(user_agent: str) -> str:
    """``Chrome on Linux`` for a ``User-Agent``; the order matters, because browsers claim to be each other."""
    browsers = (
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    )
    systems = (
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    )
    browser = next((name for mark, name in browsers if mark in user_agent), None)
    system = next((name for mark, name in systems if mark in user_agent), None)
    if browser and system:
        return N_("%(browser)s on %(system)s", browser=browser, system=system)
    return browser or system or N_("Unknown device")


def as_ringback(raised: BaseException | None, status: int) -> RingbackError:
    """The refusal that ``raised``, which Tornado would answer with ``status``, is to a client."""
    if isinstance(raised, RingbackError):
        return raised
    if status == 404:
        return NotFound()
    if status == 405:
        return MethodNotAllowed()
    if 400 <= status < 500:
        error = BadRequest()
        error.status = status
        return error
    return InternalError()
