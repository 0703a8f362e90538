// @ts-check
// Corrections by hand, in a panel below the segment they are about. They are saved by themselves;
// the model's own answer stays in result.json.

import { address } from "./address.js";
import { changed } from "./changed.js";
import { Edits, Saver, bordered, changedSegments, cut, joined, relabelled, same, split } from "./edits.js";

/** @typedef {import("./curve.js").Segment} Segment */
/** @typedef {import("./timeline.js").Figure} Figure */

const SILENCE = 9; // its place after the nine

export class Editor {
  /** @param {Figure} figure */
  constructor(figure) {
    this.figure = figure;
    this.own = figure.data.own ?? figure.data.segments;
    this.edits = new Edits(figure.segments);
    this.saver = new Saver(
      (/** @type {Segment[]} */ segments) => this.send(segments),
      (state) => this.tell(state),
    );
    this.panel = /** @type {HTMLElement} */ (figure.host.querySelector(".emo-edit"));
    const edges = /** @type {NodeListOf<HTMLInputElement>} */ (this.panel.querySelectorAll("input[data-edge]"));
    this.start = edges[0];
    this.end = edges[1];
    this.dragging = -1;
    figure.stage.plot.append(this.panel);
    this.listen();
  }

  listen() {
    const { panel, figure, start, end } = this;
    panel.addEventListener("click", (event) => this.click(event));
    // Before the stage, whose keys mean something else while nothing is edited.
    figure.host.addEventListener("keydown", (event) => this.key(event), true);
    start.addEventListener("change", () => this.moveBorder(this.at - 1, Number(start.value)));
    end.addEventListener("change", () => this.moveBorder(this.at, Number(end.value)));
    figure.stage.element.addEventListener("pointerup", () => (this.dragging = -1));
    figure.host.addEventListener("emo-span", () => this.place());
    addEventListener("beforeunload", (event) => {
      if (this.isUnsaved) event.preventDefault();
    });
  }

  get isOpen() {
    return !this.panel.hidden;
  }

  get isUnsaved() {
    return this.saver.isPending;
  }

  get at() {
    return this.figure.chosen ?? 0;
  }

  /** @param {number} number of a segment */
  open(number) {
    const { figure } = this;
    figure.chosen = Math.min(Math.max(0, number), figure.segments.length - 1);
    this.panel.hidden = false;
    this.show();
    this.focus();
  }

  // Keys go to the panel, wherever a button that was pressed is gone or disabled.
  focus() {
    const chip = this.panel.querySelector("[data-label][aria-pressed=true]");
    if (chip instanceof HTMLElement) chip.focus({ preventScroll: true });
  }

  close() {
    this.panel.hidden = true;
    this.figure.chosen = null;
    this.figure.stage.element.focus({ preventScroll: true });
    this.figure.redraw();
  }

  show() {
    const { figure, panel, start, end, at } = this;
    const [from, to, emotion] = figure.segments[at];
    start.disabled = at === 0;
    end.disabled = at === figure.segments.length - 1;
    start.value = from.toFixed(2);
    end.value = to.toFixed(2);
    for (const chip of /** @type {NodeListOf<HTMLElement>} */ (panel.querySelectorAll("[data-label]"))) {
      chip.setAttribute("aria-pressed", String(Number(chip.dataset.label) === emotion));
    }
    this.able("undo", this.edits.past.length > 0);
    this.able("redo", this.edits.future.length > 0);
    this.able("join", at + 1 < figure.segments.length);
    this.able("restore", !same(figure.segments, this.own));
    figure.corrected = changedSegments(figure.segments, this.own);
    this.place();
    figure.redraw();
  }

  /**
   * @param {string} name of an act
   * @param {boolean} can
   */
  able(name, can) {
    /** @type {HTMLButtonElement} */ (this.panel.querySelector(`[data-act=${name}]`)).disabled = !can;
  }

  // Below its segment, within the figure.
  place() {
    const { figure, panel } = this;
    if (panel.hidden) return;
    const [start, end] = figure.segments[this.at];
    const strip = figure.layout.strip ?? [0, 0];
    const x = (((start + end) / 2 - figure.from) / (figure.to - figure.from)) * figure.width;
    const most = figure.stage.plot.clientWidth - panel.offsetWidth;
    const left = figure.stage.element.offsetLeft + x - panel.offsetWidth / 2;
    panel.style.left = `${Math.max(0, Math.min(most, left))}px`;
    panel.style.top = `${strip[1] + 6}px`;
  }

  // -- edits

  /**
   * @param {Segment[]} segments
   * @param {number} [at] the segment that is edited next
   * @param {boolean} [goesOn] whether it belongs to the edit before
   */
  put(segments, at = this.at, goesOn = false) {
    if (this.edits.put(segments, goesOn)) this.changed(at);
  }

  /** @param {number} at */
  changed(at) {
    const { figure, edits } = this;
    figure.segments = edits.now;
    figure.chosen = this.isOpen ? Math.min(at, edits.now.length - 1) : null;
    this.show();
    if (this.isOpen && !(document.activeElement instanceof HTMLInputElement)) this.focus();
    this.saver.save(edits.now);
  }

