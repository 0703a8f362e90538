// @ts-check
// The stage of a figure: its canvas, the percent scale, and what lies over the canvas; the tip beside
// the pointer; the overview below.

import { ranked, smoothing } from "./curve.js";
import { LAYOUT, paint, paintOverview, penOf } from "./draw.js";
import { SHARES, clock } from "./marks.js";

/** @typedef {import("./timeline.js").Figure} Figure */

const PHONE = 560; // points; on less the figure is lower
const ON_BORDER = 6; // points

/**
 * @param {string} kind its class
 * @param {...(Node | string)} parts
 */
function box(kind, ...parts) {
  const made = document.createElement("div");
  made.className = kind;
  made.append(...parts);
  return made;
}

export class Stage {
  /** @param {Figure} figure */
  constructor(figure) {
    this.figure = figure;
    this.canvas = document.createElement("canvas");
    this.shade = box("emo-selected");
    this.cursor = box("emo-cursor");
    this.marks = (figure.data.moments ?? []).map(([start], number) => this.mark(start, number));
    this.tip = new Tip(figure);
    this.element = box("emo-stage", this.canvas, this.shade, this.tip.line, this.cursor, this.tip.box);
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "slider");
    this.element.setAttribute("aria-valuemin", "0");
    this.element.setAttribute("aria-valuemax", figure.duration.toFixed(2));
    this.scale = box("emo-scale", ...SHARES.map((share) => box("", `${share}%`)));
    this.scale.setAttribute("aria-hidden", "true");
    this.overview = new Overview(figure);
    // Buttons lie over the slider, not in it.
    const over = box("emo-marks", ...this.marks);
    this.plot = box("emo-plot-inner", this.scale, this.element, over, this.overview.box);
    this.measure();
  }

  /**
   * A button over the mark of a moment, which the canvas shows.
   * @param {number} start seconds
   * @param {number} number
   */
  mark(start, number) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "emo-moment";
    button.dataset.seek = String(start);
    button.title = `${number + 1} · ${clock(start, 0.1)}`;
    button.setAttribute("aria-label", button.title);
    return button;
  }

  // Takes the heights of the layout that fits the width.
  measure() {
    const { figure, scale } = this;
    const wide = this.element.clientWidth;
    const { curve } = figure;
    figure.layout = !curve.hasScores ? LAYOUT.plain : wide && wide < PHONE ? LAYOUT.phone : LAYOUT.full;
    const { layout } = figure;
    this.element.style.height = `${layout.height}px`;
    for (const part of [this.shade, this.tip.line, this.cursor]) part.style.height = `${layout.axis - 8}px`;
    scale.hidden = !layout.river;
    const [top, bottom] = layout.river ?? [0, 0];
    [...scale.children].forEach((mark, at) => {
      /** @type {HTMLElement} */ (mark).style.top = `${bottom - (SHARES[at] / 100) * (bottom - top)}px`;
    });
  }

  /** @param {number} y points */
  isOnStrip(y) {
    const { strip } = this.figure.layout;
    return strip !== null && y >= strip[0] - 4 && y <= strip[1] + 4;
  }

  /**
   * The number of the segment whose end lies under the pointer, on the strip and while editing.
   * @param {number} x points
   * @param {number} y
   */
  borderAt(x, y) {
    const { editor, segments, from, to } = this.figure;
    if (!editor?.isOpen || !this.isOnStrip(y)) return null;
    const time = this.figure.timeAt(x);
    const near = (ON_BORDER / this.element.clientWidth) * (to - from);
    const found = segments.findIndex((one) => Math.abs(one[1] - time) <= near);
    return found < 0 || found === segments.length - 1 ? null : found;
  }

  // Puts cursor, selection and marks where their moments are.
  place() {
    const { figure, cursor, shade } = this;
    const { from, to, selection, duration } = figure;
    const percent = (/** @type {number} */ time) => `${((time - from) / (to - from)) * 100}%`;
    const now = figure.audio.currentTime || 0;
    cursor.hidden = now < from - 1e-6 || now > to + 1e-6;
    cursor.style.left = percent(Math.min(now, duration));
    shade.hidden = !selection || selection[1] < from || selection[0] > to;
    if (selection) {
      shade.style.left = percent(Math.max(from, selection[0]));
      shade.style.right = `calc(100% - ${percent(Math.min(to, selection[1]))})`;
    }
    this.marks.forEach((mark, number) => {
      const [start, end] = (figure.data.moments ?? [])[number];
      mark.hidden = end < from || start > to;
      mark.style.left = percent((start + end) / 2);
      mark.style.top = `${(figure.layout.river?.[0] ?? 0) + 15}px`;
    });
    this.overview.place();
  }

  /**
   * Says what is heard now, in the head of the figure and among its tools.
   * @param {import("./player.js").Player} player
   * @param {string} words the emotion
   */
  tell({ now, isPlaying, loop, audio }, words) {
    const { host, duration } = this.figure;
    const part = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (host.querySelector(selector));
    host.toggleAttribute("data-playing", isPlaying);
    part(".emo-now").textContent = `${clock(now, 0.1)} / ${clock(duration, 0.1)}`;
    part(".emo-playing").textContent = words && this.figure.word("now").replace("{}", words);
    part("[data-do=loop-selection]").setAttribute("aria-pressed", String(loop !== null));
    /** @type {HTMLSelectElement} */ (part("select[data-speed]")).value = String(audio.playbackRate);
    this.element.setAttribute("aria-label", this.figure.word("label"));
    this.element.setAttribute("aria-valuenow", now.toFixed(2));
    this.element.setAttribute("aria-valuetext", `${clock(now, 0.1)} ${words}`);
  }

  tellSelection() {
    const { host, selection } = this.figure;
    const bar = /** @type {HTMLElement} */ (host.querySelector(".emo-selection"));
    bar.hidden = !selection;
    const [from, to] = selection ?? [0, 0];
    const told = [from, to, to - from].map((time) => clock(time, 0.01));
    /** @type {Element} */ (bar.querySelector("output")).textContent = `${told[0]} – ${told[1]} (${told[2]})`;
  }

  // Paints, and returns the levels of the curve that were taken; null where nothing can be seen.
  paint() {
    const { figure, canvas } = this;
    const width = this.element.clientWidth;
    if (!width) return null;
    const ratio = window.devicePixelRatio || 1;
    const [wide, tall] = [Math.round(width * ratio), Math.round(figure.layout.height * ratio)];
    if (canvas.width !== wide || canvas.height !== tall) {
      canvas.width = wide;
      canvas.height = tall;
    }
    const pen = penOf(canvas);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const levels = paint(pen, figure.scene(width));
    this.overview.paint();
    return levels;
  }
}

