// @ts-check
// The numbers of a picture that grows: rows of scores as the server tells them, and the sound as the
// microphone gives it. Answers what draw.js asks of a curve, always at its finest level.

const SOFTEST = 0.05; // of full scale: less is not drawn as if it were loud
const LEAST = 5e-5; // half of what the server's rounding leaves

/** @typedef {import("./curve.js").Segment} Segment */

/**
 * What the page carries for the live view.
 * @typedef {object} LiveData
 * @property {number} hop_s
 * @property {number} smoothing_s
 * @property {number} doubt_margin
 * @property {number} pause_s
 * @property {import("./curve.js").Emotion[]} emotions the nine, and silence
 */

/**
 * Frames as the server tells them: rows of nine scores from 0 to 1, and where speech is.
 * @typedef {{first_frame: number, scores: number[][], speech: boolean[], final: boolean}} Frames
 */

/**
 * An array of at least this length that begins with what was there.
 * @template {Float32Array | Uint8Array} A
 * @param {A} array
 * @param {number} length
 * @returns {A}
 */
const grown = (array, length) => {
  if (length <= array.length) return array;
  const Kind = /** @type {new (length: number) => A} */ (array.constructor);
  const larger = new Kind(Math.max(length, 2 * array.length));
  larger.set(array);
  return larger;
};

export class LiveCurve {
  /**
   * @param {LiveData} data
   * @param {number} rateHz of the sound
   */
  constructor(data, rateHz) {
    this.data = { ...data, duration_s: 0 };
    this.hasScores = true;
    this.rateHz = rateHz;
    this.half = Math.floor(Math.round(data.smoothing_s / data.hop_s) / 2);
    this.pause = Math.round(data.pause_s / data.hop_s);
    this.samples = 0;
    this.loudest = SOFTEST;
    this.low = new Float32Array(4096);
    this.high = new Float32Array(4096);
    this.known = 0; // frames that were told
    this.settled = 0; // frames that will not change any more
    this.rows = new Float32Array(4096 * 9);
    this.smooth = new Float32Array(4096 * 9);
    this.speech = new Uint8Array(4096);
    this.quiet = new Uint8Array(4096);
    this.doubt = new Uint8Array(4096);
    /** @type {number[]} */
    this.logs = new Array(9).fill(0);
    /** @type {Segment[]} segments that ended, the final ones first */
    this.closed = [];
    this.finals = 0; // how many of them are final
    /** @type {[start: number, emotion: number] | null} */
    this.open = null;
  }

  // -- what comes in

  /**
   * Takes a piece of sound, and returns its peak from 0 to 1.
   * @param {Int16Array} pcm
   */
  hear(pcm) {
    const perColumn = this.data.hop_s * this.rateHz;
    const last = Math.floor((this.samples + pcm.length) / perColumn);
    this.low = grown(this.low, last + 1);
    this.high = grown(this.high, last + 1);
    let peak = 0;
    for (let n = 0; n < pcm.length; n += 1) {
      const column = Math.floor((this.samples + n) / perColumn);
      const value = pcm[n] / 32768;
      if (value < this.low[column]) this.low[column] = value;
      if (value > this.high[column]) this.high[column] = value;
      peak = Math.max(peak, Math.abs(value));
    }
    this.samples += pcm.length;
    this.loudest = Math.max(this.loudest, peak);
    this.data.duration_s = this.samples / this.rateHz;
    return peak;
  }

  /** @param {Frames} frames */
  tell({ first_frame: first, scores, speech, final }) {
    const end = first + scores.length;
    this.rows = grown(this.rows, end * 9);
    this.smooth = grown(this.smooth, end * 9);
    this.speech = grown(this.speech, end);
    this.quiet = grown(this.quiet, end);
    this.doubt = grown(this.doubt, end);
    scores.forEach((row, at) => {
      const frame = first + at;
      for (let k = 0; k < 9; k += 1) {
        const place = frame * 9 + k;
        if (frame < this.known) this.logs[k] -= Math.log(Math.max(LEAST, this.rows[place]));
        this.rows[place] = row[k];
        this.logs[k] += Math.log(Math.max(LEAST, row[k]));
      }
      this.speech[frame] = speech[at] ? 1 : 0;
    });
    this.known = Math.max(this.known, end);
    if (final) this.settled = Math.max(this.settled, end);
    this.average(Math.max(0, first - this.half), Math.min(this.known, end + this.half));
    this.silence(first);
  }

  /**
   * The same centred average as the server's pictures have, for these frames.
   * @param {number} from
   * @param {number} to
   */
  average(from, to) {
    for (let frame = from; frame < to; frame += 1) {
      const first = Math.max(0, frame - this.half);
      const last = Math.min(this.known, frame + this.half + 1);
      for (let k = 0; k < 9; k += 1) {
        let sum = 0;
        for (let near = first; near < last; near += 1) sum += this.rows[near * 9 + k];
        this.smooth[frame * 9 + k] = sum / (last - first);
      }
      const [second, most] = this.smooth.slice(frame * 9, frame * 9 + 9).sort().subarray(7);
      this.doubt[frame] = most - second < this.data.doubt_margin ? 1 : 0;
    }
  }

