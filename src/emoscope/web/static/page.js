// Language, views, and the form: files, microphone, samples, and the way to the queue.
// All words are in the page already, in both languages; this script only shows and hides them.
// What users name goes in through textContent, never as markup.

import "./live.js";
import { openMicrophone } from "./microphone.js";
import "./runs.js";
import "./table.js";
import "./timeline.js";

const root = document.documentElement;

function speak(language) {
  root.dataset.lang = language;
  root.lang = language === "zh" ? "zh-CN" : "en";
  try {
    localStorage.setItem("emoscope-language", language);
  } catch {
    // storage may be forbidden; the address still carries the choice
  }
  const address = new URL(location.href);
  address.searchParams.set("lang", language);
  history.replaceState(history.state, "", address);
  document.dispatchEvent(new CustomEvent("emo-language"));
  press();
}

function view(kind) {
  root.dataset.view = kind;
  const address = new URL(location.href);
  address.hash = kind === "one" ? "" : kind;
  history.replaceState(history.state, "", address);
  document.dispatchEvent(new CustomEvent("emo-view"));
  press();
}
window.addEventListener("hashchange", () => {
  const hash = location.hash.slice(1);
  root.dataset.view = ["many", "live"].includes(hash) ? hash : /^runs?(=|$)/.test(hash) ? "runs" : "one";
  document.dispatchEvent(new CustomEvent("emo-view"));
  press();
});

function press() {
  for (const button of document.querySelectorAll("[data-language], [data-view]")) {
    if (button === root) continue;
    const { language, view: kind } = button.dataset;
    const on = language ? language === root.dataset.lang : kind === root.dataset.view;
    button.setAttribute("aria-pressed", String(on));
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-language], button[data-view]");
  if (button?.dataset.language) speak(button.dataset.language);
  if (button?.dataset.view) view(button.dataset.view);
  // A link to a run, as in the table of a batch. Gradio's <base> would make it an address without
  // ?lang=, and the browser would load the page anew and lose the batch.
  const link = event.target.closest("a[href^='#']");
  if (link && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)) {
    event.preventDefault();
    location.hash = link.getAttribute("href");
  }
});

customElements.define(
  "emo-head",
  class extends HTMLElement {
    connectedCallback() {
      press();
    }
  },
);

