// @ts-check
// <emo-map>: all runs on a plane, near where they are alike. Hover tells, click plays, a lasso picks.

import { address } from "./address.js";
import { offerArchives } from "./archives.js";
import { fill, part } from "./gaps.js";
import { WHOLE, lassoed, nearest, onScreen, zoomed } from "./mapview.js";
import { play } from "./sounds.js";

/** @typedef {import("./mapview.js").Places & {run: string[], name: string[], emotion: string[], score: number[]}} Runs */

const root = document.documentElement;
const REACH = 10; // pixels from a point at which it is meant
const LASSO_FROM = 6; // pixels that a click may move
const ROWS_MAX = 200;
const MANY = 4_000; // points from which on they are squares, which are drawn faster
/** @type {Runs} */
const NONE = { run: [], name: [], emotion: [], score: [], x: [], y: [] };

class EmoMap extends HTMLElement {
  runs = NONE;
  /** @type {import("./mapview.js").Window} */
  view = { ...WHOLE };
  hidden_ = /** @type {Set<string>} */ (new Set());
  picked = /** @type {number[]} */ ([]);
  lasso = /** @type {[number, number][]} */ ([]);
  hovered = -1;
  stale = true;
  asked = 0;
  frame = 0;

  connectedCallback() {
    this.stage = part(this, ".emo-map-stage");
    this.canvas = /** @type {HTMLCanvasElement} */ (part(this, "canvas"));
    this.tip = part(this, ".emo-map-tip");
    this.list = part(this, ".emo-map-picked");
    this.keys = /** @type {HTMLElement[]} */ ([...this.querySelectorAll(".emo-map-key")]);
    this.addEventListener("click", (event) => this.clicked(event));
    this.listen(this.canvas);
    new ResizeObserver(() => this.draw()).observe(this.stage);
    const again = () => (this.stale = true);
    for (const name of ["emo-runs", "emo-run-changed"]) document.addEventListener(name, again);
    document.addEventListener("emo-language", () => this.speak());
    document.addEventListener("emo-route", () => this.look());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    this.speak();
    this.look();
  }

  speak() {
    const { canvas } = this;
    canvas?.setAttribute("aria-label", canvas.dataset[root.dataset.lang === "zh" ? "zh" : "en"] ?? "");
  }

  look() {
    if (root.dataset.view === "map" && this.stale) this.load();
  }

  async load() {
    this.stale = false;
    const mine = (this.asked += 1);
    let note = "failed";
    try {
      const reply = await fetch(address("v1/map"));
      if (reply.status === 404) note = "off";
      if (reply.ok) {
        const runs = (await reply.json()).runs;
        if (mine !== this.asked) return;
        this.runs = runs;
        note = runs.run.length ? "" : "none";
      }
    } catch {
      this.stale = true;
    }
    for (const one of /** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll("[data-note]"))) {
      one.hidden = one.dataset.note !== note;
    }
    if (this.stage) this.stage.hidden = note !== "";
    this.pick([]);
    this.count();
    this.draw();
  }

  count() {
    for (const key of this.keys ?? []) {
      const count = this.runs.emotion.filter((one) => one === key.dataset.emotion).length;
      key.hidden = !count;
      part(key, "small").textContent = String(count);
    }
  }

  /** @param {number} at */
  isShown = (at) => !this.hidden_.has(this.runs.emotion[at]);

  size() {
    return { width: this.canvas?.clientWidth ?? 0, height: this.canvas?.clientHeight ?? 0 };
  }

  // -- the picture

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.paint());
  }

  paint() {
    const [canvas, size] = [/** @type {HTMLCanvasElement} */ (this.canvas), this.size()];
    const pen = canvas?.getContext("2d");
    if (!pen || !size.width) return;
    const ratio = devicePixelRatio;
    canvas.width = size.width * ratio;
    canvas.height = size.height * ratio;
    pen.scale(ratio, ratio);
    const style = getComputedStyle(this);
    for (const key of this.keys ?? []) {
      const { emotion = "", colour = "" } = key.dataset;
      if (this.hidden_.has(emotion)) continue;
      pen.fillStyle = style.getPropertyValue(`--emo-${emotion}`).trim() || colour;
      this.dots(pen, emotion, size);
    }
    pen.strokeStyle = style.getPropertyValue("--emo-ink");
    pen.lineWidth = 2;
    this.rings(pen, size);
    this.loop(pen);
  }

