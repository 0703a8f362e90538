// The numbers of a picture that grows.

import assert from "node:assert/strict";
import { test } from "node:test";

import { LiveCurve } from "../../src/emoscope/web/static/livecurve.js";

const KEYS = ["angry", "disgusted", "fearful", "happy", "neutral", "other", "sad", "surprised", "unknown"];
const DATA = {
  hop_s: 0.02,
  smoothing_s: 0.06,
  doubt_margin: 0.1,
  pause_s: 0.1,
  emotions: [...KEYS, "silence"].map((key) => ({ key })),
};
const sure = (emotion) => Array.from({ length: 9 }, (_, k) => (k === emotion ? 0.92 : 0.01));
const frames = (first, rows, speech = true, final = true) => ({
  first_frame: first,
  scores: rows,
  speech: new Array(rows.length).fill(speech),
  final,
});
const many = (count, row) => new Array(count).fill(row);
const live = () => new LiveCurve(DATA, 16_000);
const rowOf = (curve, column) => curve.scores(0, column, new Array(9).fill(0)).map(Math.round);

test("sound makes columns of the smallest and largest sample", () => {
  const curve = live();
  const pcm = new Int16Array(640); // two frames
  pcm[0] = -16_384;
  pcm[500] = 8_192;
  assert.equal(curve.hear(pcm), 0.5);
  assert.equal(curve.count(), 2);
  assert.deepEqual(curve.extremes(0, 0), [-127, 0]);
  assert.deepEqual(curve.extremes(0, 1), [0, 63.5]);
});

test("a quiet sound is not drawn as if it were loud", () => {
  const curve = live();
  curve.hear(new Int16Array(320).fill(164)); // 0.005 of full scale
  assert.ok(curve.extremes(0, 0)[1] < 20);
});

test("sound of any length fits, in pieces of any length", () => {
  const [whole, parts] = [live(), live()];
  const pcm = Int16Array.from({ length: 100_000 }, (_, n) => ((n * 7919) % 65_536) - 32_768);
  whole.hear(pcm);
  for (let at = 0; at < pcm.length; at += 777) parts.hear(pcm.subarray(at, at + 777));
  assert.equal(parts.count(), whole.count());
  for (let c = 0; c < whole.count(); c += 1) {
    assert.deepEqual(parts.extremes(0, c), whole.extremes(0, c));
  }
});

test("scores are averaged over the neighbours that are known", () => {
  const curve = live();
  curve.tell(frames(0, [sure(3), sure(3), sure(6)]));
  assert.equal(rowOf(curve, 0)[3], 920);
  assert.equal(rowOf(curve, 1)[3], 617); // two of three
  assert.equal(rowOf(curve, 2)[3], 465); // one of two
  assert.deepEqual(rowOf(curve, 3), new Array(9).fill(0)); // not known
});

test("what is told again takes the place of what was told", () => {
  const [once, twice] = [live(), live()];
  twice.tell(frames(0, many(10, sure(6)), true, false));
  for (const curve of [once, twice]) curve.tell(frames(0, many(10, sure(3))));
  assert.deepEqual(rowOf(twice, 5), rowOf(once, 5));
  const [one, other] = [once.altogether(), twice.altogether()];
  one.forEach((value, k) => assert.ok(Math.abs(value - other[k]) < 1e-6));
  assert.equal(twice.settled, 10);
});

test("two emotions that are close are in doubt", () => {
  const curve = live();
  const close = [0.4, 0.35, 0.05, 0.05, 0.05, 0.04, 0.03, 0.02, 0.01];
  curve.tell(frames(0, [...many(5, sure(3)), ...many(5, close)]));
  assert.equal(curve.share("doubt", 0, 1), 0);
  assert.equal(curve.share("doubt", 0, 8), 100);
});

test("a short pause is speech, a long one silence, and before speech there is silence at once", () => {
  const curve = live();
  curve.tell(frames(0, many(2, sure(4)), false));
  assert.equal(curve.share("quiet", 0, 0), 100);
  curve.tell(frames(2, many(10, sure(3))));
  curve.tell(frames(12, many(3, sure(4)), false));
  assert.equal(curve.share("quiet", 0, 13), 0);
  curve.tell(frames(15, many(2, sure(4)), false)); // five frames: 0.1 s
  assert.equal(curve.share("quiet", 0, 13), 100);
  assert.equal(curve.share("quiet", 0, 99), 100); // not judged yet
});

test("segments cover what is known without gaps", () => {
  const curve = live();
  curve.tell(frames(0, many(100, sure(3)))); // 2 s
  curve.close({ start_s: 0.5, end_s: 1.0 }, 3, true);
  curve.opened(6, 1.4);
  assert.deepEqual(curve.segments(), [
    [0, 0.5, 9],
    [0.5, 1.0, 3],
    [1.0, 1.4, 9],
    [1.4, 2.0, 6],
  ]);
  curve.paused();
  assert.deepEqual(curve.segments().at(-1), [1.0, 2.0, 9]);
});

test("a final segment replaces the provisional ones before its end", () => {
  const curve = live();
  curve.tell(frames(0, many(100, sure(3))));
  curve.close({ start_s: 0, end_s: 0.6 }, 6, false);
  curve.close({ start_s: 0.6, end_s: 2 }, 3, false);
  curve.close({ start_s: 0, end_s: 0.8 }, 4, true);
  assert.deepEqual(curve.segments(), [
    [0, 0.8, 4],
    [0.8, 2, 3],
  ]);
});

test("the headline is about frames with speech, the whole about all", () => {
  const curve = live();
  assert.equal(curve.lately(2), null);
  assert.equal(curve.altogether(), null);
  curve.tell(frames(0, many(10, sure(3))));
  curve.tell(frames(10, many(10, sure(6)), false));
  assert.ok(curve.lately(2)[3] > 0.9);
  assert.equal(curve.lately(0.2), null); // nothing but silence
  const all = curve.altogether();
  assert.ok(Math.abs(all.reduce((a, b) => a + b) - 1) < 1e-9);
  assert.ok(Math.abs(all[3] - all[6]) < 1e-6);
});
