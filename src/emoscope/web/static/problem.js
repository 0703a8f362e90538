// @ts-check
// Says in a line of the page what the server refused, in its own words of both languages. Without a
// reply the line says what it said at first: the service cannot be reached.

/** @type {WeakMap<Element, (string | null)[]>} */
const first = new WeakMap();

/**
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
