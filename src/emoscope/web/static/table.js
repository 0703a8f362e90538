// @ts-check
// Tables that are sorted by a click on a column's title.

/**
 * The order of two cells: as numbers where both are, else as text.
 * @param {string} one
 * @param {string} other
 */
export const order = (one, other) => {
  const [a, b] = [Number(one), Number(other)];
  return Number.isNaN(a) || Number.isNaN(b) ? one.localeCompare(other) : a - b;
};

/**
 * Sorts by the column whose title says so, or by the rows' numbers.
 * @param {HTMLTableElement} table its cells have what they are sorted by in `data-value`
 */
export function sort(table) {
  const button = /** @type {HTMLElement | null} */ (table.querySelector("[aria-sort] [data-sort]"));
  const falls = button?.closest("th")?.getAttribute("aria-sort") === "descending";
  const body = table.tBodies[0];
  // Lines that failed have no values; they stay at the end, in the order of their numbers.
  const key = (/** @type {HTMLTableRowElement} */ row) =>
    button ? row.cells[Number(button.dataset.sort)]?.dataset.value : undefined;
  const number = (/** @type {HTMLTableRowElement} */ row) => Number(row.dataset.number);
  const rows = [...body.rows].sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    if (a === undefined || b === undefined) {
      return Number(a === undefined) - Number(b === undefined) || number(one) - number(other);
    }
    return (falls ? -1 : 1) * order(a, b) || number(one) - number(other);
  });
  body.append(...rows);
}

/**
 * Sorts by another column, or the other way round by the same.
 * @param {Element} button in a column's title
 */
export function sortBy(button) {
  const head = button.closest("th");
  const table = button.closest("table");
  if (!head?.parentElement || !table) return;
  const way = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
  for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", way);
  sort(table);
}
