// Moments in words, the time axis, and how large sound looks.

import assert from "node:assert/strict";
import { test } from "node:test";

import { clock, exactness, perceived, reaches, ticks } from "../../src/emoscope/web/static/marks.js";

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

test("a view of seconds is told to the hundredth, a longer one to the tenth", () => {
  assert.equal(exactness(3), 0.01);
  assert.equal(exactness(60), 0.1);
});

// Seven points a letter, as a usual font has.
const measure = (words) => words.length * 7;

test("labels of the axis never touch, in any view of any width", () => {
  for (const [from, span, end] of [[0, 2.9, 2.9], [0, 20, 20], [238.25, 0.25, 600], [0, 595, 595], [3590, 40, 7200], [0, 7200, 7200]]) {
    for (const width of [250, 390, 760, 1200]) {
      const marks = ticks(from, from + span, end, width, measure);
      assert.ok(marks.length > 1, `${from} ${span} ${width}`);
      marks.reduce((before, mark) => {
        assert.ok(mark.left >= before.left + measure(before.words) + 4, `${before.words}${mark.words}`);
        return mark;
      });
      assert.ok(marks.every(({ left, words }) => left >= 0 && left + measure(words) <= width));
    }
  }
});

test("the axis names no moment behind the end", () => {
  const marks = ticks(0, 10, 4.2, 800, measure);
  assert.equal(marks.at(-1).words, "4 s");
});

test("sound is as large as it is heard: by decibels", () => {
  assert.equal(perceived(0), 0);
  assert.equal(perceived(1), 1);
  assert.ok(Math.abs(perceived(0.5) - (1 - 6.02 / 36)) < 0.001);
  assert.equal(perceived(0.001), 0);
});

test("a bar is the mean loudness where that is known, and the waveform where it is not", () => {
  const curve = {
    width: () => 0.02,
    count: () => 4,
    extremes: (_level, column) => [-127 * (column === 1 ? 1 : 0.5), 63.5],
    loud: (level, column) => (level < 0 ? null : [20, 40, 60, 80][column]),
  };
  assert.deepEqual(reaches(curve, 0, 0.02, 0.04), [0.5, 0.5]);
  assert.deepEqual(reaches(curve, -1, 0, 0.04), [perceived(0.5), 1]);
});
