// @ts-check
// A run can be shown in several views at once. When it is corrected, renamed or deleted in one of
// them, the others show it as it is now: corrections made on an old copy would undo the new ones.

import { address } from "./address.js";

/** @typedef {HTMLElement & {turn?: number}} Shown */

/**
 * @param {string} run its name
 * @param {object} options
 * @param {Element | null} [options.by] the element in which it was changed, which shows it already
 * @param {boolean} [options.deleted] whether it was deleted
 */
export function changed(run, { by = null, deleted = false } = {}) {
  /** @type {NodeListOf<Shown>} */
  const all = document.querySelectorAll(`.emo-result[data-run="${run}"]`);
  for (const shown of all) {
    if (deleted) {
      const gone = /** @type {HTMLTemplateElement} */ (document.getElementById("emo-deleted"));
      shown.replaceWith(gone.content.cloneNode(true));
    } else if (!by || !shown.contains(by)) renew(shown, run);
  }
  document.dispatchEvent(new CustomEvent("emo-run-changed", { detail: { run, deleted, by } }));
}

/**
 * @param {Shown} shown
 * @param {string} run
 */
async function renew(shown, run) {
  const turn = (shown.turn = (shown.turn ?? 0) + 1);
  try {
    const reply = await fetch(address(`page/result/${encodeURIComponent(run)}`));
    const html = reply.ok ? await reply.text() : null;
    /** @type {(Element & {isEdited?: boolean}) | null} */
    const timeline = shown.querySelector("emo-timeline");
    const isDraft = timeline?.isEdited; // work that is not saved yet
    if (html === null || isDraft || !shown.isConnected || shown.turn !== turn) return;
    shown.outerHTML = html; // every name made safe by the server
  } catch {
    // the service is gone; the next look at the run tells
  }
}
