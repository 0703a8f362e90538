// The order of the river.

import assert from "node:assert/strict";
import { test } from "node:test";

import { stackOrder } from "../../src/emoscope/web/static/draw.js";

test("the largest over the whole recording lies at the bottom", () => {
  const rows = [
    [0, 0, 900, 100, 0, 0, 0, 0, 0],
    [0, 0, 100, 800, 100, 0, 0, 0, 0],
    [0, 0, 600, 100, 300, 0, 0, 0, 0],
  ];
  const curve = { data: { top: 5 }, count: () => rows.length, scores: (_level, column) => rows[column] };
  assert.deepEqual(stackOrder(curve).slice(0, 3), [2, 3, 4]);
});
