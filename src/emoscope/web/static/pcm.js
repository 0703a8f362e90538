// @ts-check
// Runs beside the sound card: gathers samples and posts them as 16-bit PCM, 40 ms at a time.
// A message asks for the rest, after which null is posted.

const PIECE_S = 0.04;

class EmoPcm extends AudioWorkletProcessor {
  constructor() {
    super();
    this.size = Math.round(sampleRate * PIECE_S);
    this.piece = new Int16Array(this.size);
    this.filled = 0;
    this.over = false;
    this.port.onmessage = () => {
      this.post();
      this.port.postMessage(null);
      this.over = true;
    };
  }

  /** @param {Float32Array[][]} inputs one, of one channel; none of a microphone that is gone */
  process([[samples]]) {
    for (const sample of samples ?? []) {
      this.piece[this.filled] = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
      this.filled += 1;
      if (this.filled === this.size) this.post();
    }
    return !this.over;
  }

  post() {
    if (this.filled) {
      const { buffer } = this.piece.slice(0, this.filled);
      this.port.postMessage(buffer, [buffer]);
    }
    this.filled = 0;
  }
}

registerProcessor("emo-pcm", EmoPcm);
