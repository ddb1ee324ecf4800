"""The roadmap of a call, as people use it: made from the page of the call, ticked, edited by two."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.accessible import SOUND, faults, walk
from tests.journeys.browsing import PATIENCE_MS, Person
from tests.journeys.conftest import MakePerson

pytestmark = pytest.mark.journey

API = "/api/v1"
WRITE = """
async ([path, texts]) => {
  const socket = new WebSocket(`ws://${location.host}${path}`);
  const acks = new Set();
  await new Promise((resolve, reject) => {
    socket.onerror = reject;
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      const send = (text, at) => socket.send(JSON.stringify({ type: "chat", id: `${at}`, text }));
      if (frame.type === "connected") texts.forEach(send);
      if (frame.type === "ack" && acks.add(frame.id).size === texts.length) resolve();
    };
  });
  socket.close();
}
"""


def written_in(caller: Person, callee: Person, *texts: str) -> str:
    """The id of a call that is over, in which the caller has written that."""
    call = caller.api("POST", "/calls", {"callees": [callee.username], "media": "audio"})
    call_id: str = call["call_id"]
    callee.api("POST", f"/calls/{call_id}/answer")
    token = caller.api("POST", "/auth/ws-token")["ws_token"]
    caller.page.evaluate(WRITE, [f"{API}/ws/call/{call_id}?token={token}", texts])
    caller.api("POST", f"/calls/{call_id}/hangup")
    return call_id


def approved(person: Person, task_id: str) -> dict[str, Any]:
    """The result of a task of which the person approves when it asks."""
    reach(person, task_id, "waiting_review")
    person.api("POST", f"/tasks/{task_id}/review", {"decision": "approve"})
    reach(person, task_id, "completed")
    result: dict[str, Any] = person.api("GET", f"/tasks/{task_id}")["result"]
    return result


def reach(person: Person, task_id: str, state: str) -> None:
    """Waits until the task has that state."""
    person.until(f"async () => (await (await fetch('{API}/tasks/{task_id}')).json()).state === '{state}'")


def box(page: Page, text: str) -> Any:
    """The box of a step."""
    return page.get_by_role("checkbox", name=re.compile(text))


def test_a_call_becomes_a_roadmap_that_both_tick_and_edit(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    call_id = written_in(alice, bob, "Bob will call the printer tomorrow", "I'll send the <b>draft</b>", "Who pays?")
    alice.page.goto(f"/call/{call_id}")
    alice.page.get_by_role("button", name="Make a roadmap").click(timeout=PATIENCE_MS)
    alice.page.wait_for_url("**/tasks/*")
    task_path = alice.page.url.rpartition("/")[2]
    alice.page.goto(f"/call/{call_id}")
    alice.page.get_by_role("link", name="The roadmap is being made").click(timeout=PATIENCE_MS)
    alice.page.wait_for_url(f"**/tasks/{task_path}")
    result = approved(alice, task_path)

    bob.page.goto(f"/call/{call_id}")
    bob.page.get_by_role("link", name="Open the roadmap").click(timeout=PATIENCE_MS)
    expect(bob.page.get_by_text("Send the <b>draft</b>")).to_be_visible(timeout=PATIENCE_MS)
    box(bob.page, "Call the printer").check()
    expect(bob.page.get_by_text("1 of 2 steps done")).to_be_visible(timeout=PATIENCE_MS)
    assert faults(bob.page) == []
    assert walk(bob.page) == SOUND

    alice.page.goto(result["url"])
    expect(box(alice.page, "Call the printer")).to_be_checked(timeout=PATIENCE_MS)
    alice.page.get_by_role("button", name="Edit").click()
    alice.page.get_by_label("The roadmap, in Markdown").fill("# Ours\n\n- [ ] Alice: something else")
    box(bob.page, "draft").check()
    expect(bob.page.get_by_text("2 of 2 steps done")).to_be_visible(timeout=PATIENCE_MS)
    alice.page.get_by_role("button", name="Save", exact=True).click()
    alice.page.get_by_role("button", name="Show theirs").click(timeout=PATIENCE_MS)
    alice.page.get_by_role("dialog").get_by_role("button", name="Cancel").click()  # what one has written is still there
    alice.page.get_by_role("button", name="Save mine all the same").click()
    expect(alice.page.get_by_role("heading", name="Ours")).to_be_visible(timeout=PATIENCE_MS)
    assert len(alice.problems) == 1 and "409" in alice.problems.pop()  # which the browser says of every refusal
    bob.page.reload()
    expect(box(bob.page, "something else")).to_be_visible(timeout=PATIENCE_MS)
