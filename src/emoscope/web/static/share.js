// @ts-check
// Sharing a result: its address, its words, its picture, a card, a piece of its sound.

import { address } from "./address.js";
import { cutSound, fileName, give } from "./files.js";
import { SHAPES, cardPicture, figurePicture } from "./picture.js";

/** @typedef {import("./timeline.js").Figure} Figure */

/**
 * @param {Figure} figure
 * @param {string} kind what is asked for: a value of `data-share` in the markup
 */
export async function share(figure, kind) {
  const { title } = figure.data;
  /** @type {Record<string, () => Promise<unknown>>} */
  const acts = {
    link: () => copy(linkOf(figure)),
    text: () => copy(`${told(figure)}\n${linkOf(figure)}`),
    image: () => copyImage(figurePicture(figure)),
    png: async () => give(await figurePicture(figure), fileName(title, "river", "png")),
    card: async () => give(await card(figure, "card"), fileName(title, "card", "png")),
    selection: async () => give(await selected(figure), partName(figure)),
    square: async () => give(await card(figure, "square"), fileName(title, "square", "png")),
  };
  let name = "done";
  try {
    await acts[kind]();
  } catch {
    name = "refused"; // the browser lets no page write the clipboard over plain http
  }
  say(figure, ["link", "text", "image"].includes(kind) || name === "refused" ? name : "");
}

/**
 * The whole answer in plain text, or one line of it where the figure stands alone.
 * @param {Figure} figure
 */
function told(figure) {
  const article = /** @type {HTMLElement | null} */ (figure.host.closest("[data-share-zh]"));
  const key = document.documentElement.dataset.lang === "zh" ? "shareZh" : "shareEn";
  return article?.dataset[key] ?? figure.word("share");
}

/** @param {Figure} figure */
const selected = (figure) => figure.selection && cutSound(figure.audio.currentSrc || figure.audio.src, figure.selection);

/** @param {Figure} figure */
function partName(figure) {
  const [from, to] = figure.selection ?? [0, 0];
  return fileName(figure.data.title, `${from.toFixed(2)}-${to.toFixed(2)}s`, "wav");
}

/** @param {Figure} figure */
const linkOf = (figure) => address(`r/${encodeURIComponent(figure.data.run)}`);

/**
 * @param {Figure} figure
 * @param {string} shape
 */
const card = (figure, shape) =>
  cardPicture(figure, SHAPES[shape], {
    face: figure.host.dataset.face ?? "",
    title: figure.word("answer"),
    below: figure.word("below"),
  });

/** @param {string} words */
async function copy(words) {
  if (navigator.clipboard) return navigator.clipboard.writeText(words);
  // Over plain http there is only the old way.
  const field = document.createElement("textarea");
  field.value = words;
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  if (!isCopied) throw new Error("the clipboard is refused");
}

/** @param {Promise<Blob | null>} picture */
async function copyImage(picture) {
  const image = picture.then((blob) => {
    if (!blob) throw new Error("no picture");
    return blob;
  });
  await navigator.clipboard.write([new ClipboardItem({ "image/png": image })]);
}

/**
 * @param {Figure} figure
 * @param {string} name of what is said; none for nothing
 */
function say(figure, name) {
  for (const said of /** @type {NodeListOf<HTMLElement>} */ (figure.host.querySelectorAll("[data-shared]"))) {
    said.hidden = said.dataset.shared !== name;
  }
  setTimeout(() => figure.host.querySelectorAll("[data-shared]").forEach((one) => one.setAttribute("hidden", "")), 4000);
}