const size = (bytes) =>
  bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} KB` : `${(bytes / 1e6).toFixed(1)} MB`;

// Uploads are named at random: the server removes each after reading it.
const randomName = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

// What two choices of the same recording have in common.
const sameSound = (one, other) =>
  one.sample === other.sample &&
  ["name", "size", "lastModified"].every((part) => one.file?.[part] === other.file?.[part]);

class TooLarge extends Error {}
class Refused extends Error {}

async function upload(file) {
  const body = new FormData();
  body.append("files", file, randomName());
  const reply = await fetch("gradio_api/upload", { method: "POST", body });
  if (reply.status === 413) throw new TooLarge();
  if (!reply.ok) throw new Refused();
  return (await reply.json())[0];
}

const forms = new Map();

class EmoForm extends HTMLElement {
  connectedCallback() {
    if (this.kind) return;
    this.kind = this.dataset.kind;
    this.chosen = [];
    this.answeredAbout = []; // what the shown answer is about
    this.maxBytes = Number(this.dataset.maxBytes);
    this.player = this.querySelector(".emo-chosen audio");
    this.player.addEventListener("error", () => (this.player.hidden = true));
    this.input = this.querySelector("input[type=file]");
    this.input.addEventListener("change", () => {
      this.add([...this.input.files]);
      this.input.value = ""; // so that the same file can be chosen again
    });
    this.addEventListener("click", (event) => this.clicked(event));
    forms.set(this.kind, this);
    this.add([...this.input.files]); // chosen before this script was here
  }

  clicked(event) {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.sample) this.takeSample(button.dataset.sample, button);
    const what = button.dataset.do;
    if (what === "clear") this.set([]);
    if (what === "remove") this.set(this.chosen.filter((one) => one !== button.one));
    if (what === "sample") this.firstSample();
    if (what === "record") this.record();
    if (what === "start") this.start();
  }

  // -- what is chosen

  add(files) {
    if (!files.length) return;
    const found = files.map((file) => ({ file, name: file.name, size: file.size }));
    if (this.kind === "one") {
      this.set(found.slice(0, 1));
      if (found[0].size > this.maxBytes && !this.busy) this.note("too_large");
      return;
    }
    const all = [...this.chosen, ...found];
    this.set(all.slice(0, Number(this.dataset.maxFiles)));
    if (all.length > Number(this.dataset.maxFiles) && !this.busy) this.note("too_many");
  }

  set(chosen) {
    this.chosen = chosen;
    if (!this.busy) this.settle();
    const box = this.querySelector(".emo-chosen");
    const list = box.querySelector("ul");
    const template = box.querySelector("template");
    list.replaceChildren(
      ...chosen.map((one) => {
        const item = template.content.cloneNode(true).firstElementChild;
        item.querySelector(".emo-file").textContent = one.name;
        item.querySelector("small").textContent = one.size ? size(one.size) : "";
        item.querySelector("button").one = one;
        return item;
      }),
    );
    box.hidden = chosen.length === 0;
    this.dataset.filled = String(chosen.length > 0);
    if (this.playing) URL.revokeObjectURL(this.playing);
    this.playing = null;
    this.player.hidden = this.kind !== "one" || !chosen.length;
    if (this.player.hidden) {
      this.player.removeAttribute("src");
      this.player.load(); // or it would go on playing
    } else if (chosen[0].sample) {
      this.player.src = `page/samples/${encodeURIComponent(chosen[0].sample)}`;
    } else {
      this.playing = URL.createObjectURL(chosen[0].file);
      this.player.src = this.playing;
    }
    for (const chip of this.querySelectorAll("[data-sample]")) {
      chip.setAttribute("aria-pressed", String(chip.dataset.sample === chosen[0]?.sample));
    }
  }

  takeSample(file) {
    this.set([{ sample: file, name: file }]);
  }

  firstSample() {
    const chip =
      this.querySelector(`[data-sample][data-spoken="${root.dataset.lang}"]`) ||
      this.querySelector("[data-sample]");
    this.takeSample(chip.dataset.sample);
    this.querySelector(".emo-samples details").open = true;
  }

  // -- the microphone

  async record() {
    if (this.recorder) {
      this.recorder.stop();
      return;
    }
    if (this.opening) return; // the browser is asking for the microphone
    let stream;
    this.opening = true;
    try {
      stream = await openMicrophone();
    } catch (error) {
      this.note(error.note);
      return;
    } finally {
      this.opening = false;
    }
    const pieces = [];
    const recorder = new MediaRecorder(stream);
    const started = performance.now();
    const clock = this.querySelector(".emo-clock");
    const ticking = setInterval(() => {
      const seconds = Math.floor((performance.now() - started) / 1000);
      clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
      if (seconds >= 300) recorder.stop();
    }, 250);
    recorder.addEventListener("dataavailable", (event) => pieces.push(event.data));
    recorder.addEventListener("stop", () => {
      clearInterval(ticking);
      for (const track of stream.getTracks()) track.stop();
      this.recorder = null;
      this.showRecording(false);
      // Firefox names the format with the data only.
      const type = recorder.mimeType || pieces[0]?.type || "audio/webm";
      const ending = /ogg|mp4/.exec(type)?.[0] ?? "webm";
      const time = new Date().toTimeString().slice(0, 8).replaceAll(":", "");
      this.add([new File(pieces, `recording_${time}.${ending}`, { type })]);
    });
    this.recorder = recorder;
    clock.textContent = "0:00";
    this.showRecording(true);
    recorder.start();
  }

  showRecording(on) {
    this.querySelector("[data-when=idle]").hidden = on;
    this.querySelector("[data-when=recording]").hidden = !on;
    this.querySelector("[data-do=record]").classList.toggle("emo-on", on);
  }

  // -- asking

  async start() {
    if (this.busy) return;
    if (!this.chosen.length) {
      this.note("no_sound");
      return;
    }
    this.setBusy(true);
    const asked = this.chosen;
    this.note("uploading");
    this.markOld(true);
    const sources = [];
    try {
      for (const one of asked) {
        this.count(asked.length > 1 ? `${sources.length + 1} / ${asked.length}` : "");
        sources.push(await this.sent(one));
      }
    } catch (error) {
      const notes = { TooLarge: "too_large", Refused: "no_answer" };
      this.note(notes[error.constructor.name] ?? "no_server");
      this.setBusy(false);
      return;
    }
    this.asked = asked;
    this.question = {
      sources,
      granularity: this.querySelector("input[type=radio]:checked").value,
      embedding: this.querySelector("input[name=embedding]").checked,
      ticket: randomName(),
    };
    this.count("");
    this.note("working");
    this.before = this.token();
    this.dispatchEvent(new CustomEvent("emo-ask", { bubbles: true }));
  }

  async sent(one) {
    if (one.sample) return { sample: one.sample, name: one.name };
    try {
      if (one.size > this.maxBytes) throw new TooLarge();
      return { path: await upload(one.file), name: one.name };
    } catch (error) {
      // In a batch one file that is too large must not hold up the others.
      if (!(error instanceof TooLarge) || this.kind === "one") throw error;
      return { name: one.name, too_large: true };
    }
  }

  async answered() {
    // The answer may be drawn a moment after it came.
    for (let tries = 0; tries < 40 && this.token() === this.before; tries += 1) {
      await new Promise((done) => setTimeout(done, 25));
    }
    this.setBusy(false);
    document.dispatchEvent(new CustomEvent("emo-runs"));
    const isNew = this.token() !== this.before;
    if (isNew) this.answeredAbout = this.asked;
    // A batch that stopped half-way keeps its lines, and says so.
    const unfinished = isNew && this.result().querySelector("[data-over=false]") !== null;
    if (!isNew || unfinished) this.note("no_answer");
    else this.settle();
    if (unfinished) this.result().dataset.state = "shown";
    if (matchMedia("(max-width: 860px)").matches) {
      this.result().scrollIntoView({ behavior: "smooth", block: "start" });
    }
  }

  result() {
    return document.getElementById(`emo-result-${this.kind}`);
  }

  token() {
    return this.result().querySelector("[data-answer]")?.dataset.answer;
  }

  // Shows the answer; one that is not about what is chosen now is paler and says so. An error about
  // another recording is not shown any more.
  settle() {
    const { chosen, answeredAbout: about } = this;
    const isSame = chosen.length === about.length && chosen.every((one, at) => sameSound(one, about[at]));
    const isOld = this.token() !== undefined && chosen.length > 0 && !isSame;
    const isError = this.result().querySelector("[data-error]") !== null;
    this.note(isOld && !isError ? "old" : null);
    this.markOld(isOld);
  }

  markOld(isOld) {
    this.result().querySelector("[data-answer]")?.toggleAttribute("data-old", isOld);
  }

  setBusy(busy) {
    this.busy = busy;
    const button = this.querySelector("[data-do=start]");
    button.disabled = busy;
    button.setAttribute("aria-busy", String(busy));
  }

  note(name) {
    const notes = document.getElementById(`emo-notes-${this.kind}`);
    for (const note of notes.children) note.hidden = note.dataset.note !== name;
    const waiting = ["working", "uploading"].includes(name);
    const isShown = name === null || name === "old";
    this.result().dataset.state = isShown ? "shown" : waiting ? "waiting" : "hidden";
  }

  count(words) {
    for (const span of document.querySelectorAll(`#emo-notes-${this.kind} .emo-count`)) {
      span.textContent = words;
    }
  }
}

// A batch is told to stop; the file in work is finished, the rest is left.
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-do=cancel]")) return;
  const { question } = forms.get("many");
  if (question) fetch(`page/cancel/${question.ticket}`, { method: "POST" }).catch(() => {});
});

customElements.define("emo-form", EmoForm);

window.emoscope = {
  question: (kind) => forms.get(kind).question,
  answered: (kind) => forms.get(kind).answered(),
};

// Files may be dropped or pasted anywhere on the page, in every view: one goes to the single form,
// several go to the batch.
function take(files) {
  if (!files.length) return;
  const kind = files.length > 1 || root.dataset.view === "many" ? "many" : "one";
  if (kind !== root.dataset.view) view(kind);
  forms.get(kind).add(files);
}
let depth = 0;
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
  take([...event.dataTransfer.files]);
});
document.addEventListener("paste", (event) => take([...(event.clipboardData?.files ?? [])]));
