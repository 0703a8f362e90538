// @ts-check
// Bars on the axis of time that the river has: where each lies, and which a key goes to.

/**
 * Where a bar lies, in percent of the view; null where nothing of it is in view.
 * @param {[from: number, to: number]} span seconds
 * @param {[from: number, to: number]} view seconds
 */
export function place([from, to], [first, last]) {
  if (to <= first || from >= last) return null;
  const share = 100 / (last - first);
  const left = (Math.max(from, first) - first) * share;
  return { left, width: (Math.min(to, last) - first) * share - left };
}

/**
 * The bar that a key goes to.
 * @param {string} key
 * @param {number} at number of the bar that has the focus
 * @param {number} count
 */
export function next(key, at, count) {
  /** @type {Record<string, number>} */
  const places = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: count - 1 };
  return key in places ? Math.min(count - 1, Math.max(0, places[key])) : null;
}
