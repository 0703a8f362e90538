// The numbers of a picture at every zoom.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Curve, columns, merged, ranked, smoothing } from "../../src/emoscope/web/static/curve.js";

const COLUMNS = 4; // of a tile

// A tile in which column c says: all of emotion `emotion`, samples from -(c + 1) to c + 1.
const tile = (emotion, length, quiet = 0) => ({
  low: Array.from({ length }, (_, c) => -(c + 1)),
  high: Array.from({ length }, (_, c) => c + 1),
  scores: Array.from({ length: length * 9 }, (_, at) => (at % 9 === emotion ? 1000 : 0)),
  quiet: new Array(length).fill(quiet),
  doubt: new Array(length).fill(0),
});

// 16 frames of 20 ms; the coarsest level, 2, has 4 columns.
const drawing = (more = {}) => ({
  run: "outputs_1",
  tiles: "page/runs/outputs_1/curve",
  tile: COLUMNS,
  top: 2,
  finest: -2,
  hop_s: 0.02,
  duration_s: 0.32,
  overview: tile(3, 4),
  ...more,
});

test("places are ranked from the largest, and stay in order when equal", () => {
  assert.deepEqual(ranked([0, 5, 9, 5]), [2, 1, 3, 0]);
});

test("a column is twice as wide on each level", () => {
  const curve = new Curve(drawing(), () => {});
  assert.deepEqual([0, 1, 2].map((level) => curve.width(level)), [0.02, 0.04, 0.08]);
  assert.deepEqual([-1, 0, 1, 2].map((level) => curve.count(level)), [32, 16, 8, 4]);
});

test("the level follows the zoom, within what there is", () => {
  const curve = new Curve(drawing(), () => {});
  assert.equal(curve.level(0.02), 0);
  assert.equal(curve.level(0.079), 1);
  assert.equal(curve.level(100), 2);
  assert.equal(curve.level(1e-9), -2);
});

test("what is not here yet is told by the coarser level", () => {
  const curve = new Curve(drawing(), () => {});
  assert.deepEqual(curve.scores(0, 15, new Array(9).fill(0)), [0, 0, 0, 1000, 0, 0, 0, 0, 0]);
  assert.deepEqual(curve.extremes(0, 15), [-4, 4]);
});

test("a finer tile that came is taken, and asked for once", async (t) => {
  const asked = [];
  t.mock.method(globalThis, "fetch", async (address) => {
    asked.push(address);
    return { ok: true, json: async () => tile(7, COLUMNS, 100) };
  });
  let changes = 0;
  const curve = new Curve(drawing(), () => (changes += 1));
  assert.equal(curve.at(0.1, 0).quiet, false);
  await curve.fetch(0, 1); // columns 4 to 7
  await curve.fetch(0, 1);
  assert.deepEqual(asked, ["page/runs/outputs_1/curve/0/1"]);
  assert.equal(changes, 1);
  assert.equal(curve.at(0.1, 0).quiet, true);
  assert.equal(ranked(curve.at(0.1, 0).row)[0], 7);
  assert.equal(ranked(curve.at(0.0, 0).row)[0], 3); // its neighbour is still the coarse one
});

test("smoothing grows with the view, to a sixtieth of it", () => {
  assert.equal(smoothing(4), 0); // the server's own is enough
  assert.ok(Math.abs(smoothing(600) - 10) < 0.01);
  assert.ok(smoothing(60) < smoothing(120));
});

// A curve of one level: emotion 0 has these thousandths, emotion 1 the rest.
const plain = (values, quiet = values.map(() => 0)) => ({
  width: () => 1,
  count: () => values.length,
  scores: (_level, column, row) => {
    row.fill(0);
    row[0] = values[column];
    row[1] = 1000 - values[column];
    return row;
  },
  share: (kind, _level, column) => (kind === "quiet" ? quiet[column] : 0),
});

