// <emo-runs>: the list of runs, searched, opened, renamed, deleted, compared.
// The server sends HTML in both languages with every name made safe; here it is only put in place.

import { tell } from "./problem.js";
import { address } from "./address.js";
import { changed } from "./changed.js";
import { go } from "./page.js";

const root = document.documentElement;

class EmoRuns extends HTMLElement {
  connectedCallback() {
    if (this.list) return;
    this.list = this.querySelector(".emo-list");
    this.search = this.querySelector("input[type=search]");
    this.ticked = [];
    this.turns = { list: 0, opened: 0 };
    this.search.addEventListener("input", () => {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.load(), 200);
    });
    this.addEventListener("click", (event) => this.clicked(event));
    this.addEventListener("change", (event) => {
      if (event.target.matches("[data-compare]")) this.tick(event.target);
    });
    this.addEventListener("submit", (event) => this.rename(event));
    this.hint();
    document.addEventListener("emo-language", () => this.hint());
    document.addEventListener("emo-runs", () => {
      this.stale = true;
      this.look();
    });
    document.addEventListener("emo-route", ({ detail }) => {
      this.look();
      if (detail.view === "compare") this.compare(detail.params);
    });
    this.stale = true;
    this.look();
  }

  hint() {
    this.search.placeholder = this.search.dataset[root.dataset.lang === "zh" ? "hintZh" : "hintEn"];
  }

  // Nothing is asked before somebody looks.
  look() {
    if (root.dataset.view === "history" && this.stale) this.load();
  }

  // The answer's text, or null when it failed, which is told. Where the answer is for a place ("list"
  // or "opened") and something newer was asked for that place meanwhile: undefined.
  async ask(path, options, place) {
    const turn = place && (this.turns[place] += 1);
    let [reply, text] = [null, null];
    try {
      reply = await fetch(address(path), options);
      if (reply.ok) text = await reply.text();
    } catch {
      reply = null;
    }
    if (place && turn !== this.turns[place]) return undefined;
    const failed = this.querySelector(".emo-runs-failed");
    if (text === null) {
      await tell(failed, reply);
      failed.place = place;
      failed.hidden = false;
    } else if (place !== "list" || failed.place === "list") {
      failed.hidden = true; // a list that came says nothing of a run that did not
    }
    return text;
  }

  async load(first = 0) {
    this.stale = false;
    const search = this.search.value;
    const html = await this.ask(`page/history?${new URLSearchParams({ search, first })}`, {}, "list");
    if (html === null) this.stale = true;
    if (html == null || search !== this.search.value) return;
    if (first) {
      this.list.querySelector("[data-do=more]")?.remove();
      this.list.insertAdjacentHTML("beforeend", html);
    } else {
      this.list.innerHTML = html;
    }
    this.mark();
  }

  mark() {
    for (const row of this.list.querySelectorAll("[data-run]")) {
      row.querySelector("[data-compare]").checked = this.ticked.includes(row.dataset.run);
    }
    this.querySelector("[data-do=compare]").disabled = this.ticked.length !== 2;
  }

  tick(box) {
    const { run } = box.closest("[data-run]").dataset;
    this.ticked = this.ticked.filter((one) => one !== run);
    if (box.checked) this.ticked = [...this.ticked, run].slice(-2);
    this.mark();
  }

  clicked(event) {
    const button = event.target.closest("button");
    if (!button) return;
    const row = button.closest("[data-run]");
    const part = (kind, hidden) => (row.querySelector(kind).hidden = hidden);
    const acts = {
      more: () => this.load(Number(button.dataset.next)),
      open: () => go(`r/${row.dataset.run}`),
      compare: () => go(`compare?${new URLSearchParams({ one: this.ticked[0], other: this.ticked[1] })}`),
      rename: () => {
        part(".emo-sure", true);
        part(".emo-rename", false);
        row.querySelector(".emo-rename input").focus();
      },
      delete: () => {
        part(".emo-rename", true);
        part(".emo-sure", false);
        row.querySelector(".emo-sure button").focus();
      },
      keep: () => {
        part(".emo-sure", true);
        part(".emo-rename", true);
      },
      "delete-yes": () => this.remove(row.dataset.run),
    };
    acts[button.dataset.do]?.();
  }

  async rename(event) {
    event.preventDefault();
    const { run } = event.target.closest("[data-run]").dataset;
    const title = event.target.querySelector("input").value;
    const done = await this.ask(`v1/recognitions/${run}/title`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ title }),
    });
    if (done === null) return;
    await this.load();
    changed(run);
  }

  async remove(run) {
    if ((await this.ask(`v1/recognitions/${run}`, { method: "DELETE" })) === null) return;
    this.ticked = this.ticked.filter((one) => one !== run);
    changed(run, { deleted: this.querySelector("template[data-deleted]") });
    await this.load();
  }

  async compare(params) {
    const html = await this.ask(`page/compare?${params}`, {}, "opened");
    if (html == null) return;
    document.querySelector("[data-part=compared]").innerHTML = html;
  }
}

customElements.define("emo-runs", EmoRuns);
