"""Menus by themselves: where they open, that they fit, and where the focus goes when they close."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.journeys.test_modules import files

__all__ = ["files"]

pytestmark = pytest.mark.journey

Open = Callable[..., Any]

# A menu of so many entries and its button, somewhere in the middle of the page, as the real pages dress them.
MENU = """async ([entries, body]) => {
  const { openMenu } = await import("/js/ui/menus.js");
  const sheets = ["tokens", "base", "components"].map((name) =>
    Object.assign(document.createElement("link"), { rel: "stylesheet", href: `/css/${name}.css` }));
  const loaded = sheets.map((sheet) => new Promise((resolve) => { sheet.onload = resolve; }));
  document.head.append(...sheets); await Promise.all(loaded);
  const button = Object.assign(document.createElement("button"), { textContent: "Open" });
  const menu = Object.assign(document.createElement("div"), { className: "menu", popover: "auto" });
  for (let at = 0; at < entries; at += 1) {
    const entry = { className: "menu-item", textContent: `Entry ${at}` };
    menu.append(Object.assign(document.createElement("button"), entry));
  }
  document.body.replaceChildren(button, menu);
  const opened = new Promise((resolve) => menu.addEventListener("toggle", resolve, { once: true }));
  openMenu(menu, button); await opened; await new Promise((resolve) => setTimeout(resolve));
  for (const animation of menu.getAnimations()) animation.finish();
  const { left, top, right, bottom } = menu.getBoundingClientRect();
  return await new Function("button", "menu", "box", `return (async () => { ${body} })()`)(
    button, menu, { left, top, right, bottom });
}"""


@pytest.fixture
def opened(browser: Browser, files: str) -> Open:
    """Opens a menu in a window of a size, runs a body with `button`, `menu` and `box`, and gives what it returns."""

    def run(width: int, height: int, entries: int, body: str = "return box;") -> Any:
        context = browser.new_context(viewport={"width": width, "height": height})
        page = context.new_page()
        page.goto(files)
        said = page.evaluate(MENU, [entries, body])
        context.close()
        return said

    return run


def test_on_a_telephone_a_menu_comes_from_below(opened: Open) -> None:
    assert opened(390, 844, 4) == {"left": 0, "top": pytest.approx(600, abs=80), "right": 390, "bottom": 844}


def test_a_telephone_on_its_side_shows_the_whole_of_a_long_menu(opened: Open) -> None:
    box = opened(844, 390, 14)
    assert box["top"] >= 0
    assert box["bottom"] <= 390


def test_a_menu_that_closes_gives_the_focus_back_to_its_button(opened: Open) -> None:
    body = """
      document.activeElement.blur(); // as by a press elsewhere
      const closed = new Promise((resolve) => menu.addEventListener("toggle", resolve, { once: true }));
      menu.hidePopover(); await closed; return document.activeElement === button;
    """
    assert opened(1280, 800, 4, body) is True
