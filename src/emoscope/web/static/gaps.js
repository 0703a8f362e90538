// @ts-check
// Sentences whose gaps a script fills: the words are in the page already, in both languages.

/**
 * Fills the gaps of the sentences in an element, in both languages.
 * @param {Element} element
 * @param {Record<string, string | number>} data by the names of the gaps
 */
export function fill(element, data) {
  for (const gap of /** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll("[data-gap]"))) {
    const value = data[gap.dataset.gap ?? ""];
    if (value !== undefined && gap.textContent !== String(value)) gap.textContent = String(value);
  }
}

/** @param {number} bytes */
export const size = (bytes) =>
  bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

/** @param {number} seconds */
export const clock = (seconds) =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/**
 * The part of the page that a selector finds; it is there, or the page is not ours.
 * @param {ParentNode} within
 * @param {string} selector
 */
export const part = (within, selector) => /** @type {HTMLElement} */ (within.querySelector(selector));
