// The numbers of a picture that grows: rows of scores as the server tells them, and the sound as the
// microphone gives it. Answers what draw.js asks of a curve, always at its finest level.

const SOFTEST = 0.05; // of full scale: less is not drawn as if it were loud
const LEAST = 5e-5; // half of what the server's rounding leaves

const grown = (array, length) => {
  if (length <= array.length) return array;
  const larger = new array.constructor(Math.max(length, 2 * array.length));
  larger.set(array);
  return larger;
};

export class LiveCurve {
  // data: hop_s, smoothing_s, doubt_margin, pause_s, emotions; rateHz: of the sound.
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
    this.logs = new Array(9).fill(0);
    this.closed = []; // segments that ended, the final ones first
    this.finals = 0; // how many of them are final
    this.open = null;
  }

  // -- what comes in

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

  tell({ first_frame: first, scores, speech, final }) {
    const end = first + scores.length;
    for (const name of ["rows", "smooth"]) this[name] = grown(this[name], end * 9);
    for (const name of ["speech", "quiet", "doubt"]) this[name] = grown(this[name], end);
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

  // The same centred average as the server's pictures have.
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

  // A pause is silence once it is as long as the server's rules want; before anybody spoke, at once.
  silence(from) {
    let start = from;
    while (start > 0 && from - start < this.pause && !this.speech[start - 1]) start -= 1;
    for (let frame = start; frame < this.known; ) {
      let end = frame + 1;
      while (end < this.known && this.speech[end] === this.speech[frame]) end += 1;
      const goesOn = frame === 0 || (frame === start && this.quiet[frame - 1] === 1);
      const isPause = !this.speech[frame] && (goesOn || end - frame >= this.pause);
      this.quiet.fill(isPause ? 1 : 0, frame, end);
      frame = end;
    }
  }

  opened(index, start) {
    this.open = [start, index];
  }

  paused() {
    this.open = null;
  }

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

  // Segments without gaps up to what is known: what was told, and silence between.
  segments() {
    const quiet = this.data.emotions.length - 1;
    const ends = this.open ? [[this.open[0], this.knownS, this.open[1]]] : [];
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

  scores(_level, column, row) {
    for (let k = 0; k < 9; k += 1) {
      row[k] = column < this.known ? this.smooth[column * 9 + k] * 1000 : 0;
    }
    return row;
  }

  extremes(_level, column) {
    const scale = 127 / this.loudest;
    return [(this.low[column] ?? 0) * scale, (this.high[column] ?? 0) * scale];
  }

  // What nobody has judged yet is drawn as silence is.
  share(kind, _level, column) {
    if (kind === "quiet") return column >= this.known || this.quiet[column] ? 100 : 0;
    return column < this.known && this.doubt[column] ? 100 : 0;
  }

  // -- what the headline says

  // Mean of the spoken frames of the last seconds, or null when nobody spoke in them.
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
