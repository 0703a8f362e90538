// @ts-check
// The picture as a PNG: what is in view, with its legend, on paper.

import { paint, penOf } from "./draw.js";

const WIDTH = 1200;
const SCALE = 2;
const EDGE = 24;
const HEAD = 40;
const LEGEND = 34;

/**
 * What is saved: a timeline, or anything with these.
 * @typedef {object} Pictured
 * @property {import("./draw.js").Layout} layout
 * @property {import("./draw.js").Look} look
 * @property {{title: string, run: string, lead: number | null}} data
 * @property {number[]} order
 * @property {(index: number) => string} name
 * @property {(width: number) => import("./draw.js").Scene} scene
 */

/** @param {Pictured} timeline */
export function savePng(timeline) {
  const { layout, look, data } = timeline;
  const canvas = document.createElement("canvas");
  const height = HEAD + layout.height + LEGEND + EDGE;
  canvas.width = (WIDTH + 2 * EDGE) * SCALE;
  canvas.height = height * SCALE;
  const pen = penOf(canvas);
  pen.scale(SCALE, SCALE);
  pen.fillStyle = look.paper;
  pen.fillRect(0, 0, WIDTH + 2 * EDGE, height);

  // paint() clears its ground, so the scene is painted apart and laid on the paper.
  const scene = document.createElement("canvas");
  scene.width = WIDTH * SCALE;
  scene.height = layout.height * SCALE;
  const inner = penOf(scene);
  inner.scale(SCALE, SCALE);
  paint(inner, timeline.scene(WIDTH));
  pen.drawImage(scene, EDGE, HEAD, WIDTH, layout.height);

  pen.fillStyle = look.ink;
  pen.textBaseline = "middle";
  pen.font = `600 15px ${look.font}`;
  pen.fillText(data.title, EDGE, HEAD / 2 + 4, WIDTH);
  pen.font = `13px ${look.font}`;
  let x = EDGE;
  const y = HEAD + layout.height + LEGEND / 2;
  for (const index of layout.river ? timeline.order : data.lead === null ? [] : [data.lead]) {
    pen.fillStyle = look.emotions[index];
    pen.fillRect(x, y - 6, 12, 12);
    pen.fillStyle = look.ink;
    const words = timeline.name(index);
    pen.fillText(words, x + 18, y);
    x += pen.measureText(words).width + 38;
  }
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    if (!blob) return; // a canvas that is too large for the browser
    link.href = URL.createObjectURL(blob);
    link.download = `${data.run}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }, "image/png");
}
