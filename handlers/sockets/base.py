"""What every socket shares: accept → authenticate → ``connected`` → frames → ``bye``.

The upgrade is always accepted (but for a foreign page), because a browser shows a page neither the status nor the body
of a refused one: whoever is not let in learns why from ``bye`` and the close code.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, ClassVar

from handlers.base import PAGE_COOKIE, as_ringback, browser_language, host_rule, problem
from handlers.sockets.wire import WireHandler
from server.auth.identity import Identity
from server.auth.tokens import Claims
from server.close_codes import CloseCode
from server.errors import BadRequest, HostRefused, MethodNotAllowed, OriginRefused, RingbackError, Unauthenticated
from server.ids import is_id, new_id
from server.languages.sentences import N_, Translate
from server.log import get_logger
from server.realtime.connection import Connection
from server.realtime.dispatch import Dispatcher
from server.realtime.endpoint import Endpoint, Refused, close_code_for
from server.realtime.frames import Auth, Connected, FrameReader, Resumed, ack, encode
from server.realtime.heartbeat import note_pong
from server.realtime.session import Session, SessionLimits
from server.services import Services
from server.wire import encode as encode_json

log = get_logger("sockets")

TRANSPORT_FRAME_FACTOR = 4
"""The frame layer's own bound lies this far above ours, so that we can answer an oversized frame ourselves."""
STOPPING_RETRY_MS = 1_000
"""A process that stops listens for about so long: whoever comes meanwhile would only be sent away again at once."""
MAX_EARLY_FRAMES = 100
"""Frames that a client may send before it is let in; as many as its burst."""

_auth_reader = FrameReader(Auth)


