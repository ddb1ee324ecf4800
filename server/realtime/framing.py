"""RFC 6455 frames without I/O: bytes in, events and bytes out. No socket, no clock, no handler.

The server's side only, and no extension: every frame from the peer is masked, no frame from here is, no reserved bit
means anything.
"""

from __future__ import annotations

import codecs
import struct
from typing import Final

from tornado.util import _websocket_mask as apply_mask  # C; the pure Python one where Tornado was built without it

from server.languages.sentences import N_

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

OPCODES: Final = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})

FIN: Final = 0x80
RESERVED_BITS: Final = 0x70
OPCODE_BITS: Final = 0x0F
CONTROL_BIT: Final = 0x08
MASK_BIT: Final = 0x80

WHOLE_TEXT: Final = FIN | TEXT
WHOLE_BINARY: Final = FIN | BINARY

MAX_CONTROL_BYTES: Final = 125
"""RFC 6455 §5.5."""

MAX_REASON_BYTES: Final = MAX_CONTROL_BYTES - 2
"""A close frame's code takes two of its bytes (RFC 6455 §5.5.1)."""

PROTOCOL_ERROR: Final = 1002
INVALID_TEXT: Final = 1007
TOO_BIG: Final = 1009

REGISTERED_CODES: Final = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015)})
"""What may stand in a close frame below 3000: RFC 6455 §7.4.1 and IANA's registry (1012 to 1014). 1005, 1006 and 1015
are for the inside of an endpoint only."""

Event = tuple[int, bytes]
"""``(TEXT | BINARY, a whole message)``, ``(PING | PONG, its payload)`` or ``(CLOSE, its body)``. A text is valid UTF-8;
a close's body has been checked, :func:`decode_close` reads it."""


