"""What handlers may ask of the server, put together once by :mod:`server.app`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from server.auth.accounts import Accounts
from server.auth.devices import Devices
from server.auth.sign_ins import SignIns
from server.books.books import Books
from server.calls.chats import Chats
from server.calls.checks import Checks
from server.calls.dialling import Dialling
from server.calls.histories import Histories
from server.calls.presence import PresenceBoard
from server.calls.quality_log import QualityLog
from server.calls.switchboard import Switchboard
from server.clock import Clock
from server.dialogues.dialogues import Dialogues
from server.exports.exports import Exports
from server.languages.choice import Languages
from server.metrics import Metrics
from server.origins import Origins
from server.people.contacts import Contacts
from server.push.keys import VapidKey
from server.push.notifier import Notifier
from server.realtime.background import Background
from server.realtime.endpoint import Endpoint
from server.realtime.heartbeat import HeartbeatWheel
from server.realtime.hub import Hub
from server.recordings.archive import Archive
from server.roadmaps.roadmaps import Roadmaps
from server.settings import Settings
from server.store.calls import CallStore
from server.store.contacts import ContactStore
from server.store.driver import Database
from server.store.transcripts import TranscriptStore
from server.store.users import UserStore
from server.tasks.external import ExternalTasks
from server.tasks.tasks import Tasks
from server.voicemail.mailboxes import Mailboxes
from server.wire import Stamp


@dataclass(slots=True)
class Services:
    """The parts of one running server. ``epoch`` tells its sessions from those of an earlier process."""

    settings: Settings
    clock: Clock
    stamp: Stamp
    epoch: str
    node: str
    database: Database
    users: UserStore
    calls: CallStore
    contact_store: ContactStore
    contacts: Contacts
    sign_ins: SignIns
    devices: Devices
    accounts: Accounts
    push_key: VapidKey
    push: Notifier
    presence: PresenceBoard
    switchboard: Switchboard
    quality: QualityLog
    transcripts: TranscriptStore
    mailboxes: Mailboxes
    archive: Archive
    roadmaps: Roadmaps
    exports: Exports
    histories: Histories
    chats: Chats
    books: Books
    tasks: Tasks
    dialogues: Dialogues
    external_tasks: ExternalTasks
    dialling: Dialling
    checks: Checks
    hub: Hub
    heartbeat: HeartbeatWheel
    background: Background
    endpoints: dict[str, Endpoint]
    languages: Languages
    metrics: Metrics
    origins: Origins
    demo_password: str | None = None
    draining: Callable[[], bool] = field(default=lambda: False)
