"""What can be measured of a page's accessibility: axe-core's rules, and where the Tab key leads."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tools.frontend import test_packages as test_packages_of_the_pages

AXE = test_packages_of_the_pages() / "axe-core" / "axe.min.js"
WIDTHS = {"wide": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
SCHEMES = ("light", "dark")
GRAVE = {"serious", "critical"}

# Two frames for the new colours, and the end of every transition to them.
SETTLED = """
async () => {
  for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
  const finite = document.getAnimations().filter(({ effect }) => effect.getComputedTiming().endTime !== Infinity);
  await Promise.allSettled(finite.map(({ finished }) => finished));
}
"""

RUN_AXE = """
async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  const shortened = ({ html }) => html.slice(0, 160);
  return violations.map(({ id, impact, nodes }) => ({ id, impact, where: nodes.map(shortened) }));
}
"""

# What one can come to by Tab, of everything on show. Of radio buttons of one name only one is a stop.
TAB_STOPS = """
() => {
  const modal = document.querySelector("dialog:modal");
  const radios = new Set();
  window.unreached = new Set([...(modal ?? document).querySelectorAll(
    "a[href], button, input, select, textarea, summary, audio[controls], [tabindex]"
  )].filter((element) => {
    if (element.disabled || element.tabIndex < 0 || element === modal) return false;
    if (!element.checkVisibility({ visibilityProperty: true })) return false;
    if (element.closest("[inert]")) return false;
    if (element.type !== "radio") return true;
    const isNew = !radios.has(element.name);
    radios.add(element.name);
    return isNew || element.checked;
  }));
  return window.unreached.size;
}
"""

# The element that has the focus now: whether one sees that it has, and what was not reached so far.
STEP = """
() => {
  const element = document.activeElement;
  for (const other of window.unreached) {
    if (other === element || (element.type === "radio" && other.name === element.name)) window.unreached.delete(other);
  }
  if (element === document.body) return null;
  const marked = [element, ...element.querySelectorAll("*"), ...(element.labels ?? [])].some((each) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(each);
    return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  });
  const { width, height } = element.getBoundingClientRect();
  return { html: element.outerHTML.slice(0, 160), shown: marked && width > 0 && height > 0 };
}
"""


def faults(page: Page) -> list[str]:
    """The serious and critical faults of what the page shows, in light and dark, on a wide screen and on a phone."""
    page.evaluate(AXE.read_text("utf-8"))
    before = page.viewport_size
    found = []
    for scheme in SCHEMES:
        for width, viewport in WIDTHS.items():
            # Without motion: halfway through a transition no colour is what it will be.
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.set_viewport_size(viewport)  # type: ignore[arg-type]  # width and height, as it wants them
            page.evaluate(SETTLED)
            graves: list[dict[str, Any]] = [each for each in page.evaluate(RUN_AXE) if each["impact"] in GRAVE]
            found += [f"{scheme}, {width}: {each['id']}: {where}" for each in graves for where in each["where"]]
    assert before is not None
    page.set_viewport_size(before)
    page.emulate_media(color_scheme="light", reduced_motion="no-preference")
    return found


def walk(page: Page) -> dict[str, list[str]]:
    """Goes through the page by Tab: what cannot be reached, and what does not show that it has the focus."""
    count = page.evaluate(TAB_STOPS)
    unseen: list[str] = []
    for _ in range(count + 3):
        page.keyboard.press("Tab")
        step = page.evaluate(STEP)
        if step is not None and not step["shown"]:
            unseen.append(step["html"])
    unreached = page.evaluate("() => [...window.unreached].map((element) => element.outerHTML.slice(0, 160))")
    return {"unreached": unreached, "unseen": unseen}


SOUND: dict[str, list[str]] = {"unreached": [], "unseen": []}
"""What :func:`walk` gives for a page that is as it should be."""
