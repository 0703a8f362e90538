// What the browser keeps of a live recording, as a WAV file; and links to archives.

import assert from "node:assert/strict";
import { test } from "node:test";

import { archives } from "../../src/emoscope/web/static/archives.js";
import { Recording } from "../../src/emoscope/web/static/recording.js";
import { order } from "../../src/emoscope/web/static/table.js";

/** @param {Blob} blob */
const bytesOf = async (blob) => new DataView(await blob.arrayBuffer());

test("all pieces are in the file, in their order", async () => {
  const recording = new Recording(8000);
  for (let second = 0; second < 12; second += 1) recording.add(new Int16Array(8000).fill(second));
  const view = await bytesOf(recording.wav());

  assert.equal(recording.seconds, 12);
  assert.equal(recording.isCut, false);
  assert.equal(view.byteLength, 44 + 12 * 8000 * 2);
  assert.equal(view.getUint32(4, true), view.byteLength - 8);
  assert.equal(view.getUint32(24, true), 8000);
  assert.equal(view.getUint32(40, true), 12 * 8000 * 2);
  for (const second of [0, 5, 11]) assert.equal(view.getInt16(44 + second * 16_000, true), second);
});

test("no more than half an hour is kept", () => {
  const recording = new Recording(10);
  for (let minute = 0; minute < 31; minute += 1) recording.add(new Int16Array(600));

  assert.equal(recording.seconds, 1800);
  assert.equal(recording.isCut, true);
});

test("an archive holds 200 runs at most", () => {
  const runs = Array.from({ length: 401 }, (_, at) => `run_${at}`);
  const links = archives(runs);

  assert.deepEqual(
    links.map((link) => link.split(",").length),
    [200, 200, 1],
  );
  assert.equal(links[0].split("=")[1].split(",")[0], "run_0");
  assert.deepEqual(archives([]), []);
});

test("cells are sorted as numbers where they are numbers", () => {
  assert.deepEqual(["10", "9", "-1"].sort(order), ["-1", "9", "10"]);
  assert.deepEqual(["b10", "a"].sort(order), ["a", "b10"]);
});
