// @ts-check
// Paints the picture on a canvas: river, waveform, segments, axis. Knows nothing of pointers.

import { ranked } from "./curve.js";

/** @typedef {import("./curve.js").Emotion} Emotion */
/** @typedef {import("./curve.js").Segment} Segment */

/**
 * What a curve answers, of a recording (`curve.js`) or of one that grows (`livecurve.js`).
 * @typedef {object} AnyCurve
 * @property {{duration_s: number, emotions: Emotion[]}} data
 * @property {boolean} hasScores
 * @property {(secondsPerPoint: number) => number} level
 * @property {(level: number) => number} width
 * @property {(level: number) => number} count
 * @property {(level: number, column: number, row: number[]) => number[]} scores
 * @property {(level: number, column: number) => [number, number]} extremes
 * @property {(kind: "quiet" | "doubt", level: number, column: number) => number} share
 */

/** @typedef {[top: number, bottom: number]} Band */

/**
 * Where the bands are, in points.
 * @typedef {{river: Band | null, wave: Band, strip: Band | null, axis: number, height: number}} Layout
 */

/**
 * Colours and type.
 * @typedef {object} Look
 * @property {string} ink
 * @property {string} soft
 * @property {string} line
 * @property {string} paper
 * @property {string} tint
 * @property {string} font
 * @property {string[]} emotions
 */

/**
 * All that is painted. Times are seconds, emotions are places among the nine and silence.
 * @typedef {object} Scene
 * @property {AnyCurve} curve
 * @property {Look} look
 * @property {Layout} layout
 * @property {number} width points
 * @property {number} from
 * @property {number} to
 * @property {number | null} alone the only emotion to show
 * @property {number[]} order emotions from the bottom to the top
 * @property {Segment[]} segments
 * @property {number | null} chosen number of the segment that is edited
 * @property {number | null} lead emotion of a recording without scores over time
 * @property {(index: number) => string} name
 */

/**
 * Columns in view.
 * @typedef {{level: number, first: number, last: number, wide: number}} Columns
 */

/** @typedef {CanvasRenderingContext2D} Pen */
/** @typedef {(time: number) => number} Place from seconds to points */

/**
 * Top and bottom of each band in points, with scores and without.
 * @type {{full: Layout & {river: Band}, plain: Layout}}
 */
export const LAYOUT = {
  full: { river: [10, 168], wave: [178, 250], strip: [258, 290], axis: 298, height: 322 },
  plain: { river: null, wave: [10, 90], strip: null, axis: 98, height: 122 },
};

/**
 * A colour towards white by a share, for dark ground.
 * @param {string} hex such as `#2a9d8f`
 * @param {number} share 0 to 1
 */
export const lifted = (hex, share) => {
  const mix = (/** @type {number} */ at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16);
    return Math.round(part + (255 - part) * share);
  };
  return `rgb(${mix(1)} ${mix(3)} ${mix(5)})`;
};

/**
 * What the style sheet says at this place.
 * @param {Element} element
 * @param {Emotion[]} emotions
 * @returns {Look}
 */
export function lookOf(element, emotions) {
  const style = getComputedStyle(element);
  const colour = (/** @type {string} */ name) => style.getPropertyValue(`--emo-${name}`).trim();
  const lift = (Number.parseFloat(colour("lift")) || 0) / 100;
  return {
    ink: colour("ink"),
    soft: colour("soft"),
    line: colour("line"),
    paper: colour("paper"),
    tint: colour("tint"),
    font: style.fontFamily,
    emotions: emotions.map(({ colour: hex }) => lifted(hex, lift)),
  };
}

/**
 * Paints the picture, and returns the level of the curve that it took.
 * @param {Pen} pen
 * @param {Scene} scene
 */
