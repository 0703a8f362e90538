// <emo-live>: the microphone to a moving river. This joins the parts: microphone.js records, wire.js
// asks the server, livecurve.js has the numbers, livepicture.js paints. Stopping shows the run that
// the server made of it, like any other.

import { ranked } from "./curve.js";
import { LiveCurve } from "./livecurve.js";
import { LivePicture } from "./livepicture.js";
import { MicrophoneError, Pcm, openMicrophone } from "./microphone.js";
import { tell } from "./problem.js";
import { Wire } from "./wire.js";

const root = document.documentElement;
const LATELY_S = 2; // what the headline is about
const SAID_MS = 3000; // a screen reader hears a new emotion at most this often
const LEVEL_MS = 3000; // what the advice on the level looks back on
const ENDS_BEFORE_S = 1; // of the longest that the server takes

class EmoLive extends HTMLElement {
  connectedCallback() {
    if (this.data) return;
    this.data = JSON.parse(this.dataset.live);
    this.removeAttribute("data-live");
    this.places = Object.fromEntries(this.data.emotions.map(({ key }, place) => [key, place]));
    this.addEventListener("click", (event) => {
      if (event.target.closest("button[data-do=live]")) this.press();
    });
  }

  // The right side is a piece of the page of its own, and may come later than this one.
  get desk() {
    return document.getElementById("emo-desk-live");
  }

  part(name) {
    return this.desk.querySelector(`[data-part=${name}]`);
  }

  press() {
    if (this.state === undefined) this.start();
    else if (this.state === "live") this.stop();
  }

  // -- from the button to the first sound

  async start() {
    this.show("starting");
    this.note(null);
    this.part("result").replaceChildren();
    this.pcm = null;
    this.wire = null;
    try {
      this.pcm = new Pcm(await openMicrophone(), (piece) => this.hear(piece));
      this.prepare();
      await this.pcm.start();
    } catch (error) {
      const note = error instanceof MicrophoneError ? error.note : "microphone_taken";
      await this.pcm?.close();
      if (this.wire) this.wire.finish({ note });
      else this.leave(note);
      return;
    }
    for (const track of this.pcm.stream.getTracks()) track.addEventListener("ended", () => this.stop());
    if (!this.wire.over) this.show("live");
  }

  prepare() {
    const { rateHz } = this.pcm;
    this.curve = new LiveCurve(this.data, rateHz);
    this.picture ??= new LivePicture(this.part("picture"), this.part("now"));
    this.picture.show(this.curve);
    this.clear();
    this.delays = [];
    this.peaks = [];
    this.said = null;
    this.saidAt = -SAID_MS;
    const time = new Date().toTimeString().slice(0, 8).replaceAll(":", "");
    const wire = new Wire({
      start: {
        type: "start",
        encoding: "pcm_s16le",
        rate_hz: rateHz,
        granularity: "frame",
        embedding: this.querySelector("input[name=embedding]").checked,
        name: `live_${time}`,
      },
      // Nothing that an earlier line still says is about this recording.
      heard: (message) => this.wire === wire && this.told(message),
      ended: (how) => this.wire === wire && this.ended(how),
      line: (on) => this.wire === wire && this.line(on),
    });
    this.wire = wire;
  }

  // Takes back what was said of an earlier recording.
  clear() {
    for (const name of ["lead", "all", "said", "delay"]) {
      const part = this.part(name);
      part.initial ??= { html: part.innerHTML, isSilent: part.hasAttribute("data-silent") };
      part.innerHTML = part.initial.html;
      part.toggleAttribute("data-silent", part.initial.isSilent);
      part.style.removeProperty("--c");
    }
    this.querySelector(".emo-timer").textContent = "0:00";
  }

  // -- while it goes on

