// @ts-check
// What went wrong, in the server's own words of both languages.

/** @typedef {import("./recognize.js").Problem} Problem */

/** @type {WeakMap<Element, (string | null)[]>} */
const first = new WeakMap();

/**
 * Says in a line of the page what the server refused. Without a reply the line says what it said at
 * first: the service cannot be reached.
 * @param {Element} line holds a span of each language
 * @param {{json: () => any} | null} reply
 */
export async function tell(line, reply) {
  const spans = [.../** @type {NodeListOf<HTMLElement>} */ (line.querySelectorAll("[lang]"))];
  const initial = first.get(line) ?? spans.map((span) => span.textContent);
  first.set(line, initial);
  let problem = null;
  try {
    problem = reply && (await reply.json());
  } catch {
    // not one of our own answers
  }
  spans.forEach((span, at) => {
    span.textContent = problem?.[`detail_${span.lang}`] ?? initial[at];
  });
}

/**
 * The red panel about a problem, filled from the page's template.
 * @param {Problem} problem
 * @returns {HTMLElement}
 */
export function panel(problem) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("emo-problem"));
  const made = /** @type {HTMLElement} */ (
    /** @type {HTMLElement} */ (template.content.firstElementChild).cloneNode(true)
  );
  made.dataset.error = problem.code;
  const spans = /** @type {NodeListOf<HTMLElement>} */ (made.querySelectorAll("[data-sentence] [lang]"));
  for (const span of spans) {
    span.textContent = problem[span.lang === "zh" ? "detail_zh" : "detail_en"] ?? problem.code;
  }
  /** @type {HTMLElement} */ (made.querySelector("[data-code]")).textContent = problem.code;
  return made;
}
