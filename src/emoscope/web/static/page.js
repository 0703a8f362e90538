// @ts-check
// Language, addresses and views of the page. Every view and every result has an address of its own;
// Back, Forward and reload show what stood there.

import { address, routeOf } from "./address.js";
import "./changed.js";
import "./demo.js";
import "./form.js";
import { panel } from "./problem.js";
import "./timeline.js";

/** @typedef {import("./form.js").EmoForm} EmoForm */
/** @typedef {import("./address.js").Route} Route */

const root = document.documentElement;
const place = /** @type {HTMLElement} */ (document.getElementById("emo-answer"));
const demo = /** @type {HTMLElement} */ (document.getElementById("emo-demo"));
/** @param {string} kind */
const formOf = (kind) =>
  /** @type {EmoForm} */ (/** @type {unknown} */ (document.querySelector(`emo-form[data-kind="${kind}"]`)));

// -- language

/** @param {string} language */
function speak(language) {
  root.dataset.lang = language;
  root.lang = language === "zh" ? "zh-CN" : "en";
  try {
    localStorage.setItem("emoscope-language", language);
  } catch {
    // storage may be forbidden; the address still carries the choice
  }
  const url = new URL(location.href);
  url.searchParams.set("lang", language);
  history.replaceState(history.state, "", url);
  document.dispatchEvent(new CustomEvent("emo-language"));
  settle();
}

// -- addresses

/** Which request for a result was the last; answers to earlier ones are not shown. */
let turn = 0;
/** A result that came while another view was open; the home view shows it next. */
let missed = /** @type {string | null} */ (null);

/**
 * Goes to an address of the page, as a link would.
 * @param {string} path such as `r/outputs_20240104_223000`
 * @param {{replace?: boolean}} [options] whether Back skips the present address
 */
export function go(path, { replace = false } = {}) {
  const url = new URL(address(path));
  const language = new URLSearchParams(location.search).get("lang");
  if (!replace) rememberScroll();
  if (language) url.searchParams.set("lang", language);
  history[replace ? "replaceState" : "pushState"](null, "", url);
  return show();
}

// Where one was in a view that one comes back to.
history.scrollRestoration = "manual";
const rememberScroll = () => history.replaceState({ ...history.state, scrollY }, "");
let scrolling = 0;
addEventListener("scroll", () => {
  clearTimeout(scrolling);
  scrolling = setTimeout(rememberScroll, 200);
});

/** Modules of views, loaded when they are first shown. */
const VIEWS = /** @type {Record<string, () => Promise<unknown>>} */ ({
  batch: () => import("./batch.js"),
  live: () => import("./live.js"),
  history: () => Promise.all([import("./history.js"), import("./teach.js")]),
  compare: () => import("./compare.js"),
  map: () => import("./map.js"),
});

/** Shows what the present address names. */
async function show() {
  const route = routeOf(location);
  const changed = root.dataset.view !== route.view;
  // What another address showed must not stand for a moment under this one.
  if (changed && route.run && route.run !== shownRun()) place.replaceChildren();
  root.dataset.view = route.view;
  settle();
  if (changed) scrollTo(0, 0);
  if (route.view === "home") await showHome(route);
  else await VIEWS[route.view]();
  document.dispatchEvent(new CustomEvent("emo-route", { detail: route }));
}

/** @param {Route} route */
async function showHome({ run, params }) {
  const sample = params.get("sample");
  if (sample && !run) {
    history.replaceState(null, "", address(""));
    await formOf("one").takeSample(sample);
    return;
  }
  if (!run && missed) {
    await go(`r/${missed}`, { replace: true });
    return;
  }
  if (!run) {
    turn += 1;
    put(null);
    return;
  }
  if (shownRun() !== run) await open(run);
  if (missed === run) missed = null;
}

const shownRun = () =>
  /** @type {HTMLElement | null} */ (place.querySelector(".emo-result[data-run]"))?.dataset.run ?? null;

/** @param {string} run */
async function open(run) {
  const mine = (turn += 1);
  place.toggleAttribute("data-waiting", true);
  let shown;
  try {
    const reply = await fetch(address(`page/result/${encodeURIComponent(run)}`));
    shown = reply.ok ? elementOf(await reply.text()) : panel(await reply.json());
  } catch {
    formOf("one").note("no_server");
    shown = null;
  }
  place.toggleAttribute("data-waiting", formOf("one").busy);
  if (mine !== turn || !shown) return;
  put(shown);
}

/** @param {string} html the server's own markup, with every name made safe */
function elementOf(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return /** @type {HTMLElement} */ (template.content.firstElementChild);
}

/**
 * Puts an answer into its place, in the stead of the one before; nothing of that one stays.
 * @param {HTMLElement | null} shown a result or a problem; the demo for null
 */
function put(shown) {
  place.replaceChildren(...(shown ? [shown] : []));
  standDemo(shown === null);
  root.toggleAttribute("data-answered", shown !== null);
  const form = formOf("one");
  if (!form.busy) form.settle();
  settle();
  const run = shownRun();
  if (run) document.dispatchEvent(new CustomEvent("emo-shown", { detail: { run, place } }));
}