  /**
   * Marks what is picked and what the pointer is at.
   * @param {CanvasRenderingContext2D} pen
   * @param {{width: number, height: number}} size
   */
  rings(pen, size) {
    const radius = this.picked.length > ROWS_MAX ? 2 : 7;
    for (const at of this.hovered < 0 ? this.picked : [...this.picked, this.hovered]) {
      const [x, y] = onScreen(this.runs.x[at], this.runs.y[at], this.view, size);
      pen.beginPath();
      pen.arc(x, y, at === this.hovered ? 7 : radius, 0, 7);
      pen.stroke();
    }
  }

  /** @param {CanvasRenderingContext2D} pen */
  loop(pen) {
    if (this.lasso.length < 2) return;
    pen.beginPath();
    for (const [x, y] of this.lasso) pen.lineTo(x, y);
    pen.closePath();
    pen.globalAlpha = 0.12;
    pen.fillStyle = pen.strokeStyle;
    pen.fill();
    pen.globalAlpha = 1;
    pen.setLineDash([5, 4]);
    pen.stroke();
  }

  /**
   * All points of one emotion in one go.
   * @param {CanvasRenderingContext2D} pen
   * @param {string} emotion
   * @param {{width: number, height: number}} size
   */
  dots(pen, emotion, size) {
    const { runs, view } = this;
    const many = runs.x.length > MANY;
    const radius = many ? 2 : 4.5;
    pen.globalAlpha = many ? 0.6 : 0.8;
    pen.beginPath();
    for (let at = 0; at < runs.x.length; at += 1) {
      if (runs.emotion[at] !== emotion) continue;
      const [x, y] = onScreen(runs.x[at], runs.y[at], view, size);
      if (x < -9 || y < -9 || x > size.width + 9 || y > size.height + 9) continue;
      if (many) {
        pen.rect(x - radius, y - radius, 2 * radius, 2 * radius);
      } else {
        pen.moveTo(x + radius, y);
        pen.arc(x, y, radius, 0, 7);
      }
    }
    pen.fill();
    pen.globalAlpha = 1;
  }

  // -- pointer

