// <emo-runs>: the list of runs, searched, opened, renamed, deleted, compared.
// The server sends HTML in both languages with every name made safe; here it is only put in place.

import { tell } from "./problem.js";

const root = document.documentElement;

class EmoRuns extends HTMLElement {
  connectedCallback() {
    if (this.list) return;
    this.list = this.querySelector(".emo-list");
    this.search = this.querySelector("input[type=search]");
    this.ticked = [];
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
    document.addEventListener("emo-view", () => this.look());
    this.stale = true;
    this.look();
  }

  hint() {
    this.search.placeholder = this.search.dataset[root.dataset.lang === "zh" ? "hintZh" : "hintEn"];
  }

  // Nothing is asked before somebody looks.
  look() {
    if (root.dataset.view !== "runs") return;
    if (this.stale) this.load();
    const asked = /^#run=(outputs_[0-9_]+)$/.exec(location.hash)?.[1];
    if (asked && asked !== this.opened) this.open(asked);
  }

  async ask(address, options) {
    const failed = this.querySelector(".emo-runs-failed");
    try {
      const reply = await fetch(address, options);
      failed.hidden = reply.ok;
      if (reply.ok) return await reply.text();
      await tell(failed, reply);
      return null;
    } catch {
      await tell(failed, null);
      failed.hidden = false;
      return null;
    }
  }

  async load(first = 0) {
    this.stale = false;
    const search = this.search.value;
    const html = await this.ask(`page/runs?${new URLSearchParams({ search, first })}`);
    if (html === null || search !== this.search.value) return;
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
      row.toggleAttribute("data-opened", row.dataset.run === this.opened);
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
      open: () => this.open(row.dataset.run),
      compare: () => this.compare(),
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
    const done = await this.ask(`page/runs/${run}/title`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ title }),
    });
    if (done === null) return;
    await this.load();
    if (run === this.opened) this.open(run);
  }

  async remove(run) {
    if ((await this.ask(`page/runs/${run}`, { method: "DELETE" })) === null) return;
    this.ticked = this.ticked.filter((one) => one !== run);
    if (run === this.opened) {
      this.opened = null;
      this.show(this.before ?? "");
      this.address("runs");
    }
    await this.load();
  }

  async open(run) {
    const html = await this.ask(`page/runs/${run}`);
    if (html === null) return;
    this.opened = run;
    this.address(`run=${run}`);
    this.show(html);
    this.mark();
  }

  async compare() {
    const [one, other] = this.ticked;
    const html = await this.ask(`page/compare?${new URLSearchParams({ one, other })}`);
    if (html === null) return;
    this.opened = null;
    this.address("runs");
    this.show(html);
    this.mark();
  }

  address(hash) {
    const address = new URL(location.href);
    address.hash = hash;
    history.replaceState(history.state, "", address);
  }

  show(html) {
    const place = document.querySelector(".emo-opened");
    this.before ??= place.innerHTML;
    place.innerHTML = html;
    if (matchMedia("(max-width: 860px)").matches) {
      place.scrollIntoView({ behavior: "smooth", block: "start" });
    }
  }
}

customElements.define("emo-runs", EmoRuns);
