// The numbers of a picture at every zoom.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Curve, ranked } from "../../src/emoscope/web/static/curve.js";

const COLUMNS = 4; // of a tile

// A tile in which column c says: all of emotion `emotion`, samples from -(c + 1) to c + 1.
const tile = (emotion, columns, quiet = 0) => ({
  low: Array.from({ length: columns }, (_, c) => -(c + 1)),
  high: Array.from({ length: columns }, (_, c) => c + 1),
  scores: Array.from({ length: columns * 9 }, (_, at) => (at % 9 === emotion ? 1000 : 0)),
  quiet: new Array(columns).fill(quiet),
  doubt: new Array(columns).fill(0),
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

test("only tiles in view are asked for", (t) => {
  const curve = new Curve(drawing(), () => {});
  const asked = [];
  t.mock.method(curve, "fetch", async (level, index) => void asked.push([level, index]));
  curve.want(0, 0.1, 0.2);
  assert.deepEqual(asked, [[0, 1], [0, 2]]);
});

test("a recording without scores has none, and no silence", () => {
  const overview = { low: [0], high: [1], scores: null, quiet: null, doubt: null };
  const curve = new Curve(drawing({ overview }), () => {});
  assert.equal(curve.hasScores, false);
  assert.equal(curve.share("quiet", 2, 0), 0);
  assert.deepEqual(curve.scores(2, 0, new Array(9).fill(1)), new Array(9).fill(0));
});