const FEW = 4; // a phone has no room for nine lines beside the place they are about

/** What is told beside the pointer: the moment, the segment or the nine scores. */
class Tip {
  /** @param {Figure} figure */
  constructor(figure) {
    this.figure = figure;
    this.box = document.createElement("div");
    this.box.className = "emo-tip";
    this.line = document.createElement("div");
    this.line.className = "emo-pointer";
    this.hide();
  }

  hide() {
    this.box.hidden = true;
    this.line.hidden = true;
  }

  /**
   * @param {number} x points on the stage
   * @param {number} y
   */
  show(x, y) {
    const { figure } = this;
    const time = figure.timeAt(x);
    if (time < 0 || time > figure.duration) return this.hide();
    this.line.hidden = false;
    this.line.style.left = `${x}px`;
    this.box.replaceChildren(...(figure.stage.isOnStrip(y) ? this.segment(time) : this.scores(time)));
    this.box.hidden = false;
    const wide = this.box.offsetWidth;
    const left = x + 14 + wide > figure.width ? x - 14 - wide : x + 14;
    this.box.style.left = `${Math.min(Math.max(left, 0), Math.max(0, figure.width - wide))}px`;
  }

  /** @param {number} time seconds */
  segment(time) {
    const { figure } = this;
    const [start, end, index] = figure.displayed().find((one) => time < one[1]) ?? figure.segments[0];
    const name = make("strong", figure.name(index));
    const span = make("span", `${clock(start, figure.exact)} – ${clock(end, figure.exact)}`);
    return [name, make("div", "", span), make("small", figure.word("smoothed"))];
  }

