import assert from "node:assert/strict";
import { test } from "node:test";

import { next, place } from "../../src/emoscope/web/static/bars.js";

test("a bar lies where its time is in view", () => {
  assert.deepEqual(place([2, 4], [0, 10]), { left: 20, width: 20 });
  assert.deepEqual(place([2, 4], [3, 5]), { left: 0, width: 50 });
  assert.deepEqual(place([0, 10], [4, 6]), { left: 0, width: 100 });
});

test("a bar out of view lies nowhere", () => {
  assert.equal(place([2, 4], [4, 8]), null);
  assert.equal(place([8, 9], [4, 8]), null);
});

test("arrow keys go along the bars and stop at both ends", () => {
  assert.equal(next("ArrowRight", 0, 3), 1);
  assert.equal(next("ArrowRight", 2, 3), 2);
  assert.equal(next("ArrowLeft", 0, 3), 0);
  assert.equal(next("Home", 2, 3), 0);
  assert.equal(next("End", 0, 3), 2);
  assert.equal(next("a", 0, 3), null);
});
