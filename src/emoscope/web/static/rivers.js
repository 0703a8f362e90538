// @ts-check
// Small rivers of long recordings, fetched when their rows come into view.

import { address } from "./address.js";

const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    draw(/** @type {HTMLElement} */ (target));
  }
});

/** @param {HTMLElement} place */
async function draw(place) {
  try {
    const reply = await fetch(address(`page/river/${encodeURIComponent(place.dataset.river ?? "")}`));
    if (reply.ok) place.innerHTML = await reply.text(); // numbers only
  } catch {
    // a row without its picture is still a row
  }
}

/** @param {ParentNode} list */
export function watchRivers(list) {
  for (const place of list.querySelectorAll("[data-river]:empty")) seen.observe(place);
}
