// @ts-check
// <emo-utterances>: the strip of utterances above the river. It follows what is in view; a click, or
// Enter, selects an utterance and plays it; arrow keys go from one to the next.

import { next, place } from "./bars.js";

/** @typedef {import("./timeline.js").EmoTimeline} EmoTimeline */

const LEAST = 3; // points of a bar that can still be seen

class EmoUtterances extends HTMLElement {
  connectedCallback() {
    this.bars = /** @type {HTMLButtonElement[]} */ ([...this.querySelectorAll("button")]);
    this.host = /** @type {EmoTimeline} */ (/** @type {unknown} */ (this.closest("emo-timeline")));
    this.onSpan = () => this.place();
    this.onMoved = () => this.mark();
    this.host.addEventListener("emo-span", this.onSpan);
    this.host.addEventListener("emo-moved", this.onMoved);
    if (!this.listens) {
      this.addEventListener("click", (event) => this.choose(event));
      this.addEventListener("keydown", (event) => this.key(event));
    }
    this.listens = true;
    this.place();
    this.mark();
  }

  disconnectedCallback() {
    if (this.onSpan) this.host?.removeEventListener("emo-span", this.onSpan);
    if (this.onMoved) this.host?.removeEventListener("emo-moved", this.onMoved);
  }

  /** @param {HTMLElement} bar @returns {[from: number, to: number]} */
  span(bar) {
    return [Number(bar.dataset.from), Number(bar.dataset.to)];
  }

  place() {
    const figure = this.host?.figure;
    if (!figure) return;
    for (const bar of this.bars ?? []) {
      const found = place(this.span(bar), [figure.from, figure.to]);
      bar.hidden = found === null;
      if (!found) continue;
      bar.style.left = `${found.left}%`;
      bar.style.width = `max(${LEAST}px, ${found.width}%)`;
    }
  }

  // Marks the utterance that is heard, and those that are selected.
  mark() {
    const figure = this.host?.figure;
    if (!figure) return;
    const { now } = figure.player;
    const chosen = figure.selection;
    for (const bar of this.bars ?? []) {
      const [from, to] = this.span(bar);
      bar.toggleAttribute("data-now", now >= from && now < to);
      const is = chosen !== null && Math.abs(chosen[0] - from) < 0.002 && Math.abs(chosen[1] - to) < 0.002;
      bar.setAttribute("aria-pressed", String(is));
    }
  }

  /** @param {Event} event */
  choose(event) {
    const bar = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("button"));
    const figure = this.host?.figure;
    if (!bar || !figure) return;
    this.focusOn(bar, false);
    const span = this.span(bar);
    figure.select(...span);
    figure.player.playPart(span);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    /** @type {HTMLButtonElement[]} */
    const bars = this.bars ?? [];
    const at = bars.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const to = at < 0 ? null : next(event.key, at, bars.length);
    if (to === null) return;
    event.preventDefault();
    this.focusOn(bars[to], true);
  }

  /**
   * Makes a bar the one that Tab comes to.
   * @param {HTMLElement} bar
   * @param {boolean} focused brings it into view and gives it the focus
   */
  focusOn(bar, focused) {
    for (const one of this.bars ?? []) one.tabIndex = one === bar ? 0 : -1;
    if (!focused) return;
    const figure = this.host?.figure;
    const [from, to] = this.span(bar);
    if (figure && (from < figure.from || to > figure.to)) {
      const half = (figure.to - figure.from) / 2;
      figure.show((from + to) / 2 - half, (from + to) / 2 + half);
    }
    bar.focus();
  }
}

customElements.define("emo-utterances", EmoUtterances);
