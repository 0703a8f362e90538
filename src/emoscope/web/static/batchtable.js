// @ts-check
// The table of a batch: rows as they come, how the emotions are spread, and which rows are shown.

import { address } from "./address.js";
import { fill, part } from "./gaps.js";
import { sort, sortBy } from "./table.js";

/** @typedef {import("./recognize.js").Problem} Problem */

const KINDS = /** @type {Record<string, (row: HTMLElement) => boolean>} */ ({
  "": () => true,
  doubt: (row) => row.hasAttribute("data-doubt"),
  failed: (row) => row.classList.contains("emo-failed"),
});

export class BatchTable {
  /** @param {HTMLElement} host the element with the server's markup */
  constructor(host) {
    this.host = host;
    this.table = /** @type {HTMLTableElement} */ (host.querySelector("table"));
    this.body = this.table.tBodies[0];
    this.only = "";
    host.addEventListener("click", (event) => {
      const button = /** @type {Element} */ (event.target).closest("button");
      if (button?.dataset.sort) sortBy(button);
      if (button?.dataset.only !== undefined) this.show(button.dataset.only);
    });
  }

  clear() {
    this.body.replaceChildren();
    for (const head of this.table.querySelectorAll("[aria-sort]")) head.removeAttribute("aria-sort");
    this.show("");
  }

  /**
   * Fetches the row of a run, made by the server. Throws where the server cannot be reached.
   * @param {string} run
   * @param {number} number of the file in the batch, from 1
   * @returns {Promise<boolean>} whether there is such a run
   */
  async add(run, number) {
    const reply = await fetch(address(`page/row/${encodeURIComponent(run)}`));
    if (reply.status === 404) return false;
    if (!reply.ok) throw new Error(String(reply.status));
    const template = document.createElement("template");
    template.innerHTML = await reply.text(); // every name made safe by the server
    this.put(/** @type {HTMLTableRowElement} */ (template.content.querySelector("tr")), number);
    return true;
  }

  /**
   * @param {string} name of the file
   * @param {number} number
   * @param {Problem} problem
   */
  addFailed(name, number, problem) {
    const template = /** @type {HTMLTemplateElement} */ (part(this.host, "template[data-failed]"));
    const row = /** @type {HTMLTableRowElement} */ (
      /** @type {Element} */ (template.content.firstElementChild).cloneNode(true)
    );
    const file = part(row, ".emo-row-file");
    file.dataset.value = name;
    file.title = name;
    part(file, "span").textContent = name;
    part(row, "[lang=zh]").textContent = problem.detail_zh ?? problem.code;
    part(row, "[lang=en]").textContent = problem.detail_en ?? problem.code;
    part(row, "code").textContent = problem.code;
    this.put(row, number);
  }

  /**
   * @param {HTMLTableRowElement} row
   * @param {number} number
   */
  put(row, number) {
    row.dataset.number = String(number);
    row.cells[0].textContent = String(number);
    const old = [...this.body.rows].find((one) => one.dataset.number === row.dataset.number);
    if (old) old.replaceWith(row);
    else this.body.append(row);
    sort(this.table);
    this.count();
  }

  /** @param {string} run that was deleted */
  remove(run) {
    this.rowOf(run)?.remove();
    this.count();
  }

  /** @param {string} run */
  rowOf(run) {
    return [...this.body.rows].find((row) => row.dataset.run === run);
  }

  /** @param {string} only an emotion's key, `none`, `doubt`, `failed`, or "" for all */
  show(only) {
    this.only = only;
    this.count();
  }

  /** @param {HTMLElement} row */
  isShown(row, only = this.only) {
    return (KINDS[only] ?? (() => row.dataset.emotion === only))(row);
  }

  // How many there are of each kind, in the bar and on the chips; a chip of none goes.
  count() {
    const rows = [...this.body.rows];
    const count = (/** @type {string} */ only) => rows.filter((row) => this.isShown(row, only)).length;
    if (this.only && !count(this.only)) this.only = "";
    for (const chip of /** @type {NodeListOf<HTMLElement>} */ (this.host.querySelectorAll("[data-only]"))) {
      const only = chip.dataset.only ?? "";
      fill(chip, { count: count(only) });
      chip.hidden = only !== "" && !count(only);
      chip.setAttribute("aria-pressed", String(only === this.only));
    }
    for (const share of /** @type {NodeListOf<HTMLElement>} */ (this.host.querySelectorAll(".emo-spread i"))) {
      const many = count(share.dataset.emotion ?? "");
      share.hidden = !many;
      share.style.flexGrow = String(many);
    }
    part(this.host, "[data-part=spread]").hidden = rows.length === 0;
    for (const row of rows) row.hidden = !this.isShown(row);
  }

  /** Runs of the finished rows, in the order of the files. */
  get runs() {
    const rows = [...this.body.rows].filter((row) => row.dataset.run);
    rows.sort((one, other) => Number(one.dataset.number) - Number(other.dataset.number));
    return rows.map((row) => /** @type {string} */ (row.dataset.run));
  }
}
