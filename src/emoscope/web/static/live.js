// @ts-check
// <emo-live>: the microphone to a moving river. This joins the parts: microphone.js records, wire.js
// asks the server, livecurve.js has the numbers, livepicture.js paints. Stopping opens the run that
// the server made of it; what was recorded outlives a stream that is lost.

import { ranked } from "./curve.js";
import { clock, part as find } from "./gaps.js";
import { showLevel } from "./level.js";
import { LiveCurve } from "./livecurve.js";
import { LivePicture } from "./livepicture.js";
import { MicrophoneError, Pcm, openMicrophone } from "./microphone.js";
import { go } from "./page.js";
import { tell } from "./problem.js";
import { Recording } from "./recording.js";
import { Rescue } from "./rescue.js";
import { Wire } from "./wire.js";

/** @typedef {import("./wire.js").Ending} Ending */

const root = document.documentElement;
const LATELY_S = 2; // what the headline is about
const SAID_MS = 3000; // a screen reader hears a new emotion at most this often
const LEVEL_MS = 3000; // what the advice on the level looks back on
const ENDS_BEFORE_S = 1; // of the longest that the server takes
const [LOUD, FAINT] = [0.99, 0.02];

class EmoLive extends HTMLElement {
  /** @type {"starting" | "live" | "ending" | undefined} */
  state = undefined;
  /** @type {Pcm | null} */
  pcm = null;
  /** @type {Wire | null} */
  wire = null;
  /** @type {LiveCurve | null} */
  curve = null;
  /** @type {LivePicture | null} */
  picture = null;
  /** @type {Recording | null} */
  recording = null;
  /** @type {Rescue | null} */
  rescue = null;
  /** @type {import("./livecurve.js").LiveData | null} */
  data = null;
  /** @type {Record<string, number>} */
  places = {};
  /** @type {number[]} */
  delays = [];
  /** @type {[at: number, peak: number][]} */
  peaks = [];
  /** @type {number | null} */
  said = null;
  saidAt = 0;
  name = "";
  /** @type {Map<HTMLElement, {html: string, isSilent: boolean}>} */
  initial = new Map();

  connectedCallback() {
    if (this.data) return;
    const data = /** @type {import("./livecurve.js").LiveData} */ (JSON.parse(this.dataset.live ?? ""));
    this.data = data;
    this.removeAttribute("data-live");
    this.places = Object.fromEntries(data.emotions.map(({ key }, place) => [key, place]));
    /** @type {HTMLButtonElement} */ (find(this, "button[data-do=live]")).disabled = false;
    this.rescue = new Rescue(this.box("recorded"), (name, detail) => this.rescued(name, detail));
    this.addEventListener("click", (event) => {
      if (/** @type {Element} */ (event.target).closest("button[data-do=live]")) this.press();
    });
    addEventListener("beforeunload", (event) => {
      if (this.state) event.preventDefault();
    });
  }

  /** @param {string} name */
  box(name) {
    return find(this, `[data-part=${name}]`);
  }

  get options() {
    const box = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (find(this, `input[name=${name}]`));
    return { embedding: box("embedding"), utterances: box("utterances") };
  }

  press() {
    if (this.state === undefined) this.start();
    else if (this.state === "live") this.stop();
  }

  // -- from the button to the first sound

  async start() {
    this.show("starting");
    this.note(null);
    this.rescue?.clear();
    this.pcm = null;
    this.wire = null;
    this.recording = null;
    try {
      const pcm = new Pcm(await openMicrophone(), (piece) => this.hear(piece));
      this.pcm = pcm;
      const wire = this.prepare(pcm.rateHz);
      await pcm.start();
      for (const track of pcm.stream.getTracks()) track.addEventListener("ended", () => this.stop());
      if (!wire.over) this.show("live");
    } catch (error) {
      await this.cannotStart(error instanceof MicrophoneError ? error.note : "microphone_taken");
    }
  }

