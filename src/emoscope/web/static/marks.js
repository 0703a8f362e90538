// @ts-check
// What stands around the river: moments in words, time axis, percent scale, segments, decisive moments,
// waveform.

/** @typedef {import("./draw.js").Scene} Scene */
/** @typedef {import("./draw.js").Pen} Pen */
/** @typedef {import("./draw.js").Place} Place */
/** @typedef {import("./draw.js").Band} Band */
/** @typedef {import("./draw.js").Look} Look */
/** @typedef {import("./draw.js").AnyCurve} AnyCurve */
/** @typedef {import("./draw.js").Columns} Columns */

const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200];
export const PITCH = 3; // points from bar to bar of the waveform
const APART = 18; // points between two labels of the axis
export const SHARES = [0, 25, 50, 75, 100]; // percent that the scale names

/**
 * A moment in words that both languages share: 2.40 s, 0:42, 1:02:05.
 * @param {number} time seconds
 * @param {number} step how exact the words must be, seconds
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

/**
 * How exact times are told beside a view.
 * @param {number} spanS seconds in view
 */
export const exactness = (spanS) => (spanS < 6 ? 0.01 : 0.1);

/**
 * Marks of the time axis, whose labels never touch.
 * @param {number} from seconds at the left
 * @param {number} to seconds at the right
 * @param {number} endS where the recording ends
 * @param {number} width points
 * @param {(words: string) => number} measure width of a label in points
 * @returns {{x: number, left: number, words: string}[]} place of the mark and of its label
 */
export function ticks(from, to, endS, width, measure) {
  const span = to - from;
  const last = Math.min(to, endS);
  const roomy = (/** @type {number} */ step) =>
    (step / span) * width >= measure(clock(Math.max(last, 0.01), step)) + APART;
  const step = STEPS.find(roomy) ?? STEPS[STEPS.length - 1];
  const marks = [];
  let taken = -Infinity;
  for (let n = Math.ceil(from / step - 1e-9); n * step <= last + 1e-6; n += 1) {
    const x = ((n * step - from) / span) * width;
    const words = clock(n * step, step);
    const wide = measure(words);
    const left = Math.min(Math.max(x - wide / 2, 0), Math.max(0, width - wide));
    // At the edges a label moves inwards, and may meet the one beside it.
    if (left < taken + APART / 2) continue;
    taken = left + wide;
    marks.push({ x, left, words });
  }
  return marks;
}

/**
 * @param {Pen} pen
 * @param {Scene} scene
 */
export function paintAxis(pen, scene) {
  const { look, layout, width, from, to } = scene;
  const measure = (/** @type {string} */ words) => pen.measureText(words).width;
  pen.textBaseline = "top";
  for (const { x, left, words } of ticks(from, to, scene.curve.data.duration_s, width, measure)) {
    pen.fillStyle = look.line;
    pen.fillRect(Math.min(x, width - 1), layout.axis - 6, 1, 5);
    pen.fillStyle = look.soft;
    pen.fillText(words, left, layout.axis);
  }
}

/**
 * Light lines at every quarter, over the river.
 * @param {Pen} pen
 * @param {Look} look
 * @param {Band} river
 * @param {number} width points
 */
export function paintGrid(pen, look, [top, bottom], width) {
  pen.save();
  pen.globalAlpha = 0.35;
  pen.fillStyle = look.paper;
  for (const share of SHARES.slice(1, -1)) {
    pen.fillRect(0, Math.round(bottom - (share / 100) * (bottom - top)), width, 1);
  }
  pen.restore();
}

/**
 * The percent scale left of x = 0.
 * @param {Pen} pen
 * @param {Look} look
 * @param {Band} river
 */
export function paintScale(pen, look, [top, bottom]) {
  pen.save();
  pen.font = `12px ${look.font}`;
  pen.fillStyle = look.soft;
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  for (const share of SHARES) {
    pen.fillText(`${share}%`, -8, bottom - (share / 100) * (bottom - top));
  }
  pen.restore();
}

/**
 * @param {Pen} pen
 * @param {Scene} scene
 * @param {Band} strip
 * @param {Place} x
 */
export function paintStrip(pen, scene, [top, bottom], x) {
  const { look, segments, alone, chosen } = scene;
  pen.textBaseline = "middle";
  for (const [start, end, index] of segments) {
    if (end < scene.from || start > scene.to) continue;
    pen.globalAlpha = alone === null || alone === index ? 1 : 0.25;
    paintSegment(pen, scene, [x(start), x(end)], [top, bottom], index);
    pen.globalAlpha = 1;
  }
  paintCorrected(pen, scene, top, x);
  if (!chosen) return;
  const [left, right] = [Math.max(-20, x(chosen[0])), Math.min(scene.width + 20, x(chosen[1]))];
  pen.strokeStyle = look.ink;
  pen.lineWidth = 2;
  pen.strokeRect(left + 1, top + 1, Math.max(2, right - left - 3.5), bottom - top - 2);
}

/**
 * A dot in the corner of each segment that a person changed.
 * @param {Pen} pen
 * @param {Scene} scene
 * @param {number} top of the strip
 * @param {Place} x
 */
function paintCorrected(pen, scene, top, x) {
  pen.fillStyle = scene.look.ink;
  for (const [, end] of scene.corrected ?? []) {
    if (end < scene.from || end > scene.to) continue;
    pen.beginPath();
    pen.arc(x(end) - 9, top + 8, 3.5, 0, 7);
    pen.fill();
  }
}

