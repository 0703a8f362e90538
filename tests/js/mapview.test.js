// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { WHOLE, inside, lassoed, nearest, onScreen, zoomed } from "../../src/emoscope/web/static/mapview.js";

const SIZE = { width: 400, height: 300 };
const PLACES = { x: [0, 1, -1, 0.5], y: [0, 1, -1, 0] };
const all = () => true;

test("all places fit into the picture, upwards is up", () => {
  for (let at = 0; at < PLACES.x.length; at += 1) {
    const [x, y] = onScreen(PLACES.x[at], PLACES.y[at], WHOLE, SIZE);
    assert.ok(x > 0 && x < 400 && y > 0 && y < 300);
  }
  assert.ok(onScreen(0, 1, WHOLE, SIZE)[1] < onScreen(0, -1, WHOLE, SIZE)[1]);
});

test("the pixel at which is zoomed keeps its place", () => {
  /** @type {[number, number]} */
  const pixel = [260, 90];
  const near = zoomed(WHOLE, SIZE, 3, pixel);
  const unit = (300 / 2 - 18) * 1;
  const place = [(260 - 200) / unit, (150 - 90) / unit];
  const [x, y] = onScreen(place[0], place[1], near, SIZE);
  assert.ok(Math.abs(x - 260) < 1e-9 && Math.abs(y - 90) < 1e-9);
  assert.equal(near.zoom, 3);
  assert.deepEqual(zoomed(near, SIZE, 0.01, pixel), { ...WHOLE });
  assert.equal(zoomed(near, SIZE, 1e6, pixel).zoom, 40);
});

test("the nearest shown point within reach is found", () => {
  assert.equal(nearest(PLACES, all, WHOLE, SIZE, [203, 151], 10), 0);
  assert.equal(nearest(PLACES, (at) => at !== 0, WHOLE, SIZE, [203, 151], 10), -1);
  assert.equal(nearest(PLACES, all, WHOLE, SIZE, [230, 200], 10), -1);
});

test("a lasso takes the shown points inside it", () => {
  /** @type {[number, number][]} */
  const lasso = [[150, 100], [300, 100], [300, 200], [150, 200]];
  assert.deepEqual(lassoed(PLACES, all, WHOLE, SIZE, lasso), [0, 3]);
  assert.deepEqual(lassoed(PLACES, (at) => at === 3, WHOLE, SIZE, lasso), [3]);
  assert.ok(inside(200, 150, lasso) && !inside(100, 150, lasso));
  assert.equal(inside(0, 0, []), false);
});
