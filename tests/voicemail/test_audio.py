"""What a recording is, by its first bytes."""

from __future__ import annotations

import pytest

from server.voicemail.audio import audio_type
from tests.voicemail.recordings import MP4, OGG, WEBM


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (WEBM, "audio/webm"),
        (WEBM.replace(b"\x84webm", b"\x88matroska"), "audio/webm"),
        (OGG, "audio/ogg"),
        (OGG.replace(b"OpusHead", b"\x01vorbis\0"), "audio/ogg"),
        (MP4, "audio/mp4"),
    ],
)
def test_what_browsers_record_is_found(content: bytes, found: str) -> None:
    assert audio_type(content) == found


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!DOCTYPE html><script>alert(1)</script>",
        b"<html>webm \x42\x82",
        b"%PDF-1.7",
        b"RIFF\x24\x00\x00\x00WAVEfmt ",
        WEBM.replace(b"webm", b"mine"),
        WEBM.replace(b"\x42\x82", b"\x42\x83"),
        OGG.replace(b"OpusHead", b"\x80theora\0"),
        b"OggT" + OGG[4:],
        b"\xff\xff\xff\xff" + MP4[4:],
        MP4[:4] + b"moov" + MP4[8:],
    ],
)
def test_anything_else_is_none(content: bytes) -> None:
    assert audio_type(content) is None


def test_a_mark_deep_inside_counts_for_nothing() -> None:
    assert audio_type(bytes(600) + WEBM) is None
    assert audio_type(WEBM[:4] + bytes(600) + WEBM) is None
