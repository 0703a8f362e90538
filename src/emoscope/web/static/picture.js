// @ts-check
// Pictures to keep and to show: the figure with its words, and cards of two shapes. On paper, light.

import { smoothing } from "./curve.js";
import { LAYOUT, hatch, paint, paintOverview, penOf } from "./draw.js";
import { paintScale } from "./marks.js";

/** @typedef {import("./timeline.js").Figure} Figure */
/** @typedef {import("./draw.js").Pen} Pen */

const SCALE = 2;
const WIDTH = 1240;
const LEFT = 64; // room for the percent scale
const RIGHT = 24;
const HEAD = 64;
const LEGEND_LINE = 26;
const PAPER = { ink: "#1c2329", soft: "#56616b", line: "#dfe3e2", paper: "#ffffff", tint: "#f0f3f2" };

/**
 * @param {number} width points
 * @param {number} height
 * @param {number} scale
 */
function sheet(width, height, scale) {
  const canvas = document.createElement("canvas");
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = penOf(canvas);
  pen.scale(scale, scale);
  pen.fillStyle = PAPER.paper;
  pen.fillRect(0, 0, width, height);
  return { canvas, pen };
}

/** @param {Figure} figure */
const lightLook = (figure) => ({
  ...PAPER,
  font: figure.look.font,
  emotions: figure.data.emotions.map(({ colour }) => colour),
});

/** @param {HTMLCanvasElement} canvas */
const blobOf = (canvas) =>
  new Promise((/** @type {(blob: Blob | null) => void} */ done) => canvas.toBlob(done, "image/png"));

/**
 * What is in view, with title, scale and legend.
 * @param {Figure} figure
 */
export function figurePicture(figure) {
  const layout = figure.layout.river ? LAYOUT.full : LAYOUT.plain;
  const look = lightLook(figure);
  const inner = WIDTH - LEFT - RIGHT;
  const keys = legend(figure);
  const { pen: ruler } = sheet(1, 1, 1);
  const places = legendPlaces(ruler, keys, inner, look.font);
  const height = HEAD + layout.height + (places[places.length - 1]?.line ?? 0) * LEGEND_LINE + 52;
  const { canvas, pen } = sheet(WIDTH, height, SCALE);

  // paint() clears its ground, so the scene is painted apart and laid on the paper.
  const scene = sheet(inner, layout.height, SCALE);
  paint(scene.pen, { ...figure.scene(inner), look, layout, chosen: null, alone: null });
  pen.drawImage(scene.canvas, LEFT, HEAD, inner, layout.height);
  if (layout.river) {
    pen.save();
    pen.translate(LEFT, HEAD);
    paintScale(pen, look, layout.river);
    pen.restore();
  }
  pen.fillStyle = look.ink;
  pen.textBaseline = "middle";
  pen.font = `600 20px ${look.font}`;
  pen.fillText(figure.data.title, LEFT, HEAD / 2, inner - 160);
  pen.textAlign = "right";
  pen.font = `14px ${look.font}`;
  pen.fillStyle = look.soft;
  pen.fillText("Emoscope", WIDTH - RIGHT, HEAD / 2);
  pen.textAlign = "left";
  keys.forEach((key, at) => {
    const { x, line } = places[at];
    paintKey(pen, look, key, LEFT + x, HEAD + layout.height + 24 + line * LEGEND_LINE);
  });
  return blobOf(canvas);
}

/**
 * A colour or pattern with its words.
 * @typedef {{words: string, emotion: number | null, pattern: "quiet" | "doubt" | null}} Key
 */

/**
 * In the order of the SVG: the nine, then silence and doubt.
 * @param {Figure} figure
 * @returns {Key[]}
 */
function legend(figure) {
  const { lead } = figure.data;
  const shown = figure.layout.river ? [...Array(9).keys()] : lead === null ? [] : [lead];
  /** @type {("quiet" | "doubt")[]} */
  const states = figure.layout.river ? ["quiet", "doubt"] : [];
  /** @type {Key[]} */
  const nine = shown.map((index) => ({ words: figure.name(index), emotion: index, pattern: null }));
  return [...nine, ...states.map((pattern) => ({ words: figure.word(pattern), emotion: null, pattern }))];
}

/**
 * @param {Pen} pen
 * @param {Key[]} keys
 * @param {number} width points
 * @param {string} font
 */
function legendPlaces(pen, keys, width, font) {
  pen.font = `14px ${font}`;
  let [x, line] = [0, 0];
  return keys.map(({ words }) => {
    const wide = pen.measureText(words).width + 44;
    if (x + wide > width) [x, line] = [0, line + 1];
    x += wide;
    return { x: x - wide, line };
  });
}

/**
 * @param {Pen} pen
 * @param {import("./draw.js").Look} look
 * @param {Key} key
 * @param {number} x points
 * @param {number} y
 */
