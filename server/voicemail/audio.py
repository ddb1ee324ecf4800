"""What a recording is, by its own first bytes: nobody is served what a sender only calls audio."""

from __future__ import annotations

HEAD_BYTES = 512
"""All that is looked at: the marks below stand at the very beginning."""


def audio_type(content: bytes) -> str | None:
    """``audio/webm``, ``audio/ogg`` or ``audio/mp4``, the types that browsers record; ``None`` for anything else.

    The marks are the EBML header with its DocType (RFC 8794, sections 4 and 11.2.4; RFC 9559, section 4), the first
    page of an Ogg stream (RFC 3533, section 6) with Opus (RFC 7845, section 5.1) or Vorbis in it, and the file type box
    (ISO/IEC 14496-12, section 4.3).
    """
    head = content[:HEAD_BYTES]
    if head.startswith(b"\x1a\x45\xdf\xa3") and b"\x42\x82" in head and (b"webm" in head or b"matroska" in head):
        return "audio/webm"
    if head.startswith(b"OggS\x00") and (b"OpusHead" in head or b"\x01vorbis" in head):
        return "audio/ogg"
    if head[4:8] == b"ftyp" and 8 <= int.from_bytes(head[:4]) <= HEAD_BYTES:
        return "audio/mp4"
    return None
