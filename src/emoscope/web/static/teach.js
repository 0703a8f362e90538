// @ts-check
// <emo-teach>: the dialog that shows what the corrections would change; adopt it, or undo it.
// The server makes the whole content, in both languages; nothing is in force before "Adopt".

import { address } from "./address.js";
import { part } from "./gaps.js";

class EmoTeach extends HTMLElement {
  connectedCallback() {
    this.dialog = /** @type {HTMLDialogElement} */ (part(this, "dialog"));
    this.addEventListener("click", (event) => {
      const target = /** @type {Element} */ (event.target);
      if (target.closest("a")) this.dialog?.close();
      const button = /** @type {HTMLElement | null} */ (target.closest("[data-teach]"));
      if (button) this.act(button);
    });
  }

  /** @param {HTMLElement} button */
  async act(button) {
    const what = button.dataset.teach;
    if (what === "close") this.dialog?.close();
    if (what === "open") {
      this.body.replaceChildren();
      this.dialog?.showModal();
      await this.show();
    }
    if (what === "undo") await this.ask("DELETE");
    if (what === "adopt") await this.ask("PUT", { sha256: button.dataset.sha256 });
  }

  get body() {
    return part(this, ".emo-teach-body");
  }

  async show() {
    part(this, "[data-note=teach_failed]").hidden = true;
    this.body.setAttribute("aria-busy", "true");
    try {
      const reply = await fetch(address("page/teach"));
      if (!reply.ok) throw new Error(String(reply.status));
      this.body.innerHTML = await reply.text();
    } catch {
      part(this, "[data-note=teach_failed]").hidden = false;
    } finally {
      this.body.removeAttribute("aria-busy");
    }
  }

  /**
   * @param {"PUT" | "DELETE"} method
   * @param {object} [body]
   */
  async ask(method, body) {
    const asked = body ? { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } } : {};
    const reply = await fetch(address("v1/teaching/adopted"), { method, ...asked }).catch(() => null);
    await this.show();
    if (!reply?.ok) part(this, "[data-note=teach_failed]").hidden = false;
  }
}

customElements.define("emo-teach", EmoTeach);
