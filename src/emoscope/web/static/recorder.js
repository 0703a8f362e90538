// @ts-check
// A recording with the microphone, as a file. Loaded when it is first asked for.

import { watchLevel } from "./level.js";
import { openMicrophone } from "./microphone.js";

const MAX_S = 300;

/**
 * Starts to record.
 * @param {object} told
 * @param {HTMLElement} told.meter shows the level
 * @param {(seconds: number) => void} told.onTime
 * @param {(file: File) => void} told.onEnd
 * @returns {Promise<MediaRecorder>} to be stopped; it stops by itself after five minutes
 */
export async function record({ meter, onTime, onEnd }) {
  const stream = await openMicrophone();
  /** @type {Blob[]} */
  const pieces = [];
  const recorder = new MediaRecorder(stream);
  const started = performance.now();
  const unwatch = watchLevel(stream, meter);
  const ticking = setInterval(() => {
    const seconds = (performance.now() - started) / 1000;
    onTime(seconds);
    if (seconds >= MAX_S) recorder.stop();
  }, 250);
  recorder.addEventListener("dataavailable", (event) => pieces.push(event.data));
  recorder.addEventListener("stop", () => {
    clearInterval(ticking);
    unwatch();
    for (const track of stream.getTracks()) track.stop();
    // Firefox names the format with the data only.
    const type = recorder.mimeType || pieces[0]?.type || "audio/webm";
    const ending = /ogg|mp4/.exec(type)?.[0] ?? "webm";
    const at = new Date().toTimeString().slice(0, 8).replaceAll(":", "");
    onEnd(new File(pieces, `recording_${at}.${ending}`, { type }));
  });
  onTime(0);
  recorder.start();
  return recorder;
}
