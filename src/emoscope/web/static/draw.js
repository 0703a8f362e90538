// @ts-check
// Paints the picture on a canvas: the river, and around it what marks.js paints. Knows nothing of
// pointers.

import { columns, ranked } from "./curve.js";
import { PITCH, paintAxis, paintGrid, paintMoments, paintStrip, paintWave } from "./marks.js";

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
 * @property {(level: number, column: number) => number | null} [loud]
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
 * @property {Segment | null} chosen the segment that is edited
 * @property {Segment[]} [corrected] segments that a person changed
 * @property {[start: number, end: number][]} [moments] that spoke most for the answer
 * @property {number} [smoothing] seconds; none by default
 * @property {number | null} lead emotion of a recording without scores over time
 * @property {(index: number) => string} name
 */

/**
 * Columns in view, and what they hold.
 * @typedef {{level: number, first: number, last: number, wide: number} &
 *   import("./curve.js").Smoothed} Columns
 */

/** @typedef {CanvasRenderingContext2D} Pen */
/** @typedef {(time: number) => number} Place from seconds to points */

/**
 * Top and bottom of each band in points: with scores, the same on a phone, and without scores.
 * @type {{full: Layout & {river: Band}, phone: Layout & {river: Band}, plain: Layout}}
 */
export const LAYOUT = {
  full: { strip: [4, 36], river: [44, 312], wave: [320, 384], axis: 394, height: 418 },
  phone: { strip: [4, 40], river: [48, 252], wave: [260, 308], axis: 318, height: 342 },
  plain: { strip: [4, 36], river: null, wave: [44, 140], axis: 150, height: 174 },
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
  return {
    ink: colour("ink"),
    soft: colour("soft"),
    line: colour("line"),
    paper: colour("paper"),
    tint: colour("tint"),
    font: style.fontFamily,
    emotions: emotions.map(({ key, colour: hex }) => colour(key) || hex),
  };
}

/**
 * Paints the picture, and returns the levels of the curve that it took: of the sound, of the scores.
 * @param {Pen} pen
 * @param {Scene} scene
 */
export function paint(pen, scene) {
  const { look, layout, width } = scene;
  pen.clearRect(0, 0, width, layout.height);
  pen.font = `13px ${look.font}`;
  const span = scene.to - scene.from;
  const sound = scene.curve.level((span / width) * PITCH);
  const x = (/** @type {number} */ time) => ((time - scene.from) / span) * width;
  const found = seen(scene, scoreLevel(scene.curve, span / width, scene.smoothing ?? 0));
  if (layout.river) {
    paintRiver(pen, scene, layout.river, found, x);
    paintStates(pen, scene, layout.river, found, x);
    paintGrid(pen, look, layout.river, Math.min(width, x(scene.curve.data.duration_s)));
    paintMoments(pen, scene, layout.river, x);
  }
  paintWave(pen, scene, sound, found);
  if (layout.strip) paintStrip(pen, scene, layout.strip, x);
  pen.font = `12px ${look.font}`;
  paintAxis(pen, scene);
  return { sound, scores: found.level };
}

/**
 * The river alone, as the overview shows it.
 * @param {Pen} pen
 * @param {Scene} scene
 * @param {Band} river
 */
export function paintOverview(pen, scene, river) {
  const span = scene.to - scene.from;
  const x = (/** @type {number} */ time) => ((time - scene.from) / span) * scene.width;
  const found = seen(scene, scoreLevel(scene.curve, span / scene.width, scene.smoothing ?? 0));
  pen.clearRect(0, river[0], scene.width, river[1] - river[0]);
  paintRiver(pen, scene, river, found, x);
  paintStates(pen, { ...scene, moments: [] }, river, found, x, ["quiet"]);
}

/**
 * The level that the river is drawn from: a smooth one needs no column per point.
 * @param {AnyCurve} curve
 * @param {number} secondsPerPoint
 * @param {number} windowS seconds that it is smoothed over
 */
export const scoreLevel = (curve, secondsPerPoint, windowS) =>
  Math.max(0, curve.level(Math.max(secondsPerPoint * 2.5, windowS / 8)));

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
function seen({ curve, from, to, smoothing }, level) {
  const wide = curve.width(level);
  const first = Math.max(0, Math.floor(from / wide) - 1);
  const last = Math.max(first, Math.min(curve.count(level), Math.ceil(to / wide) + 1));
  return { level, first, last, wide, ...columns(curve, level, first, last, smoothing ?? 0) };
}

/**
 * @param {Pen} pen
 * @param {Scene} scene
 * @param {Band} river
 * @param {Columns} found
 * @param {Place} x
 */
function paintRiver(pen, scene, [top, bottom], { first, last, wide, scores }, x) {
  const { curve, look, width, alone, order } = scene;
  const count = last - first;
  const middles = new Float32Array(count);
  for (let c = 0; c < count; c += 1) middles[c] = x((first + c + 0.5) * wide);
  const tall = (bottom - top) / 1000;
  pen.save();
  pen.beginPath();
  pen.rect(0, top, Math.min(width, x(curve.data.duration_s)), bottom - top);
  pen.clip();
  pen.fillStyle = look.tint;
  pen.fillRect(0, top, width, bottom - top);
  const floor = new Float32Array(count).fill(bottom);
  const ceiling = new Float32Array(count);
  for (const k of alone === null ? order : [alone]) {
    for (let c = 0; c < count; c += 1) ceiling[c] = floor[c] - scores[k][c] * tall;
    band(pen, middles, floor, ceiling, look.emotions[k], look.paper);
    floor.set(ceiling);
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

const SLIVER = 6; // points; in a smoothed view what is narrower is no pause

/**
 * Silence takes the river away; doubt hatches it.
 * @param {Pen} pen
 * @param {Scene} scene
 * @param {Band} river
 * @param {Columns} found
 * @param {Place} x
 * @param {("doubt" | "quiet")[]} kinds
 */
function paintStates(pen, scene, [top, bottom], found, x, kinds = ["doubt", "quiet"]) {
  const { curve, look, smoothing } = scene;
  const end = curve.data.duration_s;
  for (const kind of kinds) {
    pen.save();
    pen.beginPath();
    for (const [from, to] of stretches(found, kind)) {
      const left = x(from);
      const wide = x(Math.min(end, to)) - left;
      if (wide >= SLIVER || !smoothing) pen.rect(left, top, wide, bottom - top);
    }
    pen.fillStyle = kind === "quiet" ? look.tint : hatch(pen, look.paper);
    pen.globalAlpha = kind === "quiet" ? 1 : 0.55;
    pen.fill();
    pen.restore();
  }
}

/**
 * Where the columns are in a state: start and end in seconds.
 * @param {Columns} found
 * @param {"doubt" | "quiet"} kind
 */
function stretches(found, kind) {
  const { first, last, wide } = found;
  /** @type {[from: number, to: number][]} */
  const all = [];
  for (let c = first; c < last; c += 1) {
    if (stateAt(found, c - first) !== kind) continue;
    const open = all.at(-1);
    if (open && open[1] === c * wide) open[1] = (c + 1) * wide;
    else all.push([c * wide, (c + 1) * wide]);
  }
  return all;
}

/**
 * @param {Columns} found
 * @param {number} at
 */
function stateAt({ quiet, doubt }, at) {
  if (quiet[at] > 50) return "quiet";
  return doubt[at] > 50 ? "doubt" : null;
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
