// @ts-check
// Corrections of segments: what an edit makes of a list of them, undo and redo, and saving in order.

/** @typedef {import("./curve.js").Segment} Segment */

export const SHORTEST_S = 0.02; // one frame

/** @param {number} time seconds */
const rounded = (time) => Math.round(time * 1000) / 1000;

/**
 * Another emotion for one segment.
 * @param {Segment[]} segments
 * @param {number} at
 * @param {number} emotion
 * @returns {Segment[]}
 */
export const relabelled = (segments, at, emotion) =>
  segments.map((one, number) => (number === at ? [one[0], one[1], emotion] : one));

/**
 * The border behind a segment at another moment; neither side gets shorter than a frame.
 * @param {Segment[]} segments
 * @param {number} at
 * @param {number} time seconds
 * @returns {Segment[]}
 */
export function bordered(segments, at, time) {
  const [before, after] = [segments[at], segments[at + 1]];
  if (!before || !after || !Number.isFinite(time)) return segments;
  const least = before[0] + SHORTEST_S;
  const most = after[1] - SHORTEST_S;
  if (least > most) return segments;
  const border = rounded(Math.min(most, Math.max(least, time)));
  return segments.map((one, number) => {
    if (number === at) return [one[0], border, one[2]];
    return number === at + 1 ? [border, one[1], one[2]] : one;
  });
}

/**
 * A segment in two.
 * @param {Segment[]} segments
 * @param {number} time seconds
 * @returns {Segment[]}
 */
export function split(segments, time) {
  const border = rounded(time);
  return segments.flatMap((one) => {
    const [start, end, emotion] = one;
    if (border - start < SHORTEST_S || end - border < SHORTEST_S) return [one];
    return /** @type {Segment[]} */ ([[start, border, emotion], [border, end, emotion]]);
  });
}

/**
 * A segment and the next as one, with the emotion of the first.
 * @param {Segment[]} segments
 * @param {number} at
 * @returns {Segment[]}
 */
export function joined(segments, at) {
  const [one, next] = [segments[at], segments[at + 1]];
  if (!one || !next) return segments;
  return [...segments.slice(0, at), [one[0], next[1], one[2]], ...segments.slice(at + 2)];
}

/**
 * One segment over a stretch, whatever lay there; its emotion is that of most of the stretch.
 * @param {Segment[]} segments
 * @param {number} from seconds
 * @param {number} to
 * @returns {{segments: Segment[], at: number}} and the number of the new segment
 */
export function cut(segments, from, to) {
  const cutUp = split(split(segments, from), to);
  const inside = cutUp.filter(([start, end]) => (start + end) / 2 > from && (start + end) / 2 < to);
  const first = cutUp.indexOf(inside[0]);
  if (first < 0) return { segments, at: segments.findIndex(([, end]) => from < end) };
  const longest = inside.reduce((a, b) => (b[1] - b[0] > a[1] - a[0] ? b : a));
  /** @type {Segment} */
  const one = [inside[0][0], inside[inside.length - 1][1], longest[2]];
  return { segments: cutUp.toSpliced(first, inside.length, one), at: first };
}

/**
 * @param {Segment[]} one
 * @param {Segment[]} other
 */
export const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/**
 * Segments that are not among the model's own.
 * @param {Segment[]} segments
 * @param {Segment[]} own
 */
export function changedSegments(segments, own) {
  const known = new Set(own.map((one) => JSON.stringify(one)));
  return segments.filter((one) => !known.has(JSON.stringify(one)));
}

/** States of a list of segments, with undo and redo. */
export class Edits {
  /** @param {Segment[]} segments */
  constructor(segments) {
    this.now = segments;
    /** @type {Segment[][]} */
    this.past = [];
    /** @type {Segment[][]} */
    this.future = [];
  }

  /**
   * @param {Segment[]} segments the next state
   * @param {boolean} [goesOn] whether it belongs to the edit before, as while a border is dragged
   */
  put(segments, goesOn = false) {
    if (same(segments, this.now)) return false;
    if (!goesOn || !this.past.length) this.past.push(this.now);
    this.now = segments;
    this.future = [];
    return true;
  }

  undo() {
    return this.step(this.past, this.future);
  }

  redo() {
    return this.step(this.future, this.past);
  }

  /**
   * @param {Segment[][]} from
   * @param {Segment[][]} to
   */
  step(from, to) {
    const segments = from.pop();
    if (!segments) return false;
    to.push(this.now);
    this.now = segments;
    return true;
  }
}

/**
 * Saves the latest state, a moment after the last change, one request at a time.
 * @template T
 */
export class Saver {
  /**
   * @param {(state: T) => Promise<boolean>} send whether it was saved
   * @param {(state: "saving" | "saved" | "failed") => void} tell
   * @param {number} [waitMs]
   */
  constructor(send, tell, waitMs = 600) {
    this.send = send;
    this.tell = tell;
    this.waitMs = waitMs;
    /** @type {{state: T} | null} */
    this.next = null;
    this.isSending = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  get isPending() {
    return this.next !== null || this.isSending;
  }

  /** @param {T} state */
  save(state) {
    this.next = { state };
    this.tell("saving");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), this.waitMs);
  }

  // Sends what waits; also what failed, once more.
  async flush() {
    clearTimeout(this.timer);
    if (this.isSending || !this.next) return;
    const job = this.next;
    this.next = null;
    this.isSending = true;
    this.tell("saving");
    const isSaved = await this.send(job.state);
    this.isSending = false;
    if (this.next) return void this.flush();
    if (!isSaved) this.next = job;
    this.tell(isSaved ? "saved" : "failed");
  }
}