  /** @param {string} note */
  async cannotStart(note) {
    await this.pcm?.close();
    const { wire } = /** @type {{wire: Wire | null}} */ (this);
    if (wire) wire.finish({ note });
    else this.leave(note);
  }

  /** @param {number} rateHz */
  prepare(rateHz) {
    this.recording = new Recording(rateHz);
    this.curve = new LiveCurve(/** @type {import("./livecurve.js").LiveData} */ (this.data), rateHz);
    this.picture ??= new LivePicture(this.box("picture"), this.box("now"), this.box("veiled"));
    this.picture.show(this.curve);
    this.clear();
    this.delays = [];
    this.peaks = [];
    this.said = null;
    this.saidAt = -SAID_MS;
    this.name = `live_${new Date().toTimeString().slice(0, 8).replaceAll(":", "")}`;
    /** @type {Wire} */
    const wire = new Wire({
      start: {
        type: "start",
        encoding: "pcm_s16le",
        rate_hz: rateHz,
        granularity: "frame",
        embedding: this.options.embedding.checked,
        utterances: this.options.utterances.checked,
        name: this.name,
      },
      // Nothing that an earlier line still says is about this recording.
      heard: (message) => this.wire === wire && this.told(message),
      ended: (how) => this.wire === wire && this.ended(how),
      line: (on) => this.wire === wire && this.line(on),
    });
    this.wire = wire;
    return wire;
  }

  // Takes back what was said of an earlier recording.
  clear() {
    for (const name of ["lead", "all", "said", "delay"]) {
      const part = this.box(name);
      const was = this.initial.get(part) ?? { html: part.innerHTML, isSilent: part.hasAttribute("data-silent") };
      this.initial.set(part, was);
      part.innerHTML = was.html;
      part.toggleAttribute("data-silent", was.isSilent);
      part.style.removeProperty("--c");
    }
    find(this, ".emo-timer").textContent = "0:00";
  }

  // -- while it goes on

  /** @param {Int16Array} piece */
  hear(piece) {
    if (!this.curve || !this.wire) return;
    this.wire.send(piece);
    this.recording?.add(piece);
    const peak = this.curve.hear(piece);
    this.picture?.heard();
    this.level(peak);
    find(this, ".emo-timer").textContent = clock(this.heardS);
    if (this.wire.maxS && this.heardS > this.wire.maxS - ENDS_BEFORE_S) this.stop();
  }

  get heardS() {
    return this.curve?.data.duration_s ?? 0;
  }

  /** @param {boolean} on */
  line(on) {
    if (this.state !== "ending") this.note(on ? null : "line_broken");
  }

