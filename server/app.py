"""The composition root: settings → services → application. Nobody else constructs services or looks them up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import tornado.web
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, HTTPServerRequest
from tornado.netutil import bind_sockets

from handlers.base import API, KEPT_BODY_BYTES
from handlers.routes import rules
from server.auth.accounts import Accounts
from server.auth.devices import Devices
from server.auth.passwords import Passwords
from server.auth.sign_ins import SignIns
from server.auth.throttle import LoginThrottle
from server.auth.tokens import Tokens
from server.books.books import open_shelf
from server.calls.chats import Chats
from server.calls.checks import Checks
from server.calls.dialling import Dialling
from server.calls.histories import Histories
from server.calls.inbox import Inbox
from server.calls.presence import PresenceBoard
from server.calls.quality_log import QualityLog
from server.calls.switchboard import LEASE_RENEWAL_S, SweepReport, Switchboard
from server.calls.unread import UnreadCounts
from server.clock import Clock, SystemClock
from server.close_codes import CloseCode
from server.config import load_or_create_secret, node_name, resolve_data_dir
from server.dialogues.assembly import open_dialogues
from server.errors import Unavailable
from server.exports.assembly import open_exports
from server.exports.exports import CLEAN_EVERY_S as CLEAN_EXPORTS_EVERY_S
from server.exports.holdings import Stores
from server.following.assembly import following
from server.ids import new_id
from server.jobs import Job, Jobs
from server.languages.choice import read_languages
from server.log import get_logger, log_request
from server.metrics import Metrics
from server.origins import Origins
from server.paths import locale_dir, static_dir, templates_dir
from server.people.contacts import Contacts
from server.people.elsewhere import Elsewhere
from server.people.leases import Leases
from server.proxies import Proxies
from server.push.endpoints import TrustedEndpoints
from server.push.keys import VapidKey, load_or_create_push_key, new_private_key
from server.push.notifier import Notifier
from server.push.sender import Sender
from server.realtime.background import Background
from server.realtime.bus import LocalBus
from server.realtime.connection import Connection
from server.realtime.endpoint import Endpoint
from server.realtime.heartbeat import TICK_S, HeartbeatWheel
from server.realtime.hub import Hub
from server.realtime.records import Records
from server.recordings.archive import CLEAN_EVERY_S as CLEAN_RECORDINGS_EVERY_S
from server.recordings.archive import Archive
from server.roadmaps.assembly import open_roadmaps
from server.rooms.endpoint import CallEndpoint
from server.services import Services
from server.settings import Settings
from server.store.books import BookStore
from server.store.calls import CallStore
from server.store.chat import ChatStore
from server.store.connections import ConnectionStore
from server.store.contacts import ContactStore
from server.store.dialogues import DialogueStore
from server.store.driver import Database, connect
from server.store.embedded import EmbeddedMongo
from server.store.exports import ExportStore
from server.store.presence import PresenceStore
from server.store.quality import QualityStore
from server.store.recordings import RecordingStore
from server.store.roadmaps import RoadmapStore
from server.store.sign_ins import SignInStore
from server.store.tasks import TaskStore
from server.store.transcripts import TranscriptStore
from server.store.users import UserStore
from server.store.voicemail import VoicemailStore
from server.tasks.assembly import TaskArea
from server.tasks.external import ExternalTasks
from server.voicemail.mailboxes import CLEAN_EVERY_S, Mailboxes
from server.wire import Stamp

log = get_logger("server")

IDLE_CONNECTION_TIMEOUT_S = 15.0
"""A request line that dribbles in, or a kept-alive connection that says nothing, is closed (slow loris)."""
BODY_TIMEOUT_S = 10.0
MAX_HEADER_BYTES = 16 * 1024
MAX_READ_BYTES = 64 * KEPT_BODY_BYTES
"""What is read of a body at most, within the time above, to be able to answer 413."""
SEEN_INTERVAL_S = 60.0
"""How exactly «last seen» is known of a device, for one write a minute."""
ENDS_INTERVAL_S = 60.0
"""How exactly a socket ends with a sign-in that runs out after weeks."""
FORGOTTEN_EVERY_S = 60.0
"""What belongs to calls that nobody has any more goes at once; later only what a crash or a removed account left."""
NO_CONTACT = "mailto:postmaster@localhost"
RETURN_SLOT_S = 0.02
"""While draining, each client is told to come back this much after the one before: 1,000 within 20 s."""


class RingbackApplication(tornado.web.Application):
    """Tornado's application, with the client's real address in each request."""

    def __init__(self, services: Services) -> None:
        self._proxies = Proxies(services.settings.server.trusted_proxies)
        self._all_settings = services.settings
        super().__init__(
            rules({"services": services}),
            template_path=str(templates_dir()),
            log_function=log_request,
            xsrf_cookie_kwargs={
                "samesite": "Lax",
                "path": "/",
                "secure": services.settings.server.public_url.startswith("https:"),
            },
        )
        # For ``static_url``. Given above, Tornado would put a rule of its own before ours.
        self.settings["static_path"] = str(static_dir())

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """As Tornado's, once the address is known."""
        self._proxies.apply(request)
        delegate = super().find_handler(request, **kwargs)
        # Files and upgrades on wrong paths have handlers of their own kind, which take no body.
        kept_body_bytes = getattr(getattr(delegate, "handler_class", None), "kept_body_bytes", None)
        return BoundedBody(delegate, kept_body_bytes(self._all_settings) if kept_body_bytes else KEPT_BODY_BYTES)


