"""Everything that is held about one person, row by row: each method is one table of :mod:`server.exports.catalogue`.

What others have to do with it stands there as the person themselves may read it, and no more: others by name, never
their devices, addresses, or what they have set.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from server.calls.details import details
from server.calls.history import direction_of
from server.calls.model import Call, seen_by, view, was_missed_by
from server.calls.outcomes import Translate, outcome
from server.calls.quality import quality_view
from server.calls.readable import readable_until
from server.calls.recording import recording_view
from server.exports.catalogue import FIELDS, fields_of
from server.realtime.frames import UserRef
from server.realtime.records import ConnectionRecord
from server.store.books import BookStore
from server.store.calls import CallStore
from server.store.chat import ChatStore
from server.store.connections import ConnectionStore
from server.store.contacts import ContactStore
from server.store.dialogues import DialogueStore
from server.store.exports import ExportStore
from server.store.quality import QualityStore
from server.store.recordings import RecordingStore
from server.store.roadmaps import RoadmapStore
from server.store.sign_ins import SignInStore
from server.store.transcripts import TranscriptStore
from server.store.users import UserStore
from server.store.voicemail import VoicemailStore
from server.tasks.model import event_view, task_view
from server.tasks.tasks import Tasks

AT_A_TIME = 500
"""Rows that are read with one question to the database."""

Row = dict[str, Any]


class Medium(NamedTuple):
    """A file that belongs to a person: its name in the export, how large it is, and its bytes."""

    path: str
    size_bytes: int
    pieces: Callable[[], AsyncIterator[bytes]]


class Stores(NamedTuple):
    """Where people's things are."""

    users: UserStore
    sign_ins: SignInStore
    connections: ConnectionStore
    contacts: ContactStore
    calls: CallStore
    messages: ChatStore
    transcripts: TranscriptStore
    quality: QualityStore
    recordings: RecordingStore
    voicemail: VoicemailStore
    roadmaps: RoadmapStore
    books: BookStore
    dialogues: DialogueStore
    exports: ExportStore
    tasks: Tasks


