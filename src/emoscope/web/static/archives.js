// @ts-check
// Links to ZIP archives of runs; one archive holds 200 at most.

import { part } from "./gaps.js";

const ARCHIVE_MAX = 200;

/**
 * The addresses of the archives that hold these runs.
 * @param {string[]} runs
 */
export function archives(runs) {
  const made = [];
  for (let first = 0; first < runs.length; first += ARCHIVE_MAX) {
    const names = runs.slice(first, first + ARCHIVE_MAX).map(encodeURIComponent);
    made.push(`v1/recognitions.zip?runs=${names.join(",")}`);
  }
  return made;
}

/**
 * Puts a link to each archive into a place; several are numbered.
 * @param {HTMLElement} place
 * @param {HTMLTemplateElement} template one link, with a span for its number
 * @param {string[]} runs
 */
export function offerArchives(place, template, runs) {
  const addresses = archives(runs);
  place.replaceChildren(
    ...addresses.map((href, at) => {
      const link = /** @type {HTMLElement} */ (
        /** @type {Element} */ (template.content.firstElementChild).cloneNode(true)
      );
      link.setAttribute("href", href);
      if (addresses.length > 1) part(link, ":scope > span:last-child").textContent = ` ${at + 1}/${addresses.length}`;
      return link;
    }),
  );
}