  /**
   * @param {number} which number of the segment before the border
   * @param {number} time seconds
   */
  moveBorder(which, time) {
    const goesOn = this.dragging === which;
    this.put(bordered(this.edits.now, which, time), this.at, goesOn);
    this.dragging = which;
  }

  /**
   * A segment from a selection, ready for its emotion.
   * @param {[from: number, to: number]} selection seconds
   */
  cut([from, to]) {
    const made = cut(this.edits.now, from, to);
    this.panel.hidden = false;
    this.figure.select(0, 0);
    this.put(made.segments, made.at);
    this.open(made.at);
  }

  /** @param {string} name */
  act(name) {
    const { edits, figure, at } = this;
    /** @type {Record<string, () => unknown>} */
    const acts = {
      split: () => {
        const { now } = figure.player;
        this.put(split(edits.now, now), figure.segmentAt(now) + 1);
      },
      join: () => this.put(joined(edits.now, at)),
      restore: () => this.put(this.own, 0),
      undo: () => edits.undo() && this.changed(at),
      redo: () => edits.redo() && this.changed(at),
      next: () => (at + 1 < figure.segments.length ? this.go(at + 1) : this.close()),
      close: () => this.close(),
      retry: () => this.saver.flush(),
    };
    acts[name]?.();
    this.dragging = -1;
  }

  /** @param {number} number of a segment */
  go(number) {
    const { figure } = this;
    const [start, end] = figure.segments[number];
    if (end > figure.to || start < figure.from) figure.seek(start);
    this.open(number);
  }

  /** @param {Event} event */
  click(event) {
    const button = /** @type {Element} */ (event.target).closest("button");
    if (!button) return;
    if (button.dataset.label) this.put(relabelled(this.edits.now, this.at, Number(button.dataset.label)));
    if (button.dataset.act) this.act(button.dataset.act);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const target = /** @type {Element} */ (event.target);
    if (target.closest("input, select, dialog, summary, .emo-menu-list") || event.altKey) return;
    const act = event.ctrlKey || event.metaKey ? this.history(event) : this.isOpen ? this.plain(event.key) : null;
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  /**
   * What a key means with Ctrl.
   * @param {KeyboardEvent} event
   */
  history(event) {
    const key = event.key.toLowerCase();
    if (key === "y" || (key === "z" && event.shiftKey)) return () => this.act("redo");
    return key === "z" ? () => this.act("undo") : null;
  }

  /**
   * What a key means while the panel is open.
   * @param {string} key
   */
  plain(key) {
    /** @type {Record<string, string>} */
    const acts = { Enter: "next", Escape: "close", s: "split", m: "join" };
    if (acts[key]) return () => this.act(acts[key]);
    const digit = key.length === 1 ? "1234567890".indexOf(key) : -1;
    if (digit < 0) return null;
    return () => this.put(relabelled(this.edits.now, this.at, Math.min(digit, SILENCE)));
  }

  // -- saving

  /** @param {Segment[]} segments */
  async send(segments) {
    const { run, emotions } = this.figure.data;
    const rows = segments.map(([from, to, index]) => ({ start_s: from, end_s: to, emotion: emotions[index].key }));
    // Nothing of a person's is left: the model's own segments are back.
    const body = JSON.stringify({ segments: same(segments, this.own) ? null : rows });
    const headers = { "content-type": "application/json" };
    try {
      const path = address(`v1/recognitions/${encodeURIComponent(run)}/corrections`);
      const reply = await fetch(path, { method: "PUT", headers, body, keepalive: body.length < 60_000 });
      return reply.ok;
    } catch {
      return false;
    }
  }

  /** @param {"saving" | "saved" | "failed"} state */
  tell(state) {
    for (const said of /** @type {NodeListOf<HTMLElement>} */ (this.panel.querySelectorAll("[data-said]"))) {
      said.hidden = said.dataset.said !== state;
    }
    this.figure.host.toggleAttribute("data-unsaved", state !== "saved");
    if (state === "saved") this.renew();
  }

  // What else tells of the run follows: everything of its article with a name, but the figure.
  async renew() {
    const { run } = this.figure.data;
    const article = this.figure.host.closest("[data-run]");
    changed(run, { by: this.figure.host });
    document.dispatchEvent(new CustomEvent("emo-runs"));
    if (!article) return;
    try {
      const reply = await fetch(address(`page/result/${encodeURIComponent(run)}`));
      if (!reply.ok || this.isUnsaved) return;
      const fresh = document.createElement("template");
      fresh.innerHTML = await reply.text(); // the server's own markup, with every name made safe
      this.exchange(/** @type {HTMLElement} */ (article), fresh.content);
    } catch {
      // the service is gone; the next look at the run tells
    }
  }

  /**
   * @param {HTMLElement} article as it stands
   * @param {DocumentFragment} fresh the same article, newly made
   */
  exchange(article, fresh) {
    const now = /** @type {HTMLElement | null} */ (fresh.querySelector("[data-share-zh]"));
    for (const key of ["shareZh", "shareEn"]) article.dataset[key] = now?.dataset[key] ?? "";
    for (const part of article.querySelectorAll("[data-part]")) {
      const name = part.getAttribute("data-part") ?? "";
      const next = fresh.querySelector(`[data-part="${CSS.escape(name)}"]`);
      if (next && !part.contains(this.figure.host)) part.replaceWith(next);
    }
  }
}