class Holdings:
    """What is held about one person; sentences are in the language of ``translate``."""

    def __init__(self, stores: Stores, user_id: str, translate: Translate) -> None:
        self._stores = stores
        self._user_id = user_id
        self._translate = translate

    def rows(self, table: str) -> AsyncIterator[Row]:
        """The rows of the table of that name."""
        read: Callable[[], AsyncIterator[Row]] = getattr(self, f"_{table}")
        return read()

    # ── the person ──

    async def _profile(self) -> AsyncIterator[Row]:
        user = await self._stores.users.get(self._user_id)
        if user is not None:
            yield fields_of(user)

    async def _devices(self) -> AsyncIterator[Row]:
        for sign_in in await self._stores.sign_ins.every_one_of(self._user_id):
            yield fields_of(sign_in) | {"push": sign_in.push is not None}

    async def _connections(self) -> AsyncIterator[Row]:
        before: str | None = None
        while page := await self._stores.connections.of(self._user_id, limit=AT_A_TIME, before=before):
            for record_id, record in page:
                before = record_id
                yield {name: record.get(name) for name in FIELDS[ConnectionRecord].kept}

    async def _contacts(self) -> AsyncIterator[Row]:
        relations = await self._stores.contacts.every_one_of(self._user_id)
        others = await self._stores.users.by_ids([each.other(self._user_id) for each in relations])
        users = {user.user_id: user.ref for user in others}
        for relation in relations:
            other = relation.other(self._user_id)
            state = relation.state_for(self._user_id)
            standing = {
                "user": users.get(other, UserRef(other, "", "")),
                "state": state,
                "favourite": self._user_id in relation.favourite_of,
                "blocked": self._user_id in relation.blocked_by,
            }
            if state != "none" or standing["favourite"] or standing["blocked"]:
                since = relation.since_for(self._user_id)
                yield standing | {
                    "requested_at": relation.requested_at if state != "none" else None,
                    "accepted_at": since if state == "contacts" else None,
                }

    # ── calls ──

    async def every_call(self) -> AsyncIterator[Call]:
        """The calls in the person's history, newest first."""
        before: str | None = None
        while page := await self._stores.calls.history(self._user_id, limit=AT_A_TIME, before=before):
            for entry in page:
                yield entry.call
            before = page[-1].call.call_id

    async def _own_calls(self) -> AsyncIterator[tuple[Call, datetime | None]]:
        """Those in which the person took part, and until when they may read what was said in them."""
        async for call in self.every_call():
            leg = call.leg_of(self._user_id)
            if leg is not None and leg.took_part:
                yield call, readable_until(call, self._user_id)

    async def _calls(self) -> AsyncIterator[Row]:
        async for call in self.every_call():
            row: Row = msgspec.to_builtins(view(call, self._user_id))
            for leg in row["legs"]:
                if leg["user"]["id"] != self._user_id:
                    del leg["device"]
            shown = seen_by(call, self._user_id)
            own = shown.leg_of(self._user_id)
            yield row | {
                "direction": direction_of(call, self._user_id),
                "missed": was_missed_by(call, self._user_id),
                "outcome": outcome(call, self._user_id, self._translate),
                "details": details(call, self._user_id, self._translate),
                "recordings": [recording_view(each) for each in shown.recordings] if own and own.took_part else [],
            }

    async def _messages(self) -> AsyncIterator[Row]:
        async for call, until in self._own_calls():
            before: str | None = None
            while page := await self._stores.messages.newest(call.call_id, limit=AT_A_TIME, before=before, until=until):
                for message in page:
                    yield fields_of(message)
                before = page[-1].message_id

    async def _transcripts(self) -> AsyncIterator[Row]:
        async for call, until in self._own_calls():
            users = {leg.leg_id: leg.user for leg in call.legs}
            before: str | None = None
            while page := await self._stores.transcripts.page(call.call_id, before, AT_A_TIME, until):
                for line in reversed(page):
                    yield fields_of(line) | {"user": users.get(line.leg_id)}
                before = page[0].line_id

    async def _call_quality(self) -> AsyncIterator[Row]:
        async for call, _ in self._own_calls():
            own = call.leg_of(self._user_id)
            measured = [
                each for each in await self._stores.quality.of(call.call_id) if own and each.leg_id == own.leg_id
            ]
            for leg in quality_view(call, measured)["legs"]:
                for path in leg["paths"]:
                    yield {"call_id": call.call_id} | path

    async def _recordings(self) -> AsyncIterator[Row]:
        async for call, until in self._own_calls():
            made = {each.recording_id: each for each in call.recordings}
            kept = await self._stores.recordings.of_call(call.call_id) if made else {}
            for recording_id, recording in kept.items():
                begun_at = made[recording_id].started_at or made[recording_id].asked_at
                if until is None or begun_at < until:
                    yield fields_of(recording) | {"by": made[recording_id].by}

    async def _voicemail(self) -> AsyncIterator[Row]:
        before: str | None = None
        while page := await self._stores.voicemail.of(self._user_id, limit=AT_A_TIME, before=before):
            for message in page:
                yield {"direction": "received"} | fields_of(message)
            before = page[-1].voicemail_id
        call_ids: list[str] = []
        async for call in self.every_call():
            call_ids.append(call.call_id)
            if len(call_ids) == AT_A_TIME:
                async for row in self._left(call_ids):
                    yield row
                call_ids = []
        async for row in self._left(call_ids):
            yield row

    async def _left(self, call_ids: list[str]) -> AsyncIterator[Row]:
        """Messages that the person has left; whether they were heard is the other one's."""
        left = await self._stores.voicemail.left_by(self._user_id, call_ids)
        users = {user.user_id: user.ref for user in await self._stores.users.by_ids([each.to for each in left])}
        for message in left:
            to = users.get(message.to, UserRef(message.to, "", ""))
            yield {"direction": "left", "to": to} | fields_of(message) | {"heard_at": None}

    async def _roadmaps(self) -> AsyncIterator[Row]:
        before: str | None = None
        while page := await self._stores.roadmaps.of(self._user_id, limit=AT_A_TIME, before=before):
            for roadmap in page:
                yield fields_of(roadmap)
            before = page[-1].roadmap_id

    # ── books and dialogues ──

    async def _books(self) -> AsyncIterator[Row]:
        for book in await self._stores.books.of(self._user_id):
            yield fields_of(book)

    async def _book_passages(self) -> AsyncIterator[Row]:
        for book in await self._stores.books.of(self._user_id):
            after = 0
            while page := await self._stores.books.all_passages(book, after, AT_A_TIME):
                for passage in page:
                    yield fields_of(passage)
                after = page[-1].number

    async def _dialogues(self) -> AsyncIterator[Row]:
        async for dialogue in self._every_dialogue():
            yield fields_of(dialogue)

    async def _every_dialogue(self) -> AsyncIterator[Any]:
        before: tuple[datetime, str] | None = None
        while page := await self._stores.dialogues.list_of(self._user_id, limit=AT_A_TIME, before=before):
            for listed in page:
                yield listed.dialogue
            last = page[-1].dialogue
            assert last.updated_at is not None
            before = (last.updated_at, last.session_id)

    async def _dialogue_messages(self) -> AsyncIterator[Row]:
        async for dialogue in self._every_dialogue():
            before: int | None = None
            while page := await self._stores.dialogues.turns(dialogue.session_id, limit=AT_A_TIME, below=before):
                for turn in page:
                    yield fields_of(turn)
                before = min(turn.number for turn in page)

    # ── tasks ──

    async def _every_task(self) -> AsyncIterator[Any]:
        before: str | None = None
        while True:
            page = await self._stores.tasks.list_of(self._user_id, before=before, limit=AT_A_TIME)
            for task in page.tasks:
                yield task
            before = page.next
            if before is None:
                return

    async def _tasks(self) -> AsyncIterator[Row]:
        async for task in self._every_task():
            row = task_view(task, "", self._translate)
            del row["ws_url"]
            yield row | {"params": task.params}

    async def _task_events(self) -> AsyncIterator[Row]:
        async for task in self._every_task():
            for event in await self._stores.tasks.events(task.task_id):
                yield event_view(event)

    async def _exports(self) -> AsyncIterator[Row]:
        for export in await self._stores.exports.of(self._user_id):
            yield fields_of(export)

    # ── files ──

    async def media(self) -> AsyncIterator[Medium]:
        """Messages for the person, and recordings that they have made."""
        before: str | None = None
        while page := await self._stores.voicemail.of(self._user_id, limit=AT_A_TIME, before=before):
            for message in page:
                ident, size = message.voicemail_id, message.size_bytes
                path = f"voicemail/{ident}.{_ending(message.content_type)}"
                yield Medium(path, size, lambda ident=ident, size=size: self._stores.voicemail.read(ident, 0, size))  # type: ignore[misc]
            before = page[-1].voicemail_id
        for recording in await self._stores.recordings.made_by(self._user_id):
            ident, size = recording.file_id, recording.size_bytes
            path = f"recordings/{recording.recording_id}.{_ending(recording.content_type)}"
            yield Medium(path, size, lambda ident=ident, size=size: self._stores.recordings.read(ident, 0, size))  # type: ignore[misc]


def _ending(content_type: str) -> str:
    return content_type.partition("/")[2].partition(";")[0]
