// @ts-check
// <emo-form>: choosing recordings, the microphone, and asking for their results. All words are in the
// page already, in both languages; this shows and hides them. Names go in as text, never as markup.

import { address } from "./address.js";
import { clock, fill, size } from "./gaps.js";
import { recognize } from "./recognize.js";

/** @typedef {import("./recognize.js").Problem} Problem */

/**
 * A chosen recording.
 * @typedef {object} Chosen
 * @property {File} file
 * @property {string} [sample] file name of the bundled sample that it is
 */

const SLACK_S = 1; // a container may be padded by a little more than what was recorded

/**
 * Whether two choices are of the same recording.
 * @param {Chosen} one
 * @param {Chosen} other
 */
const isSame = (one, other) =>
  one.sample === other.sample &&
  one.file.name === other.file.name &&
  one.file.size === other.file.size &&
  (one.sample !== undefined || one.file.lastModified === other.file.lastModified);

export class EmoForm extends HTMLElement {
  kind = "one";
  maxBytes = Infinity;
  maxFiles = 1;
  /** @type {Chosen[]} */
  chosen = [];
  /** @type {Chosen | null} what the shown answer is about */
  about = null;
  busy = false;
  /** @type {string | null} address of the chosen recording's sound */
  playing = null;
  opening = false;
  /** @type {MediaRecorder | null} */
  recorder = null;
  /** @type {{cancel: () => void} | null} */
  running = null;
  isSetUp = false;

  connectedCallback() {
    if (this.isSetUp) return;
    this.isSetUp = true;
    this.kind = this.dataset.kind ?? "one";
    this.maxBytes = Number(this.dataset.maxBytes);
    this.maxFiles = this.kind === "one" ? 1 : Number(this.dataset.maxFiles);
    this.player.addEventListener("error", () => (this.player.hidden = true));
    const input = /** @type {HTMLInputElement} */ (this.find("input[type=file]"));
    input.addEventListener("change", () => {
      this.add([...(input.files ?? [])]);
      input.value = ""; // so that the same file can be chosen again
    });
    this.addEventListener("click", (event) => this.clicked(event));
    this.add([...(input.files ?? [])]); // chosen before this script was here
  }

  get player() {
    return /** @type {HTMLAudioElement} */ (this.find(".emo-chosen audio"));
  }

  /** @param {string} selector */
  find(selector) {
    return /** @type {HTMLElement} */ (this.querySelector(selector));
  }

  /** @param {Event} event */
  clicked(event) {
    const button = /** @type {Element} */ (event.target).closest("button");
    /** @type {Record<string, () => void>} */
    const acts = {
      clear: () => this.set([]),
      remove: () => this.set(this.chosen.filter((_, at) => at !== Number(button?.dataset.at))),
      sample: () => this.dispatchEvent(new CustomEvent("emo-sample", { bubbles: true })),
      record: () => this.record(),
      start: () => this.start(),
      cancel: () => this.running?.cancel(),
    };
    acts[button?.dataset.do ?? ""]?.();
  }

  // -- what is chosen

  /** @param {File[]} files */
  add(files) {
    if (!files.length) return;
    const found = files.map((file) => ({ file }));
    const all = this.kind === "one" ? found.slice(0, 1) : [...this.chosen, ...found];
    this.set(all.slice(0, this.maxFiles));
    if (this.busy && this.kind === "one") return;
    if (all.length > this.maxFiles) this.tooMany(all.length - this.maxFiles);
    if (this.kind === "one" && found[0].file.size > this.maxBytes) this.note("too_large");
  }

  /** @param {number} left files that were not taken */
  tooMany(left) {
    fill(this.find("[data-note=too_many]"), { left });
    this.note("too_many");
  }

