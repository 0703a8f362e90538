// @ts-check
// The level meter: how loud the microphone is, in decibels, while it records.

const FLOOR_DB = 60;
const LOUD = 0.99;

/**
 * @param {HTMLElement} meter
 * @param {number} peak from 0 to 1
 */
export function showLevel(meter, peak) {
  const share = Math.max(0, Math.min(1, (20 * Math.log10(peak + 1e-6) + FLOOR_DB) / FLOOR_DB));
  const percent = (share * 100).toFixed(0);
  meter.style.setProperty("--w", `${percent}%`);
  meter.setAttribute("aria-valuenow", percent);
  meter.dataset.level = peak > LOUD ? "loud" : "fine";
}

/**
 * Shows a stream's level until the function that is returned is called.
 * @param {MediaStream} stream
 * @param {HTMLElement} meter
 */
export function watchLevel(stream, meter) {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 2048 });
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let pending = 0;
  const look = () => {
    analyser.getFloatTimeDomainData(samples);
    showLevel(meter, samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0));
    pending = requestAnimationFrame(look);
  };
  look();
  return () => {
    cancelAnimationFrame(pending);
    context.close();
  };
}
