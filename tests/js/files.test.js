// Files that the browser makes: names, and WAV cut from the run's sound.

import assert from "node:assert/strict";
import { test } from "node:test";

import { byteRange, cutSound, fileName, wavHead } from "../../src/emoscope/web/static/files.js";

test("a file is named after its recording", () => {
  assert.equal(fileName("interview.wav", "river", "png"), "interview_river.png");
  assert.equal(fileName("访谈 3.m4a", "card", "png"), "访谈 3_card.png");
  assert.equal(fileName('a/b\\c:"d".mp3', "river", "png"), "a_b_c_d__river.png");
  assert.equal(fileName("../..", "river", "png"), "emoscope_river.png".replace("emoscope", "_"));
  assert.equal(fileName("", "river", "png"), "emoscope_river.png");
  assert.ok(fileName("x".repeat(300), "river", "png").length < 100);
});

test("a stretch of sound is so many bytes behind the head", () => {
  assert.deepEqual(byteRange(0, 1), [44, 44 + 31_999]);
  assert.deepEqual(byteRange(0.5, 0.5 + 1 / 16_000), [44 + 16_000, 44 + 16_001]);
});

test("the head is that of 16 kHz, 16 bits, one channel", () => {
  const view = new DataView(wavHead(32_000));
  const word = (at) => String.fromCharCode(...[0, 1, 2, 3].map((n) => view.getUint8(at + n)));
  assert.deepEqual([word(0), word(8), word(12), word(36)], ["RIFF", "WAVE", "fmt ", "data"]);
  assert.equal(view.byteLength, 44);
  assert.equal(view.getUint32(4, true), 32_036);
  assert.deepEqual([view.getUint16(20, true), view.getUint16(22, true)], [1, 1]);
  assert.equal(view.getUint32(24, true), 16_000);
  assert.equal(view.getUint32(28, true), 32_000);
  assert.equal(view.getUint32(40, true), 32_000);
});

test("only the stretch is fetched; from a server without ranges it is cut out", async (t) => {
  const file = new Uint8Array(44 + 64_000).map((_, at) => at % 251);
  const asked = [];
  let status = 206;
  t.mock.method(globalThis, "fetch", async (url, { headers }) => {
    asked.push(headers.range);
    const [first, last] = headers.range.slice(6).split("-").map(Number);
    const body = status === 206 ? file.slice(first, last + 1) : file;
    return { ok: true, status, arrayBuffer: async () => body.buffer };
  });
  const ranged = new Uint8Array(await (await cutSound("x.wav", [0.5, 1])).arrayBuffer());
  status = 200;
  const whole = new Uint8Array(await (await cutSound("x.wav", [0.5, 1])).arrayBuffer());
  assert.deepEqual(asked, ["bytes=16044-32043", "bytes=16044-32043"]);
  assert.deepEqual(ranged, whole);
  assert.deepEqual(ranged.slice(44), file.slice(16_044, 32_044));
});
