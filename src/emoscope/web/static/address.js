// @ts-check
// Addresses of the server, under the prefix of a proxy, and names taken from addresses.

/**
 * The full address of a path of the server.
 * @param {string} path with or without a slash at its beginning
 */
export const address = (path) => new URL(path.replace(/^\//, ""), document.baseURI).href;

/**
 * What the page shows at an address.
 * @typedef {object} Route
 * @property {string} view
 * @property {string | null} run name of the run, at the address of a result
 * @property {URLSearchParams} params
 */

const VIEWS = ["batch", "live", "history", "compare", "map"];

/**
 * @param {URL | Location} url
 * @param {string} [base] address of the page's root
 * @returns {Route}
 */
export function routeOf(url, base = document.baseURI) {
  const path = url.pathname.slice(new URL(base).pathname.length).replace(/\/$/, "");
  const [first, second] = path.split("/");
  const params = new URLSearchParams(url.search);
  if (first === "r" && second) return { view: "home", run: decodeURIComponent(second), params };
  return { view: VIEWS.includes(first) ? first : "home", run: null, params };
}
