// Corrections: edits of segments, undo and redo, saving in order.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  Edits,
  Saver,
  bordered,
  changedSegments,
  cut,
  joined,
  relabelled,
  split,
} from "../../src/emoscope/web/static/edits.js";

const SEGMENTS = [[0, 2, 3], [2, 5, 6], [5, 9, 0]];

test("a segment gets another emotion", () => {
  assert.deepEqual(relabelled(SEGMENTS, 1, 4), [[0, 2, 3], [2, 5, 4], [5, 9, 0]]);
});

test("a border moves, and leaves a frame on each side", () => {
  assert.deepEqual(bordered(SEGMENTS, 0, 3.25), [[0, 3.25, 3], [3.25, 5, 6], [5, 9, 0]]);
  assert.equal(bordered(SEGMENTS, 0, 99)[0][1], 4.98);
  assert.equal(bordered(SEGMENTS, 0, -1)[0][1], 0.02);
  assert.equal(bordered(SEGMENTS, 2, 7), SEGMENTS); // there is none behind the last
  assert.equal(bordered(SEGMENTS, 0, NaN), SEGMENTS);
});

test("a segment is split, but not at its own border", () => {
  assert.deepEqual(split(SEGMENTS, 3.5), [[0, 2, 3], [2, 3.5, 6], [3.5, 5, 6], [5, 9, 0]]);
  assert.deepEqual(split(SEGMENTS, 2.01), SEGMENTS);
});

test("a segment is merged with the next", () => {
  assert.deepEqual(joined(SEGMENTS, 1), [[0, 2, 3], [2, 9, 6]]);
  assert.equal(joined(SEGMENTS, 2), SEGMENTS);
});

test("a selection becomes one segment, named after most of it", () => {
  const { segments, at } = cut(SEGMENTS, 1.5, 4);
  assert.deepEqual(segments, [[0, 1.5, 3], [1.5, 4, 6], [4, 5, 6], [5, 9, 0]]);
  assert.equal(at, 1);
});

test("what a person changed is known from what the model made", () => {
  assert.deepEqual(changedSegments(relabelled(SEGMENTS, 1, 4), SEGMENTS), [[2, 5, 4]]);
  assert.deepEqual(changedSegments(SEGMENTS, SEGMENTS), []);
});

test("edits are undone and redone; a dragged border is one edit", () => {
  const edits = new Edits(SEGMENTS);
  assert.equal(edits.put(relabelled(SEGMENTS, 0, 3)), false); // the same
  edits.put(relabelled(SEGMENTS, 0, 8));
  edits.put(bordered(edits.now, 0, 2.5));
  edits.put(bordered(edits.now, 0, 2.75), true);
  assert.equal(edits.undo(), true);
  assert.deepEqual(edits.now, relabelled(SEGMENTS, 0, 8));
  edits.undo();
  assert.deepEqual(edits.now, SEGMENTS);
  assert.equal(edits.undo(), false);
  edits.redo();
  edits.redo();
  assert.equal(edits.now[0][1], 2.75);
  edits.undo();
  edits.put(relabelled(edits.now, 2, 1));
  assert.equal(edits.redo(), false); // a new edit ends the old future
});

// A server that answers when it is told to.
function held() {
  const sent = [];
  const send = (state) => new Promise((done) => sent.push({ state, done }));
  return { sent, send };
}
const turn = () => new Promise((done) => setImmediate(done));

test("only the latest state is saved, one request at a time", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { sent, send } = held();
  const told = [];
  const saver = new Saver(send, (state) => told.push(state), 600);
  saver.save("a");
  saver.save("b");
  assert.equal(saver.isPending, true);
  assert.equal(sent.length, 0);
  t.mock.timers.tick(600);
  assert.deepEqual(sent.map(({ state }) => state), ["b"]);
  saver.save("c");
  t.mock.timers.tick(600);
  assert.equal(sent.length, 1); // the first is not back yet
  sent[0].done(true);
  await turn();
  assert.deepEqual(sent.map(({ state }) => state), ["b", "c"]);
  assert.equal(told.includes("saved"), false);
  sent[1].done(true);
  await turn();
  assert.equal(told.at(-1), "saved");
  assert.equal(saver.isPending, false);
});

test("what could not be saved stays pending and is sent again", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { sent, send } = held();
  const told = [];
  const saver = new Saver(send, (state) => told.push(state));
  saver.save("a");
  t.mock.timers.tick(1000);
  sent[0].done(false);
  await turn();
  assert.equal(told.at(-1), "failed");
  assert.equal(saver.isPending, true);
  saver.flush();
  sent[1].done(true);
  await turn();
  assert.deepEqual([sent[1].state, told.at(-1), saver.isPending], ["a", "saved", false]);
});
