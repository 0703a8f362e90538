// @ts-check
// The microphone: opened, or the name of the page's note that says why it cannot be; and its sound
// as 16-bit PCM in small pieces, at the rate at which it comes.

export class MicrophoneError extends Error {
  /** @param {string} note name of the page's note */
  constructor(note) {
    super(note);
    this.note = note;
  }
}

/** @type {Record<string, string>} by names of the browser's errors */
const NOTES = {
  NotAllowedError: "microphone_refused",
  SecurityError: "microphone_refused",
  NotFoundError: "microphone_absent",
  OverconstrainedError: "microphone_absent",
};

// The voice as it is: what telephones do against noise and echo changes how it sounds.
const SOUND = { echoCancellation: false, noiseSuppression: false, autoGainControl: true };

export async function openMicrophone() {
  // Browsers hide it from a page that comes neither over https nor from this machine.
  if (!window.isSecureContext) throw new MicrophoneError("microphone_insecure");
  if (!navigator.mediaDevices) throw new MicrophoneError("microphone_absent");
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: SOUND });
  } catch (error) {
    throw new MicrophoneError(NOTES[/** @type {Error} */ (error).name] ?? "microphone_taken");
  }
}

const FLUSH_MS = 2000; // a machine that has suspended the sound never answers

// Hands pieces of PCM (Int16Array) to `take` until close(), which resolves after the last one.
export class Pcm {
  /**
   * @param {MediaStream} stream
   * @param {(piece: Int16Array) => void} take
   */
  constructor(stream, take) {
    this.stream = stream;
    this.context = new AudioContext();
    this.rateHz = this.context.sampleRate;
    this.take = take;
    this.closed = false;
    /** @type {AudioWorkletNode | null} */
    this.node = null;
    /** @type {(() => void) | null} */
    this.flushed = null;
  }

  async start() {
    await this.context.audioWorklet.addModule(new URL("./pcm.js", import.meta.url));
    /** @type {AudioWorkletNodeOptions} */
    const options = { channelCount: 1, channelCountMode: "explicit", outputChannelCount: [1] };
    const node = new AudioWorkletNode(this.context, "emo-pcm", options);
    this.node = node;
    node.port.onmessage = ({ data }) => {
      if (data === null) this.flushed?.();
      else this.take(new Int16Array(data));
    };
    this.context.createMediaStreamSource(this.stream).connect(node);
    // It plays nothing; a node that leads nowhere may not be run at all.
    node.connect(this.context.destination);
    await this.context.resume();
  }

  async close() {
    if (this.closed) return;
    this.closed = true;
    if (this.node) {
      /** @type {Promise<void>} */
      const flushed = new Promise((done) => (this.flushed = done));
      this.node.port.postMessage(null);
      await Promise.race([flushed, new Promise((done) => setTimeout(done, FLUSH_MS))]);
      this.node.port.onmessage = null; // what comes now is too late
    }
    for (const track of this.stream.getTracks()) track.stop();
    await this.context.close();
  }
}
