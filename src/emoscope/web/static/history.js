// @ts-check
// <emo-history>: the list of runs: searched, filtered, renamed, deleted, compared, downloaded.
// The server sends rows in both languages with every name made safe; here they are only put in place.

import { address } from "./address.js";
import { offerArchives } from "./archives.js";
import { changed } from "./changed.js";
import { fill, part } from "./gaps.js";
import { go } from "./page.js";
import { tell } from "./problem.js";
import { watchRivers } from "./rivers.js";

const root = document.documentElement;
const SEARCH_MS = 200;
const COUNT_MAX = 200; // rows in one answer

/** @param {Event} event */
const rowOf = (event) =>
  /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest(".emo-run"));

class EmoHistory extends HTMLElement {
  stale = true;
  turn = 0;
  waiting = 0;
  emotion = "";
  doubt = false;
  /** @type {string[]} runs whose boxes are ticked */
  picked = [];
  /** @type {string[]} runs that the dialog is about */
  doomed = [];

  connectedCallback() {
    this.list = part(this, ".emo-list");
    this.search = /** @type {HTMLInputElement} */ (part(this, "input[type=search]"));
    this.sure = /** @type {HTMLDialogElement} */ (part(this, "dialog"));
    this.search.addEventListener("input", () => {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.filter({}), SEARCH_MS);
    });
    this.addEventListener("click", (event) => this.clicked(event));
    this.addEventListener("change", (event) => this.pick(event));
    this.addEventListener("submit", (event) => this.rename(event));
    this.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.keep(rowOf(event));
    });
    this.hint();
    document.addEventListener("emo-language", () => this.hint());
    document.addEventListener("emo-runs", () => this.renew());
    document.addEventListener("emo-run-changed", () => this.renew());
    document.addEventListener("emo-route", (event) => this.look(/** @type {CustomEvent} */ (event).detail));
  }

  hint() {
    if (this.search) this.search.placeholder = this.search.dataset[root.dataset.lang === "zh" ? "hintZh" : "hintEn"] ?? "";
  }

  // -- the list

  // Something is another; nothing is asked before the list is seen.
  renew() {
    this.stale = true;
    if (root.dataset.view === "history") this.load();
  }

  /** @param {import("./address.js").Route} route */
  look({ view, params }) {
    if (view !== "history") return;
    if (["search", "emotion", "doubt"].some((name) => params.has(name))) this.take(params);
    else this.keepAddress();
    this.press(); // words may have been typed before this script was there
    if (this.stale) this.load();
  }

  /**
   * Takes the filters of the address, as after a reload.
   * @param {URLSearchParams} params
   */
  take(params) {
    const filters = [params.get("search") ?? "", params.get("emotion") ?? "", params.get("doubt") === "true"];
    if (String(filters) === String([this.words, this.emotion, this.doubt])) return;
    const [search, emotion, doubt] = filters;
    if (this.search) this.search.value = String(search);
    this.emotion = String(emotion);
    this.doubt = Boolean(doubt);
    this.stale = true;
    this.press();
  }

  get words() {
    return this.search?.value.trim() ?? "";
  }

  get params() {
    const params = new URLSearchParams();
    if (this.words) params.set("search", this.words);
    if (this.emotion) params.set("emotion", this.emotion);
    if (this.doubt) params.set("doubt", "true");
    return params;
  }

  /** @param {{emotion?: string, doubt?: boolean}} change */
  filter({ emotion = this.emotion, doubt = this.doubt }) {
    [this.emotion, this.doubt] = [emotion, doubt];
    this.press();
    this.keepAddress();
    this.load({ afresh: true });
  }

  press() {
    part(this, "[data-do=clear]").hidden = !this.words;
    for (const chip of /** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll(".emo-filters .emo-chip"))) {
      const { emotion } = chip.dataset;
      const isOn = emotion === undefined ? this.doubt : emotion === this.emotion && (emotion || !this.doubt);
      chip.setAttribute("aria-pressed", String(Boolean(isOn)));
    }
  }

  keepAddress() {
    if (root.dataset.view !== "history") return;
    const url = new URL(location.href);
    for (const name of ["search", "emotion", "doubt"]) url.searchParams.delete(name);
    for (const [name, value] of this.params) url.searchParams.set(name, value);
    history.replaceState(history.state, "", url);
  }

  /**
   * Shows the first rows, or as many as there were; or those that follow.
   * @param {{first?: number, afresh?: boolean}} [options]
   */
  async load({ first = 0, afresh = false } = {}) {
    const list = /** @type {HTMLElement} */ (this.list);
    const mine = (this.turn += 1);
    const params = this.params;
    const shown = list.querySelectorAll(".emo-run").length;
    if (first) params.set("first", String(first));
    else if (!afresh && shown > 50) params.set("count", String(Math.min(COUNT_MAX, shown)));
    this.stale = false;
    list.setAttribute("aria-busy", "true");
    const html = await this.ask(`page/history?${params}`, {}, "list");
    if (mine !== this.turn) return;
    list.setAttribute("aria-busy", "false");
    if (html === null) {
      this.stale = true;
      return;
    }
    if (first) this.append(html);
    else list.innerHTML = html;
    this.mark();
    watchRivers(list);
  }

  /** @param {string} html rows that follow those that are shown */
  append(html) {
    const template = document.createElement("template");
    template.innerHTML = html;
    const list = part(this, ".emo-list ul");
    part(this, "[data-do=more]").remove();
    for (const row of template.content.querySelectorAll(".emo-run")) {
      // Newer runs may have pushed it from the page before into this one.
      const { run } = /** @type {HTMLElement} */ (row).dataset;
      if (!list.querySelector(`[data-run="${run}"]`)) list.append(row);
    }
    const more = template.content.querySelector("[data-do=more]");
    if (more) list.after(more);
  }

  /**
   * The answer's text, or null where it failed, which is told.
   * @param {string} path
   * @param {RequestInit} [options]
   * @param {string} [about] what the note is about; a list that came takes back only its own note
   */
  async ask(path, options = {}, about = "act") {
    const note = part(this, "[data-note=failed]");
    let reply = null;
    try {
      reply = await fetch(address(path), options);
      if (reply.ok) {
        if (note.dataset.about === about) note.hidden = true;
        return await reply.text();
      }
    } catch {
      reply = null;
    }
    await tell(note, reply);
    note.dataset.about = about;
    note.hidden = false;
    return null;
  }

  // -- one row, or several

  /** @param {Event} event */
  clicked(event) {
    const button = /** @type {Element} */ (event.target).closest("button");
    const row = rowOf(event);
    if (!button) return;
    if (button.dataset.emotion !== undefined) {
      const { emotion } = button.dataset;
      this.filter({ emotion: emotion === this.emotion ? "" : emotion, doubt: emotion ? this.doubt : false });
    }
    if (button.dataset.doubt !== undefined) this.filter({ doubt: !this.doubt });
    /** @type {Record<string, () => unknown>} */
    const acts = {
      more: () => this.load({ first: Number(button.dataset.next) }),
      clear: () => this.clear(),
      reset: () => {
        [this.emotion, this.doubt] = ["", false];
        this.clear();
      },
      tools: () => this.openTools(button, row),
      rename: () => this.edit(row),
      keep: () => this.keep(row),
      delete: () => this.doom(row?.dataset.run ? [row.dataset.run] : []),
      "delete-picked": () => this.doom(this.picked),
      "delete-yes": () => this.remove(),
      unpick: () => this.setPicked([]),
      compare: () => go(`compare?${new URLSearchParams({ one: this.picked[0], other: this.picked[1] })}`),
    };
    acts[button.dataset.do ?? ""]?.();
  }

  clear() {
    if (!this.search) return;
    this.search.value = "";
    this.search.focus();
    this.filter({});
  }

  /**
   * @param {HTMLElement} button
   * @param {HTMLElement | null} row
   */
  openTools(button, row) {
    const isOpen = row?.toggleAttribute("data-tools") ?? false;
    button.setAttribute("aria-expanded", String(isOpen));
  }

  /** @param {HTMLElement | null} row */
  edit(row) {
    if (!row) return;
    row.removeAttribute("data-tools");
    part(row, ".emo-rename").hidden = false;
    const input = /** @type {HTMLInputElement} */ (part(row, ".emo-rename input"));
    input.focus();
    input.select();
  }

  /** @param {HTMLElement | null} row whose form is closed; without one the dialog is */
  keep(row) {
    if (!row) {
      this.sure?.close();
      return;
    }
    const form = /** @type {HTMLFormElement} */ (part(row, ".emo-rename"));
    if (form.hidden) return;
    form.reset();
    form.hidden = true;
    part(row, "[data-do=rename]").focus();
  }

  /** @param {Event} event */
  async rename(event) {
    event.preventDefault();
    const run = rowOf(event)?.dataset.run ?? "";
    const title = /** @type {HTMLInputElement} */ (part(/** @type {Element} */ (event.target), "input")).value;
    const done = await this.ask(`v1/recognitions/${encodeURIComponent(run)}/title`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ title }),
    });
    if (done !== null) changed(run, { by: this });
  }

  /** @param {string[]} runs that are deleted if one says so */
  doom(runs) {
    this.doomed = runs;
    const sure = /** @type {HTMLDialogElement} */ (this.sure);
    fill(sure, { count: runs.length });
    part(sure, "[data-count=one]").hidden = runs.length !== 1;
    part(sure, "[data-count=many]").hidden = runs.length === 1;
    part(sure, "ul").replaceChildren(
      ...runs.slice(0, 5).map((run) => {
        const item = document.createElement("li");
        const row = this.querySelector(`[data-run="${run}"]`);
        item.textContent = row?.querySelector(".emo-run-title")?.textContent ?? run;
        return item;
      }),
      ...(runs.length > 5 ? ["…"] : []),
    );
    sure.showModal();
  }

  async remove() {
    this.sure?.close();
    for (const run of this.doomed) {
      const done = await this.ask(`v1/recognitions/${encodeURIComponent(run)}`, { method: "DELETE" });
      if (done === null) break;
      this.picked = this.picked.filter((one) => one !== run);
      part(this, `.emo-run[data-run="${run}"]`)?.remove();
      changed(run, { deleted: true, by: this });
    }
    this.mark();
  }

  // -- ticked rows

  /** @param {Event} event */
  pick(event) {
    const box = /** @type {HTMLInputElement} */ (event.target);
    const run = rowOf(event)?.dataset.run;
    if (!run || !box.matches("[data-pick]")) return;
    const others = this.picked.filter((one) => one !== run);
    this.setPicked(box.checked ? [...others, run] : others);
  }

  /** @param {string[]} runs */
  setPicked(runs) {
    this.picked = runs;
    this.mark();
  }

  mark() {
    for (const row of /** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll(".emo-run"))) {
      const isPicked = this.picked.includes(row.dataset.run ?? "");
      row.toggleAttribute("data-picked", isPicked);
      /** @type {HTMLInputElement} */ (part(row, "[data-pick]")).checked = isPicked;
    }
    const bar = part(this, ".emo-picked");
    bar.hidden = this.picked.length === 0;
    fill(bar, { count: this.picked.length });
    const readable = this.picked.filter((run) => !this.querySelector(`[data-run="${run}"] [data-damaged]`));
    const compare = /** @type {HTMLButtonElement} */ (part(bar, "[data-do=compare]"));
    compare.disabled = this.picked.length !== 2 || readable.length !== 2;
    part(bar, "small").hidden = !compare.disabled;
    const template = /** @type {HTMLTemplateElement} */ (part(bar, "template[data-zip]"));
    offerArchives(part(bar, ".emo-picked-zip"), template, readable);
  }
}

customElements.define("emo-history", EmoHistory);
