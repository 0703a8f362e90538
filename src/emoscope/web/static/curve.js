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
 * @property {Segment[]} segments
 * @property {number | null} lead place of the emotion of a recording without scores over time
 */

const RETRY_MS = 4000;

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
   * The nine at a moment, from the finest that is here for this zoom.
   * @param {number} time seconds
   * @param {number} level
   */
  at(time, level) {
    const fine = Math.max(0, level);
    const column = Math.min(this.count(fine) - 1, Math.max(0, Math.floor(time / this.width(fine))));
    return {
      row: this.scores(fine, column, new Array(9).fill(0)),
      quiet: this.share("quiet", fine, column) > 50,
      doubt: this.share("doubt", fine, column) > 50,
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
