"""The incoming call: how it shows, and each way to take it."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import WebSocketRoute, expect

from tests.journeys.browsing import PATIENCE_MS, Person
from tests.journeys.conftest import MakePerson

pytestmark = pytest.mark.journey

# The frequencies of all notes that begin, in Hz. The tone of a call that one makes is 425 Hz.
HEAR_TONES = """
(() => {
  const Native = window.OscillatorNode;
  window.heard = [];
  window.OscillatorNode = class extends Native {
    constructor(context, options) { super(context, options); window.heard.push(options.frequency); }
  };
})();
"""
PHONE = {"width": 390, "height": 844}


def rings(callee: Person, caller: str) -> None:
    """The dialog says that ``caller`` calls."""
    dialog = callee.page.get_by_role("dialog", name=f"{caller} is calling")
    expect(dialog).to_be_visible(timeout=PATIENCE_MS)


def talk(caller: Person, callee: Person) -> None:
    """The two are in a call."""
    caller.call(callee.username)
    callee.answer()
    caller.expect_media()


class Held:
    """Frames of one type that a person's page sends do not arrive until the test refuses them."""

    def __init__(self, person: Person, kind: str) -> None:
        self._kind = kind
        self._frames: list[tuple[WebSocketRoute, str]] = []
        person.page.route_web_socket(re.compile("/ws/user"), self._connect)
        person.page.reload()

    def _connect(self, page: WebSocketRoute) -> None:
        server = page.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            frame = json.loads(message)
            if frame["type"] == self._kind:
                self._frames.append((page, frame["id"]))
            else:
                server.send(message)

        page.on_message(pass_on)

    def refuse(self) -> None:
        """They get an error."""
        for page, frame_id in self._frames:
            page.send(json.dumps({"type": "error", "id": frame_id, "code": "internal_error", "message": ""}))