  hear(piece) {
    this.wire.send(piece);
    const peak = this.curve.hear(piece);
    this.picture.heard();
    this.level(peak);
    const seconds = Math.floor(this.heardS);
    this.querySelector(".emo-timer").textContent =
      `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    if (this.wire.maxS && this.heardS > this.wire.maxS - ENDS_BEFORE_S) this.stop();
  }

  get heardS() {
    return this.curve.data.duration_s;
  }

  line(on) {
    if (this.state !== "ending") this.note(on ? null : "line_broken");
  }

  level(peak) {
    const meter = this.querySelector(".emo-meter");
    const share = Math.max(0, Math.min(1, (20 * Math.log10(peak + 1e-6) + 60) / 60));
    meter.style.setProperty("--w", `${(share * 100).toFixed(0)}%`);
    meter.setAttribute("aria-valuenow", (share * 100).toFixed(0));
    const now = performance.now();
    this.peaks = [...this.peaks.filter(([at]) => now - at < LEVEL_MS), [now, peak]];
    const most = Math.max(...this.peaks.map(([, value]) => value));
    const early = this.heardS * 1000 < LEVEL_MS;
    const kind = most > 0.99 ? "loud" : most < 0.02 && !early ? "faint" : "fine";
    meter.dataset.level = kind;
    for (const hint of this.querySelectorAll("[data-hint]")) hint.hidden = hint.dataset.hint !== kind;
  }

  told(message) {
    const { type } = message;
    if (type === "frames") {
      this.measure();
      this.curve.tell(message);
      this.headline();
    }
    if (type === "segment_opened") this.curve.opened(this.places[message.emotion], message.start_s);
    if (type === "speech_ended") this.curve.paused();
    if (type === "segment_closed") {
      this.curve.close(message.segment, this.places[message.segment.emotion], message.final);
    }
    this.picture.redraw();
  }

  // How far the river was behind the sound just before it moved: the most that anybody sees.
  measure() {
    this.delays = [...this.delays, this.heardS - this.curve.knownS].slice(-15);
    const most = [...this.delays].sort((a, b) => a - b)[Math.floor(this.delays.length * 0.8)];
    this.part("delay").textContent = `${most.toFixed(1)} s`;
  }

  headline() {
    const now = this.curve.lately(LATELY_S);
    const place = now ? ranked(now)[0] : this.places.silence;
    this.name(this.part("lead"), place, now?.[place]);
    const all = this.curve.altogether();
    if (all) this.name(this.part("all"), ranked(all)[0], Math.max(...all));
    const at = performance.now();
    if (place !== this.said && at - this.saidAt > SAID_MS) {
      this.name(this.part("said"), place);
      [this.said, this.saidAt] = [place, at];
    }
  }

  name(part, place, score) {
    const { emoji, zh, en, colour } = this.data.emotions[place];
    const put = (kind, words) => {
      const element = part.querySelector(kind);
      if (element && element.textContent !== words) element.textContent = words;
    };
    part.style.setProperty("--c", colour);
    put(".emo-face", emoji);
    put("[data-name] [lang=zh]", zh);
    put("[data-name] [lang=en]", en);
    put("[data-percent]", score === undefined ? "" : `${(score * 100).toFixed(1)}%`);
    part.toggleAttribute("data-silent", score === undefined);
  }

  // -- the end

  async stop() {
    if (this.state !== "live") return;
    this.show("ending");
    this.note("finishing");
    await this.pcm.close();
    this.wire.end();
  }

  // The server has the last word, wanted or not: a result, its reason, or nothing at all.
  async ended({ result, problem, note }) {
    await this.pcm.close();
    if (result) {
      note = (await this.open(result.run)) ? null : "no_server";
    } else if (problem) {
      await tell(this.part("notes").querySelector("[data-note=told] p"), { json: () => problem });
      note = "told";
    }
    this.leave(note);
    document.dispatchEvent(new CustomEvent("emo-runs"));
  }

  async open(run) {
    try {
      const reply = await fetch(`page/result/${run}`);
      if (!reply.ok) return false;
      this.part("result").innerHTML = await reply.text(); // every name made safe by the server
      return true;
    } catch {
      return false;
    }
  }

  leave(note) {
    this.show(undefined);
    this.note(note);
    if (root.dataset.view === "live" && matchMedia("(max-width: 860px)").matches) {
      this.desk.scrollIntoView({ behavior: "smooth", block: "start" });
    }
  }

  show(state) {
    this.state = state;
    const on = state === "live" || state === "ending";
    root.toggleAttribute("data-listening", on);
    this.toggleAttribute("data-on", on);
    const button = this.querySelector("button[data-do=live]");
    button.disabled = state === "starting" || state === "ending";
    button.setAttribute("aria-busy", String(button.disabled));
    for (const part of this.querySelectorAll("[data-when]")) {
      part.hidden = (part.dataset.when === "live") !== on;
    }
    this.querySelector("input[name=embedding]").disabled = state !== undefined;
    const shown = this.part("result").childElementCount > 0;
    this.part("now").hidden = !on;
    this.part("empty").hidden = on || shown;
    if (this.picture) {
      this.picture.moves = state === "live";
      this.picture.redraw();
    }
  }

  note(name) {
    for (const note of this.part("notes").children) note.hidden = note.dataset.note !== name;
  }
}

customElements.define("emo-live", EmoLive);