class BoundedBody(HTTPMessageDelegate):
    """Lets a handler see no more of a body than shows that it is too large.

    The rest is read and thrown away: a client that is still sending when the connection closes never hears why.
    """

    def __init__(self, delegate: HTTPMessageDelegate, kept_bytes: int) -> None:
        self._delegate = delegate
        self._room = kept_bytes + 1

    def headers_received(self, start_line: Any, headers: HTTPHeaders) -> Awaitable[None] | None:
        """See :class:`tornado.httputil.HTTPMessageDelegate`, as for the others."""
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Passes on what there is room for."""
        kept = chunk[: self._room]
        self._room -= len(kept)
        return self._delegate.data_received(kept) if kept else None

    def finish(self) -> None:
        """The whole message was read."""
        self._delegate.finish()

    def on_connection_close(self) -> None:
        """The client is gone before that."""
        self._delegate.on_connection_close()


class Server:
    """One process of Ringback on one database, from ``start`` to ``stop``."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        secret: str,
        *,
        clock: Clock | None = None,
        demo_password: str | None = None,
        push_key: str | None = None,
    ) -> None:
        """``secret`` signs tokens. ``push_key`` is the private key that push services know the server by; without one
        there is one that is forgotten with this process."""
        self.settings = settings
        self.is_draining = False
        self._http: HTTPServer | None = None
        clock = clock or SystemClock()
        stamp = Stamp(clock)
        self.bus = bus = LocalBus()
        metrics = Metrics()
        background = Background()
        users, calls, sign_in_store = UserStore(database), CallStore(database), SignInStore(database)
        connections = ConnectionStore(database, settings.sockets.record_days)
        contact_store = ContactStore(database)
        messages = VoicemailStore(database)
        presence_store = PresenceStore(database)
        quality_store = QualityStore(database)
        recording_store = RecordingStore(database)
        chat_store = ChatStore(database)
        transcripts = TranscriptStore(database)
        roadmap_store = RoadmapStore(database)
        export_store = ExportStore(database)
        book_store = BookStore(database)
        task_store = TaskStore(database)
        dialogue_store = DialogueStore(database)
        self._stores = (
            users,
            calls,
            sign_in_store,
            connections,
            contact_store,
            messages,
            presence_store,
            quality_store,
            recording_store,
            chat_store,
            transcripts,
            book_store,
            task_store,
            dialogue_store,
            roadmap_store,
            export_store,
        )
        self.records = Records(connections, clock, node_name(settings))
        self._passwords = Passwords(settings.auth)
        sign_ins = SignIns(
            users,
            sign_in_store,
            Tokens(settings.auth, secret, clock),
            self._passwords,
            LoginThrottle(settings.auth, clock),
            bus,
            clock,
            settings.auth.sign_in_cache_s,
        )
        sockets = settings.sockets
        hub = Hub(bus, clock, sockets.max_connections_per_user, self._on_closed)
        sign_ins.in_use = hub.sign_ins_of
        devices = Devices(sign_in_store, sign_ins, hub, bus, clock)
        presence = PresenceBoard(hub, bus, clock)
        epoch = new_id()
        self.leases = Leases(
            presence_store,
            presence,
            bus,
            clock,
            epoch=epoch,
            node=node_name(settings),
            renewal_s=settings.people.presence_renewal_s,
            lease_s=settings.people.presence_lease_s,
        )
        self.elsewhere = Elsewhere(
            presence_store, users, contact_store, presence, clock, epoch=epoch, forget_user=sign_ins.forget_user
        )
        self.quality = QualityLog(quality_store, background, clock)
        calls.on_delete += [
            quality_store.remove_of,
            transcripts.remove_of,
            chat_store.remove_of,
            recording_store.remove_of_calls,
            roadmap_store.remove_of_calls,
        ]
        unread = UnreadCounts(calls, bus, background, clock)
        switchboard = Switchboard(calls, users, presence, unread, hub, bus, background, clock, settings.calls)
        languages = read_languages(locale_dir())
        push_settings = settings.push
        own_key = push_settings.vapid_private_key or new_private_key()
        vapid_key = VapidKey(own_key if push_key is None else push_key)
        self._push = Notifier(
            sign_in_store,
            users,
            sign_ins,
            switchboard,
            Sender(vapid_key, contact(settings), TrustedEndpoints(push_settings.trusted_endpoints), clock, metrics),
            languages,
            background,
            bus,
            clock,
            hub.sign_in_of,
            enabled=push_settings.enabled,
        )
        accounts = Accounts(users, sign_ins, self._passwords, clock)
        mailboxes = Mailboxes(messages, switchboard, contact_store, background, bus, clock, settings.voicemail)
        mailboxes.on_left.append(self._push.voicemail_left)
        archive = Archive(recording_store, switchboard, calls, users, background, clock, settings.recordings)
        self.task_area = TaskArea(task_store, bus, background, clock, settings.tasks, API, epoch)
        tasks = self.task_area.tasks
        roadmaps = open_roadmaps(roadmap_store, tasks, chat_store, transcripts, switchboard, languages, clock)
        books = open_shelf(book_store, self.task_area, background, clock, settings.books)
        exports = open_exports(
            Stores(
                users=users,
                sign_ins=sign_in_store,
                connections=connections,
                contacts=contact_store,
                calls=calls,
                messages=chat_store,
                transcripts=transcripts,
                quality=quality_store,
                recordings=recording_store,
                voicemail=messages,
                roadmaps=roadmap_store,
                books=book_store,
                dialogues=dialogue_store,
                exports=export_store,
                tasks=tasks,
            ),
            self.task_area.kinds,
            resolve_data_dir(settings),
            languages,
            clock,
            settings.exports,
            API,
        )
        accounts.on_remove += [
            tasks.remove_of,  # first: what is under way would keep something new
            exports.remove_of,
            books.remove_of,
            dialogue_store.remove_of,
            mailboxes.remove_of,
            recording_store.remove_of,
            contact_store.remove_all,
            calls.forget_all,
            roadmap_store.forget_reader,
        ]
        inbox = Inbox(
            switchboard,
            users,
            contact_store,
            accounts,
            presence,
            hub,
            background,
            clock,
            sockets.heartbeat_interval_s,
            sockets.resume_window_s,
        )
        dialling = Dialling(switchboard, calls, users, contact_store, presence, background, clock, settings.calls)
        chats = Chats(chat_store, switchboard, bus, clock, settings.calls.max_chat_messages)
        self.rooms = CallEndpoint(
            switchboard,
            self.quality,
            transcripts,
            dialling,
            chats,
            hub,
            bus,
            background,
            clock,
            sockets,
            settings.recordings.enabled,
        )
        self.dialogues = open_dialogues(
            dialogue_store, books, languages, hub, bus, clock, epoch, metrics, settings, f"{API}/ws/dialogue"
        )
        endpoints: dict[str, Endpoint] = {
            endpoint.kind: endpoint for endpoint in (inbox, self.rooms, self.dialogues.endpoint)
        }
        endpoints |= following(tasks, users, hub, bus, background, stamp, sockets)
        hub.watchers.update(endpoints)
        self.services = Services(
            settings=settings,
            clock=clock,
            stamp=stamp,
            epoch=epoch,
            node=node_name(settings),
            database=database,
            users=users,
            calls=calls,
            contact_store=contact_store,
            contacts=Contacts(contact_store, users, presence, bus, clock, settings.people.contact_requests_per_day),
            sign_ins=sign_ins,
            devices=devices,
            accounts=accounts,
            push_key=vapid_key,
            push=self._push,
            presence=presence,
            switchboard=switchboard,
            quality=self.quality,
            chats=chats,
            tasks=tasks,
            external_tasks=ExternalTasks(tasks, users, clock),
            transcripts=transcripts,
            mailboxes=mailboxes,
            archive=archive,
            roadmaps=roadmaps,
            exports=exports,
            histories=Histories(calls, users, unread, background),
            books=books,
            dialogues=self.dialogues,
            dialling=dialling,
            checks=Checks(settings.ice, clock),
            hub=hub,
            heartbeat=HeartbeatWheel(
                sockets.heartbeat_timeout_s,
                sockets.max_blocked_s,
                stamp,
                lambda connection: hub.close(connection, CloseCode.HEARTBEAT_MISSED),
                lambda connection: hub.close(connection, CloseCode.SLOW_CONSUMER),
            ),
            background=background,
            endpoints=endpoints,
            languages=languages,
            metrics=metrics,
            origins=Origins(settings.server, settings.server.port),
            demo_password=demo_password,
            draining=lambda: self.is_draining,
        )
        metrics.watch("ringback_sockets_open", "Open sockets", lambda: len(hub.connections))
        metrics.watch("ringback_sessions", "Sessions, those that may be resumed included", lambda: len(hub))
        metrics.watch("ringback_rooms", "Calls with somebody in their room here", lambda: len(self.rooms))
        metrics.watch("ringback_tasks_running", "Tasks that are worked at here", lambda: len(self.task_area.runner))
        self.jobs = Jobs(
            [
                Job("heartbeat", TICK_S, self.beat),
                Job("sweep", settings.jobs.sweep_interval_s, self.sweep),
                Job("revocations", settings.jobs.revocation_interval_s, sign_ins.notice_revocations),
                Job("device_changes", settings.jobs.revocation_interval_s, devices.notice_changes),
                Job("sign_ins_over", ENDS_INTERVAL_S, devices.notice_ends),
                Job("devices_seen", SEEN_INTERVAL_S, devices.note_seen),
                Job("records", settings.jobs.record_flush_interval_s, self.records.flush),
                Job("replies", settings.dialogues.round_s, self.dialogues.replies.round),
                Job("leases", LEASE_RENEWAL_S, switchboard.renew_leases),
                Job("presence", settings.people.presence_round_s, self.presence_round),
                Job("voicemail", CLEAN_EVERY_S, mailboxes.clean),
                Job("recordings", CLEAN_RECORDINGS_EVERY_S, archive.clean),
                *self.task_area.jobs(settings.jobs.sweep_interval_s),
                *books.jobs(settings.jobs.sweep_interval_s),
                Job("exports", CLEAN_EXPORTS_EVERY_S, exports.clean),
                Job("forgotten", FORGOTTEN_EVERY_S, calls.remove_forgotten),
            ]
        )

    # ── life ──

    async def prepare(self) -> None:
        """Makes the indexes, and what older versions did not store; raises :class:`~server.errors.Unavailable` if the
        database is away."""
        for store in self._stores:
            await store.ensure_indexes()
        added = await self.services.users.add_missing_search_keys()
        if added:
            log.info("search_keys_added", people=added)
        given = await self.services.calls.give_tokens()
        if given:
            log.info("history_tokens_given", calls=given)

    async def start(self) -> int:
        """Listens and starts the jobs; returns the port. ``prepare`` comes first."""
        server = self.settings.server
        sockets = bind_sockets(server.port, server.host)
        port = int(sockets[0].getsockname()[1])
        self.services.origins = Origins(server, port)
        self._http = HTTPServer(
            RingbackApplication(self.services),
            idle_connection_timeout=IDLE_CONNECTION_TIMEOUT_S,
            body_timeout=BODY_TIMEOUT_S,
            max_header_size=MAX_HEADER_BYTES,
            max_body_size=MAX_READ_BYTES,
        )
        self._http.add_sockets(sockets)
        self.jobs.start()
        self.task_area.runner.open()
        self.services.background.start(self.dialogues.replies.round, "replies")  # of the process before this one
        return port

    def unpack(self) -> None:
        """Brings what comes with Ringback into the database, without anybody waiting for it."""
        self.services.background.start(self.services.books.keep_handbook, "handbook")

    async def stop(self, within_s: float = 10.0) -> None:
        """Tells every client where it stands, finishes what is under way, and stops. No frame is sent afterwards."""
        self.is_draining = True  # /readyz says so from now on, and new sockets are sent away with ``draining``
        self.send_home()
        await asyncio.gather(self._until_gone(within_s), self.task_area.runner.stop(within_s))
        if self._http is not None:
            self._http.stop()
        self.jobs.stop()
        self.quality.write_all()
        await self.dialogues.replies.stop()
        await self.services.background.finish(within_s)
        self._push.close()
        await self._flush_records()
        await self._end_leases()
        if self._http is not None:
            await self._http.close_all_connections()
        self._passwords.close()

    async def _flush_records(self) -> None:
        try:
            await self.records.flush()
        except Unavailable:
            log.warning("records_lost", count=len(self.records), why="the database is away")

    async def _end_leases(self) -> None:
        try:
            await self.leases.end()
        except Unavailable:
            log.warning("leases_left", why="the database is away; they run out by themselves")

    def send_home(self) -> None:
        """Closes every socket with ``draining``; the times to come back are spread over ``sockets.drain_s``."""
        connections = list(self.services.hub.connections)
        slot_s = min(RETURN_SLOT_S, self.settings.sockets.drain_s / max(1, len(connections)))
        for index, connection in enumerate(connections):
            self.services.hub.close(connection, CloseCode.DRAINING, retry_after_ms=round(1000 * slot_s * (index + 1)))

    async def _until_gone(self, within_s: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while self.services.hub.connections and loop.time() < deadline:
            await asyncio.sleep(0.02)

    # ── jobs ──

    async def beat(self) -> None:
        """One tick of the heartbeat."""
        self.services.heartbeat.tick(self.services.clock.monotonic())

    async def sweep(self) -> SweepReport:
        """Ends calls past their deadline, drops sessions past their resume window, and says in one line what it did."""
        dropped = self.services.hub.sweep()
        lost = self.rooms.sweep()
        self.services.presence.sweep()
        self.services.dialling.limits.sweep()
        self.services.checks.sweep()
        await self.services.background.catch_up()  # before deadlines are judged: media may have flowed since
        report = await self.services.switchboard.sweep()
        self.services.metrics.expired_calls.inc(report.expired)
        if dropped or lost or report.expired:
            log.info("swept", calls_expired=report.expired, sessions_dropped=dropped, legs_lost=lost)
        return report

    async def presence_round(self) -> None:
        """Tells other processes of our people, and hears of theirs."""
        await self.leases.round()
        await self.elsewhere.round()

    # ── records ──

    def _on_closed(self, connection: Connection) -> None:
        self.services.heartbeat.remove(connection)
        record = self.records.closed(connection)
        code = record.code_sent or record.code_received
        self.services.metrics.sockets_closed.labels(record.kind, str(code or "none")).inc()
        self.services.metrics.dropped_frames.inc(record.dropped_after_close)


def contact(settings: Settings) -> str:
    """Where a push service finds whoever runs this server (RFC 8292 §2.1)."""
    public_url = settings.server.public_url
    return settings.push.contact or (public_url if public_url.startswith("https:") else NO_CONTACT)


@asynccontextmanager
async def open_database(settings: Settings, data_dir: Path, *, attach: bool = False) -> AsyncIterator[Database]:
    """The database that the settings name, or an own one under ``data_dir`` that lives as long as this context.

    ``attach``: where a server runs on ``data_dir`` already, its database is used.
    """
    embedded = None if settings.mongo.uri else EmbeddedMongo(data_dir, attach=attach)
    uri = await embedded.start() if embedded else settings.mongo.uri
    database = connect(settings.mongo, uri)
    try:
        yield database
    finally:
        database.close()
        if embedded:
            await embedded.stop()


@asynccontextmanager
async def open_server(
    settings: Settings, *, attach: bool = False, demo_password: str | None = None
) -> AsyncIterator[Server]:
    """A server on its database, prepared and not yet listening; commands beside a running one say ``attach``."""
    data_dir = resolve_data_dir(settings)
    secret = settings.auth.secret or load_or_create_secret(data_dir)
    push_key = settings.push.vapid_private_key or load_or_create_push_key(data_dir)
    async with open_database(settings, data_dir, attach=attach) as database:
        server = Server(settings, database, secret, demo_password=demo_password, push_key=push_key)
        await server.prepare()
        yield server
