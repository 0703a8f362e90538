// Tables that are sorted by a click on a column's title, and the button that saves a picture.

const order = (one, other) => {
  const [a, b] = [Number(one), Number(other)];
  return Number.isNaN(a) || Number.isNaN(b) ? one.localeCompare(other) : a - b;
};

function sort(button) {
  const head = button.closest("th");
  const body = button.closest("table").tBodies[0];
  const rising = head.getAttribute("aria-sort") !== "ascending";
  for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", rising ? "ascending" : "descending");
  const column = Number(button.dataset.sort);
  // Lines that failed have no values; they stay at the end, in the order in which they came.
  const key = (row) => row.children[column]?.dataset.value;
  const rows = [...body.rows].sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    if (a === undefined || b === undefined) {
      return (a === undefined) - (b === undefined) || one.dataset.number - other.dataset.number;
    }
    return (rising ? 1 : -1) * order(a, b) || one.dataset.number - other.dataset.number;
  });
  body.append(...rows);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.sort) sort(button);
  if (button?.hasAttribute("data-png")) {
    button.closest(".emo-result").querySelector("emo-timeline")?.savePng();
  }
  const link = event.target.closest("a[href^='page/export/']");
  if (link) {
    const [address] = link.getAttribute("href").split("?");
    link.setAttribute("href", `${address}?lang=${document.documentElement.dataset.lang}`);
  }
});
