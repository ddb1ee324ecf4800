"""All that is held about a person, asked for and fetched in the settings."""

from __future__ import annotations

import zipfile

import pytest
from playwright.sync_api import expect

from tests.journeys.browsing import PATIENCE_MS
from tests.journeys.conftest import MakePerson

pytestmark = pytest.mark.journey


def test_ones_data_are_exported_in_the_settings(person: MakePerson) -> None:
    alice = person("alice")
    alice.page.goto("/settings")
    alice.page.get_by_role("button", name="Export my data").click()
    expect(alice.page.get_by_role("link", name="See how far it is")).to_be_visible(timeout=PATIENCE_MS)
    with alice.page.expect_download() as download:
        alice.page.get_by_role("link", name="Download the export").click(timeout=PATIENCE_MS)
    assert "profile.json" in zipfile.ZipFile(download.value.path()).namelist()
    expect(alice.page.get_by_role("link", name="See how far it is")).to_be_hidden()
    alice.page.get_by_role("button", name="Delete the export").click()
    alice.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(alice.page.get_by_role("link", name="Download the export")).to_have_count(0, timeout=PATIENCE_MS)
