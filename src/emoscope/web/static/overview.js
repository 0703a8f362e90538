// @ts-check
// The whole recording in a narrow river below the figure, with a frame around what is in view.

import { paintOverview, penOf } from "./draw.js";
import { smoothing } from "./curve.js";

/** @typedef {import("./timeline.js").Figure} Figure */

const ALWAYS_S = 60; // longer recordings always show it
const HEIGHT = 36;
const LEAST = 12; // points of the frame

export class Overview {
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
    const box = this.box.getBoundingClientRect();
    return ((event.clientX - box.left) / box.width) * this.figure.duration;
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