  /** @param {number} time seconds */
  scores(time) {
    const { figure } = this;
    const head = make("strong", clock(time, figure.exact));
    const now = figure.at(time);
    if (!now) return [head];
    const { row, quiet, doubt } = now;
    const state = quiet ? "quiet" : doubt ? "doubt" : null;
    const said = state ? [make("em", figure.word(state))] : [];
    const shown = ranked(row).slice(0, figure.width < 480 ? FEW : 9);
    return [head, ...said, ...shown.map((index) => this.score(index, row[index] / 10))];
  }

  /**
   * @param {number} index of the emotion
   * @param {number} percent
   */
  score(index, percent) {
    const { figure } = this;
    const line = make("div", "", make("span", figure.name(index)), make("span", `${percent.toFixed(1)}%`));
    line.style.setProperty("--c", figure.look.emotions[index]);
    line.style.setProperty("--w", `${percent}%`);
    return line;
  }
}

/**
 * @param {string} tag
 * @param {string} words
 * @param {...Node} parts
 */
function make(tag, words, ...parts) {
  const element = document.createElement(tag);
  element.textContent = words;
  element.append(...parts);
  return element;
}

const ALWAYS_S = 60; // longer recordings always show it
const HEIGHT = 36;
const LEAST = 12; // points of the frame

/** The whole recording in a narrow river, with a frame around what is in view. */
class Overview {
  /** @param {Figure} figure */
  constructor(figure) {
    this.figure = figure;
    this.always = figure.duration > ALWAYS_S && figure.curve.hasScores;
    this.box = document.createElement("div");
    this.box.className = this.always ? "emo-map emo-map-river" : "emo-map";
    this.box.hidden = !this.always;
    this.canvas = document.createElement("canvas");
    this.frame = document.createElement("div");
    this.frame.className = "emo-map-thumb";
    this.box.append(...(this.always ? [this.canvas] : []), this.frame);
    this.painted = "";
    /** @type {number | null} where in the frame the pointer holds it, seconds */
    this.held = null;
    this.box.addEventListener("pointerdown", (event) => this.take(event));
    this.box.addEventListener("pointermove", (event) => event.buttons && this.drag(event));
  }

  place() {
    const { from, to, duration } = this.figure;
    this.box.hidden = !this.always && to - from >= duration - 1e-6;
    this.frame.style.left = `${(from / duration) * 100}%`;
    this.frame.style.width = `max(${LEAST}px, ${((to - from) / duration) * 100}%)`;
    this.frame.hidden = to - from >= duration - 1e-6;
  }

  // Painted once for each width, look and emotion that stands alone.
  paint() {
    const width = this.box.clientWidth;
    if (!this.always || !width) return;
    const { figure } = this;
    const ratio = window.devicePixelRatio || 1;
    const key = [width, ratio, figure.alone, ...Object.values(figure.look)].join();
    if (key === this.painted) return;
    this.painted = key;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(HEIGHT * ratio);
    const pen = penOf(this.canvas);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const whole = { from: 0, to: figure.duration, smoothing: smoothing(figure.duration) };
    paintOverview(pen, { ...figure.scene(width), ...whole }, [0, HEIGHT]);
  }

  /** @param {PointerEvent} event */
  time(event) {
    const { left, width } = this.box.getBoundingClientRect();
    return ((event.clientX - left) / width) * this.figure.duration;
  }

  /** @param {PointerEvent} event */
  take(event) {
    const { from, to } = this.figure;
    const time = this.time(event);
    this.held = time > from && time < to ? time - from : (to - from) / 2;
    this.box.setPointerCapture(event.pointerId);
    this.drag(event);
  }

  /** @param {PointerEvent} event */
  drag(event) {
    const { from, to } = this.figure;
    const start = this.time(event) - (this.held ?? 0);
    this.figure.show(start, start + to - from);
    event.preventDefault();
  }
}

// Menus close on a click elsewhere and on Escape.
document.addEventListener("click", ({ target }) => {
  for (const menu of document.querySelectorAll("details.emo-menu[open]")) {
    if (!menu.contains(/** @type {Node} */ (target))) menu.removeAttribute("open");
  }
});
document.addEventListener("keydown", ({ key }) => {
  const menu = key === "Escape" ? document.querySelector("details.emo-menu[open]") : null;
  menu?.removeAttribute("open");
  menu?.querySelector("summary")?.focus();
});
