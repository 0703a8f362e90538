// @ts-check
// The numbers of a picture at every zoom. The whole recording is there from the start, coarse;
// finer tiles are fetched when they come into view, and until then the coarser ones are drawn.

/**
 * An emotion as the page shows it.
 * @typedef {{key: string, emoji: string, zh: string, en: string, colour: string}} Emotion
 */

/**
 * A segment: its start and end in seconds, and the place of its emotion.
 * @typedef {[start: number, end: number, emotion: number]} Segment
 */

/**
 * Columns of one level: smallest and largest samples (-127 to 127), thousandths of the nine one
 * column after another, hundredths of a column that are quiet or in doubt.
 * @typedef {object} Tile
 * @property {number[]} low
 * @property {number[]} high
 * @property {number[]} [loud] hundredths of the recording's loudness, from level 0 on
 * @property {number[] | null} scores
 * @property {number[] | null} quiet
 * @property {number[] | null} doubt
 */

/**
 * What the page carries of a run. A column of level 0 is one frame wide, each level twice as wide.
 * @typedef {object} Drawing
 * @property {string} run
 * @property {string} title
 * @property {string} tiles address of the finer tiles
 * @property {number} tile columns of a tile
 * @property {number} top the coarsest level
 * @property {number} finest the finest level
 * @property {number} hop_s
 * @property {number} duration_s
 * @property {Tile} overview all of the coarsest level
 * @property {Emotion[]} emotions
 * @property {Segment[]} segments as they are now
 * @property {Segment[]} [own] as the model made them
 * @property {[start: number, end: number][]} [moments] that spoke most for the answer
 * @property {number | null} lead place of the emotion of a recording without scores over time
 */

const RETRY_MS = 4000;
const SERVER_S = 0.3; // the server's own smoothing
const SILENCE = 9; // its place after the nine
const PAUSE_WEIGHT = 0.25;
const VIEW_SHARE = 1 / 60; // of the view: what is smoothed away

/**
 * Seconds to smooth over, beyond what the server did, so that a long view reads at a glance.
 * @param {number} spanS seconds in view
 */
export const smoothing = (spanS) => Math.sqrt(Math.max(0, (spanS * VIEW_SHARE) ** 2 - SERVER_S ** 2));

/**
 * Columns as they are drawn: thousandths of each emotion, hundredths that are quiet or in doubt.
 * @typedef {{scores: Float32Array[], quiet: Float32Array, doubt: Float32Array}} Smoothed
 */

/**
 * Columns averaged over a window of this width; silence does not count in the scores.
 * @param {{width: (level: number) => number, count: (level: number) => number,
 *   scores: (level: number, column: number, row: number[]) => number[],
 *   share: (kind: "quiet" | "doubt", level: number, column: number) => number}} curve
 * @param {number} level
 * @param {number} first column
 * @param {number} last one behind the last column
 * @param {number} windowS seconds; 0 leaves the columns as they are
 * @returns {Smoothed}
 */
export function columns(curve, level, first, last, windowS) {
  // Two windows of half the width, one after the other: without the corners of a single one.
  const half = Math.round(windowS / curve.width(level) / 4);
  const from = Math.max(0, first - 2 * half);
  const to = Math.min(curve.count(level), last + 2 * half);
  const length = Math.max(0, to - from);
  const series = Array.from({ length: 12 }, () => new Float32Array(length));
  const row = new Array(9).fill(0);
  for (let c = 0; c < length; c += 1) {
    const quiet = curve.share("quiet", level, from + c);
    const weight = half ? 1.001 - quiet / 100 : 1;
    curve.scores(level, from + c, row);
    for (let k = 0; k < 9; k += 1) series[k][c] = row[k] * weight;
    series[9][c] = quiet;
    series[10][c] = curve.share("doubt", level, from + c);
    series[11][c] = weight;
  }
  const means = half ? series.map((values) => averaged(averaged(values, half), half)) : series;
  const weights = means[11];
  const cut = (/** @type {Float32Array} */ values) => values.subarray(first - from, last - from);
  for (let k = 0; k < 9; k += 1) {
    for (let c = 0; c < length; c += 1) means[k][c] /= weights[c];
  }
  return { scores: means.slice(0, 9).map(cut), quiet: cut(means[9]), doubt: cut(means[10]) };
}

/**
 * Centred averages; at the ends over what there is.
 * @param {Float32Array} values
 * @param {number} half columns on each side
 */
