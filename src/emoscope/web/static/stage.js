// @ts-check
// The stage of a figure: its canvas, the percent scale, and what lies over the canvas.

import { LAYOUT, paint, penOf } from "./draw.js";
import { SHARES, clock } from "./marks.js";
import { Overview } from "./overview.js";
import { Tip } from "./tip.js";

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
    this.element = box(
      "emo-stage",
      ...[this.canvas, this.shade, this.tip.line, this.cursor, ...this.marks, this.tip.box],
    );
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "slider");
    this.element.setAttribute("aria-valuemin", "0");
    this.element.setAttribute("aria-valuemax", figure.duration.toFixed(2));
    this.scale = box("emo-scale", ...SHARES.map((share) => box("", `${share}%`)));
    this.scale.setAttribute("aria-hidden", "true");
    this.overview = new Overview(figure);
    this.plot = box("emo-plot-inner", this.scale, this.element, this.overview.box);
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
