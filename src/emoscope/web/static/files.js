// @ts-check
// Files that the browser makes: their names, and WAV cut from the run's sound.

const HEAD_BYTES = 44;
const RATE_HZ = 16_000;

/**
 * A file name after the recording's: `interview_river.png`.
 * @param {string} title the recording's name, with its ending
 * @param {string} what
 * @param {string} ending
 */
export function fileName(title, what, ending) {
  const stem = title
    .replace(/\.[a-z0-9]{2,5}$/i, "")
    .replace(/[\\/:*?"<>|\p{Cc}]+/gu, "_")
    .replace(/^[\s.]+|[\s.]+$/g, "")
    .slice(0, 80);
  return `${stem || "emoscope"}_${what}.${ending}`;
}

/**
 * Bytes of a stretch in a WAV file of 16 kHz, 16 bits, one channel: first, and last (inclusive).
 * @param {number} from seconds
 * @param {number} to
 * @returns {[first: number, last: number]}
 */
export function byteRange(from, to) {
  const at = (/** @type {number} */ time) => HEAD_BYTES + 2 * Math.round(time * RATE_HZ);
  return [at(from), at(to) - 1];
}

/**
 * The head of a WAV file of 16 kHz, 16 bits, one channel.
 * @param {number} bytes of sound
 */
export function wavHead(bytes) {
  const view = new DataView(new ArrayBuffer(HEAD_BYTES));
  const word = (/** @type {number} */ at, /** @type {string} */ letters) =>
    [...letters].forEach((letter, n) => view.setUint8(at + n, letter.charCodeAt(0)));
  word(0, "RIFF");
  view.setUint32(4, HEAD_BYTES - 8 + bytes, true);
  word(8, "WAVEfmt ");
  view.setUint32(16, 16, true); // of the format's description
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, RATE_HZ, true);
  view.setUint32(28, 2 * RATE_HZ, true); // bytes a second
  view.setUint16(32, 2, true); // bytes of a sample
  view.setUint16(34, 16, true); // bits
  word(36, "data");
  view.setUint32(40, bytes, true);
  return view.buffer;
}

/**
 * The sound between two moments, fetched alone.
 * @param {string} url of the run's sound
 * @param {[from: number, to: number]} part seconds
 * @returns {Promise<Blob | null>} null if the server does not give it
 */
export async function cutSound(url, [from, to]) {
  const [first, last] = byteRange(from, to);
  const reply = await fetch(url, { headers: { range: `bytes=${first}-${last}` } });
  if (!reply.ok) return null;
  const all = await reply.arrayBuffer();
  // A server without ranges sends the whole file.
  const sound = reply.status === 206 ? all : all.slice(first, last + 1);
  return new Blob([wavHead(sound.byteLength), sound], { type: "audio/wav" });
}

/**
 * Gives a file to the person.
 * @param {Blob | null} blob nothing is given where the browser could not make it
 * @param {string} name
 */
export function give(blob, name) {
  if (!blob) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
