// @ts-check
// What is said in a run: given as text or as a file, kept beside the run, or taken away.

import { address } from "./address.js";
import { changed } from "./changed.js";
import { tell } from "./problem.js";

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!form.matches(".emo-words-form")) return;
  event.preventDefault();
  keep(form, String(new FormData(form).get("text")));
});

document.addEventListener("click", (event) => {
  const form = /** @type {Element} */ (event.target).closest("[data-remove]")?.closest("form.emo-words-form");
  if (form) keep(/** @type {HTMLFormElement} */ (form), null);
});

document.addEventListener("change", async (event) => {
  const input = /** @type {HTMLInputElement} */ (event.target);
  const form = /** @type {HTMLFormElement | null} */ (input.closest("form.emo-words-form"));
  const file = input.type === "file" ? input.files?.[0] : undefined;
  if (!form || !file) return;
  /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("text")).value = await textOf(file);
  input.value = "";
});

/**
 * Subtitles of older programs are in the Chinese national encoding.
 * @param {Blob} file
 */
async function textOf(file) {
  const bytes = await file.arrayBuffer();
  const first = new Uint8Array(bytes, 0, Math.min(2, bytes.byteLength));
  const mark = (first[0] << 8) | first[1];
  if (mark === 0xfffe || mark === 0xfeff) return new TextDecoder(mark === 0xfffe ? "utf-16le" : "utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("gb18030").decode(bytes);
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {string | null} text null takes it away
 */
async function keep(form, text) {
  const run = form.dataset.run ?? "";
  const line = /** @type {HTMLElement} */ (form.querySelector("[data-refused]"));
  line.hidden = true;
  /** @type {Response | null} */
  let reply = null;
  try {
    reply = await fetch(address(`v1/recognitions/${encodeURIComponent(run)}/words`), {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ text }),
    });
  } catch {
    // the service cannot be reached, as the line says
  }
  if (reply?.ok) return changed(run);
  await tell(line, reply);
  line.hidden = false;
}
