/** Menus: a popover beside the button that opens it, or at the bottom of a telephone's screen. */

const GAP_PX = 4;
const PHONE = "(max-width: 480px)";

/**
 * @param {HTMLElement} menu with `popover`
 * @param {HTMLElement} button
 */
export function openMenu(menu, button) {
  menu.showPopover();
  if (!matchMedia(PHONE).matches) place(menu, button.getBoundingClientRect());
  else menu.removeAttribute("style");
  /** @type {HTMLElement | null} */ (menu.querySelector(".menu-item:not([hidden])"))?.focus();
  menu.addEventListener("toggle", () => button.isConnected && refocus(menu, button), { once: true });
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
 * @param {HTMLElement} menu
 * @param {HTMLElement} button
 */
function refocus(menu, button) {
  if (!menu.matches(":popover-open") && (document.activeElement === document.body || menu.contains(document.activeElement))) button.focus();
}