class SocketHandler(WireHandler):
    """One socket of one kind. Moves bytes; what they mean is the endpoint's business."""

    kind: ClassVar[str]
    wishes: ClassVar[tuple[str, ...]] = ()
    """What a client may ask for in the query of the address."""

    def initialize(self, services: Services) -> None:
        """Gives the handler the server's services."""
        self.services = services
        self.request_id = new_id()
        self.endpoint: Endpoint = services.endpoints[self.kind]
        self._max_frame_bytes = services.settings.sockets.max_frame_bytes
        self.dispatcher: Dispatcher | None = None
        self.connection: Connection | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._authenticating: asyncio.Task[None] | None = None
        self._early: list[bytes] = []
        self._auth_id: str | None = None  # of an auth frame that wants an ack
        self._wanted: Session | None = None  # the session that this socket came to resume
        self._accepted_at_s = time.perf_counter()

    # ── before the upgrade ──

    def prepare(self) -> None:
        """Refuses pages of other sites: by ``Host`` against rebinding, by ``Origin`` against hijacking.

        Tornado asks ``check_origin`` only in some cases; this is asked in all.
        """
        origins = self.services.origins
        origin = self.request.headers.get("Origin")
        if origin is not None and not origins.allows_origin(origin):
            log.warning("origin_refused", origin=origin[:200], allowed=origins.origins())
            raise OriginRefused("Add this page's address to server.allowed_origins to let it in")
        if not origins.allows_host(self.request.host):
            raise HostRefused(host_rule(self.request.host))
        self._given = self._credentials()
        if origin is None and self.get_cookie(PAGE_COOKIE) and self._given[0] is None:
            # A cookie is sent by a browser on its own, and browsers always send an Origin with it.
            raise OriginRefused("A cookie without an Origin opens no socket")
        if self.request.method == "GET" and self.request.headers.get("Upgrade", "").lower() != "websocket":
            raise BadRequest("This is the address of a socket: it takes a WebSocket upgrade and nothing else")

    def check_origin(self, origin: str) -> bool:
        """Decided in :meth:`prepare` already."""
        return True

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """What is not UTF-8 is no token and no id. Tornado would refuse the upgrade and log the address, token and
        all."""
        return value.decode(errors="replace")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """A refused upgrade is a problem as everywhere else, though nobody but a developer sees it."""
        error = as_ringback(kwargs.get("exc_info", (None, None, None))[1], status_code)
        self.set_status(error.status)
        self.set_header("Content-Type", "application/problem+json")
        self.set_header("X-Request-Id", self.request_id)
        if isinstance(error, MethodNotAllowed):
            self.set_header("Allow", "GET")
        self.finish(encode_json(problem(error, self.request_id, browser_language(self, self.services).translate)))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """A refusal is no news."""
        if not isinstance(value, RingbackError):
            super().log_exception(typ, value, tb)

    @property
    def max_message_size(self) -> int:
        """See :data:`TRANSPORT_FRAME_FACTOR`."""
        return self.services.settings.sockets.max_frame_bytes * TRANSPORT_FRAME_FACTOR

    @property
    def max_buffered_bytes(self) -> int | None:
        """Bytes that may wait for a slow client."""
        return self.services.settings.sockets.max_buffered_bytes

    @property
    def close_timeout_s(self) -> float:  # type: ignore[override]
        """How long the client may take for its half of the close."""
        return self.services.settings.sockets.close_timeout_s

    # ── opening ──

    def open(self, *args: str, **kwargs: str) -> None:
        """The upgrade is done; credentials may have come with it."""
        services = self.services
        self.resource = args[0] if args else ""
        self.connection = Connection(
            self.wire,
            self.kind,
            self.resource,
            self.endpoint.interval_s,
            services.stamp,
            services.clock.monotonic,
            self.request.remote_ip or "",
            browser_language(self, services).translate,
        )
        services.hub.connections.add(self.connection)
        if services.draining():
            self.connection.close(CloseCode.DRAINING, retry_after_ms=STOPPING_RETRY_MS)
            return
        token, kind = self._given
        if token is not None:
            self._begin(kind, token, self.get_query_argument("resume", None), self._last_seq())
        else:
            self._deadline = asyncio.get_running_loop().call_later(
                services.settings.sockets.auth_timeout_s, self._refuse, CloseCode.AUTH_TIMEOUT
            )

    def _credentials(self) -> tuple[str | None, str]:
        scheme, _, bearer = self.request.headers.get("Authorization", "").partition(" ")
        if bearer:
            return (bearer.strip() if scheme.lower() == "bearer" else ""), "access"
        return self.get_query_argument("token", None), "ws"

    def _last_seq(self) -> int:
        text = self.get_query_argument("last_seq", "0")
        return int(text) if text.isdecimal() and len(text) < 16 else 0

    def _begin(self, kind: str, token: str, resume: str | None, last_seq: int) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._authenticating = asyncio.get_running_loop().create_task(self._let_in(kind, token, resume, last_seq))

    def _read_auth(self, data: bytes) -> None:
        try:
            frame = _auth_reader.read(data)
        except BadRequest as error:
            self._refuse(CloseCode.UNAUTHENTICATED, N_("The first frame must be auth: %(why)s", why=error.sentence))
            return
        if isinstance(frame, Auth):
            self._auth_id = frame.id
            self._begin("ws", frame.token, frame.resume, frame.last_seq)
        else:
            self._refuse(CloseCode.UNAUTHENTICATED, "The first frame must be auth")

    async def _let_in(self, kind: str, token: str, resume: str | None, last_seq: int) -> None:
        """Authenticates, opens or resumes the session, says ``connected``. Nothing escapes."""
        try:
            claims = self.services.sign_ins.tokens.check("ws" if kind == "ws" else "access", token)
            self._wanted = self._resumable(claims, resume)
            await self._enter(await self._identify(kind, claims), resume, last_seq)
        except Refused as refused:
            self._refuse(refused.code, refused.reason)
        except RingbackError as error:
            self._refuse(close_code_for(error), error.sentence)
        except Exception as error:
            self.on_handler_error(error)
        finally:
            self._authenticating = None

    async def _identify(self, kind: str, claims: Claims) -> Identity:
        sign_ins = self.services.sign_ins
        self._refuse_foreign_id(claims)
        if kind != "ws":
            return await sign_ins.resolve(claims)
        # Both at once: a warm node answers the first from memory, so only the use of the token takes its time.
        identity, first_use = await asyncio.gather(sign_ins.resolve(claims), sign_ins.spend(claims))
        if not first_use:
            raise Unauthenticated("This token was used before; fetch a new one for each connection")
        return identity

    def _refuse_foreign_id(self, claims: Claims) -> None:
        """A user id in a query or header is no credential; one that contradicts the token is refused."""
        for given in (*self.get_query_arguments("user_id"), self.request.headers.get("X-User-Id", "")):
            if given and given != claims.user_id:
                raise Refused(CloseCode.FORBIDDEN, "user_id is not the token's")

    async def _enter(self, identity: Identity, resume: str | None, last_seq: int) -> None:
        hub = self.services.hub
        self._speak_to(identity)
        known = self._wanted
        if known is not None and self.whole_only and known.replay(last_seq) is None:
            hub.drop(known, CloseCode.REPLACED)
        if known is not None and hub.claim(known):
            snapshot_seq = known.buffer.last_seq
            known.translate = self._translate
            try:
                snapshot = await self.endpoint.reopen(known)
            except BaseException:
                hub.release(known)
                raise
            if not known.over:
                self._welcome(known, identity, snapshot, snapshot_seq, resume, last_seq)
                return
        if not hub.has_room_for(identity.user.id):
            raise Refused(CloseCode.TOO_MANY_CONNECTIONS)
        session = self._new_session(identity)
        try:
            snapshot = await self.endpoint.open(session)
        except BaseException:
            hub.drop(session, CloseCode.STATE_LOST)
            raise
        if session.over:  # the sign-in has ended while the database was asked
            raise Refused(CloseCode.SIGNED_OUT)
        self._welcome(session, identity, snapshot, 0, resume, None)

    def _speak_to(self, identity: Identity) -> None:
        """From now on in the language that the person has chosen, if they have."""
        chosen = self.services.languages.of(identity.locale)
        if self.connection is not None and chosen is not None:
            self.connection.translate = chosen.translate

    @property
    def _translate(self) -> Translate:
        return str if self.connection is None else self.connection.translate

    def _resumable(self, claims: Claims, resume: str | None) -> Session | None:
        """The session that is asked for, if it is this person's, in whatever sign-in, and on this path."""
        session = self.services.hub.get(resume) if resume and is_id(resume) else None
        if session is None or (session.kind, session.resource) != (self.kind, self.resource):
            return None
        return session if session.who.user.id == claims.user_id else None

    @property
    def whole_only(self) -> bool:
        """Whether a client that comes back is given all that it missed or else begins a new session: where a snapshot
        does not replace what it missed."""
        return False

    def _asked_for(self) -> dict[str, str]:
        """Those of :attr:`wishes` that stand in the address."""
        return {name: self.get_query_argument(name) for name in self.wishes if self.get_query_arguments(name)}

    def _new_session(self, identity: Identity) -> Session:
        settings = self.services.settings.sockets
        limits = SessionLimits(
            settings.resume_frames, settings.resume_bytes, settings.coalesce_bytes, settings.idempotency_window_s
        )
        session = Session(new_id(), self.kind, self.resource, identity, self.endpoint.resume_window_s, limits)
        session.wishes = self._asked_for()
        session.translate = self._translate
        if self.connection is not None:
            session.taken_at_s = self.connection.opened_at_s
        return session

    def _welcome(
        self,
        session: Session,
        who: Identity,
        snapshot: dict[str, Any],
        snapshot_seq: int,
        resume: str | None,
        last_seq: int | None,
    ) -> None:
        """Says ``connected``, everything missed and ``resumed``, without a pause between; see ``Session.catch_up``.

        Where the client starts from the snapshot, it is told so before what follows the snapshot.
        """
        connection, services = self.connection, self.services
        if connection is None or connection.closing:  # the client left, or we closed, while the database was asked
            services.hub.release(session)
            return
        if session.taken_at_s > connection.opened_at_s:
            # The client has given this socket up and come back on a newer one while the database was asked.
            services.hub.release(session)
            self._close(CloseCode.REPLACED)
            return
        catch_up = session.catch_up(last_seq, snapshot_seq)
        incomplete = self.whole_only and last_seq is not None and catch_up is not None and not catch_up.complete
        if catch_up is None or incomplete:  # more was said while the snapshot was read than is kept
            services.hub.drop(session, CloseCode.STATE_LOST)
            self._close(CloseCode.STATE_LOST)
            return
        services.hub.rebind(session, who)
        connection.send(self._connected(session, snapshot))
        frames = catch_up.frames
        if resume is not None:
            resumed = encode(
                Resumed(timestamp=services.stamp(), from_=last_seq or 0, to=catch_up.to, complete=catch_up.complete)
            )
            frames = [*frames, resumed] if catch_up.complete else [resumed, *frames]
        for frame in frames:
            connection.send(frame)
        self.dispatcher = Dispatcher(
            session,
            connection,
            self.endpoint.commands,
            services.settings.sockets,
            services.clock,
            self._close,
            self._log_fault,
        )
        services.hub.attach(session, connection)
        services.heartbeat.add(connection, services.clock.monotonic())
        services.metrics.opening_s.labels(self.kind).observe(time.perf_counter() - self._accepted_at_s)
        if self._auth_id is not None:
            connection.send(ack(self._auth_id, services.stamp()))
        self.forget_request_headers()
        early, self._early = self._early, []
        for data in early:
            self.on_text(data)

    def _connected(self, session: Session, snapshot: dict[str, Any]) -> bytes:
        settings = self.services.settings.sockets
        return encode(
            Connected(
                timestamp=self.services.stamp(),
                connection_id=session.id,
                epoch=self.services.epoch,
                user=session.who.user,
                heartbeat={"interval_s": self.endpoint.interval_s, "timeout_s": settings.heartbeat_timeout_s},
                resume={"window_s": self.endpoint.resume_window_s},
                limits={
                    "max_frame_bytes": settings.max_frame_bytes,
                    "max_sdp_bytes": settings.max_sdp_bytes,
                    "frames_per_s": settings.frames_per_s,
                    "burst": settings.frames_burst,
                },
                snapshot=snapshot,
            )
        )

    # ── frames ──

    def on_text(self, data: bytes) -> None:
        """One frame from the client."""
        if len(data) > self._max_frame_bytes:
            self._close(CloseCode.TOO_BIG)
        elif self.dispatcher is not None:
            self.dispatcher.receive(data)
        elif self._authenticating is None:
            self._read_auth(data)
        elif len(self._early) < MAX_EARLY_FRAMES:
            self._early.append(data)
        else:
            self._close(CloseCode.RATE_LIMITED)

    def on_binary(self, data: bytes) -> None:
        """Frames are text."""
        self._close(CloseCode.UNSUPPORTED_DATA)

    def on_ping(self, data: bytes) -> None:
        """The frame layer answers it; here it only counts."""
        if self.dispatcher is not None:
            self.dispatcher.count_control()

    def on_pong(self, data: bytes) -> None:
        """The answer to one of the heartbeat's pings."""
        if self.connection is not None:
            note_pong(self.connection, data, self.services.clock.monotonic())

    # ── closing ──

    def on_violation(self, code: int, reason: str) -> None:
        """The client broke the WebSocket protocol."""
        self._close(CloseCode(code), reason)

    def on_slow_consumer(self) -> None:
        """More waits for the client than may."""
        self._close(CloseCode.SLOW_CONSUMER)

    def on_blocked(self) -> None:
        """The client does not read as fast as it is told."""
        if self.connection is not None:
            self.services.heartbeat.watch_blocked(self.connection)

    def on_handler_error(self, error: BaseException) -> None:
        """Our fault: logged under the request id, which the client is told."""
        self._log_fault(error)
        self._close(CloseCode.INTERNAL_ERROR, N_("The server failed; request id %(id)s", id=self.request_id))

    def _log_fault(self, error: BaseException) -> None:
        log.error(
            "socket_failed",
            request_id=self.request_id,
            kind=self.kind,
            exc_info=(type(error), error, error.__traceback__),
        )

    def _refuse(self, code: CloseCode, reason: str = "") -> None:
        if self.connection is not None:
            waits = self._wanted is not None and not self._wanted.over
            self.connection.close(code, reason, resumable=waits)

    def _close(self, code: CloseCode, reason: str = "") -> None:
        if self.connection is not None:
            self.services.hub.close(self.connection, code, reason)

    def on_close(self) -> None:
        """The socket is gone. What that means was decided before, if the server began it."""
        if self._deadline is not None:
            self._deadline.cancel()
        connection = self.connection
        if connection is None:
            return
        left = self.wire.code_received == CloseCode.NORMAL and connection.close_code is None
        self.services.hub.lost(connection, CloseCode.NORMAL if left else CloseCode.GOING_AWAY)
        self.services.hub.closed(connection)
        self.dispatcher = None
        self.connection = None
