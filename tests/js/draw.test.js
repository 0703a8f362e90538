// What is told in words and colours beside the picture.

import assert from "node:assert/strict";
import { test } from "node:test";

import { clock, lifted, stackOrder } from "../../src/emoscope/web/static/draw.js";

test("moments are as exact as the marks need", () => {
  const told = [
    [2.4, 0.01, "2.40 s"],
    [2.4, 0.1, "2.4 s"],
    [42, 1, "42 s"],
    [61.5, 0.5, "1:01.5"],
    [62, 1, "1:02"],
    [3725, 1, "1:02:05"],
  ];
  for (const [time, step, words] of told) assert.equal(clock(time, step), words);
});

test("no moment just before a full minute is told as sixty seconds", () => {
  assert.equal(clock(59.96, 0.1), "1:00.0");
  assert.equal(clock(59.6, 1), "59 s");
  assert.equal(clock(119.96, 0.1), "2:00.0");
  assert.equal(clock(3599.999, 0.01), "1:00:00.00");
});

test("a colour goes towards white", () => {
  assert.equal(lifted("#204060", 0), "rgb(32 64 96)");
  assert.equal(lifted("#204060", 1), "rgb(255 255 255)");
  assert.equal(lifted("#000000", 0.5), "rgb(128 128 128)");
});

test("the largest over the whole recording lies at the bottom", () => {
  const rows = [
    [0, 0, 900, 100, 0, 0, 0, 0, 0],
    [0, 0, 100, 800, 100, 0, 0, 0, 0],
    [0, 0, 600, 100, 300, 0, 0, 0, 0],
  ];
  const curve = { data: { top: 5 }, count: () => rows.length, scores: (_level, column) => rows[column] };
  assert.deepEqual(stackOrder(curve).slice(0, 3), [2, 3, 4]);
});
