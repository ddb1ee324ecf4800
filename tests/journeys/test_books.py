"""A book of one's own: sent, read in, read, asked, deleted; and a file that is none."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.journeys.accessible import SOUND, faults, walk
from tests.journeys.browsing import PATIENCE_MS
from tests.journeys.conftest import MakePerson

pytestmark = pytest.mark.journey

LIGHTHOUSE = b"# The lighthouse\n\nThe lamp burns oil of olives, and `<b>nothing</b>` else.\n"


OF_THE_HANDBOOK = """async () => (await (await fetch("/api/v1/dialogues")).json()).items
  .filter(({ title, book }) => title === "How do I record a call?" || title === book.title).length"""
MAY_LEAVE = "dispatchEvent(new Event('beforeunload', { cancelable: true }))"
LISTEN = """() => {
  globalThis.told = [];
  const region = document.querySelector("#announcer");
  new MutationObserver(() => told.push(region.textContent)).observe(region, { childList: true });
}"""


def file(name: str, content: bytes) -> Any:
    """A file as a person chooses it."""
    return {"name": name, "mimeType": "", "buffer": content}


def test_a_person_sends_a_book_reads_it_and_asks_it(person: MakePerson) -> None:
    alice = person("alice")
    page = alice.page
    page.goto("/books")
    chosen = page.get_by_label("Add a book")
    held: list[Route] = []
    page.route("**/api/v1/books?*", lambda route: held.append(route), times=1)
    chosen.set_input_files([file("lamp.md", LIGHTHOUSE), file("nothing.md", b""), file("x.png", b"\x89PNG\r\n\x1a\n")])
    sendings = page.locator(".sending")
    expect(sendings.filter(has_text="nothing.md")).to_contain_text("This file is empty.")
    while not held:
        page.wait_for_timeout(50)
    assert not page.evaluate(MAY_LEAVE)  # it would break off
    held[0].continue_()
    expect(sendings.filter(has_text="x.png")).to_contain_text("no book that Ringback can read", timeout=PATIENCE_MS)
    alice.problems.clear()  # a browser complains about what was refused
    book = page.locator(".book").filter(has=page.get_by_role("heading", name="The lighthouse"))
    expect(book).to_have_attribute("data-state", "ready", timeout=PATIENCE_MS)
    expect(sendings).to_have_count(2)
    assert page.evaluate(MAY_LEAVE)

    book.get_by_role("link", name="The lighthouse").click()
    expect(page.locator(".passage")).to_contain_text("and <b>nothing</b> else", timeout=PATIENCE_MS)
    page.get_by_role("button", name="Ask this book").click()
    page.wait_for_url(re.compile("/dialogues/"))
    page.get_by_label("Your question").fill("Which oil burns in the lamp?")
    page.evaluate(LISTEN)
    page.keyboard.press("Enter")
    reply = page.locator(".turn[data-role=assistant]")
    expect(reply.locator("blockquote")).to_contain_text("The lamp burns oil of olives", timeout=PATIENCE_MS)
    expect(reply).to_have_attribute("data-state", "complete", timeout=PATIENCE_MS)
    assert "oil of olives" in page.evaluate("told.join()")  # whoever only hears it hears all of it
    assert faults(page) == []
    assert walk(page) == SOUND

    page.goto("/books")
    alice.button("Delete “The lighthouse”").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(book).to_have_count(0, timeout=PATIENCE_MS)


def test_a_book_is_asked_beside_a_running_call(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    alice.until("async () => (await (await fetch('/api/v1/books')).json()).items[0]?.state === 'ready'")
    alice.call("bob")
    bob.answer()
    alice.expect_media()
    alice.button("More").click()
    alice.button("Ask a book").click()
    alice.button("Ringback handbook").dblclick()  # which is one dialogue
    alice.page.get_by_label("Your question").fill("How do I record a call?")
    alice.page.keyboard.press("Enter")
    panel = alice.page.get_by_role("complementary", name="Beside the call")
    expect(panel.locator(".turn[data-state=complete] blockquote").first).to_be_visible(timeout=PATIENCE_MS)
    assert alice.page.evaluate(OF_THE_HANDBOOK) == 1
    panel.get_by_role("button", name=re.compile(r"^\d sources?$")).click()
    expect(panel.locator(".source a").first).to_have_attribute("target", "_blank")
    alice.page.keyboard.press("Escape")
    expect(panel.locator(".source").first).to_be_hidden()
    alice.page.reload()  # the same dialogue is there again when the call goes on
    alice.expect_media()
    alice.button("More").click()
    alice.button("Ask a book").click()
    expect(panel.locator(".turn-text").first).to_have_text("How do I record a call?", timeout=PATIENCE_MS)
    alice.page.get_by_role("tab", selected=True).focus()
    for key in ("ArrowLeft", "ArrowRight", "ArrowRight"):  # past the tab, and not into its field
        alice.page.keyboard.press(key)
    expect(alice.page.get_by_role("tab", selected=True)).to_be_focused()
    alice.button("Hang up").click()
