// @ts-check
// What stands around the river: moments in words, time axis, percent scale, segments, decisive moments.

/** @typedef {import("./draw.js").Scene} Scene */
/** @typedef {import("./draw.js").Pen} Pen */
/** @typedef {import("./draw.js").Place} Place */
/** @typedef {import("./draw.js").Band} Band */
/** @typedef {import("./draw.js").Look} Look */

const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200];
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
  pen.fillRect(left, bottom - 5, wide, 5);
  pen.fillStyle = index < 9 ? look.ink : look.soft;
  const inner = Math.max(left, 0);
  const room = Math.min(right, width) - inner - 8;
  const words = [scene.name(index), scene.curve.data.emotions[index].emoji];
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
    pen.strokeStyle = look.ink;
    pen.lineWidth = 1;
    if (right - left > 8) pen.strokeRect(left + 0.5, top + 0.5, right - left - 1, bottom - top - 1);
    else pen.strokeRect(middle, top + 25, 0, bottom - top - 25);
    pen.fillStyle = look.paper;
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