function paintKey(pen, look, { words, emotion, pattern }, x, y) {
  pen.fillStyle = emotion === null ? (pattern === "doubt" ? look.soft : look.tint) : look.emotions[emotion];
  pen.fillRect(x, y - 7, 14, 14);
  if (pattern === "doubt") {
    pen.fillStyle = hatch(pen, look.paper);
    pen.fillRect(x, y - 7, 14, 14);
  }
  if (pattern === "quiet") {
    pen.strokeStyle = look.line;
    pen.strokeRect(x + 0.5, y - 6.5, 13, 13);
  }
  pen.fillStyle = look.ink;
  pen.font = `14px ${look.font}`;
  pen.textBaseline = "middle";
  pen.fillText(words, x + 20, y);
}

/** @typedef {{width: number, height: number, face: number, words: number, small: number}} Shape */

/** @type {Record<string, Shape>} */
export const SHAPES = {
  card: { width: 1200, height: 675, face: 150, words: 72, small: 28 },
  square: { width: 1080, height: 1080, face: 220, words: 84, small: 32 },
};

/**
 * A card: face, words, river, the recording's and the product's name.
 * @param {Figure} figure
 * @param {Shape} shape
 * @param {{face: string, title: string, below: string}} said the answer in the page's language
 */
export function cardPicture(figure, shape, said) {
  const { width, height, face, words, small } = shape;
  const { canvas, pen } = sheet(width, height, 1);
  const look = lightLook(figure);
  const edge = Math.round(width / 18);
  const inner = width - 2 * edge;
  const river = Math.round(height * 0.34);
  const riverTop = height - edge - small - 34 - river;
  spectrum(pen, look, width);
  pen.textBaseline = "middle";
  pen.fillStyle = look.ink;
  const middle = edge / 2 + riverTop / 2;
  // Several faces in turn stand above their names, one beside its name.
  const faces = [...said.face];
  const several = faces.length > 1;
  fitted(pen, said.face, `{}px ${look.font}`, several ? face * 0.7 : face, inner);
  pen.fillText(said.face, edge, several ? middle - words * 0.9 : middle);
  const left = edge + (faces.length === 1 ? face * 1.45 : 0);
  const line = several ? middle + words * 0.8 : middle - small * 0.8;
  fitted(pen, said.title, `700 {}px ${look.font}`, words, width - edge - left);
  pen.fillText(said.title, left, line);
  pen.fillStyle = look.soft;
  fitted(pen, said.below, `{}px ${look.font}`, small * 1.15, width - edge - left);
  pen.fillText(said.below, left, line + words * 0.9);
  paintCardRiver(pen, figure, look, { left: edge, top: riverTop, width: inner, height: river });
  pen.font = `${small}px ${look.font}`;
  const base = height - edge;
  pen.fillStyle = look.soft;
  pen.fillText(shortened(pen, figure.data.title, inner - 260), edge, base);
  pen.textAlign = "right";
  pen.fillStyle = look.ink;
  pen.font = `700 ${small}px ${look.font}`;
  pen.fillText("Emoscope", width - edge, base);
  return blobOf(canvas);
}

/**
 * @param {Pen} pen
 * @param {Figure} figure
 * @param {import("./draw.js").Look} look
 * @param {{left: number, top: number, width: number, height: number}} place points
 */
function paintCardRiver(pen, figure, look, { left, top, width, height }) {
  const whole = { from: 0, to: figure.duration, smoothing: smoothing(figure.duration), alone: null, look };
  const scene = sheet(width, height, 1);
  if (figure.curve.hasScores) {
    paintOverview(scene.pen, { ...figure.scene(width), ...whole }, [0, height]);
  } else {
    /** @type {import("./draw.js").Layout} */
    const layout = { strip: null, river: null, wave: [0, height], axis: height + 100, height };
    paint(scene.pen, { ...figure.scene(width), ...whole, layout });
  }
  pen.save();
  pen.beginPath();
  pen.roundRect(left, top, width, height, 14);
  pen.clip();
  pen.drawImage(scene.canvas, left, top, width, height);
  pen.restore();
}

/**
 * The nine colours along the upper edge.
 * @param {Pen} pen
 * @param {import("./draw.js").Look} look
 * @param {number} width points
 */
function spectrum(pen, look, width) {
  for (let k = 0; k < 9; k += 1) {
    pen.fillStyle = look.emotions[k];
    pen.fillRect((k * width) / 9, 0, width / 9 + 1, 12);
  }
}

/**
 * Sets the largest font, up to a size, in which words fit.
 * @param {Pen} pen
 * @param {string} words
 * @param {string} font with {} for the size in points
 * @param {number} most
 * @param {number} width
 */
function fitted(pen, words, font, most, width) {
  for (let size = most; size > 14; size -= 2) {
    pen.font = font.replace("{}", String(size));
    if (pen.measureText(words).width <= width) return;
  }
}

/**
 * @param {Pen} pen
 * @param {string} words
 * @param {number} width points
 */
function shortened(pen, words, width) {
  if (pen.measureText(words).width <= width) return words;
  const letters = [...words];
  while (letters.length > 1 && pen.measureText(`${letters.join("")}…`).width > width) letters.pop();
  return `${letters.join("")}…`;
}
