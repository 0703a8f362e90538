// Says in a line of the page what the server refused, in its own words of both languages. Without a
// reply the line says what it said at first: the service cannot be reached.

const first = new WeakMap();

export async function tell(line, reply) {
  const spans = [...line.querySelectorAll("[lang]")];
  if (!first.has(line)) first.set(line, spans.map((span) => span.textContent));
  let problem = null;
  try {
    problem = reply && (await reply.json());
  } catch {
    // not one of our own answers
  }
  spans.forEach((span, at) => {
    span.textContent = problem?.[`detail_${span.lang}`] ?? first.get(line)[at];
  });
}
