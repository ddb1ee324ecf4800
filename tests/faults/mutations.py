"""Frames that are almost right: valid ones of every type, and what happens to them on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

from server.realtime.framing import TEXT
from tests.sockets.raw import masked

Document = dict[str, Any]

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-ufrag:abcd\r\n"

NASTY: list[Any] = [
    *(None, True, False, 0, -1, 1, 0.5, -0.0, 1e308, 2**31, 2**53 + 1, 2**63, -(2**64), 10**400),
    *(
        "",
        " ",
        "\0",
        "null",
        "$ne",
        "a.b",
        "../../etc/passwd",
        "<script>alert(1)</script>",
        "{{7*7}}",
        "\ufeff",
        "\u2028",
    ),
    *("x" * 65, "x" * 5_000, "\u202e" * 50, "\U0001f600" * 1_100, "é" * 20_000, "\x01" * 9_000),
    *([], {}, [[]], [None], {"$ne": None}, {"$gt": ""}, {"": ""}, {"type": "hangup"}, ["x"] * 300, [[[[[[[[]]]]]]]]),
]
"""Values that were the end of some server."""

LITERALS = [
    *(b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-", b"01", b"0x1", b"'x'", b"undefined"),
    *(b'"\\ud800"', b'"\\x"', b"\xff"),
]
"""What is not JSON, and what is but cannot be kept."""


def valid_frames(kind: str, leg_id: str, call_id: str, user_id: str) -> list[Document]:
    """One frame of each type that a socket of that kind takes (and ``auth``, which comes too late)."""
    everywhere: list[Document] = [{"type": "ping"}, {"type": "pong"}, {"type": "auth", "token": "x", "last_seq": 0}]
    if kind == "user":
        about_a_call = [{"type": kind, "call_id": call_id} for kind in ("ringing", "answer", "decline", "ignore")]
        return [*everywhere, *about_a_call, {"type": "watch", "user_ids": [user_id]}]
    candidate = {"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0}
    return [
        *everywhere,
        {"type": "offer", "to": leg_id, "sdp": SDP},
        {"type": "answer", "to": leg_id, "sdp": SDP},
        {"type": "candidate", "to": leg_id, "candidates": [candidate, None]},
        {"type": "media", "audio": True, "video": True, "screen": False, "hand": False},
        {"type": "chat", "text": "Grüße \U0001f600"},
        {"type": "stats", "leg_id": leg_id, "connection": "connected"},
        {"type": "leave"},
        {"type": "hangup", "reason": "ice_failed"},
    ]


class Mutator:
    """Makes mutations, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._ids = 0

    def text(self, valid: list[Document]) -> bytes:
        """The payload of a text frame: one of ``valid``, mutated up to three times, as a document or as bytes."""
        random = self._random
        frame = dict(random.choice(valid))
        if random.random() < 0.8:
            self._ids += 1
            frame["id"] = f"m{self._ids}"
        for _ in range(random.randrange(3)):
            random.choice(IN_DOCUMENT)(random, frame)
        payload = json.dumps(frame, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")
        for _ in range(random.choice([0, 0, 0, 1, 2])):
            payload = random.choice(IN_BYTES)(random, payload)
        return payload

    def wire(self, valid: list[Document]) -> bytes:
        """A whole frame with a header that is mutated, or the rest of it."""
        random = self._random
        frame = masked(TEXT, self.text(valid)[:60_000])
        return random.choice(ON_THE_WIRE)(random, frame)

    def chance(self, share: float) -> bool:
        """True in that share of the cases."""
        return self._random.random() < share


# ── of a document, in place ──


def _drop(random: Random, frame: Document) -> None:
    frame.pop(random.choice(list(frame)), None) if frame else None


def _add(random: Random, frame: Document) -> None:
    frame[random.choice(["x", "from", "seq", "user_id", "$where", "__proto__", "", "é" * 300])] = random.choice(NASTY)


def _replace(random: Random, frame: Document) -> None:
    if frame:
        frame[random.choice(list(frame))] = random.choice(NASTY)


def _retype(random: Random, frame: Document) -> None:
    kinds = ("offer", "answer", "candidate", "chat", "hangup", "connected", "join", "bye", "ack", "Offer", "", "ping ")
    frame["type"] = random.choice(kinds)


def _wrap(random: Random, frame: Document) -> None:
    if frame:
        field = random.choice(list(frame))
        frame[field] = random.choice([[frame[field]], {"value": frame[field]}])


IN_DOCUMENT: list[Callable[[Random, Document], None]] = [_drop, _add, _replace, _retype, _wrap]


# ── of bytes ──


def _flip(random: Random, data: bytes) -> bytes:
    if not data:
        return data
    at = random.randrange(len(data))
    return data[:at] + bytes((data[at] ^ 1 << random.randrange(8),)) + data[at + 1 :]


def _cut_out(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + data[at + random.randrange(1, 20) :]


def _insert(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.randbytes(random.randrange(1, 6)) + data[at:]


def _truncate(random: Random, data: bytes) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _repeat(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    piece = data[at : at + random.randrange(1, 60)]
    return data[:at] + piece * random.choice([2, 3, 400]) + data[at:]


def _literal(random: Random, data: bytes) -> bytes:
    """A value becomes one of `LITERALS`."""
    colon = data.find(b":", random.randrange(len(data) + 1))
    end = min((at for at in (data.find(b",", colon), data.find(b"}", colon)) if at >= 0), default=len(data))
    return data if colon < 0 else data[: colon + 1] + random.choice(LITERALS) + data[end:]


def _deepen(random: Random, data: bytes) -> bytes:
    depth = random.choice([2, 50, 900, 3_000])
    opening, closing = random.choice([(b"[", b"]"), (b'{"a":', b"}")])
    return opening * depth + data + closing * depth


def _twice(random: Random, data: bytes) -> bytes:
    """Every key a second time (RFC 8259 §4: names should be unique)."""
    return data[:-1] + b"," + data[1:] if len(data) > 2 else data


IN_BYTES: list[Callable[[Random, bytes], bytes]] = [
    *(_flip, _cut_out, _insert, _truncate, _repeat, _literal, _deepen, _twice)
]


# ── on the wire ──


def _header(random: Random, frame: bytes) -> bytes:
    """A bit of the first two bytes: the end, reserved bits, the opcode, the mask, the length."""
    at = random.randrange(2)
    return frame[:at] + bytes((frame[at] ^ 1 << random.randrange(8),)) + frame[at + 1 :]


def _opcode(random: Random, frame: bytes) -> bytes:
    return bytes((0x80 | random.randrange(16),)) + frame[1:]


def _fragments(random: Random, frame: bytes) -> bytes:
    return bytes((frame[0] & 0x7F,)) + frame[1:] + random.choice([frame, masked(0), masked(0, b"x" * 200)])


IN_FRAMES: list[Callable[[Random, bytes], bytes]] = [_header, _opcode, _fragments]
ON_THE_WIRE = [*IN_FRAMES, _flip, _truncate, _insert, _cut_out]