  /** @param {number} peak */
  level(peak) {
    const meter = find(this, ".emo-meter");
    showLevel(meter, peak);
    const now = performance.now();
    this.peaks = [...this.peaks.filter(([at]) => now - at < LEVEL_MS), [now, peak]];
    const most = Math.max(...this.peaks.map(([, value]) => value));
    const early = this.heardS * 1000 < LEVEL_MS;
    const kind = most > LOUD ? "loud" : most < FAINT && !early ? "faint" : "fine";
    meter.dataset.level = kind;
    for (const hint of /** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll("[data-hint]"))) {
      hint.hidden = hint.dataset.hint !== kind;
    }
  }

  /** @param {any} message */
  told(message) {
    const { curve, places } = this;
    if (!curve) return;
    const { type, segment } = message;
    if (type === "frames") {
      this.measure(curve);
      curve.tell(message);
      this.headline(curve);
    }
    if (type === "segment_opened") curve.opened(places[message.emotion], message.start_s);
    if (type === "speech_ended") curve.paused();
    if (type === "segment_closed") curve.close(segment, places[segment.emotion], message.final);
    this.picture?.redraw();
  }

  /**
   * How far the river was behind the sound just before it moved: the most that can be seen.
   * @param {LiveCurve} curve
   */
  measure(curve) {
    this.delays = [...this.delays, this.heardS - curve.knownS].slice(-15);
    const most = [...this.delays].sort((a, b) => a - b)[Math.floor(this.delays.length * 0.8)];
    this.box("delay").textContent = `${most.toFixed(1)} s`;
  }

  /** @param {LiveCurve} curve */
  headline(curve) {
    const now = curve.lately(LATELY_S);
    const place = now ? ranked(now)[0] : this.places.silence;
    this.put(this.box("lead"), place, now?.[place]);
    const all = curve.altogether();
    if (all) this.put(this.box("all"), ranked(all)[0], Math.max(...all));
    const at = performance.now();
    if (place !== this.said && at - this.saidAt > SAID_MS) {
      this.put(this.box("said"), place);
      [this.said, this.saidAt] = [place, at];
    }
  }

  /**
   * @param {HTMLElement} part
   * @param {number} place of the emotion
   * @param {number} [score] from 0 to 1
   */
  put(part, place, score) {
    const { emotions } = /** @type {import("./livecurve.js").LiveData} */ (this.data);
    const { key, emoji, zh, en, colour } = emotions[place];
    const say = (/** @type {string} */ kind, /** @type {string} */ words) => {
      const element = part.querySelector(kind);
      if (element && element.textContent !== words) element.textContent = words;
    };
    part.style.setProperty("--c", `var(--emo-${key}, ${colour})`);
    say(".emo-face", emoji);
    say("[data-name] [lang=zh]", zh);
    say("[data-name] [lang=en]", en);
    say("[data-percent]", score === undefined ? "" : `${(score * 100).toFixed(1)}%`);
    part.toggleAttribute("data-silent", score === undefined);
  }

  // -- the end

  async stop() {
    if (this.state !== "live") return;
    this.show("ending");
    this.note("finishing");
    await this.pcm?.close();
    this.wire?.end();
  }

  /**
   * The server has the last word, wanted or not: a result, its reason, or nothing at all.
   * @param {Ending} how
   */
  async ended(how) {
    await this.pcm?.close();
    const { recording } = this;
    // A result is all that was recorded; without one, what the browser has is offered.
    if (!how.result && recording) this.rescue?.offer(recording, `${this.name}.wav`);
    await this.conclude(how);
  }

  /** @param {Ending} how */
  async conclude({ result, problem, note = undefined }) {
    if (problem) {
      await tell(find(this, "[data-note=told] p"), { json: () => problem });
      note = "told";
    }
    const isHere = root.dataset.view === "live";
    this.leave(result && !isHere ? "kept" : (note ?? null));
    if (!result) return;
    const address = `r/${encodeURIComponent(result.run)}`;
    find(this, "[data-note=kept] a").setAttribute("href", address);
    document.dispatchEvent(new CustomEvent("emo-runs"));
    if (isHere) go(address);
  }

  /**
   * @param {"working" | "done"} name
   * @param {Ending} [how]
   */
  rescued(name, how = {}) {
    if (name === "working") this.note("finishing");
    else this.conclude(how);
  }

  /** @param {string | null} note */
  leave(note) {
    this.show(undefined);
    this.note(note);
  }

  /** @param {"starting" | "live" | "ending" | undefined} state */
  show(state) {
    this.state = state;
    const on = state === "live" || state === "ending";
    root.toggleAttribute("data-listening", on);
    this.toggleAttribute("data-on", on);
    const button = /** @type {HTMLButtonElement} */ (find(this, "button[data-do=live]"));
    button.disabled = state === "starting" || state === "ending";
    button.setAttribute("aria-busy", String(button.disabled));
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll("[data-when]"))) {
      part.hidden = (part.dataset.when === "live") !== on;
    }
    for (const box of Object.values(this.options)) box.disabled = state !== undefined;
    this.box("now").hidden = !on;
    this.box("empty").hidden = on;
    if (this.picture) {
      this.picture.moves = state === "live";
      this.picture.redraw();
    }
  }

  /** @param {string | null} name */
  note(name) {
    for (const note of /** @type {HTMLCollectionOf<HTMLElement>} */ (this.box("notes").children)) {
      note.hidden = note.dataset.note !== name;
    }
  }
}

customElements.define("emo-live", EmoLive);