export function paint(pen, scene) {
  const { look, layout, width } = scene;
  pen.clearRect(0, 0, width, layout.height);
  pen.font = `12px ${look.font}`;
  const span = scene.to - scene.from;
  const level = scene.curve.level(span / width);
  const x = (/** @type {number} */ time) => ((time - scene.from) / span) * width;
  const columns = seen(scene, Math.max(0, level));
  if (layout.river) {
    paintRiver(pen, scene, layout.river, columns, x);
    paintStates(pen, scene, layout.river, columns, x);
  }
  paintWave(pen, scene, level);
  if (layout.strip) paintStrip(pen, scene, layout.strip, x);
  paintAxis(pen, scene, x, span);
  return level;
}

/**
 * The order of the stack: the largest over the whole recording lies at the bottom.
 * @param {import("./curve.js").Curve} curve
 */
export function stackOrder(curve) {
  const totals = new Array(9).fill(0);
  const row = new Array(9).fill(0);
  for (let c = 0; c < curve.count(curve.data.top); c += 1) {
    curve.scores(curve.data.top, c, row).forEach((value, k) => (totals[k] += value));
  }
  return ranked(totals);
}

/**
 * @param {Scene} scene
 * @param {number} level
 * @returns {Columns}
 */
function seen({ curve, from, to }, level) {
  const wide = curve.width(level);
  const first = Math.max(0, Math.floor(from / wide) - 1);
  const last = Math.min(curve.count(level), Math.ceil(to / wide) + 1);
  return { level, first, last, wide };
}

/**
 * @param {Pen} pen
 * @param {Scene} scene
 * @param {Band} river
 * @param {Columns} columns
 * @param {Place} x
 */
function paintRiver(pen, scene, [top, bottom], { level, first, last, wide }, x) {
  const { curve, look, width, alone, order } = scene;
  const count = last - first;
  const middles = new Float32Array(count);
  const heights = Array.from({ length: 9 }, () => new Float32Array(count));
  const row = new Array(9).fill(0);
  for (let c = 0; c < count; c += 1) {
    middles[c] = x((first + c + 0.5) * wide);
    curve.scores(level, first + c, row);
    for (let k = 0; k < 9; k += 1) heights[k][c] = (row[k] / 1000) * (bottom - top);
  }
  pen.save();
  pen.beginPath();
  pen.rect(0, top, Math.min(width, x(curve.data.duration_s)), bottom - top);
  pen.clip();
  pen.fillStyle = look.tint;
  pen.fillRect(0, top, width, bottom - top);
  const floor = new Float32Array(count).fill(bottom);
  const ceiling = new Float32Array(count);
  const shown = alone === null ? order : [alone];
  for (const k of shown) {
    for (let c = 0; c < count; c += 1) ceiling[c] = floor[c] - heights[k][c];
    band(pen, middles, floor, ceiling, look.emotions[k], look.paper);
    floor.set(ceiling);
  }
  if (alone !== null) {
    pen.strokeStyle = look.line;
    pen.lineWidth = 1;
    for (const share of [0.25, 0.5, 0.75]) {
      const y = Math.round(bottom - share * (bottom - top)) + 0.5;
      pen.strokeRect(-1, y, width + 2, 0);
    }
  }
  pen.restore();
}

/**
 * One layer: smooth when columns are wide, straight from column to column when they are narrow.
 * @param {Pen} pen
 * @param {Float32Array} middles places of the columns
 * @param {Float32Array} floor
 * @param {Float32Array} ceiling
 * @param {string} colour
 * @param {string} seam its colour
 */
function band(pen, middles, floor, ceiling, colour, seam) {
  const last = middles.length - 1;
  const smooth = last > 0 && middles[1] - middles[0] > 2.5;
  /**
   * @param {Float32Array} values
   * @param {number} from
   * @param {number} to
   * @param {1 | -1} step
   */
  const along = (values, from, to, step) => {
    for (let c = from; c !== to + step; c += step) {
      const before = c - step;
      if (smooth && before >= 0 && before <= last) {
        const half = (middles[before] + middles[c]) / 2;
        pen.bezierCurveTo(half, values[before], half, values[c], middles[c], values[c]);
      } else {
        pen.lineTo(middles[c], values[c]);
      }
    }
  };
  pen.beginPath();
  pen.moveTo(-1, ceiling[0]);
  pen.lineTo(middles[0], ceiling[0]);
  along(ceiling, 0, last, 1);
  pen.lineTo(middles[last] + 1e4, ceiling[last]);
  pen.lineTo(middles[last] + 1e4, floor[last]);
  pen.lineTo(middles[last], floor[last]);
  along(floor, last, 0, -1);
  pen.lineTo(-1, floor[0]);
  pen.closePath();
  pen.fillStyle = colour;
  pen.fill();
  // A seam of paper between layers, so that neighbours are told apart without their colours.
  pen.strokeStyle = seam;
  pen.lineWidth = 0.75;
  if (smooth) pen.stroke();
}

