"""Recordings as small as they can be and still be told apart."""

from __future__ import annotations

# What Chromium, Firefox and Safari begin their recordings with.
WEBM = bytes.fromhex("1a45dfa39f4286810142f7810142f2810442f381084282847765626d42878104428581021853806701ffffffffffffff")
OGG = b"OggS\x00\x02" + bytes(20) + b"\x01\x13OpusHead\x01\x01" + bytes(40)
MP4 = bytes.fromhex("0000001c66747970") + b"iso5" + bytes(4) + b"iso5iso6mp41" + bytes(40)


def recording(size_bytes: int = 1000, head: bytes = WEBM) -> bytes:
    """A recording of that size whose bytes differ from place to place."""
    return (head + bytes(range(256)) * (size_bytes // 256 + 1))[:size_bytes]
