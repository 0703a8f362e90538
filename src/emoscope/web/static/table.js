// @ts-check
// Clicks that hold for the whole page: a column's title sorts its table, and links to exports get the
// language of the moment.

/**
 * The order of two cells: as numbers where both are, else as text.
 * @param {string} one
 * @param {string} other
 */
export const order = (one, other) => {
  const [a, b] = [Number(one), Number(other)];
  return Number.isNaN(a) || Number.isNaN(b) ? one.localeCompare(other) : a - b;
};

/** @param {HTMLElement} button */
function sort(button) {
  const head = button.closest("th");
  const body = button.closest("table")?.tBodies[0];
  if (!head?.parentElement || !body) return;
  const rising = head.getAttribute("aria-sort") !== "ascending";
  for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", rising ? "ascending" : "descending");
  const column = Number(button.dataset.sort);
  // Lines that failed have no values; they stay at the end, in the order in which they came.
  const key = (/** @type {HTMLTableRowElement} */ row) => row.cells[column]?.dataset.value;
  const number = (/** @type {HTMLTableRowElement} */ row) => Number(row.dataset.number);
  const rows = [...body.rows].sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    if (a === undefined || b === undefined) {
      return Number(a === undefined) - Number(b === undefined) || number(one) - number(other);
    }
    return (rising ? 1 : -1) * order(a, b) || number(one) - number(other);
  });
  body.append(...rows);
}

document.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target);
  const button = target.closest("button");
  if (button?.dataset.sort) sort(button);
});