  /** @param {Chosen[]} chosen */
  set(chosen) {
    this.chosen = chosen;
    if (!this.busy) this.settle();
    const box = this.find(".emo-chosen");
    const template = /** @type {HTMLTemplateElement} */ (box.querySelector("template"));
    /** @type {HTMLElement} */ (box.querySelector("ul")).replaceChildren(
      ...chosen.map(({ file }, at) => {
        const item = /** @type {HTMLElement} */ (
          /** @type {HTMLElement} */ (template.content.firstElementChild).cloneNode(true)
        );
        /** @type {HTMLElement} */ (item.querySelector(".emo-file")).textContent = file.name;
        /** @type {HTMLElement} */ (item.querySelector("small")).textContent = size(file.size);
        /** @type {HTMLElement} */ (item.querySelector("button")).dataset.at = String(at);
        return item;
      }),
    );
    box.hidden = chosen.length === 0;
    const count = /** @type {HTMLElement} */ (box.querySelector(".emo-chosen-count"));
    count.hidden = chosen.length < 2;
    fill(count, { count: chosen.length });
    this.toggleAttribute("data-filled", chosen.length > 0);
    this.listenTo(this.kind === "one" ? (chosen[0]?.file ?? null) : null);
  }

  /** @param {File | null} file */
  listenTo(file) {
    if (this.playing) URL.revokeObjectURL(this.playing);
    this.playing = file ? URL.createObjectURL(file) : null;
    this.player.hidden = !file;
    if (this.playing) {
      this.player.src = this.playing;
    } else {
      this.player.removeAttribute("src");
      this.player.load(); // or it would go on playing
    }
  }

  // -- the microphone

  async record() {
    if (this.recorder) {
      this.recorder.stop();
      return;
    }
    if (this.opening) return; // the browser is asking for the microphone
    this.opening = true;
    const time = this.find(".emo-clock");
    try {
      const { record } = await import("./recorder.js");
      this.recorder = await record({
        meter: this.find(".emo-meter"),
        onTime: (seconds) => (time.textContent = clock(seconds)),
        onEnd: (file) => {
          this.recorder = null;
          this.showRecording(false);
          this.add([file]);
        },
      });
      this.showRecording(true);
    } catch (error) {
      this.note(/** @type {{note?: string}} */ (error).note ?? "no_server");
    } finally {
      this.opening = false;
    }
  }

  /** @param {boolean} on */
  showRecording(on) {
    this.find("[data-when=idle]").hidden = on;
    this.find("[data-when=recording]").hidden = !on;
    this.find(".emo-meter").hidden = !on;
    this.find("[data-do=record]").classList.toggle("emo-on", on);
  }

  // -- asking

  get options() {
    const mode = /** @type {HTMLInputElement} */ (this.find("input[type=radio]:checked"));
    const ticked = (/** @type {string} */ name) =>
      /** @type {HTMLInputElement | null} */ (this.querySelector(`input[name=${name}]`))?.checked ?? false;
    const head = /** @type {HTMLSelectElement | null} */ (this.querySelector("select[name=head]"));
    return {
      head: head?.value ?? "",
      granularity: /** @type {"frame" | "utterance"} */ (mode.value),
      embedding: ticked("embedding"),
      separate: ticked("channels"),
      utterances: ticked("utterances"),
    };
  }

  /** Why what is chosen cannot be asked about; the name of a note, or null. */
  refusal() {
    if (!this.chosen.length) return "no_sound";
    if (this.kind !== "one") return null;
    if (this.chosen[0].file.size > this.maxBytes) return "too_large";
    const { duration } = this.player;
    const most = Number(this.dataset.maxDurationS) + SLACK_S;
    return Number.isFinite(duration) && duration > most ? "too_long" : null;
  }

  async start() {
    if (this.busy) return;
    const refusal = this.refusal();
    if (refusal) {
      this.note(refusal);
      return;
    }
    if (this.kind !== "one") {
      const detail = { chosen: this.chosen, options: this.options };
      this.dispatchEvent(new CustomEvent("emo-start-batch", { bubbles: true, detail }));
      return;
    }
    const [asked] = this.chosen;
    this.setBusy(true);
    this.note("working");
    const { stop, ...progress } = this.showProgress();
    const { file } = asked;
    const running = recognize(file, file.name, { ...this.options, ...progress });
    this.running = running;
    try {
      const { run } = await running.result;
      this.about = asked;
      this.done({ run });
    } catch (problem) {
      this.failed(/** @type {Problem} */ (problem), asked);
    } finally {
      stop();
      this.running = null;
    }
  }

