// @ts-check
// <emo-similar>: recordings that sound like the one of a result, fetched when it comes into view.

import { address } from "./address.js";
import { part } from "./gaps.js";
import { watchRivers } from "./rivers.js";
import "./sounds.js";

class EmoSimilar extends HTMLElement {
  turn = 0;
  space = "emotion";

  connectedCallback() {
    this.list = part(this, ".emo-similar-list");
    this.seen = new IntersectionObserver((entries) => {
      if (entries.some((one) => one.isIntersecting)) this.begin();
    }, { rootMargin: "200px" });
    this.seen.observe(this);
    this.addEventListener("click", (event) => {
      const button = /** @type {HTMLElement | null} */ (
        /** @type {Element} */ (event.target).closest("[data-space]")
      );
      if (button) this.choose(button.dataset.space ?? "emotion");
    });
    this.renew = (/** @type {Event} */ event) => {
      const { run, deleted } = /** @type {CustomEvent} */ (event).detail;
      if (deleted && run !== this.dataset.run) this.querySelector(`li[data-run="${run}"]`)?.remove();
    };
    document.addEventListener("emo-run-changed", this.renew);
  }

  disconnectedCallback() {
    this.seen?.disconnect();
    if (this.renew) document.removeEventListener("emo-run-changed", this.renew);
  }

  begin() {
    this.seen?.disconnect();
    this.fill();
  }

  /** @param {string} space */
  choose(space) {
    this.space = space;
    for (const button of this.querySelectorAll("[data-space]")) {
      button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.space === space));
    }
    this.fill();
  }

  async fill() {
    const mine = (this.turn += 1);
    const { list } = this;
    if (!list) return;
    list.setAttribute("aria-busy", "true");
    const run = encodeURIComponent(this.dataset.run ?? "");
    let html = null;
    try {
      const reply = await fetch(address(`page/similar/${run}?space=${this.space}`));
      // A server without vectors, or a recording without speech: there is nothing to show.
      if (reply.status === 404 || reply.status === 422) this.closest("section")?.remove();
      if (reply.ok) html = await reply.text(); // every name made safe by the server
    } catch {
      html = null;
    }
    if (mine !== this.turn) return;
    const failed = /** @type {HTMLTemplateElement} */ (part(this, "template[data-failed]"));
    if (html === null) list.replaceChildren(failed.content.cloneNode(true));
    else list.innerHTML = html;
    list.setAttribute("aria-busy", "false");
    watchRivers(list);
  }
}

customElements.define("emo-similar", EmoSimilar);