function averaged(values, half) {
  const sums = new Float64Array(values.length + 1);
  for (let c = 0; c < values.length; c += 1) sums[c + 1] = sums[c] + values[c];
  return values.map((_, c) => {
    const low = Math.max(0, c - half);
    const high = Math.min(values.length, c + half + 1);
    return (sums[high] - sums[low]) / (high - low);
  });
}

/**
 * Segments for a view in which the short ones could not be seen. Short ones in a row join one another
 * until they are long enough; one that is left between long ones joins the longer of them. What is
 * joined is named after most of it, and a pause only where speech is rare.
 * @param {Segment[]} segments
 * @param {number} leastS what is shorter joins
 * @returns {Segment[]}
 */
export function merged(segments, leastS) {
  /** @type {Joined[]} */
  const kept = [];
  const length = (/** @type {Joined | undefined} */ one) => (one ? one.end - one.start : -1);
  for (const [start, end, emotion] of segments) {
    const one = { start, end, emotion, parts: new Map([[emotion, end - start]]) };
    const open = kept.at(-1);
    if (!open || length(open) >= leastS) {
      kept.push(one);
      continue;
    }
    // The last is still too short.
    const joinsBefore = length(one) >= leastS && length(kept.at(-2)) > length(one);
    if (joinsBefore) kept.splice(-2, 2, join(kept[kept.length - 2], open), one);
    else kept[kept.length - 1] = join(open, one);
  }
  if (kept.length > 1 && length(kept.at(-1)) < leastS) kept.splice(-2, 2, join(kept[kept.length - 2], kept[kept.length - 1]));
  return kept.reduce(withSame, []).map(({ start, end, emotion }) => [start, end, emotion]);
}

/**
 * A stretch of several segments, with the seconds of each emotion in it.
 * @typedef {{start: number, end: number, emotion: number, parts: Map<number, number>}} Joined
 */

/**
 * Neighbours that are named the same are one.
 * @param {Joined[]} list
 * @param {Joined} next
 */
function withSame(list, next) {
  const last = list.at(-1);
  return last?.emotion === next.emotion ? [...list.slice(0, -1), join(last, next)] : [...list, next];
}

/**
 * @param {Joined} one
 * @param {Joined} next
 * @returns {Joined}
 */
function join(one, next) {
  const parts = new Map(one.parts);
  for (const [emotion, seconds] of next.parts) parts.set(emotion, (parts.get(emotion) ?? 0) + seconds);
  const weight = (/** @type {[number, number]} */ [which, seconds]) => seconds * (which === SILENCE ? PAUSE_WEIGHT : 1);
  const emotion = [...parts].reduce((a, b) => (weight(b) > weight(a) ? b : a))[0];
  return { start: one.start, end: next.end, emotion, parts };
}

const SHARP = 500; // columns of a whole recording that fill a figure

export class Curve {
  /**
   * @param {Drawing} data what the page carries
   * @param {() => void} changed called when a finer tile has come
   */
  constructor(data, changed) {
    this.data = data;
    this.changed = changed;
    /** @type {Map<string, Tile>} */
    this.tiles = new Map([[`${data.top}/0`, data.overview]]);
    /** @type {Map<string, number>} */
    this.asked = new Map();
    this.kept = nothingFound();
    this.hasScores = data.overview.scores !== null;
  }

  /**
   * Seconds that one column of a level is wide.
   * @param {number} level
   */
  width(level) {
    return this.data.hop_s * 2 ** level;
  }

  /**
   * The level whose columns are about one point wide, or finer.
   * @param {number} secondsPerPoint
   */
  level(secondsPerPoint) {
    const exact = Math.floor(Math.log2(secondsPerPoint / this.data.hop_s));
    return Math.min(this.data.top, Math.max(this.data.finest, exact));
  }

  /**
   * How many columns a level has.
   * @param {number} level
   */
  count(level) {
    return Math.ceil(this.data.duration_s / this.width(level) - 1e-6);
  }

  /**
   * Fetches what lies between two times at this level.
   * @param {number} level
   * @param {number} from seconds
   * @param {number} to seconds
   */
  want(level, from, to) {
    // All of it at once is sharp enough, and nothing is fetched before anybody zooms.
    if (from <= 0 && to >= this.data.duration_s && this.count(this.data.top) >= SHARP) return;
    const wide = this.width(level) * this.data.tile;
    const last = Math.floor((this.count(level) - 1) / this.data.tile);
    const first = Math.max(0, Math.floor(from / wide));
    for (let index = first; index <= Math.min(last, Math.floor(to / wide)); index += 1) {
      this.fetch(level, index);
    }
  }

