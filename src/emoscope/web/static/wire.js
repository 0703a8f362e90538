// @ts-check
// The line to /v1/stream: sound out, events in, and taken up again when it was lost.
//
// What was sent is kept until the server has sent frames that lie behind it; after a loss the server
// says how many bytes had come, and the rest is sent once more.

const RETRY_MS = 500;
const SAMPLE_BYTES = 2;

/**
 * How it ended: with a result, a problem in the server's words, or the name of a note of the page.
 * @typedef {{result?: {run: string}, problem?: {code: string}, note?: string}} Ending
 */

export class Wire {
  /**
   * @param {object} options
   * @param {{rate_hz: number, [key: string]: unknown}} options.start the first message
   * @param {(message: any) => void} options.heard called with each message of the server that is
   *   not about the line itself
   * @param {(how: Ending) => void} options.ended called once
   * @param {(on: boolean) => void} options.line called as the line comes and goes
   */
  constructor({ start, heard, ended, line }) {
    this.start = start;
    this.heard = heard;
    this.ended = ended;
    this.line = line;
    this.ready = false;
    this.over = false;
    this.ending = false;
    /** @type {string | undefined} */
    this.session = undefined;
    /** @type {number | undefined} the longest that the server takes */
    this.maxS = undefined;
    this.graceS = 0;
    /** @type {number | null} */
    this.lostAt = null;
    /** @type {{code: string} | null} */
    this.problem = null;
    this.address = new URL("v1/stream", document.baseURI);
    this.address.protocol = this.address.protocol === "https:" ? "wss:" : "ws:";
    /** @type {Int16Array[]} */
    this.kept = [];
    this.firstByte = 0; // of what is kept
    this.bytes = 0; // of all sound
    this.socket = this.connect();
  }

  /** @param {Int16Array} piece */
  send(piece) {
    this.kept.push(piece);
    this.bytes += piece.byteLength;
    if (this.ready) this.socket.send(piece);
  }

  end() {
    this.ending = true;
    if (this.ready) this.socket.send('{"type": "end"}');
  }

  connect() {
    const socket = new WebSocket(this.address);
    socket.addEventListener("open", () => {
      const { session, start } = this;
      socket.send(JSON.stringify(session ? { type: "resume", session } : start));
    });
    socket.addEventListener("message", ({ data }) => this.receive(JSON.parse(data)));
    socket.addEventListener("close", () => this.closed());
    this.socket = socket;
    return socket;
  }

  /** @param {any} message */
  receive(message) {
    if (message.type === "ready") this.begin(message);
    else if (message.type === "result") this.finish({ result: message });
    else if (message.type === "error") this.problem = message; // a result may still follow
    else {
      if (message.type === "frames") this.forget(message.start_s);
      this.heard(message);
    }
  }

  /** @param {any} message */
  begin({ session, received_bytes: received, max_duration_s: maxS, grace_s: graceS }) {
    Object.assign(this, { session, maxS, graceS, ready: true, lostAt: null, problem: null });
    let at = this.firstByte;
    for (const piece of this.kept) {
      const skipped = Math.max(0, received - at);
      at += piece.byteLength;
      if (skipped < piece.byteLength) this.socket.send(new Uint8Array(piece.buffer).subarray(skipped));
    }
    if (this.ending) this.end();
    this.line(true);
  }

  /**
   * Frames that reach this far prove that the sound before them has come.
   * @param {number} seconds
   */
  forget(seconds) {
    const proved = Math.floor(seconds * this.start.rate_hz) * SAMPLE_BYTES;
    for (let piece = this.kept[0]; piece && this.firstByte + piece.byteLength <= proved; ) {
      this.firstByte += piece.byteLength;
      this.kept.shift();
      piece = this.kept[0];
    }
  }

  closed() {
    this.ready = false;
    if (this.over) return;
    const now = performance.now();
    this.lostAt ??= now;
    const isLost = this.session && (!this.problem || this.problem.code === "stream_not_found");
    // The server may not have noticed the loss yet, and then knows no stream that waits.
    if (isLost && now - this.lostAt < this.graceS * 1000) {
      this.problem = null;
      this.line(false);
      setTimeout(() => this.over || this.connect(), RETRY_MS);
    } else if (isLost) {
      this.finish({ note: "line_lost" });
    } else {
      this.finish(this.problem ? { problem: this.problem } : { note: "no_server" });
    }
  }

  /** @param {Ending} how */
  finish(how) {
    if (this.over) return;
    this.over = true;
    this.socket.close();
    this.ended(how);
  }
}
