"""What is in a push message: everything that the service worker shows, in the person's language.

The worker has no translations and, with every page closed, nobody to ask; so sentences come ready. The messages are
encrypted for the browser, and at most 3 KB long.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from server.calls.model import Call, Leg
from server.calls.notices import Stopped
from server.languages.sentences import N_, Sentence, Translate, said
from server.push.sender import Letter
from server.wire import rfc3339

MISSED: tuple[Stopped, ...] = ("cancelled", "no_answer")
"""Ends after which the call stands as missed."""
NOTICE_TTL_S = 86_400
"""A missed call is news for a day, to a browser that was off."""
TAKEN_BACK_TTL_S = 120
"""A ringing notification is taken back on whatever may still show it; nothing rings for longer."""


def incoming(call: Call, leg: Leg, token: str, ttl_s: int, *, soft: bool, translate: Translate) -> Letter:
    """A call rings for the person of ``leg``: show it for ``ttl_s`` seconds, say so with ``token``; ``soft``: without
    a sound."""
    caller = isolated(call.inviter_of(leg).display_name)
    kinds = {"video": N_("Incoming video call"), "audio": N_("Incoming audio call")}
    document = {
        "type": "incoming",
        "call_id": call.call_id,
        "invited_at": rfc3339(leg.invited_at),
        "expires_at": rfc3339(call.rings_until(leg)),
        "token": token,
        "soft": soft,
        "title": said(N_("%(name)s is calling", name=caller), translate),
        "body": said(kinds[call.media], translate),
        "answer": said(N_("Answer"), translate),
        "decline": said(N_("Decline"), translate),
    }
    return Letter(msgspec.json.encode(document), ttl_s, "high", topic_of(call.call_id))


def stopped(call: Call, user_id: str, reason: Stopped, translate: Translate) -> Letter:
    """It no longer rings: the notification goes, or becomes that of a missed call. ``invited_at`` says which ring that
    was: the person may have been called again."""
    leg = call.leg_of(user_id) or call.caller
    document: dict[str, Any] = {
        "type": "stopped",
        "call_id": call.call_id,
        "invited_at": rfc3339(leg.invited_at),
        "reason": reason,
    }
    if reason not in MISSED:
        return Letter(msgspec.json.encode(document), TAKEN_BACK_TTL_S, "high", topic_of(call.call_id))
    title, body = missed_words(call, leg)
    document |= {"title": said(title, translate), "body": said(body, translate)}
    return Letter(msgspec.json.encode(document), NOTICE_TTL_S, "high", topic_of(call.call_id))


def notice(tag: str, url: str, title: str, body: str, at: datetime, translate: Translate) -> Letter:
    """Something to know, quietly: a later one of the same ``tag`` replaces it; a click opens ``url``, an own path."""
    document = {
        "type": "notice",
        "tag": tag,
        "url": url,
        "title": said(title, translate),
        "body": said(body, translate),
        "at": rfc3339(at),
    }
    return Letter(msgspec.json.encode(document), NOTICE_TTL_S, "normal", topic_of(tag))


def missed_words(call: Call, leg: Leg) -> tuple[Sentence, Sentence]:
    """Title and text for the person of ``leg``, who has missed the call."""
    title = N_("Missed call from %(name)s", name=isolated(call.inviter_of(leg).display_name))
    return title, N_("Video call") if call.media == "video" else N_("Audio call")


def topic_of(name: str) -> str:
    """``name`` as a topic: at most 32 characters of base64url (RFC 8030 §5.4), which an id without its dashes is."""
    return "".join(character for character in name if character.isalnum() or character == "_")[:32]


def isolated(name: str) -> str:
    """``name`` between marks that keep its writing direction to itself (U+2068, U+2069): ``<bdi>`` for plain text."""
    return f"\u2068{name}\u2069"