class ProtocolFailure(Exception):
    """The peer broke RFC 6455: the connection must end with ``code``; ``reason`` says which rule, for the peer."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


class FrameParser:
    """Takes what a client sends in chunks of any size and gives what is complete, in order.

    Messages of more than ``max_message_bytes`` (the sum of their fragments) are refused by their declared length,
    before their payload has arrived. The same bytes give the same events, however they are cut. Time and memory are
    linear in what has arrived.

    ``frames_received`` counts frames, every fragment and control frame too. ``failure`` is set with the first byte from
    which on the peer is wrong (invalid UTF-8 does not wait for the rest of its frame); after it, and after a close
    frame, nothing is looked at any more.
    """

    __slots__ = (
        "_control",
        "_done",
        "_first",
        "_head",
        "_mask",
        "_max_message_bytes",
        "_message",
        "_missing",
        "_opcode",
        "_room",
        "_utf8_tail",
        "failure",
        "frames_received",
    )

    def __init__(self, max_message_bytes: int) -> None:
        self.failure: ProtocolFailure | None = None
        self.frames_received = 0
        self._max_message_bytes = max_message_bytes
        self._done = False
        self._head = b""  # the beginning of a frame whose head has not arrived whole; at most 13 bytes
        # The frame of which a part of the payload is missing:
        self._missing = 0  # so many bytes; 0 between two frames
        self._first = 0  # its first byte
        self._mask = b""  # turned so that it fits the next byte
        self._control: bytearray | None = None  # what has arrived of it, if it is a control frame
        # The message of which fragments, or a part of its only frame, have arrived:
        self._opcode = 0
        self._message: bytearray | None = None
        self._room = max_message_bytes  # how much longer it may become
        self._utf8_tail = b""  # the beginning of a character whose rest has not arrived; at most 3 bytes

    def feed(self, data: bytes) -> list[Event]:
        """The events that ``data`` completes. Never raises: look at ``failure`` afterwards."""
        events: list[Event] = []
        if not self._done:
            try:
                self._parse(data, events)
            except ProtocolFailure as failure:
                # A new one: by its traceback the other would hold on to what it failed over, up to a whole chunk.
                self.failure = ProtocolFailure(failure.code, failure.reason)
                self._stop()
        return events

    def _parse(self, data: bytes, events: list[Event]) -> None:
        if self._missing:
            data = self._add_part(data, events)
            if self._done:
                return
        elif self._head:
            data = self._head + data
            self._head = b""
        position, end = 0, len(data)
        while end - position >= 2:
            first = data[position]
            length = data[position + 1] - MASK_BIT  # negative: not masked
            if first != WHOLE_TEXT or length < 0 or self._message is not None:
                self._check_head(first, length)
            start = position + 6
            if length == 126:
                start += 2
                if end < start - 4:
                    break
                length = data[position + 2] << 8 | data[position + 3]
                if length <= 125:
                    raise _not_shortest()
            elif length == 127:
                start += 8
                if end < start - 4:
                    break
                length = _longest_length(data[position + 2 : start - 4])
            if length > self._room and not first & CONTROL_BIT:
                raise ProtocolFailure(TOO_BIG, "message too big")
            if end < start:
                break
            self.frames_received += 1
            mask = data[start - 4 : start]
            position = start + length
            if position > end:
                self._begin_part(first, length, mask)
                self._add_part(data[start:], events)
                return
            payload = apply_mask(mask, data[start:position])
            if first == WHOLE_TEXT:
                if not payload.isascii():
                    _decode_utf8(payload, final=True)
                events.append((TEXT, payload))
            elif first == WHOLE_BINARY:
                events.append((BINARY, payload))
            elif first & CONTROL_BIT:
                self._end_control(first, payload, events)
                if self._done:
                    return
            else:
                self._add_fragment(first, payload, events)
        if position < end:
            self._head = data[position:]

    def _check_head(self, first: int, length: int) -> None:
        """Refuses what a frame's first two bytes show to be wrong (RFC 6455 §5.2, §5.4, §5.5)."""
        opcode = first & OPCODE_BITS
        if first & RESERVED_BITS:
            raise ProtocolFailure(PROTOCOL_ERROR, "reserved bits are set but no extension was negotiated")
        if opcode not in OPCODES:
            raise ProtocolFailure(PROTOCOL_ERROR, N_("opcode %(opcode)s means nothing", opcode=opcode))
        if length < 0:
            raise ProtocolFailure(PROTOCOL_ERROR, "a client must mask its frames")
        if first & CONTROL_BIT:
            if not first & FIN:
                raise ProtocolFailure(PROTOCOL_ERROR, "a control frame must not be fragmented")
            if length > MAX_CONTROL_BYTES:
                raise ProtocolFailure(PROTOCOL_ERROR, "a control frame may have 125 bytes")
        elif opcode == CONTINUATION:
            if self._message is None:
                raise ProtocolFailure(PROTOCOL_ERROR, "nothing to continue")
        elif self._message is not None:
            raise ProtocolFailure(PROTOCOL_ERROR, "a new message before the end of a fragmented one")

    def _begin_part(self, first: int, length: int, mask: bytes) -> None:
        self._first = first
        self._missing = length
        self._mask = mask
        if first & CONTROL_BIT:
            self._control = bytearray()
        elif first & OPCODE_BITS:
            self._begin_message(first)

    def _add_part(self, data: bytes, events: list[Event]) -> bytes:
        """Takes what ``data`` has of the frame that is under way; returns what comes after it."""
        part = apply_mask(self._mask, data[: self._missing])
        self._missing -= len(part)
        if self._missing:
            turn = len(part) % 4
            self._mask = self._mask[turn:] + self._mask[:turn]
        if self._control is not None:
            self._control += part
            if not self._missing:
                payload, self._control = bytes(self._control), None
                self._end_control(self._first, payload, events)
        else:
            self._extend(part, events, final=bool(self._first & FIN) and not self._missing)
        return data[len(part) :]

    def _add_fragment(self, first: int, payload: bytes, events: list[Event]) -> None:
        if first & OPCODE_BITS:
            self._begin_message(first)
        self._extend(payload, events, final=bool(first & FIN))

    def _end_control(self, first: int, payload: bytes, events: list[Event]) -> None:
        opcode = first & OPCODE_BITS
        if opcode == CLOSE:
            decode_close(payload)
            self._stop()  # what follows a close frame is not for us (RFC 6455 §5.5.1)
        events.append((opcode, payload))

    def _begin_message(self, first: int) -> None:
        self._opcode = first & OPCODE_BITS
        self._message = bytearray()

    def _extend(self, payload: bytes, events: list[Event], *, final: bool) -> None:
        assert self._message is not None  # _check_head and _begin_message see to it
        if self._opcode == TEXT and (self._utf8_tail or not payload.isascii()):
            text = self._utf8_tail + payload
            self._utf8_tail = text[_decode_utf8(text, final=final) :]
        self._message += payload
        self._room -= len(payload)
        if final:
            events.append((self._opcode, bytes(self._message)))
            self._message = None
            self._room = self._max_message_bytes

    def _stop(self) -> None:
        self._done = True
        self._missing = 0
        self._head = self._utf8_tail = b""
        self._control = self._message = None


