/**
 * Looks when somebody pauses in typing. Not while a word is composed out of several keys, as Chinese is: what stands in
 * the field until then is not what anybody looks for.
 *
 * @param {HTMLInputElement} field
 * @param {number} pauseMs a pause that means: look now
 * @param {() => void} look
 * @returns {() => void} forgets what was typed: somebody has looked already
 */
export function whenTyped(field, pauseMs, look) {
  /** @type {any} */
  let timer = null;
  const forget = () => clearTimeout(timer);
  const wait = () => {
    forget();
    timer = setTimeout(look, pauseMs);
  };
  field.addEventListener("input", (event) => {
    if (isComposing(/** @type {InputEvent} */ (event))) forget();
    else wait();
  });
  field.addEventListener("compositionend", wait);
  return forget;
}

/**
 * @param {KeyboardEvent | InputEvent} event
 * @returns {boolean} whether it belongs to a word that is being composed; Safari says so of its last key by the code alone
 */
export function isComposing(event) {
  return event.isComposing || ("keyCode" in event && event.keyCode === 229);
}
