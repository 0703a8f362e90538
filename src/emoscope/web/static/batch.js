// @ts-check
// <emo-batch>: many recordings, two at a time, each a row of a table. What was lost with the server
// or cancelled can be gone on with; a reload shows what was finished.

import { offerArchives } from "./archives.js";
import { BatchTable } from "./batchtable.js";
import { clock, fill, part, size } from "./gaps.js";
import { recognize } from "./recognize.js";

/** @typedef {import("./form.js").EmoForm} EmoForm */
/** @typedef {import("./recognize.js").Problem} Problem */
/** @typedef {import("./recognize.js").Options} Options */

/**
 * One file of the batch.
 * @typedef {object} Item
 * @property {number} number from 1
 * @property {File | null} file null after a reload
 * @property {string} name
 * @property {"waiting" | "running" | "done" | "failed"} state
 * @property {string} [run]
 * @property {Problem} [problem]
 */

const AT_ONCE = 2;
const BUSY_MS = 2000; // a full queue is asked again
const BUSY_TIMES = 60;
const KEPT = "emoscope-batch";
const BUSY = [429, 503];
/** Problems of the line, and not of the file. */
const LOST = ["no_server", "no_answer"];

/** @param {number} ms */
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

export class EmoBatch extends HTMLElement {
  /** @type {Item[]} */
  items = [];
  /** @type {"over" | "running" | "lost" | "cancelled"} */
  state = "over";
  /** @type {Options} */
  options = { granularity: "frame" };
  /** @type {Set<{cancel: () => void}>} */
  running = new Set();
  /** @type {BatchTable | null} */
  made = null;
  spent = 0; // milliseconds of what was gone on with
  begun = 0;
  earlier = 0; // files that were finished when it began
  ticking = 0;

  connectedCallback() {
    if (this.made) return;
    this.made = new BatchTable(this);
    this.addEventListener("click", (event) => {
      const button = /** @type {Element} */ (event.target).closest("button");
      if (button?.dataset.do === "cancel") this.cancel();
      if (button?.dataset.do === "resume") this.work();
    });
    addEventListener("beforeunload", (event) => {
      if (this.state === "running") event.preventDefault();
    });
    document.addEventListener("emo-run-changed", (event) => this.changed(/** @type {CustomEvent} */ (event).detail));
    this.restore();
  }

  get table() {
    return /** @type {BatchTable} */ (this.made);
  }

  get form() {
    return /** @type {EmoForm} */ (
      /** @type {unknown} */ (document.querySelector("emo-form[data-kind=many]"))
    );
  }

  /**
   * Begins a batch in the stead of the one before.
   * @param {{chosen: {file: File}[], options: Options}} detail
   */
  start({ chosen, options }) {
    if (this.state === "running") return;
    this.options = options;
    this.items = chosen.map(({ file }, at) => ({ number: at + 1, file, name: file.name, state: "waiting" }));
    this.spent = 0;
    this.table.clear();
    this.work();
  }

