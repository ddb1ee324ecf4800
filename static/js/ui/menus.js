/** Menus: a popover beside the button that opens it, or at the bottom of a telephone's screen. */

const GAP_PX = 4;
const PHONE = "(max-width: 480px)";

/** Which button each menu was opened from last. @type {WeakMap<HTMLElement, HTMLElement>} */
const openers = new WeakMap();

/**
 * @param {HTMLElement} menu with `popover`
 * @param {HTMLElement} button
 */
export function openMenu(menu, button) {
  menu.showPopover();
  if (!matchMedia(PHONE).matches) place(menu, button.getBoundingClientRect());
  else menu.removeAttribute("style");
  /** @type {HTMLElement | null} */ (menu.querySelector(".menu-item:not([hidden])"))?.focus();
  if (!openers.has(menu)) menu.addEventListener("toggle", (event) => refocus(menu, /** @type {ToggleEvent} */ (event)));
  openers.set(menu, button);
}

/**
 * The arrow keys go from one entry to the next, round and round.
 *
 * @param {HTMLElement} menu
 */
export function walkMenu(menu) {
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const items = /** @type {HTMLElement[]} */ ([...menu.querySelectorAll(".menu-item:not([hidden])")]);
    const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    items.at((at + step) % items.length)?.focus();
  });
}

/**
 * @param {HTMLElement} menu
 * @param {DOMRect} button
 */
function place(menu, button) {
  const { width, height } = menu.getBoundingClientRect();
  const below = button.bottom + GAP_PX;
  const top = below + height > innerHeight ? Math.max(GAP_PX, button.top - height - GAP_PX) : below;
  menu.style.inset = `${top}px auto auto ${Math.max(GAP_PX, button.right - width)}px`;
}

/**
 * A menu that was closed by a press elsewhere leaves the focus nowhere.
 *
 * @param {HTMLElement} menu
 * @param {ToggleEvent} event
 */
function refocus(menu, { newState }) {
  const { activeElement } = document;
  if (newState === "closed" && (activeElement === document.body || menu.contains(activeElement))) openers.get(menu)?.focus();
}