  /** @param {HTMLCanvasElement} canvas */
  listen(canvas) {
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      canvas.setPointerCapture(event.pointerId);
      this.lasso = [pixel(event)];
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.lasso.length) this.lasso.push(pixel(event));
      else this.hover(nearest(this.runs, this.isShown, this.view, this.size(), pixel(event), REACH));
      if (this.lasso.length) this.draw();
    });
    canvas.addEventListener("pointerup", (event) => this.released(pixel(event)));
    canvas.addEventListener("pointercancel", () => this.drop());
    canvas.addEventListener("pointerleave", () => this.hover(-1));
    canvas.addEventListener("dblclick", () => this.see({ ...WHOLE }));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.see(zoomed(this.view, this.size(), Math.exp(-event.deltaY / 400), pixel(event)));
    }, { passive: false });
  }

  /** @param {[number, number]} at */
  released([x, y]) {
    const { lasso } = this;
    this.drop();
    if (!lasso.length) return;
    if (lasso.every(([px, py]) => Math.hypot(px - lasso[0][0], py - lasso[0][1]) < LASSO_FROM)) {
      const found = nearest(this.runs, this.isShown, this.view, this.size(), [x, y], 2 * REACH);
      this.pick(found < 0 ? [] : [found]);
      if (found >= 0) play(soundOf(this.runs.run[found]), this.list?.querySelector("[data-sound]"));
      return;
    }
    this.pick(lassoed(this.runs, this.isShown, this.view, this.size(), lasso));
  }

  drop() {
    this.lasso = [];
    this.draw();
  }

  /** @param {import("./mapview.js").Window} view */
  see(view) {
    this.view = view;
    this.hover(-1);
    this.draw();
  }

  /** @param {number} at */
  hover(at) {
    if (at === this.hovered || !this.tip) return;
    this.hovered = at;
    this.tip.hidden = at < 0;
    if (at >= 0) {
      const size = this.size();
      const [x, y] = onScreen(this.runs.x[at], this.runs.y[at], this.view, size);
      this.tip.textContent = `${this.runs.name[at]} · ${this.told(at)}`;
      this.tip.style.left = `${Math.min(Math.max(x, 90), size.width - 90)}px`;
      this.tip.style.top = `${y}px`;
      this.tip.toggleAttribute("data-below", y < 60);
    }
    this.draw();
  }

  /** @param {number} at */
  told(at) {
    const key = this.keys?.find((one) => one.dataset.emotion === this.runs.emotion[at]);
    const name = key?.dataset[root.dataset.lang === "zh" ? "zh" : "en"] ?? "";
    return `${name} ${Math.round(100 * this.runs.score[at])}%`;
  }

  // -- what was picked

  /** @param {number[]} picked */
  pick(picked) {
    this.picked = picked;
    const { list } = this;
    if (!list) return;
    list.hidden = !picked.length;
    fill(list, { count: picked.length });
    const template = /** @type {HTMLTemplateElement} */ (part(list, "template[data-row]"));
    part(list, "ol").replaceChildren(...picked.slice(0, ROWS_MAX).map((at) => this.row(template, at)));
    const rest = part(list, ".emo-map-rest");
    rest.hidden = picked.length <= ROWS_MAX;
    fill(rest, { rest: picked.length - ROWS_MAX });
    const zip = /** @type {HTMLTemplateElement} */ (part(list, "template[data-zip]"));
    offerArchives(part(list, ".emo-picked-zip"), zip, picked.slice(0, 1_000).map((at) => this.runs.run[at]));
    this.draw();
  }

  /**
   * @param {HTMLTemplateElement} template
   * @param {number} at
   */
  row(template, at) {
    const row = /** @type {HTMLElement} */ (
      /** @type {Element} */ (template.content.firstElementChild).cloneNode(true)
    );
    const run = this.runs.run[at];
    row.dataset.run = run;
    part(row, "[data-sound]").dataset.sound = soundOf(run);
    const link = part(row, "a");
    link.setAttribute("href", `r/${encodeURIComponent(run)}`);
    link.textContent = this.runs.name[at];
    part(row, ".emo-told").textContent = this.told(at);
    part(row, ".emo-told").style.setProperty("--c", `var(--emo-${this.runs.emotion[at]})`);
    return row;
  }

  /** @param {Event} event */
  clicked(event) {
    const target = /** @type {Element} */ (event.target);
    const key = /** @type {HTMLElement | null} */ (target.closest(".emo-map-key"));
    if (key) this.toggle(key);
    const button = /** @type {HTMLElement | null} */ (target.closest("[data-do]"));
    const { width, height } = this.size();
    const what = button?.dataset.do;
    if (what === "unpick") this.pick([]);
    if (what === "fit") this.see({ ...WHOLE });
    if (what === "closer" || what === "wider") {
      const factor = what === "closer" ? 1.6 : 1 / 1.6;
      this.see(zoomed(this.view, { width, height }, factor, [width / 2, height / 2]));
    }
  }

  /** @param {HTMLElement} key */
  toggle(key) {
    const emotion = key.dataset.emotion ?? "";
    const isOn = this.hidden_.delete(emotion);
    if (!isOn) this.hidden_.add(emotion);
    key.setAttribute("aria-pressed", String(isOn));
    this.draw();
  }
}

/**
 * @param {MouseEvent} event
 * @returns {[number, number]}
 */
const pixel = (event) => [event.offsetX, event.offsetY];

/** @param {string} run */
const soundOf = (run) => `v1/recognitions/${encodeURIComponent(run)}/files/processed_audio.wav`;

customElements.define("emo-map", EmoMap);