def _longest_length(field: bytes) -> int:
    """The payload length from the 8-byte field (RFC 6455 §5.2)."""
    length = int.from_bytes(field, "big")
    if length >> 63:
        raise ProtocolFailure(PROTOCOL_ERROR, "the highest bit of a length must be 0")
    if length <= 0xFFFF:
        raise _not_shortest()
    return length


def _not_shortest() -> ProtocolFailure:
    return ProtocolFailure(PROTOCOL_ERROR, "a length must be written in the shortest form")


def _decode_utf8(data: bytes, *, final: bool) -> int:
    """How many of the bytes are whole characters; raises with the first byte that cannot be part of one.

    Unless ``final``, up to three bytes at the end may be the beginning of a character.
    """
    try:
        return codecs.utf_8_decode(data, "strict", final)[1]
    except UnicodeDecodeError:
        raise ProtocolFailure(INVALID_TEXT, "text must be UTF-8") from None


def is_legal_close_code(code: int) -> bool:
    """Whether ``code`` may stand in a close frame (RFC 6455 §7.4)."""
    return code in REGISTERED_CODES or 3000 <= code <= 4999


def decode_close(body: bytes) -> tuple[int | None, str]:
    """Code (None for an empty body) and reason of a close frame's body; raises :class:`ProtocolFailure`."""
    if not body:
        return None, ""
    if len(body) == 1:
        raise ProtocolFailure(PROTOCOL_ERROR, "a close code has two bytes")
    code = int.from_bytes(body[:2], "big")
    if not is_legal_close_code(code):
        raise ProtocolFailure(PROTOCOL_ERROR, N_("%(code)s is no close code for a close frame", code=code))
    try:
        return code, body[2:].decode()
    except UnicodeDecodeError:
        raise ProtocolFailure(INVALID_TEXT, "a close reason must be UTF-8") from None


_pack_head: Final = struct.Struct(">BBH").pack
_SHORT_TEXT_HEADS: Final = tuple(bytes((WHOLE_TEXT, length)) for length in range(126))


def encode_text(payload: bytes) -> bytes:
    """A text frame; ``payload`` is UTF-8."""
    length = len(payload)
    if length <= MAX_CONTROL_BYTES:
        return _SHORT_TEXT_HEADS[length] + payload
    return _long_head(WHOLE_TEXT, length) + payload


def encode_frame(opcode: int, payload: bytes) -> bytes:
    """A whole frame. Raises ValueError for a control frame of more than 125 bytes."""
    length = len(payload)
    if length <= MAX_CONTROL_BYTES:
        return bytes((FIN | opcode, length)) + payload
    if opcode & CONTROL_BIT:
        raise ValueError(f"payload: a control frame may have {MAX_CONTROL_BYTES} bytes, not {length}")
    return _long_head(FIN | opcode, length) + payload


def _long_head(first: int, length: int) -> bytes:
    if length <= 0xFFFF:
        return _pack_head(first, 126, length)
    return bytes((first, 127)) + length.to_bytes(8, "big")


def encode_close(code: int | None, reason: str = "") -> bytes:
    """A close frame; without a code its body is empty. A long reason is cut. Raises ValueError for a code that must not
    be sent."""
    if code is None:
        return encode_frame(CLOSE, b"")
    if not is_legal_close_code(code):
        raise ValueError(f"code: {code} may not stand in a close frame (RFC 6455 §7.4)")
    return encode_frame(CLOSE, code.to_bytes(2, "big") + truncate_reason(reason).encode())


def truncate_reason(reason: str) -> str:
    """The reason as far as it fits into a close frame, cut between two characters."""
    return reason.encode("utf-8", "replace")[:MAX_REASON_BYTES].decode("utf-8", "ignore")