  async work() {
    this.state = "running";
    this.begun = performance.now();
    this.earlier = this.of("done", "failed").length;
    this.form.setBusy(true);
    this.ticking = setInterval(() => this.tick(), 500);
    this.show();
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.line()));
    clearInterval(this.ticking);
    this.spent += performance.now() - this.begun;
    if (this.state === "running") this.state = "over";
    this.form.setBusy(false);
    this.show();
    document.dispatchEvent(new CustomEvent("emo-runs"));
  }

  // One file after another, as long as there are some and nothing stops it.
  async line() {
    for (let item = this.next(); item; item = this.next()) {
      item.state = "running";
      try {
        await this.one(item);
      } catch (problem) {
        this.failed(item, /** @type {Problem} */ (problem));
      }
      this.keep();
      this.show();
    }
  }

  next() {
    return this.state === "running" ? this.items.find(({ state }) => state === "waiting") : undefined;
  }

  /** @param {Item} item */
  async one(item) {
    if (!item.run) {
      if (item.file && item.file.size > Number(this.dataset.maxBytes)) throw this.tooLarge(item.file);
      item.run = await this.ask(item, BUSY_TIMES);
    }
    try {
      item.state = (await this.table.add(item.run, item.number)) ? "done" : "failed";
    } catch {
      throw /** @type {Problem} */ ({ code: "no_server" });
    }
  }

  /**
   * @param {Item} item
   * @param {number} times that a busy server is asked again
   * @returns {Promise<string>} the run
   */
  async ask(item, times) {
    const asked = recognize(/** @type {File} */ (item.file), item.name, this.options);
    this.running.add(asked);
    try {
      return (await asked.result).run;
    } catch (problem) {
      const { status } = /** @type {Problem} */ (problem);
      if (!BUSY.includes(status ?? 0) || !times || this.state !== "running") throw problem;
    } finally {
      this.running.delete(asked);
    }
    await wait(BUSY_MS);
    if (this.state !== "running") throw /** @type {Problem} */ ({ code: "cancelled" });
    return this.ask(item, times - 1);
  }

  /**
   * @param {Item} item
   * @param {Problem} problem
   */
  failed(item, problem) {
    const isOurs = !problem.detail_zh;
    if (isOurs) item.state = "waiting";
    if (problem.code === "cancelled") return;
    if (isOurs && LOST.includes(problem.code)) {
      this.state = this.state === "running" ? "lost" : this.state;
      return;
    }
    item.state = "failed";
    item.problem = { code: problem.code, detail_zh: problem.detail_zh, detail_en: problem.detail_en };
    this.table.addFailed(item.name, item.number, problem);
  }

  /** @param {File} file */
  tooLarge(file) {
    const template = /** @type {HTMLTemplateElement} */ (part(this, "template[data-sentences]"));
    const said = /** @type {Element} */ (part(template.content, "[data-code=audio_too_large]").cloneNode(true));
    fill(said, { size: size(file.size) });
    const [zh, en] = ["zh", "en"].map((language) => part(said, `[lang=${language}]`).textContent ?? "");
    return /** @type {Problem} */ ({ code: "audio_too_large", detail_zh: zh, detail_en: en });
  }

  cancel() {
    this.state = "cancelled";
    for (const asked of this.running) asked.cancel();
    this.show();
  }

  // -- what is shown

  /** @param {...string} states */
  of(...states) {
    return this.items.filter(({ state }) => states.includes(state));
  }

  show() {
    const [done, failed] = [this.of("done").length, this.of("failed").length];
    const total = this.items.length;
    const left = total - done - failed;
    part(this, "[data-part=empty]").hidden = total > 0;
    part(this, "[data-part=work]").hidden = total === 0;
    part(this, ".emo-batch-head").dataset.state = this.state;
    const say = { running: "progress", lost: "progress", over: "summary", cancelled: "cancelled" }[this.state];
    for (const said of /** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll("[data-say]"))) {
      said.hidden = said.dataset.say !== say;
      fill(said, { done: say === "progress" ? done + failed : done, failed, left, total });
    }
    const lost = part(this, "[data-part=lost]");
    fill(lost, { left });
    lost.hidden = this.state !== "lost";
    const bar = /** @type {HTMLProgressElement} */ (part(this, "progress"));
    bar.max = total || 1;
    bar.value = done + failed;
    bar.hidden = this.state === "over";
    part(this, "[data-do=cancel]").hidden = this.state !== "running";
    part(this, ".emo-batch-line [data-do=resume]").hidden = this.state !== "cancelled" || !this.canGoOn;
    const template = /** @type {HTMLTemplateElement} */ (part(this, "template[data-zip]"));
    offerArchives(part(this, ".emo-batch-zip"), template, this.state === "running" ? [] : this.table.runs);
    this.tick();
  }

  get canGoOn() {
    return this.items.some(({ state, file }) => state === "waiting" && file);
  }

  tick() {
    const isOn = this.state === "running";
    const now = isOn ? performance.now() - this.begun : 0;
    const finished = this.of("done", "failed").length - this.earlier;
    const left = this.of("waiting", "running").length;
    const rest = finished ? (now / finished) * left : 0;
    fill(part(this, "[data-part=times]"), { time: clock((this.spent + now) / 1000) });
    const remaining = part(this, "[data-part=remaining]");
    remaining.hidden = !isOn || rest < 1000;
    fill(remaining, { time: clock(rest / 1000) });
  }

  // -- runs that are changed elsewhere, and a reload

  /** @param {{run: string, deleted: unknown}} detail */
  async changed({ run, deleted }) {
    const item = this.items.find((one) => one.run === run);
    if (!item) return;
    if (deleted) {
      this.items = this.items.filter((one) => one !== item);
      this.table.remove(run);
    } else {
      await this.table.add(run, item.number).catch(() => {});
    }
    this.keep();
    this.show();
  }

  keep() {
    const finished = this.of("done", "failed").map(({ number, name, state, run, problem }) => ({
      ...{ number, name, state, run, problem },
    }));
    try {
      sessionStorage.setItem(KEPT, JSON.stringify(finished));
    } catch {
      // storage may be forbidden; then a reload forgets
    }
  }

  async restore() {
    /** @type {Item[]} */
    let kept = [];
    try {
      kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");
    } catch {
      return;
    }
    if (!kept.length) return;
    this.items = kept.map((item) => ({ ...item, file: null }));
    const items = [...this.items];
    await Promise.all(
      items.map(async (item) => {
        if (item.problem) this.table.addFailed(item.name, item.number, item.problem);
        const isThere = !item.run || (await this.table.add(item.run, item.number).catch(() => false));
        if (!isThere) this.items = this.items.filter((one) => one !== item);
      }),
    );
    if (this.state === "over") this.show();
  }
}

customElements.define("emo-batch", EmoBatch);