  /**
   * A pause is silence once it is as long as the server's rules want; before the first speech, at once.
   * @param {number} from the first frame that is new
   */
  silence(from) {
    const start = this.pauseBefore(from);
    for (let frame = start; frame < this.known; ) {
      let end = frame + 1;
      while (end < this.known && this.speech[end] === this.speech[frame]) end += 1;
      const goesOn = frame === 0 || (frame === start && this.quiet[frame - 1] === 1);
      const isPause = !this.speech[frame] && (goesOn || end - frame >= this.pause);
      this.quiet.fill(isPause ? 1 : 0, frame, end);
      frame = end;
    }
  }

  /**
   * Where the pause began that may reach up to a frame.
   * @param {number} from
   */
  pauseBefore(from) {
    let start = from;
    while (start > 0 && from - start < this.pause && !this.speech[start - 1]) start -= 1;
    return start;
  }

  /**
   * @param {number} index of the emotion
   * @param {number} start seconds
   */
  opened(index, start) {
    this.open = [start, index];
  }

  paused() {
    this.open = null;
  }

  /**
   * @param {{start_s: number, end_s: number}} segment
   * @param {number} index of its emotion
   * @param {boolean} final whether it will not change any more
   */
  close({ start_s: start, end_s: end }, index, final) {
    if (!final) {
      this.closed.push([start, end, index]);
      return;
    }
    const later = this.closed.slice(this.finals).filter((segment) => segment[1] > end + 1e-6);
    this.closed = [...this.closed.slice(0, this.finals), [start, end, index], ...later];
    this.finals += 1;
  }

  // -- what the picture asks

  get knownS() {
    return this.known * this.data.hop_s;
  }

  /** Segments without gaps up to what is known: what was told, and silence between. */
  segments() {
    const quiet = this.data.emotions.length - 1;
    /** @type {Segment[]} */
    const ends = this.open ? [[this.open[0], this.knownS, this.open[1]]] : [];
    /** @type {Segment[]} */
    const told = [];
    let at = 0;
    for (const [start, end, index] of [...this.closed, ...ends]) {
      if (end <= at) continue;
      if (start > at + this.data.hop_s) told.push([at, start, quiet]);
      told.push([Math.max(start, at), end, index]);
      at = end;
    }
    if (this.knownS > at + this.data.hop_s) told.push([at, this.knownS, quiet]);
    return told;
  }

  level() {
    return 0;
  }

  width() {
    return this.data.hop_s;
  }

  count() {
    return Math.ceil(this.data.duration_s / this.data.hop_s - 1e-6);
  }

  /**
   * @param {number} _level
   * @param {number} column
   * @param {number[]} row
   */
  scores(_level, column, row) {
    for (let k = 0; k < 9; k += 1) {
      row[k] = column < this.known ? this.smooth[column * 9 + k] * 1000 : 0;
    }
    return row;
  }

  /**
   * @param {number} _level
   * @param {number} column
   * @returns {[number, number]}
   */
  extremes(_level, column) {
    const scale = 127 / this.loudest;
    return [(this.low[column] ?? 0) * scale, (this.high[column] ?? 0) * scale];
  }

  /**
   * Hundredths of a column. What is not judged yet is drawn as silence is.
   * @param {"quiet" | "doubt"} kind
   * @param {number} _level
   * @param {number} column
   */
  share(kind, _level, column) {
    if (kind === "quiet") return column >= this.known || this.quiet[column] ? 100 : 0;
    return column < this.known && this.doubt[column] ? 100 : 0;
  }

  // -- what the headline says

  /**
   * Mean of the frames with speech in the last seconds, or null without speech.
   * @param {number} seconds
   */
  lately(seconds) {
    const first = Math.max(0, this.known - Math.round(seconds / this.data.hop_s));
    const sum = new Array(9).fill(0);
    let spoken = 0;
    for (let frame = first; frame < this.known; frame += 1) {
      if (this.speech[frame]) {
        spoken += 1;
        for (let k = 0; k < 9; k += 1) sum[k] += this.rows[frame * 9 + k];
      }
    }
    return spoken ? sum.map((value) => value / spoken) : null;
  }

  // All of it, as the final answer does it: the softmax of the mean logits. Scores are logits but for
  // a number that is the same for all nine, so their logarithms serve.
  altogether() {
    if (!this.known) return null;
    const means = this.logs.map((sum) => sum / this.known);
    const most = Math.max(...means);
    const raised = means.map((mean) => Math.exp(mean - most));
    const sum = raised.reduce((a, b) => a + b);
    return raised.map((value) => value / sum);
  }
}