/**
 * Puts the demo below the place of the answer, or takes it out: one figure at a time, and silent.
 * @param {boolean} isShown
 */
function standDemo(isShown) {
  demo.hidden = !isShown;
  if (isShown) place.after(demo);
  else demo.remove();
}

// Titles, the pressed language and the current view.
export function settle() {
  // Parts that only a result has; the first load is light without them.
  if (shownRun()) void Promise.all([import("./similar.js"), import("./words.js")]);
  const language = root.dataset.lang === "zh" ? "Zh" : "En";
  const view = document.getElementById(`emo-${root.dataset.view}`);
  const result = /** @type {HTMLElement | null} */ (place.querySelector(".emo-result[data-title]"));
  const title = root.dataset.view === "home" ? result?.dataset.title : view?.dataset[`title${language}`];
  document.title = title ? `${title} · Emoscope` : "Emoscope";
  for (const link of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-for]"))) {
    if (link.dataset.for === root.dataset.view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-language]"))) {
    button.setAttribute("aria-pressed", String(button.dataset.language === root.dataset.lang));
  }
}

document.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target);
  const button = /** @type {HTMLElement | null} */ (target.closest("button[data-language], [data-sample]"));
  if (button?.dataset.language) speak(button.dataset.language);
  if (button?.dataset.sample) formOf("one").takeSample(button.dataset.sample);
  const link = /** @type {HTMLAnchorElement | null} */ (target.closest("a[data-nav]"));
  if (link && isPlain(event)) follow(event, new URL(link.href));
});

/**
 * Whether a click is to go there in this very page.
 * @param {MouseEvent} event
 */
const isPlain = (event) =>
  event.button === 0 &&
  !event.defaultPrevented &&
  !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);

/**
 * @param {Event} event
 * @param {URL} url
 */
function follow(event, url) {
  event.preventDefault();
  go(url.pathname.slice(new URL(document.baseURI).pathname.length) + url.search);
}

addEventListener("popstate", async ({ state }) => {
  clearTimeout(scrolling);
  await show();
  scrollTo(0, state?.scrollY ?? 0);
});

// A batch may be started before its view's script is there.
document.addEventListener("emo-start-batch", async (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  await VIEWS.batch();
  const batch = /** @type {import("./batch.js").EmoBatch} */ (/** @type {unknown} */ (document.querySelector("emo-batch")));
  batch.start(detail);
});

document.addEventListener("emo-answered", (event) => {
  const { run, problem } = /** @type {CustomEvent} */ (event).detail;
  document.dispatchEvent(new CustomEvent("emo-runs"));
  if (run && root.dataset.view !== "home") {
    missed = run;
    return;
  }
  if (run) {
    go(`r/${encodeURIComponent(run)}`);
    return;
  }
  turn += 1;
  if (root.dataset.view === "home" && routeOf(location).run) history.pushState(null, "", address(""));
  put(panel(problem));
});

document.addEventListener("emo-sample", () => {
  const chips = /** @type {HTMLElement[]} */ ([...demo.querySelectorAll("[data-sample]")]);
  const own = chips.find((chip) => chip.dataset.spoken === root.dataset.lang) ?? chips[0];
  if (own) formOf("one").takeSample(own.dataset.sample ?? "");
});

// -- files dropped or pasted anywhere, in every view: one goes to the single form, several to the batch

/** @param {File[]} files */
function take(files) {
  if (!files.length) return;
  const kind = files.length > 1 || root.dataset.view === "batch" ? "many" : "one";
  const view = kind === "one" ? "home" : "batch";
  formOf(kind).add(files);
  if (root.dataset.view !== view) go(kind === "one" ? "" : "batch");
}
let depth = 0;
/** @param {DragEvent} event */
const dragging = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
document.addEventListener("dragenter", (event) => {
  if (dragging(event)) root.classList.toggle("emo-dragging", (depth += 1) > 0);
});
document.addEventListener("dragleave", (event) => {
  if (dragging(event)) root.classList.toggle("emo-dragging", (depth = Math.max(0, depth - 1)) > 0);
});
document.addEventListener("dragover", (event) => {
  if (dragging(event)) event.preventDefault();
});
document.addEventListener("drop", (event) => {
  if (!dragging(event)) return;
  event.preventDefault();
  depth = 0;
  root.classList.remove("emo-dragging");
  take([...(event.dataTransfer?.files ?? [])]);
});
document.addEventListener("paste", (event) => take([...(event.clipboardData?.files ?? [])]));

// -- the beginning: the document holds what its address names

root.toggleAttribute("data-answered", place.childElementCount > 0);
standDemo(place.childElementCount === 0);
settle();
const first = routeOf(location);
if (first.view !== "home") VIEWS[first.view]().then(() => document.dispatchEvent(new CustomEvent("emo-route", { detail: first })));
else if (first.params.get("sample") && !first.run) show();
root.toggleAttribute("data-ready", true);