/**
 * @param {Pen} pen
 * @param {Scene} scene
 * @param {[left: number, right: number]} place points
 * @param {Band} strip
 * @param {number} index of its emotion
 */
function paintSegment(pen, scene, [from, to], [top, bottom], index) {
  const { look, width } = scene;
  const left = Math.max(-20, from);
  const right = Math.min(width + 20, to);
  const wide = Math.max(1, right - left - 1.5);
  pen.fillStyle = look.tint;
  pen.fillRect(left, top, wide, bottom - top);
  pen.fillStyle = index < 9 ? look.emotions[index] : look.line;
  const alpha = pen.globalAlpha;
  pen.globalAlpha = alpha * (index < 9 ? 0.2 : 0);
  pen.fillRect(left, top, wide, bottom - top);
  pen.globalAlpha = alpha;
  pen.fillRect(left, bottom - 5, wide, 5);
  pen.fillStyle = index < 9 ? look.ink : look.soft;
  const inner = Math.max(left, 0);
  const room = Math.min(right, width) - inner - 8;
  const words = index < 9 ? [scene.name(index), scene.curve.data.emotions[index].emoji] : [scene.name(index)];
  const told = words.find((one) => pen.measureText(one).width <= room);
  if (told) pen.fillText(told, inner + 5, (top + bottom) / 2 - 2);
}

/**
 * Numbered marks on the moments that spoke most for the answer.
 * @param {Pen} pen
 * @param {Scene} scene
 * @param {Band} river
 * @param {Place} x
 */
export function paintMoments(pen, scene, [top, bottom], x) {
  const { look } = scene;
  pen.save();
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.font = `600 12px ${look.font}`;
  (scene.moments ?? []).forEach(([start, end], number) => {
    if (end < scene.from || start > scene.to) return;
    const [left, right] = [x(start), x(end)];
    const middle = (left + right) / 2;
    pen.fillStyle = look.paper;
    pen.globalAlpha = 0.16;
    pen.fillRect(left, top, Math.max(3, right - left), bottom - top);
    pen.globalAlpha = 1;
    pen.strokeStyle = look.ink;
    pen.beginPath();
    pen.arc(middle, top + 15, 10, 0, 7);
    pen.fill();
    pen.lineWidth = 1.5;
    pen.stroke();
    pen.fillStyle = look.ink;
    pen.fillText(String(number + 1), middle, top + 15.5);
  });
  pen.restore();
}

/**
 * @param {Pen} pen
 * @param {Scene} scene
 * @param {number} level
 * @param {Columns} found
 */
export function paintWave(pen, scene, level, found) {
  const { curve, look, layout, width, alone, lead } = scene;
  const [top, bottom] = layout.wave;
  const middle = (top + bottom) / 2;
  const reach = (bottom - top) / 2;
  const span = scene.to - scene.from;
  // Bars keep their place in the sound, so they do not flicker while it is dragged along.
  const step = (span / width) * PITCH;
  for (let bar = Math.floor(scene.from / step); bar * step < scene.to; bar += 1) {
    const time = bar * step;
    if (time < 0 || time >= curve.data.duration_s) continue;
    const [up, down] = reaches(curve, level, time, step);
    const at = Math.min(found.last - 1, Math.max(found.first, Math.floor(time / found.wide))) - found.first;
    const leads = curve.hasScores ? best(found.scores, at) : lead;
    const own = found.quiet[at] <= 50 && leads !== null && (alone === null || alone === leads);
    pen.fillStyle = own ? look.emotions[leads] : look.line;
    const left = ((time - scene.from) / span) * width;
    const high = Math.max(1, up * reach);
    pen.fillRect(left, middle - high, PITCH - 1, high + Math.max(1, down * reach));
  }
}

/**
 * How far a bar reaches up and down, from 0 to 1: loudness, or the waveform itself when it is near.
 * @param {AnyCurve} curve
 * @param {number} level
 * @param {number} time seconds
 * @param {number} step seconds from bar to bar
 * @returns {[up: number, down: number]}
 */
export function reaches(curve, level, time, step) {
  const wide = curve.width(level);
  const count = curve.count(level);
  const first = Math.min(count - 1, Math.floor(time / wide));
  const last = Math.min(count, Math.max(first + 1, Math.floor((time + step) / wide)));
  let [low, high, loud] = [0, 0, 0];
  for (let c = first; c < last; c += 1) {
    const [least, most] = curve.extremes(level, c);
    low = Math.min(low, least);
    high = Math.max(high, most);
    loud += (curve.loud?.(level, c) ?? NaN) / 100 / (last - first);
  }
  return Number.isNaN(loud) ? [perceived(high / 127), perceived(-low / 127)] : [loud, loud];
}

const QUIETEST_DB = 36; // below the loudest; what is quieter is flat

/**
 * How large a sound's amplitude looks: by decibels, as it is heard.
 * @param {number} amplitude 0 to 1
 */
export const perceived = (amplitude) =>
  amplitude > 0 ? Math.max(0, 1 + (20 * Math.log10(amplitude)) / QUIETEST_DB) : 0;

/**
 * @param {Float32Array[]} scores
 * @param {number} at
 */
function best(scores, at) {
  let most = 0;
  for (let k = 1; k < 9; k += 1) if (scores[k][at] > scores[most][at]) most = k;
  return most;
}