  /**
   * @param {number} level
   * @param {number} index number of the tile in its level
   */
  async fetch(level, index) {
    const key = `${level}/${index}`;
    const now = performance.now();
    if (this.tiles.has(key) || now - (this.asked.get(key) ?? -Infinity) < RETRY_MS) return;
    this.asked.set(key, now);
    try {
      const reply = await fetch(`${this.data.tiles}/${key}`);
      if (!reply.ok) return; // the coarser picture stays
      this.tiles.set(key, await reply.json());
      this.kept = nothingFound();
      this.changed();
    } catch {
      // the server may be gone; the coarser picture stays
    }
  }

  /**
   * The finest tile that is here and holds this column, and the place of the column in it.
   * @param {number} level
   * @param {number} column
   * @param {keyof Tile} has what the tile must have
   * @returns {[Tile, number] | null}
   */
  find(level, column, has) {
    // Thousands of columns ask in each picture, so what was found for a tile is kept.
    const kept = has === "low" ? this.kept.low : this.kept.rest;
    const key = (level + 16) * 0x1000000 + Math.floor(column / this.data.tile);
    let found = kept.get(key);
    if (found === undefined) {
      found = this.search(level, column, has);
      kept.set(key, found);
    }
    if (!found) return null;
    const { tile, doubled } = found;
    const at = Math.floor(column / 2 ** doubled) % this.data.tile;
    return [tile, Math.min(at, tile.low.length - 1)];
  }

  /**
   * @param {number} level
   * @param {number} column
   * @param {keyof Tile} has
   * @returns {Found | null}
   */
  search(level, column, has) {
    for (let here = level, at = column; here <= this.data.top; here += 1, at = Math.floor(at / 2)) {
      const tile = this.tiles.get(`${here}/${Math.floor(at / this.data.tile)}`);
      if (tile && tile[has]) return { tile, doubled: here - level };
    }
    return null;
  }

  /**
   * Nine thousandths of a column, written into `row`.
   * @param {number} level
   * @param {number} column
   * @param {number[]} row
   */
  scores(level, column, row) {
    const found = this.find(Math.max(0, level), column, "scores");
    for (let k = 0; k < 9; k += 1) row[k] = found?.[0].scores?.[found[1] * 9 + k] ?? 0;
    return row;
  }

  /**
   * Smallest and largest sample, -127 to 127.
   * @param {number} level
   * @param {number} column
   * @returns {[number, number]}
   */
  extremes(level, column) {
    const found = this.find(level, column, "low");
    return found ? [found[0].low[found[1]], found[0].high[found[1]]] : [0, 0];
  }

  /**
   * Loudness of a column, hundredths from inaudible to the recording's loudest.
   * @param {number} level
   * @param {number} column
   * @returns {number | null} null where only the waveform itself is known
   */
  loud(level, column) {
    if (level < 0) return null;
    const found = this.find(level, column, "loud");
    return found?.[0].loud?.[found[1]] ?? null;
  }

  /**
   * Hundredths of a column that are quiet or in doubt.
   * @param {"quiet" | "doubt"} kind
   * @param {number} level
   * @param {number} column
   */
  share(kind, level, column) {
    const found = this.find(Math.max(0, level), column, kind);
    return found?.[0][kind]?.[found[1]] ?? 0;
  }

  /**
   * The nine at a moment, as the picture shows them.
   * @param {number} time seconds
   * @param {number} level
   * @param {number} [windowS] seconds that the picture is smoothed over
   */
  at(time, level, windowS = 0) {
    const fine = Math.max(0, level);
    const column = Math.min(this.count(fine) - 1, Math.max(0, Math.floor(time / this.width(fine))));
    const { scores, quiet, doubt } = columns(this, fine, column, column + 1, windowS);
    return {
      row: scores.map((values) => values[0]),
      quiet: quiet[0] > 50,
      doubt: doubt[0] > 50,
    };
  }
}

/** @returns {{low: Map<number, Found | null>, rest: Map<number, Found | null>}} */
const nothingFound = () => ({ low: new Map(), rest: new Map() });

/**
 * A tile, and how many levels coarser than asked it is.
 * @typedef {{tile: Tile, doubled: number}} Found
 */

/**
 * Places of the nine, largest first.
 * @param {number[]} row
 */
export const ranked = (row) => [...row.keys()].sort((a, b) => row[b] - row[a]);

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
