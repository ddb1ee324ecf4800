/** Whoever reads at the end reads along; whoever reads further up stays there, and is told that there is more below. */

/** Less than this from the end, one reads along. */
const NEAR_END_PX = 96;

export class ScrollKeeper {
  #scroll;
  #jump;

  /**
   * @param {HTMLElement} scroll
   * @param {HTMLElement} jump the button that leads to the end
   */
  constructor(scroll, jump) {
    this.#scroll = scroll;
    this.#jump = jump;
    scroll.addEventListener("scroll", () => this.#look(), { passive: true });
    jump.addEventListener("click", () => this.toEnd());
    // A keyboard that comes up, a window that becomes smaller: the end stays in sight.
    let wasNear = true;
    scroll.addEventListener("scroll", () => {
      wasNear = this.#isNear();
    });
    new ResizeObserver(() => {
      if (wasNear) this.toEnd();
    }).observe(scroll);
  }

  /**
   * @param {() => void} change of what is in it
   * @param {boolean} [end] whether to begin at the end
   */
  around(change, end = false) {
    const follows = end || this.#isNear();
    const { scrollHeight, scrollTop } = this.#scroll;
    const anchor = this.#firstSeen();
    const before = anchor?.getBoundingClientRect().top ?? 0;
    change();
    if (follows) this.toEnd();
    else if (anchor?.isConnected) this.#scroll.scrollTop += anchor.getBoundingClientRect().top - before;
    else this.#scroll.scrollTop = scrollTop + this.#scroll.scrollHeight - scrollHeight;
    this.#look();
  }

  toEnd() {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#look();
  }

  #isNear() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroll;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  #look() {
    this.#jump.hidden = this.#isNear();
  }

  /** @returns {Element | undefined} the first row that one sees: it stays where it is when older ones come above it */
  #firstSeen() {
    const { top } = this.#scroll.getBoundingClientRect();
    return [...this.#scroll.querySelectorAll("[data-role]")].find((row) => row.getBoundingClientRect().bottom > top);
  }
}
