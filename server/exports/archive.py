"""From a folder of rows to one zip file: JSON, CSV, the calls as a calendar. Plain functions, for another process."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from icalendar import Calendar, Event

ROWS = ".rows"
"""The ending of a file with a row of JSON in each line."""
SPREADSHEETS_RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A cell that begins so is a formula to a spreadsheet, whoever wrote it (OWASP, «CSV Injection»): the last four are the
first in full width."""
STORED = (".webm", ".ogg", ".mp4", ".zip")
"""Compressed already."""


def make_archive(folder: str, target: str, readme: str, summaries: dict[str, str]) -> int:
    """Writes what is in ``folder`` to the zip file ``target``; returns how many bytes that is.

    ``summaries`` is what each call is called in the calendar, by call id.
    """
    root = Path(folder)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        archive.writestr("README.txt", readme)
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.suffix == ROWS:
                _write_table(archive, path, name.removesuffix(ROWS))
            elif path.is_file():
                how = zipfile.ZIP_STORED if path.suffix in STORED else zipfile.ZIP_DEFLATED
                archive.write(path, name, how)
        archive.writestr("calls.ics", calendar_of(rows_in(root / f"calls{ROWS}"), summaries))
    return Path(target).stat().st_size


def rows_in(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file, one at a time."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            yield msgspec.json.decode(line)


def _write_table(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    with archive.open(f"{name}.json", "w", force_zip64=True) as file:
        file.write(b"[")
        with path.open("rb") as lines:
            for number, line in enumerate(lines):
                file.write((b",\n" if number else b"\n") + line.rstrip(b"\n"))
        file.write(b"\n]\n")
    columns = list(dict.fromkeys(column for row in rows_in(path) for column in row))
    with archive.open(f"{name}.csv", "w", force_zip64=True) as file:
        # With a mark in front, by which spreadsheets know that it is UTF-8.
        text = io.TextIOWrapper(file, "utf-8-sig", newline="")
        # All in quotes, so that where the separator is a semicolon, nobody's semicolon begins a cell.
        writer = csv.writer(text, quoting=csv.QUOTE_ALL)
        writer.writerow(columns)
        writer.writerows([cell(row.get(column)) for column in columns] for row in rows_in(path))
        text.flush()
        text.detach()


def cell(value: Any) -> str:
    """``value`` as it stands in a cell: what is a list or has fields is JSON, and nothing is a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"'{text}" if text.startswith(SPREADSHEETS_RUN) else text


def calendar_of(calls: Iterator[dict[str, Any]], summaries: dict[str, str]) -> bytes:
    """Calls as events (RFC 5545), without addresses: a name is in the summary."""
    calendar = Calendar()
    calendar.add("prodid", "-//Ringback//Export//EN")
    calendar.add("version", "2.0")
    for call in calls:
        begun = datetime.fromisoformat(call["created_at"])
        event = Event()
        event.add("uid", call["call_id"])
        event.add("dtstamp", begun)
        event.add("dtstart", begun)
        ended = datetime.fromisoformat(call["ended_at"]) if call["ended_at"] else begun
        if ended.replace(microsecond=0) > begun.replace(microsecond=0):  # RFC 5545, 3.8.2.2: later, to the second
            event.add("dtend", ended)
        event.add("summary", summaries.get(call["call_id"], ""))
        event.add("description", call["outcome"])
        calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written
