// @ts-check
// What is told beside the pointer: the moment, the segment or the nine scores.

import { ranked } from "./curve.js";
import { clock } from "./marks.js";

/** @typedef {import("./timeline.js").Figure} Figure */

const FEW = 4; // a phone has no room for nine lines beside the place they are about

export class Tip {
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