def test_fills_the_screen_of_a_phone_with_its_buttons_under_the_thumb(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    bob.page.set_viewport_size(PHONE)
    alice.call("bob")
    rings(bob, "alice")
    box = bob.page.locator("#incoming").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (PHONE["width"], PHONE["height"])
    answer = bob.button("Answer").bounding_box()
    assert answer is not None
    assert answer["y"] > PHONE["height"] / 2
    bob.button("Decline").click()


def test_shows_in_the_title_and_the_symbol_of_a_tab(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    alice.call("bob")
    expect(bob.page).to_have_title("alice is calling", timeout=PATIENCE_MS)
    icon = bob.page.locator("link[rel=icon]")
    expect(icon).to_have_attribute("href", re.compile("favicon-ringing"), timeout=PATIENCE_MS)
    bob.button("Decline").click()
    expect(bob.page).to_have_title("Home · Ringback")
    expect(icon).to_have_attribute("href", re.compile(r"favicon\.svg"))


def test_can_be_answered_without_being_seen(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    alice.call("bob")
    bob.answer("Answer without camera")
    bob.expect_media()
    alice.expect_text("Camera is off")
    expect(bob.button("Camera on")).to_be_visible()
    bob.page.reload()
    expect(bob.button("Camera on")).to_be_visible(timeout=PATIENCE_MS)
    alice.button("Hang up").click()


def test_can_be_silenced_by_escape_and_answered_all_the_same(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    alice.call("bob")
    rings(bob, "alice")
    bob.page.keyboard.press("Escape")
    bob.answer()
    alice.expect_media()
    alice.button("Hang up").click()


def test_stays_however_often_escape_is_pressed(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    alice.call("bob")
    rings(bob, "alice")
    for _ in range(3):
        bob.page.keyboard.press("Escape")
    bob.page.wait_for_timeout(100)  # a dialog that closes does so in a moment
    assert bob.page.locator("#incoming").evaluate("(dialog) => dialog.matches(':modal')")
    expect(bob.page.locator("#incoming [data-announcer]")).to_have_text("Silenced. The call can still be answered.")
    bob.button("Decline").click()


def test_comes_back_when_something_closes_it(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    alice.call("bob")
    rings(bob, "alice")
    bob.page.locator("#incoming").evaluate("(dialog) => dialog.close()")
    rings(bob, "alice")
    bob.button("Decline").click()
    expect(bob.page.locator("#incoming")).to_be_hidden()


@pytest.mark.parametrize(("button", "deed"), [("Answer", "answer"), ("Decline", "decline")])
def test_says_in_place_that_it_could_not_be_done(person: MakePerson, button: str, deed: str) -> None:
    alice, bob = person("alice"), person("bob")
    held = Held(bob, deed)
    alice.call("bob")
    bob.button(button).click()
    expect(bob.button(button)).to_have_attribute("aria-busy", "true")
    held.refuse()
    problem = bob.page.locator("#incoming").get_by_role("status").filter(has_text="The call could not be")
    expect(problem).to_be_visible(timeout=PATIENCE_MS)
    expect(bob.button(button)).not_to_have_attribute("aria-busy", "true")
    alice.button("Hang up").click()


def test_goes_on_ringing_elsewhere_when_one_device_ignores_it(person: MakePerson) -> None:
    alice, bob, bobs_phone = person("alice"), person("bob"), person("bob")
    alice.call("bob")
    rings(bobs_phone, "alice")
    bob.button("Ignore on this device").click()
    expect(bob.page.locator("#incoming")).to_be_hidden()
    rings(bobs_phone, "alice")
    bobs_phone.button("Decline").click()


def test_lists_others_who_call_at_the_same_time(person: MakePerson) -> None:
    alice, bob, carol = person("alice"), person("bob"), person("carol")
    alice.call("bob")
    rings(bob, "alice")
    carol.call("bob")
    expect(bob.button("Answer carol")).to_be_visible(timeout=PATIENCE_MS)
    bob.button("Decline").click()
    rings(bob, "carol")
    bob.button("Decline").click()
    expect(bob.page.locator("#incoming")).to_be_hidden()


def test_says_why_it_went(person: MakePerson) -> None:
    alice, bob = person("alice"), person("bob")
    alice.call("bob")
    rings(bob, "alice")
    alice.button("Hang up").click()
    bob.expect_text("alice stopped calling.")


def test_lets_a_call_go_on_that_one_is_in(person: MakePerson) -> None:
    alice, bob, carol = person("alice"), person("bob"), person("carol")
    talk(alice, bob)
    carol.call("bob")
    rings(bob, "carol")
    bob.expect_text("You are in a call with alice.")
    bob.button("Mute").click()
    alice.expect_text("Muted")
    bob.page.locator("#incoming").get_by_role("button", name="Decline", exact=True).click()
    bob.expect_media()
    bob.button("Hang up").click()


def test_takes_the_place_of_the_call_that_one_is_in(person: MakePerson) -> None:
    alice, bob, carol = person("alice"), person("bob"), person("carol")
    talk(alice, bob)
    carol.call("bob")
    bob.button("Hang up and answer").click()
    carol.expect_media()
    alice.expect_text("Talked for")
    carol.button("Hang up").click()


def test_does_not_end_the_tone_of_a_call_that_one_is_making(person: MakePerson) -> None:
    alice, bob, carol = person("alice"), person("bob"), person("carol")
    alice.page.add_init_script(HEAR_TONES)
    alice.call("bob")
    alice.expect_text("Ringing…")
    carol.call("alice")
    rings(alice, "carol")
    carol.button("Hang up").click()
    expect(alice.page.locator("#incoming")).to_be_hidden(timeout=PATIENCE_MS)
    alice.page.evaluate("() => { window.heard = []; }")
    alice.page.wait_for_function("() => window.heard.includes(425)", timeout=PATIENCE_MS)
    alice.button("Hang up").click()
    bob.expect_text("alice stopped calling.")
