"""What is in an export, and what is not: nothing that is stored about people is forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

import server.store
from server.exports.catalogue import EXCLUDED, FIELDS, FOLDERS, TABLES
from server.exports.holdings import Holdings

STORE = Path(server.store.__file__).parent


def collections() -> Iterator[str]:
    """Every name under which something is stored."""
    for path in STORE.glob("*.py"):
        yield from re.findall(r"\.(?:collection|files)\(\s*\"(\w+)\"", path.read_text())


def test_every_collection_is_exported_or_named_as_excluded() -> None:
    decided = [table.collection for table in TABLES] + list(FOLDERS) + list(EXCLUDED)
    assert sorted(decided) == sorted(collections())


def test_whatever_opens_a_collection_in_another_way_would_be_missed() -> None:
    opened = [
        path.name for path in STORE.glob("*.py") if re.search(r"\.(?:collection|files)\((?!\s*\")", path.read_text())
    ]
    assert [name for name in opened if name != "driver.py"] == []


@pytest.mark.parametrize("struct", FIELDS, ids=lambda struct: struct.__name__)
def test_every_field_is_exported_or_named_as_omitted(struct: type[msgspec.Struct]) -> None:
    fields = FIELDS[struct]
    assert sorted([*fields.kept, *fields.omitted]) == sorted(struct.__struct_fields__)
    assert all(fields.omitted.values())


def test_every_table_can_be_read() -> None:
    assert [table.name for table in TABLES if not hasattr(Holdings, f"_{table.name}")] == []


def test_the_document_names_every_table_and_every_exclusion() -> None:
    text = (Path(__file__).parents[2] / "docs" / "export.md").read_text()
    assert [table.name for table in TABLES if f"`{table.name}`" not in text] == []
    assert [name for name in EXCLUDED if f"`{name}`" not in text] == []