/**
 * Silence takes the river away; doubt hatches it.
 * @param {Pen} pen
 * @param {Scene} scene
 * @param {Band} river
 * @param {Columns} columns
 * @param {Place} x
 */
function paintStates(pen, scene, [top, bottom], { level, first, last, wide }, x) {
  const { curve, look } = scene;
  const end = curve.data.duration_s;
  for (const kind of /** @type {const} */ (["doubt", "quiet"])) {
    pen.save();
    pen.beginPath();
    let start = null;
    for (let c = first; c <= last; c += 1) {
      const on = c < last && stateAt(curve, level, c) === kind;
      if (on && start === null) start = c;
      if (!on && start !== null) {
        const left = x(start * wide);
        pen.rect(left, top, x(Math.min(end, c * wide)) - left, bottom - top);
        start = null;
      }
    }
    if (kind === "quiet") {
      pen.fillStyle = look.tint;
    } else {
      pen.globalAlpha = 0.55;
      pen.fillStyle = hatch(pen, look.paper);
    }
    pen.fill();
    pen.restore();
  }
}

/**
 * @param {AnyCurve} curve
 * @param {number} level
 * @param {number} column
 */
function stateAt(curve, level, column) {
  if (curve.share("quiet", level, column) > 50) return "quiet";
  return curve.share("doubt", level, column) > 50 ? "doubt" : null;
}

/** @type {Map<string, HTMLCanvasElement>} */
const hatches = new Map();

/**
 * @param {Pen} pen
 * @param {string} colour
 */
export function hatch(pen, colour) {
  let tile = hatches.get(colour);
  if (!tile) {
    tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const ink = penOf(tile);
    ink.strokeStyle = colour;
    ink.lineWidth = 2;
    ink.beginPath();
    for (const shift of [-8, 0, 8]) {
      ink.moveTo(shift - 1, 9);
      ink.lineTo(shift + 9, -1);
    }
    ink.stroke();
    hatches.set(colour, tile);
  }
  return /** @type {CanvasPattern} */ (pen.createPattern(tile, "repeat"));
}

/**
 * What draws on a canvas; every browser that runs this page has it.
 * @param {HTMLCanvasElement} canvas
 */
export const penOf = (canvas) => /** @type {Pen} */ (canvas.getContext("2d"));

/**
 * @param {Pen} pen
 * @param {Scene} scene
 * @param {number} level
 */
function paintWave(pen, scene, level) {
  const { curve, look, layout, width, alone, lead } = scene;
  const [top, bottom] = layout.wave;
  const middle = (top + bottom) / 2;
  const reach = (bottom - top) / 2 / 127;
  const span = scene.to - scene.from;
  const pitch = 3; // points from bar to bar
  const count = curve.count(level);
  const wide = curve.width(level);
  const row = new Array(9).fill(0);
  const scoreLevel = Math.max(0, level);
  // Bars keep their place in the sound, so they do not flicker while it is dragged along.
  const step = (span / width) * pitch;
  for (let bar = Math.floor(scene.from / step); bar * step < scene.to; bar += 1) {
    const time = bar * step;
    if (time < 0 || time >= curve.data.duration_s) continue;
    const first = Math.min(count - 1, Math.floor(time / wide));
    const last = Math.min(count, Math.max(first + 1, Math.floor((time + step) / wide)));
    let low = 0;
    let high = 0;
    for (let c = first; c < last; c += 1) {
      const [least, most] = curve.extremes(level, c);
      low = Math.min(low, least);
      high = Math.max(high, most);
    }
    const column = Math.floor(time / curve.width(scoreLevel));
    const quiet = curve.share("quiet", scoreLevel, column) > 50;
    const leads = curve.hasScores ? best(curve.scores(scoreLevel, column, row)) : lead;
    const own = !quiet && leads !== null && (alone === null || alone === leads);
    pen.fillStyle = own ? look.emotions[leads] : look.line;
    const left = ((time - scene.from) / span) * width;
    const up = Math.max(1, high * reach);
    pen.fillRect(left, middle - up, pitch - 1, up + Math.max(1, -low * reach));
  }
}

