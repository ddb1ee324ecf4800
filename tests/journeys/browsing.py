"""People in browsers: each has a context of their own, so that nothing is shared but the server."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect
from playwright.sync_api import Error as PlaywrightError

# But for the first: pages of Chromium's own below its address bar, half of what a new window costs.
FEATURES_OFF = ["WebRtcHideLocalIpsWithMdns", "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup"]
CHROMIUM_FLAGS = [
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream=fps=10",  # half of what it is by itself: encoding is what a journey spends
    "--autoplay-policy=no-user-gesture-required",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(FEATURES_OFF)}",
]
PATIENCE_MS = 15_000
"""How long anything may take to show on a busy machine; nothing waits longer than it must."""

# Keeps every peer connection that a page makes, so that a test can read its counters.
KEEP_PEERS = """
(() => {
  const Native = window.RTCPeerConnection;
  window.peers = [];
  window.RTCPeerConnection = class extends Native {
    constructor(...args) { super(...args); window.peers.push(this); }
  };
})();
"""

ASK = """
async ([method, path, document]) => {
  const token = document_cookie("_xsrf");
  const headers = { "X-XSRFToken": token, ...(document === null ? {} : { "Content-Type": "application/json" }) };
  const body = document === null ? undefined : JSON.stringify(document);
  const response = await fetch(path, { method, headers, body });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.status === 204 ? null : response.json();

  function document_cookie(name) {
    return globalThis.document.cookie.split("; ").find((each) => each.startsWith(`${name}=`)).slice(name.length + 1);
  }
}
"""

# A connection that was closed counts as it was seen last: a sum that shrank would grow again and say nothing.
READ_COUNTERS = """
async () => {
  const sum = { audio_packets: 0, video_packets: 0, frames_decoded: 0 };
  for (const peer of window.peers) {
    if (peer.connectionState !== 'closed') peer.counted = await count(peer);
    for (const name of Object.keys(sum)) sum[name] += peer.counted?.[name] ?? 0;
  }
  return sum;

  async function count(peer) {
    const seen = { audio_packets: 0, video_packets: 0, frames_decoded: 0 };
    for (const stats of (await peer.getStats()).values()) {
      if (stats.type !== 'inbound-rtp') continue;
      if (stats.kind === 'audio') seen.audio_packets += stats.packetsReceived;
      if (stats.kind === 'video') {
        seen.video_packets += stats.packetsReceived;
        seen.frames_decoded += stats.framesDecoded || 0;
      }
    }
    return seen;
  }
}
"""

# Waits until every counter has grown, and gives the names of those that have not in time.
STILL = f"""
async (patienceMs) => {{
  const read = {READ_COUNTERS};
  const begun = await read();
  const endMs = performance.now() + patienceMs;
  for (;;) {{
    const now = await read();
    const still = Object.keys(begun).filter((name) => now[name] <= begun[name]);
    if (still.length === 0 || performance.now() > endMs) return still;
    // A connection in the place of another counts from nothing.
    for (const name of still) begun[name] = now[name];
    await new Promise((resolve) => setTimeout(resolve, 50));
  }}
}}
"""


UNTIL = """
async (isSo, patienceMs) => {
  for (const endMs = performance.now() + patienceMs; performance.now() < endMs; ) {
    if (await isSo()) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}
"""


class Person:
    """Somebody with a browser of their own on one server."""

    def __init__(self, browser: Browser, url: str, username: str, password: str, **options: Any) -> None:
        self.url = url
        self.username = username
        self._password = password
        self.context: BrowserContext = browser.new_context(
            base_url=url, permissions=["camera", "microphone"], **({"locale": "en-GB"} | options)
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.context.add_init_script(KEEP_PEERS)
        self.problems: list[str] = []
        self.page = self.open_page()

    def open_page(self) -> Page:
        """A new tab; what it complains about is kept in ``problems``."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        page.on("console", self._on_console)
        return page

    def _on_console(self, message: Any) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text}")

    def enter(self) -> None:
        """Signed in, on the home page: as by the form, without waiting for the page of the form to be drawn."""
        request = self.context.request
        request.get("/login")
        token = next(cookie for cookie in self.context.cookies() if cookie["name"] == "_xsrf")["value"]
        fields = {"username": self.username, "password": self._password, "next": "/", "_xsrf": token}
        assert request.post("/login", form=fields, max_redirects=0).status == 303
        self.page.goto("/")

    def sign_in(self) -> None:
        """By the form, as a person does it."""
        self.page.goto("/login")
        self.page.get_by_label(re.compile("^user ?name$", re.IGNORECASE)).fill(self.username)
        self.page.get_by_label("Password", exact=True).fill(self._password)
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.wait_for_url(re.compile(r"/$"))

    def call(self, username: str) -> None:
        """Calls somebody from the home page."""
        self.button(f"Call {username}").click()
        self.page.wait_for_url(re.compile("/call/"))

    def button(self, name: str) -> Any:
        """The button of that accessible name."""
        return self.page.get_by_role("button", name=name, exact=True)

    def answer(self, button: str = "Answer") -> None:
        """Takes the call that rings, by the button of that name."""
        self.button(button).click()
        self.page.wait_for_url(re.compile("/call/"))

    def api(self, method: str, path: str, document: object = None) -> Any:
        """A request under the prefix as the page makes it; returns what it is answered."""
        return self.page.evaluate(ASK, [method, f"/api/v1{path}", document])

    def counters(self) -> dict[str, int]:
        """What has arrived from the others: packets of sound and of picture, decoded frames."""
        counted: dict[str, int] = self.page.evaluate(READ_COUNTERS)
        return counted

    def expect_media(self) -> None:
        """Sound and picture go on arriving: every counter grows between two looks."""
        still: list[str] = self.page.evaluate(STILL, PATIENCE_MS)
        assert still == [], f"nothing of this arrives at {self.username}'s: {still}"

    def until(self, is_so: str) -> None:
        """Waits until an asynchronous function of the page gives true.

        Not by `wait_for_function`: that takes the promise for the answer, and a promise is true.
        """
        assert self.page.evaluate(f"async (patienceMs) => ({UNTIL})({is_so}, patienceMs)", PATIENCE_MS), is_so

    def expect_text(self, text: str | re.Pattern[str]) -> None:
        """The page says ``text`` somewhere a person sees it."""
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=PATIENCE_MS)

    def close(self) -> None:
        """Leaves, and leaves no call behind that the next test would meet."""
        with suppress(PlaywrightError):  # the server of some tests is gone by now
            self._end_calls()
        self.context.close()

    def _end_calls(self) -> None:
        request = self.context.request
        cookies = {cookie["name"]: cookie["value"] for cookie in self.context.cookies()}
        found = request.get("/api/v1/calls?limit=5", timeout=PATIENCE_MS)
        for call in found.json()["items"] if found.ok else []:
            if call["state"] != "ended":
                deed = "hangup" if call["state"] in ("connecting", "active") else "cancel"
                request.post(f"/api/v1/calls/{call['call_id']}/{deed}", headers={"X-XSRFToken": cookies["_xsrf"]})
