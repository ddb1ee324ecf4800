"""What is in an export, and what is not: every collection stands here, and every field of what is exported.

A test compares this with ``server/store`` and with the structs: whoever stores something new about people decides here
whether they get it.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from server.books.model import Book, Passage
from server.calls.chat import ChatMessage
from server.calls.transcript import TranscriptLine
from server.dialogues.model import Dialogue, Turn
from server.exports.model import Export
from server.languages.sentences import N_, Sentence
from server.realtime.records import ConnectionRecord
from server.roadmaps.model import Roadmap
from server.store.contacts import Relation
from server.store.recordings import KeptRecording
from server.store.sign_ins import SignIn
from server.store.users import User
from server.store.voicemail import Voicemail


class Table(NamedTuple):
    """One file of an export, ``<name>.json`` and ``<name>.csv``: from which collection, and what it is."""

    name: str
    collection: str
    about: Sentence


TABLES = (
    Table("profile", "users", N_("Your account and your settings")),
    Table("devices", "sign_ins", N_("Where you are or were signed in")),
    Table("connections", "connections", N_("Your connections to the server of the last weeks")),
    Table("contacts", "contacts", N_("Your contacts, requests, favourites, and whom you have blocked")),
    Table("calls", "calls", N_("Your calls, with who recorded them and who agreed")),
    Table("messages", "chat", N_("What was written in your calls")),
    Table("transcripts", "transcripts", N_("What was said in your calls, as far as it was transcribed")),
    Table("call_quality", "call_quality", N_("What your devices have measured in your calls")),
    Table("recordings", "recordings", N_("Kept recordings of your calls; yours are in the folder “recordings”")),
    Table("voicemail", "voicemail", N_("Messages for you (in the folder “voicemail”), and those you have left")),
    Table("roadmaps", "roadmaps", N_("Roadmaps of your calls")),
    Table("books", "books", N_("Books that you have uploaded")),
    Table("book_passages", "passages", N_("What stands in these books")),
    Table("dialogues", "dialogues", N_("Your dialogues with the assistant")),
    Table("dialogue_messages", "dialogue_turns", N_("What you and the assistant have written in them")),
    Table("tasks", "tasks", N_("Your tasks")),
    Table("task_events", "task_events", N_("What has happened in them")),
    Table("exports", "exports", N_("Exports that are kept for you")),
)
FOLDERS = {"recording_media": "recordings", "voicemail_audio": "voicemail"}
"""Files that are in an export, by collection."""

EXCLUDED = {
    "spent_tokens": "numbers of tokens that were used once, without a person",
    "presence": "whom a process sees right now; gone within minutes, and on the page anyway",
    "task_steps": "half-done work of tasks; what came of it stands with the tasks",
    "book_files": "an uploaded book until it is read; then it stands in its passages",
    "export_files": "the exports themselves",
}
"""Collections that are not in an export, each with the reason."""


class Fields(NamedTuple):
    """Which fields of a struct are exported, and why the others are not."""

    kept: tuple[str, ...]
    omitted: dict[str, str]


OWN_ID = "the person's own id, the same in every row"
SECRET = "lets somebody in who knows it"
OF_OTHERS = "says something of others"
WORKINGS = "how the server keeps it"

FIELDS: dict[type[msgspec.Struct], Fields] = {
    User: Fields(
        (
            "user_id",
            "username",
            "display_name",
            "created_at",
            "admin",
            "service",
            "disabled",
            "locale",
            "do_not_disturb",
            "quiet_hours",
            "call_waiting",
            "callers",
        ),
        {"password_hash": SECRET},
    ),
    SignIn: Fields(
        (
            "sign_in_id",
            "device",
            "created_at",
            "refreshed_at",
            "last_seen_at",
            "expires_at",
            "revoked_at",
            "revoked_why",
            "silenced",
            "changed_at",
        ),
        {"user_id": OWN_ID, "refresh_number": SECRET, "push": SECRET},
    ),
    ConnectionRecord: Fields(
        (
            "connection_id",
            "kind",
            "room",
            "device",
            "node",
            "initiator",
            "code_sent",
            "code_received",
            "clean",
            "reason",
            "opened_at",
            "closed_at",
            "age_s",
            "frames_received",
            "frames_sent",
            "bytes_received",
            "bytes_sent",
            "dropped_after_close",
            "rtt_ms",
            "last_error",
        ),
        {"user_id": OWN_ID},
    ),
    ChatMessage: Fields(("message_id", "call_id", "user", "text", "sent_at"), {"client_id": WORKINGS}),
    TranscriptLine: Fields(("line_id", "call_id", "leg_id", "segment", "text", "said_at"), {}),
    KeptRecording: Fields(
        ("recording_id", "call_id", "by", "size_bytes", "content_type", "duration_ms", "created_at"),
        {"file_id": WORKINGS},
    ),
    Voicemail: Fields(
        ("voicemail_id", "call_id", "sender", "duration_ms", "size_bytes", "content_type", "created_at", "heard_at"),
        {
            "to": "the person themselves; with those that they have left stands by name for whom",
            "waveform": "can be made of the sound",
        },
    ),
    Roadmap: Fields(
        (
            "roadmap_id",
            "call_id",
            "title",
            "language",
            "document",
            "made_by",
            "changed_by",
            "created_at",
            "changed_at",
            "rev",
        ),
        {"readers": OF_OTHERS, "task_id": OF_OTHERS},
    ),
    Book: Fields(
        (
            "book_id",
            "title",
            "author",
            "language",
            "format",
            "size_bytes",
            "state",
            "chapters",
            "failure",
            "task_id",
            "created_at",
            "updated_at",
        ),
        {"user_id": OWN_ID, "edition": WORKINGS},
    ),
    Passage: Fields(("passage_id", "book_id", "number", "chapter", "chapter_title", "heading", "text"), {}),
    Dialogue: Fields(
        ("session_id", "title", "book_id", "book_title", "responder", "turns", "created_at", "updated_at"),
        {"user_id": OWN_ID, "deleted_at": "those that were deleted are empty"},
    ),
    Turn: Fields(
        (
            "session_id",
            "number",
            "question_id",
            "question",
            "asked_at",
            "turn_id",
            "text",
            "state",
            "is_again",
            "sources",
            "error",
            "completed_at",
        ),
        {"client_id": WORKINGS, "parts": WORKINGS, "lease_by": WORKINGS, "lease_until": WORKINGS},
    ),
    Export: Fields(
        ("export_id", "task_id", "size_bytes", "created_at", "expires_at"), {"user_id": OWN_ID, "file_id": WORKINGS}
    ),
    Relation: Fields(
        ("requested_at", "accepted_at"),
        {
            "users": "the contact stands there by name",
            "state": "as this person sees it",
            "requested_by": "as this person sees it",
            "favourite_of": "as far as it is this person's own favourite; the rest " + OF_OTHERS,
            "blocked_by": "as far as this person has blocked; the rest " + OF_OTHERS,
        },
    ),
}


def fields_of(value: msgspec.Struct) -> dict[str, object]:
    """The exported fields of ``value``."""
    return {name: getattr(value, name) for name in FIELDS[type(value)].kept}
