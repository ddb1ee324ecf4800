"""From rows to a zip file with JSON, CSV and a calendar."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from icalendar import Calendar

from server.exports.archive import ROWS, cell, make_archive

CALL = {
    "call_id": "k-1",
    "created_at": "2026-11-20T05:12:07.345Z",
    "ended_at": "2026-11-20T05:14:07.345Z",
    "outcome": "Talked for 2:00",
}


def packed(folder: Path, **tables: list[dict[str, Any]]) -> zipfile.ZipFile:
    """The zip file of these tables, with a sound."""
    source, target = folder / "rows", folder / "export.zip"
    (source / "voicemail").mkdir(parents=True)
    (source / "voicemail" / "v-1.webm").write_bytes(b"sound")
    for name, rows in tables.items():
        (source / f"{name}{ROWS}").write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    size_bytes = make_archive(str(source), str(target), "Read me", {"k-1": "Call with 李雷"})
    assert size_bytes == target.stat().st_size
    return zipfile.ZipFile(target)


def table(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read(f"{name}.csv").decode("utf-8-sig"))))


def test_a_table_is_json_and_csv(tmp_path: Path) -> None:
    rows = [{"id": 1, "text": '好, "you"\nthere'}, {"id": 2, "text": "b", "more": [True, None]}]
    archive = packed(tmp_path, messages=rows)
    assert json.loads(archive.read("messages.json")) == rows
    assert table(archive, "messages") == [
        {"id": "1", "text": '好, "you"\nthere', "more": ""},
        {"id": "2", "text": "b", "more": "[true,null]"},
    ]


def test_an_empty_table_is_there_too(tmp_path: Path) -> None:
    archive = packed(tmp_path, messages=[])
    assert json.loads(archive.read("messages.json")) == [] and table(archive, "messages") == []


def test_files_are_in_their_folder_and_the_rest_is_told(tmp_path: Path) -> None:
    archive = packed(tmp_path)
    assert archive.read("voicemail/v-1.webm") == b"sound"
    assert archive.read("README.txt") == b"Read me"


def test_calls_are_events_of_a_calendar(tmp_path: Path) -> None:
    calendar = Calendar.from_ical(packed(tmp_path, calls=[CALL]).read("calls.ics"))
    (event,) = calendar.walk("VEVENT")
    assert (str(event["summary"]), str(event["description"])) == ("Call with 李雷", "Talked for 2:00")
    assert (event["dtend"].dt - event["dtstart"].dt).total_seconds() == 120
    assert "attendee" not in event and "organizer" not in event


@pytest.mark.parametrize("ended_at", [None, "2026-11-20T05:12:07.845Z"])
def test_a_call_that_goes_on_or_was_over_at_once_has_no_end_in_the_calendar(
    tmp_path: Path, ended_at: str | None
) -> None:
    calendar = Calendar.from_ical(packed(tmp_path, calls=[CALL | {"ended_at": ended_at}]).read("calls.ics"))
    (event,) = calendar.walk("VEVENT")
    assert "dtend" not in event and event["dtstart"].dt == datetime(2026, 11, 20, 5, 12, 7, tzinfo=UTC)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1", "\uff20SUM"])
def test_what_somebody_wrote_is_no_formula(text: str) -> None:
    assert cell(text) == f"'{text}"


def test_a_semicolon_begins_no_cell(tmp_path: Path) -> None:
    written = packed(tmp_path, messages=[{"id": 1, "text": "a;=1+1"}]).read("messages.csv").decode("utf-8-sig")
    assert written.splitlines() == ['"id","text"', '"1","a;=1+1"']


def test_numbers_stay_numbers() -> None:
    assert [cell(value) for value in (-1, 2.5, True, None)] == ["-1", "2.5", "true", ""]
