// @ts-check
// What the microphone gave, kept in the browser for a live stream that is lost.

const KEPT_S = 30 * 60;
const PIECE_S = 5; // pieces this long become blobs, which the browser may keep on disk

export class Recording {
  /** @param {number} rateHz */
  constructor(rateHz) {
    this.rateHz = rateHz;
    /** @type {BlobPart[]} */
    this.blobs = [];
    /** @type {Int16Array[]} */
    this.pieces = [];
    this.samples = 0; // kept
    this.inPieces = 0;
    this.isCut = false;
  }

  get seconds() {
    return this.samples / this.rateHz;
  }

  get keptMinutes() {
    return KEPT_S / 60;
  }

  /** @param {Int16Array} piece */
  add(piece) {
    const room = Math.max(0, KEPT_S * this.rateHz - this.samples);
    if (piece.length > room) this.isCut = true;
    const kept = piece.length > room ? piece.slice(0, room) : piece;
    if (!kept.length) return;
    this.pieces.push(kept);
    this.samples += kept.length;
    this.inPieces += kept.length;
    if (this.inPieces < PIECE_S * this.rateHz) return;
    this.blobs.push(new Blob(this.pieces.map((one) => new Int16Array(one))));
    [this.pieces, this.inPieces] = [[], 0];
  }

  /** The sound as a WAV file of 16 bits and one channel. */
  wav() {
    const header = wavHeader(this.samples, this.rateHz);
    return new Blob([header, ...this.blobs, ...this.pieces.map((one) => new Int16Array(one))], { type: "audio/wav" });
  }
}

/**
 * @param {number} samples of 16 bits
 * @param {number} rateHz
 */
export function wavHeader(samples, rateHz) {
  const view = new DataView(new ArrayBuffer(44));
  const bytes = samples * 2;
  const text = (/** @type {number} */ at, /** @type {string} */ letters) => {
    [...letters].forEach((letter, place) => view.setUint8(at + place, letter.charCodeAt(0)));
  };
  text(0, "RIFF");
  view.setUint32(4, 36 + bytes, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, rateHz, true);
  view.setUint32(28, rateHz * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, bytes, true);
  return view.buffer;
}