test("smoothed columns still add up, and a single peak is spread over the window", () => {
  const values = Array.from({ length: 40 }, (_, at) => (at === 20 ? 1000 : 0));
  const { scores } = columns(plain(values), 0, 10, 30, 8);
  const peak = Math.max(...scores[0]);
  assert.ok(peak > 100 && peak < 300);
  assert.equal(scores[0].indexOf(peak), 10);
  for (let c = 0; c < 20; c += 1) assert.ok(Math.abs(scores[0][c] + scores[1][c] - 1000) < 0.1);
  assert.ok(scores[0][2] === 0 && scores[0][18] === 0);
});

test("without a window columns are as they are", () => {
  const { scores } = columns(plain([0, 1000, 500]), 0, 0, 3, 0);
  assert.deepEqual([...scores[0]], [0, 1000, 500]);
});

test("silence does not count in what is smoothed", () => {
  const values = [1000, 1000, 0, 0, 0, 0, 1000, 1000];
  const quiet = [0, 0, 100, 100, 100, 100, 0, 0];
  const { scores } = columns(plain(values, quiet), 0, 0, 8, 8);
  assert.ok(scores[0].every((value) => value > 980), [...scores[0]].join());
});

test("a short segment between long ones joins the longer of them", () => {
  const segments = [[0, 10, 3], [10, 11, 6], [11, 30, 2], [30, 31, 0], [31, 40, 6]];
  assert.deepEqual(merged(segments, 5), [[0, 10, 3], [10, 31, 2], [31, 40, 6]]);
  assert.deepEqual(merged(segments, 0.5), segments);
  assert.deepEqual(segments[1], [10, 11, 6]); // what was given stays
});

test("neighbours that get one name are one", () => {
  assert.deepEqual(merged([[0, 10, 3], [10, 11, 6], [11, 30, 3]], 5), [[0, 30, 3]]);
});

test("short segments in a row join one another and are named after most of them", () => {
  const segments = [[0, 20, 3], [20, 22, 6], [22, 23, 0], [23, 26, 6], [26, 50, 3]];
  assert.deepEqual(merged(segments, 5), [[0, 20, 3], [20, 26, 6], [26, 50, 3]]);
});

test("a bar code becomes few segments without gaps, none too short, and not one alone", () => {
  const segments = Array.from({ length: 237 }, (_, at) => [at * 2.5, (at + 1) * 2.5, (at * 7) % 9]);
  const shown = merged(segments, 10);
  assert.equal(shown[0][0], 0);
  assert.equal(shown.at(-1)[1], 592.5);
  assert.ok(shown.length > 20 && shown.length <= 60, String(shown.length));
  shown.slice(1).forEach((one, at) => assert.equal(one[0], shown[at][1]));
  assert.ok(shown.every(([start, end]) => end - start >= 10), JSON.stringify(shown));
});

test("a pause gives its name to a stretch only where speech is rare", () => {
  assert.deepEqual(merged([[0, 2, 3], [2, 5, 9], [5, 7, 3]], 8), [[0, 7, 3]]);
  assert.deepEqual(merged([[0, 1, 3], [1, 30, 9], [30, 31, 3]], 8), [[0, 31, 9]]);
});

test("only tiles in view are asked for", (t) => {
  const curve = new Curve(drawing(), () => {});
  const asked = [];
  t.mock.method(curve, "fetch", async (level, index) => void asked.push([level, index]));
  curve.want(0, 0.1, 0.2);
  assert.deepEqual(asked, [[0, 1], [0, 2]]);
});

test("nothing finer is fetched before anybody zooms, where the whole is sharp", (t) => {
  const many = drawing({ top: 0, tile: 1024, duration_s: 20 });
  const curve = new Curve(many, () => {});
  const asked = t.mock.method(curve, "fetch", async () => {});
  curve.want(-1, 0, many.duration_s);
  assert.equal(asked.mock.callCount(), 0);
  curve.want(-1, 0, 5);
  assert.ok(asked.mock.callCount() > 0);
});

test("a recording without scores has none, and no silence", () => {
  const overview = { low: [0], high: [1], scores: null, quiet: null, doubt: null };
  const curve = new Curve(drawing({ overview }), () => {});
  assert.equal(curve.hasScores, false);
  assert.equal(curve.share("quiet", 2, 0), 0);
  assert.deepEqual(curve.scores(2, 0, new Array(9).fill(1)), new Array(9).fill(0));
});
