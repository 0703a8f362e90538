// The numbers of a picture at every zoom. The whole recording is there from the start, coarse;
// finer tiles are fetched when they come into view, and until then the coarser ones are drawn.

const RETRY_MS = 4000;

export class Curve {
  // data: what the page carries; changed: called when a finer tile has come.
  constructor(data, changed) {
    this.data = data;
    this.changed = changed;
    this.tiles = new Map([[`${data.top}/0`, data.overview]]);
    this.asked = new Map();
    this.kept = { low: new Map(), rest: new Map() };
    this.hasScores = data.overview.scores !== null;
  }

  // Seconds that one column of a level is wide.
  width(level) {
    return this.data.hop_s * 2 ** level;
  }

  // The level whose columns are about one point wide, or finer.
  level(secondsPerPoint) {
    const exact = Math.floor(Math.log2(secondsPerPoint / this.data.hop_s));
    return Math.min(this.data.top, Math.max(this.data.finest, exact));
  }

  // How many columns a level has.
  count(level) {
    return Math.ceil(this.data.duration_s / this.width(level) - 1e-6);
  }

  // See to it that what lies between two times comes, at this level.
  want(level, from, to) {
    const wide = this.width(level) * this.data.tile;
    const last = Math.floor((this.count(level) - 1) / this.data.tile);
    const first = Math.max(0, Math.floor(from / wide));
    for (let index = first; index <= Math.min(last, Math.floor(to / wide)); index += 1) {
      this.fetch(level, index);
    }
  }

  async fetch(level, index) {
    const key = `${level}/${index}`;
    const now = performance.now();
    if (this.tiles.has(key) || now - (this.asked.get(key) ?? -Infinity) < RETRY_MS) return;
    this.asked.set(key, now);
    try {
      const reply = await fetch(`${this.data.tiles}/${key}`);
      if (!reply.ok) return; // the coarser picture stays
      this.tiles.set(key, await reply.json());
      this.kept = { low: new Map(), rest: new Map() };
      this.changed();
    } catch {
      // the server may be gone; the coarser picture stays
    }
  }

  // The finest tile that is here and holds this column, and the place of the column in it.
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

  search(level, column, has) {
    for (let here = level, at = column; here <= this.data.top; here += 1, at = Math.floor(at / 2)) {
      const tile = this.tiles.get(`${here}/${Math.floor(at / this.data.tile)}`);
      if (tile && tile[has]) return { tile, doubled: here - level };
    }
    return null;
  }

  // Nine thousandths of a column, written into `row`.
  scores(level, column, row) {
    const found = this.find(Math.max(0, level), column, "scores");
    for (let k = 0; k < 9; k += 1) row[k] = found ? found[0].scores[found[1] * 9 + k] : 0;
    return row;
  }

  // Smallest and largest sample, -127 to 127.
  extremes(level, column) {
    const found = this.find(level, column, "low");
    return found ? [found[0].low[found[1]], found[0].high[found[1]]] : [0, 0];
  }

  // Hundredths of a column: "quiet" or "doubt".
  share(kind, level, column) {
    const found = this.find(Math.max(0, level), column, kind);
    return found ? found[0][kind][found[1]] : 0;
  }

  // The nine at a moment, from the finest that is here for this zoom.
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

// Places of the nine, largest first.
export const ranked = (row) => [...row.keys()].sort((a, b) => row[b] - row[a]);