/** @param {number[]} row */
function best(row) {
  let at = 0;
  for (let k = 1; k < 9; k += 1) if (row[k] > row[at]) at = k;
  return at;
}

/**
 * @param {Pen} pen
 * @param {Scene} scene
 * @param {Band} strip
 * @param {Place} x
 */
function paintStrip(pen, scene, [top, bottom], x) {
  const { look, width, segments, alone, chosen } = scene;
  pen.textBaseline = "middle";
  segments.forEach(([start, end, index], number) => {
    if (end < scene.from || start > scene.to) return;
    const left = Math.max(-20, x(start));
    const right = Math.min(width + 20, x(end));
    const wide = Math.max(1, right - left - 1.5);
    pen.globalAlpha = alone === null || alone === index ? 1 : 0.25;
    pen.fillStyle = look.tint;
    pen.fillRect(left, top, wide, bottom - top);
    pen.fillStyle = index < 9 ? look.emotions[index] : look.line;
    pen.fillRect(left, bottom - 5, wide, 5);
    if (number === chosen) {
      pen.strokeStyle = look.ink;
      pen.lineWidth = 2;
      pen.strokeRect(left + 1, top + 1, wide - 2, bottom - top - 2);
    }
    pen.fillStyle = look.ink;
    const words = scene.name(index);
    const inner = Math.max(left, 0);
    const room = Math.min(right, width) - inner - 12;
    const emoji = scene.curve.data.emotions[index].emoji;
    const told = pen.measureText(words).width < room ? words : emoji;
    if (pen.measureText(told).width < room + 8) pen.fillText(told, inner + 6, (top + bottom) / 2 - 2);
    pen.globalAlpha = 1;
  });
}

const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600];

/**
 * @param {Pen} pen
 * @param {Scene} scene
 * @param {Place} x
 * @param {number} span seconds in view
 */
function paintAxis(pen, scene, x, span) {
  const { look, layout, width } = scene;
  const step = STEPS.find((s) => (s / span) * width >= 64) ?? 7200;
  pen.textBaseline = "top";
  const end = Math.min(scene.to, scene.curve.data.duration_s);
  for (let n = Math.ceil(scene.from / step - 1e-9); n * step <= end + 1e-6; n += 1) {
    const left = x(n * step);
    pen.fillStyle = look.line;
    pen.fillRect(Math.min(left, width - 1), layout.axis - 6, 1, 5);
    pen.fillStyle = look.soft;
    const words = clock(n * step, step);
    const wide = pen.measureText(words).width;
    pen.fillText(words, Math.min(Math.max(left - wide / 2, 0), width - wide), layout.axis);
  }
}

/**
 * A moment in words that both languages share: 2.40 s, 0:42, 1:02:05.
 * @param {number} time seconds
 * @param {number} step seconds from mark to mark: how exact the words must be
 */
export function clock(time, step) {
  const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
  // Rounded first, or 59.96 would be told as sixty seconds.
  const rounded = digits ? Number(time.toFixed(digits)) : Math.floor(time + 1e-6);
  if (rounded < 60) return `${rounded.toFixed(digits)} s`;
  const minutes = Math.floor(rounded / 60);
  const seconds = (rounded % 60).toFixed(digits).replace(/^(\d)(\.|$)/, "0$1$2");
  if (minutes < 60) return `${minutes}:${seconds}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${seconds}`;
}