  /** @param {{run?: string, problem?: Problem}} detail */
  done(detail) {
    this.setBusy(false);
    this.dispatchEvent(new CustomEvent("emo-answered", { bubbles: true, detail }));
    this.settle();
  }

  /**
   * @param {Problem} problem
   * @param {Chosen} asked
   */
  failed(problem, asked) {
    if (problem.detail_zh) {
      this.about = asked;
      this.done({ problem });
      return;
    }
    this.setBusy(false);
    this.settle();
    if (problem.code !== "cancelled") this.note(problem.code);
  }

  // Upload, then the share of the recording that is done, with elapsed time and what is left.
  showProgress() {
    const box = this.find("[data-note=working]");
    const bar = /** @type {HTMLProgressElement} */ (box.querySelector("progress"));
    const [elapsed, left] = /** @type {NodeListOf<HTMLElement>} */ (box.querySelectorAll("output"));
    const started = performance.now();
    let share = 0;
    let began = started;
    const step = (/** @type {string} */ name) => {
      for (const words of /** @type {NodeListOf<HTMLElement>} */ (box.querySelectorAll("[data-step]"))) {
        words.hidden = words.dataset.step !== name;
      }
    };
    const tick = () => {
      const now = performance.now();
      elapsed.textContent = clock((now - started) / 1000);
      const rest = share > 0.02 ? ((now - began) / share) * (1 - share) : 0;
      /** @type {HTMLElement} */ (left.parentElement).hidden = rest < 1000;
      left.textContent = clock(rest / 1000);
    };
    const show = (/** @type {number} */ value) => {
      share = value;
      bar.value = value;
      tick();
    };
    step("uploading");
    bar.value = 0;
    tick();
    const ticking = setInterval(tick, 500);
    return {
      stop: () => clearInterval(ticking),
      onUpload: (/** @type {number} */ sent) => {
        show(sent);
        if (sent < 1) return;
        step("recognizing");
        share = 0;
        began = performance.now();
        bar.removeAttribute("value");
      },
      onProgress: (/** @type {number} */ done, /** @type {number} */ total) => show(done / total),
    };
  }

  // An answer that is not about what is chosen now is paler, and a note says so.
  settle() {
    const place = document.getElementById("emo-answer");
    if (this.kind !== "one" || !place) {
      this.note(null);
      return;
    }
    const chosen = this.chosen.at(0);
    const isOld = !!chosen && place.childElementCount > 0 && !(this.about && isSame(chosen, this.about));
    const isError = place.querySelector("[data-error]") !== null;
    this.note(isOld && !isError ? "old" : null);
    place.toggleAttribute("data-old", isOld);
  }

  /** @param {boolean} busy */
  setBusy(busy) {
    this.busy = busy;
    const button = /** @type {HTMLButtonElement} */ (this.find("[data-do=start]"));
    button.disabled = busy;
    button.setAttribute("aria-busy", String(busy));
    if (this.kind === "one") document.getElementById("emo-answer")?.toggleAttribute("data-waiting", busy);
  }

  /** @param {string | null} name */
  note(name) {
    for (const note of /** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll("[data-note]"))) {
      note.hidden = note.dataset.note !== name;
    }
    const told = this.chosen.length ? size(this.chosen[0].file.size) : "";
    for (const place of this.querySelectorAll("[data-size]")) place.textContent = told;
  }

  /**
   * Chooses a bundled sample and asks about it.
   * @param {string} name
   */
  async takeSample(name) {
    if (this.busy) return;
    try {
      const reply = await fetch(address(`v1/samples/${encodeURIComponent(name)}`));
      if (!reply.ok) throw new Error(String(reply.status));
      this.set([{ file: new File([await reply.blob()], name, { type: "audio/wav" }), sample: name }]);
    } catch {
      this.note("no_server");
      return;
    }
    await this.start();
  }
}

customElements.define("emo-form", EmoForm);
