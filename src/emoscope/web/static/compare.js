// @ts-check
// <emo-compare>: two results side by side, as the address names them.

import { address } from "./address.js";
import { part } from "./gaps.js";
import { panel } from "./problem.js";
import { settle } from "./page.js";

class EmoCompare extends HTMLElement {
  turn = 0;
  shown = "";

  connectedCallback() {
    document.addEventListener("emo-route", (event) => {
      const { view, params } = /** @type {CustomEvent} */ (event).detail;
      if (view === "compare") this.open(params.get("one"), params.get("other"));
    });
    document.addEventListener("emo-run-changed", (event) => {
      const { run } = /** @type {CustomEvent} */ (event).detail;
      if (!this.querySelector(`[data-run="${run}"]`)) return;
      this.shown = "";
      const params = new URLSearchParams(location.search);
      if (document.documentElement.dataset.view === "compare") this.open(params.get("one"), params.get("other"));
    });
  }

  /**
   * @param {string | null} one name of a run
   * @param {string | null} other
   */
  async open(one, other) {
    const asked = `${one} ${other}`;
    if (asked === this.shown) return;
    const mine = (this.turn += 1);
    this.note(one && other ? null : "pick");
    if (!one || !other) return;
    const [element, note] = await fetched(one, other);
    if (mine !== this.turn) return;
    this.note(note);
    if (!element) return;
    this.shown = element.dataset.titles === undefined ? "" : asked;
    this.put(element);
  }

  /** @param {HTMLElement} element two results, or a problem */
  put(element) {
    part(this, "[data-part=compared]").replaceChildren(element);
    const view = this.closest(".emo-view");
    const { titles } = element.dataset;
    if (titles && view instanceof HTMLElement) {
      [view.dataset.titleZh, view.dataset.titleEn] = [titles, titles];
    }
    settle();
  }

  /** @param {string | null} name */
  note(name) {
    for (const note of /** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll("[data-note]"))) {
      note.hidden = note.dataset.note !== name;
    }
  }
}

/**
 * The two results as an element, or the name of a note.
 * @param {string} one
 * @param {string} other
 * @returns {Promise<[HTMLElement | null, string | null]>}
 */
async function fetched(one, other) {
  try {
    const reply = await fetch(address(`page/compare?${new URLSearchParams({ one, other })}`));
    if (!reply.ok) return [panel(await reply.json()), null];
    const template = document.createElement("template");
    template.innerHTML = await reply.text(); // every name made safe by the server
    return [/** @type {HTMLElement} */ (template.content.firstElementChild), null];
  } catch {
    return [null, "no_server"];
  }
}

customElements.define("emo-compare", EmoCompare);
