// @ts-check
// <emo-timeline data-drawing='{…}'>: emotion over time, in step with the sound inside of it.
//
// The server has put all words, buttons and the sound into the element; this puts the stage among
// them and joins the parts: curve.js has the numbers, stage.js the canvas that draw.js and marks.js paint on,
// gestures.js listens, player.js plays. What is not needed at first is fetched when it is: correct.js,
// share.js, keyboard.js.

import { Curve, clamp, merged, ranked, smoothing } from "./curve.js";
import { LAYOUT, lookOf, stackOrder } from "./draw.js";
import { listen } from "./gestures.js";
import { exactness } from "./marks.js";
import { Player } from "./player.js";
import { Stage } from "./stage.js";

/** @typedef {import("./curve.js").Segment} Segment */
/** @typedef {import("./correct.js").Editor} Editor */

const root = document.documentElement;
const SHORTEST_S = 0.25; // the most that zooming shows
const NARROW = 20; // points: room for an emoji; narrower segments join their neighbours

/** The figure of one recording. */
export class Figure {
  /** @param {HTMLElement} host the element, with the server's markup in it */
  constructor(host) {
    this.host = host;
    /** @type {import("./curve.js").Drawing} */
    this.data = JSON.parse(host.dataset.drawing ?? "");
    host.removeAttribute("data-drawing");
    this.curve = new Curve(this.data, () => this.redraw());
    this.order = this.curve.hasScores ? stackOrder(this.curve) : [];
    /** @type {Segment[]} */
    this.segments = this.data.segments;
    /** @type {Segment[]} those that a person changed */
    this.corrected = [];
    this.duration = this.data.duration_s;
    this.from = 0;
    this.to = this.duration;
    /** @type {[from: number, to: number] | null} */
    this.selection = null;
    /** @type {number | null} */
    this.alone = null;
    /** @type {number | null} number of the segment that is edited */
    this.chosen = null;
    /** @type {Editor | null} */
    this.editor = null;
    this.pending = 0;
    this.drawn = 0;
    this.level = 0;
    this.audio = /** @type {HTMLAudioElement} */ (host.querySelector("audio"));
    this.player = new Player(this.audio, this.duration, () => this.follow());
    /** @type {import("./draw.js").Layout} */
    this.layout = LAYOUT.full;
    this.look = lookOf(host, this.data.emotions);
    this.stage = new Stage(this);
    host.querySelector(".emo-plot")?.replaceChildren(this.stage.plot);
    listen(this.stage.element, this.acts());
    host.addEventListener("click", (event) => this.click(event));
    const speed = /** @type {HTMLSelectElement} */ (host.querySelector("select[data-speed]"));
    speed.addEventListener("change", () => this.player.speed(Number(speed.value)));
    // What stands beside it and names a moment: key moments, lines of the table of segments.
    (host.closest("[data-run]") ?? host).addEventListener("click", (event) => this.jump(event));
  }

  connect() {
    this.watcher = new ResizeObserver(() => {
      this.stage.measure();
      this.redraw();
    });
    this.watcher.observe(this.stage.element);
    const look = () => {
      this.look = lookOf(this.host, this.data.emotions);
      this.redraw();
    };
    this.theme = new MutationObserver(look);
    this.theme.observe(root, { attributeFilter: ["class"] });
    this.onLanguage = () => {
      this.stage.tip.hide();
      this.stage.tellSelection();
      look();
      this.follow();
    };
    this.onKey = (/** @type {KeyboardEvent} */ event) => this.key(event);
    document.addEventListener("emo-language", this.onLanguage);
    document.addEventListener("keydown", this.onKey);
    look();
    this.show(this.from, this.to);
    this.follow();
  }

  disconnect() {
    this.player.stop();
    this.editor?.saver.flush(); // a figure that is taken away saves at once
    this.watcher?.disconnect();
    this.theme?.disconnect();
    if (this.onLanguage) document.removeEventListener("emo-language", this.onLanguage);
    if (this.onKey) document.removeEventListener("keydown", this.onKey);
    cancelAnimationFrame(this.pending);
  }

  // -- what people do

  /** @returns {import("./gestures.js").Acts} */
  acts() {
    return {
      timeAt: (x) => this.timeAt(x),
      seek: (time) => this.seek(time),
      select: (a, b) => this.select(a, b),
      zoom: (factor, time) => this.zoom(factor, time),
      pan: (seconds) => this.show(this.from + seconds, this.to + seconds),
      toggle: () => this.player.toggle(),
      hover: (event) => this.stage.tip.show(event.offsetX, event.offsetY),
      leave: () => this.stage.tip.hide(),
      border: (x, y) => this.stage.borderAt(x, y),
      moveBorder: (which, time) => this.editor?.moveBorder(which, time),
      pick: (time, y) => this.stage.isOnStrip(y) && this.edit(this.segmentAt(time)),
      key: (key) => this.command(key),
      view: () => ({
        now: this.player.now,
        step: Math.max(0.02, (this.to - this.from) / 20),
        duration: this.duration,
        whole: this.to - this.from >= this.duration,
      }),
    };
  }

  /**
   * What a button or a key stands for.
   * @param {string} name
   */
  command(name) {
    const { player } = this;
    /** @type {Record<string, () => unknown>} */
    const acts = {
      play: () => player.toggle(),
      closer: () => this.zoom(0.5, this.middle()),
      wider: () => this.zoom(2, this.middle()),
      fit: () => this.show(0, this.duration),
      faster: () => player.step(1),
      slower: () => player.step(-1),
      "zoom-selection": () => this.selection && this.show(...this.selection),
      "play-selection": () => this.selection && player.playPart(this.selection),
      "loop-selection": () => player.repeat(player.loop ? null : this.selection),
      "clear-selection": () => this.select(0, 0),
      "label-selection": () => this.labelSelection(),
      "save-selection": () => this.share("selection"),
      edit: () => this.edit(this.segmentAt(player.now)),
      keys: () => this.showKeys(),
    };
    acts[name]?.();
  }

  /** @param {Event} event */
  click(event) {
    const target = /** @type {Element} */ (event.target);
    const button = /** @type {HTMLElement | null} */ (target.closest("button"));
    if (!button) return;
    if (button.classList.contains("emo-key")) this.isolate(Number(button.dataset.emotion));
    if (button.dataset.do) this.command(button.dataset.do);
    if (button.dataset.share) this.share(button.dataset.share);
  }

  /** @param {Event} event */
  jump(event) {
    const target = /** @type {Element} */ (event.target);
    if (target.closest("[data-png]")) this.share("png");
    const place = /** @type {HTMLElement | null} */ (target.closest("[data-seek], [data-start]"));
    if (!place) return;
    this.seek(Number(place.dataset.seek ?? place.dataset.start));
    if (place.dataset.seek) this.player.play();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const target = /** @type {Element | null} */ (event.target);
    if (event.key !== "?" || target?.closest("input, textarea, select, dialog")) return;
    // One help, of the first figure that can be seen.
    const seen = [...document.querySelectorAll("emo-timeline")].find((one) => one.clientWidth);
    if (seen === this.host) this.showKeys();
  }

  async showKeys() {
    (await import("./keyboard.js")).helpWithKeys(this.host);
  }

  /** @param {string} kind what is shared; see share.js */
  async share(kind) {
    await (await import("./share.js")).share(this, kind);
  }

  // Without the service there is nothing to save to, and no panel; the next click tries again.
  async editing() {
    const module = await import("./correct.js").catch(() => null);
    if (module) this.editor ??= new module.Editor(this);
    return this.editor;
  }

  /** @param {number} number of a segment */
  async edit(number) {
    if (!this.host.querySelector(".emo-edit")) return; // one of two side by side
    const [start, end] = this.segments[number];
    // What is too narrow to be seen by itself is shown nearer.
    const least = (24 / this.width) * (this.to - this.from);
    if (end - start < least) this.show((start + end) / 2 - (end - start) * 4, (start + end) / 2 + (end - start) * 4);
    (await this.editing())?.open(number);
  }

  async labelSelection() {
    const editor = await this.editing();
    if (this.selection) editor?.cut(this.selection);
  }

  // -- what is in view

  get width() {
    return this.stage.element.clientWidth;
  }

  get exact() {
    return exactness(this.to - this.from);
  }

  /** @param {number} x points on the stage */
  timeAt(x) {
    return this.from + clamp(x / (this.width || 1), -0.2, 1.2) * (this.to - this.from);
  }

  middle() {
    const { now } = this.player;
    return now > this.from && now < this.to ? now : (this.from + this.to) / 2;
  }

  /**
   * @param {number} factor of the seconds in view
   * @param {number} time what stays where it is
   */
  zoom(factor, time) {
    const wide = clamp((this.to - this.from) * factor, Math.min(SHORTEST_S, this.duration), this.duration);
    const share = (clamp(time, this.from, this.to) - this.from) / (this.to - this.from);
    const from = time - share * wide;
    this.show(from, from + wide);
  }

  /**
   * @param {number} from seconds
   * @param {number} to
   */
  show(from, to) {
    const wide = clamp(to - from, Math.min(SHORTEST_S, this.duration), this.duration);
    this.from = clamp(from, 0, this.duration - wide);
    this.to = this.from + wide;
    this.redraw();
    this.stage.place();
    this.host.dispatchEvent(new CustomEvent("emo-span", { bubbles: true, detail: { figure: this } }));
  }

  /** @param {number} time seconds */
  seek(time) {
    this.player.seek(time);
    if (time >= this.from && time <= this.to) return;
    const half = (this.to - this.from) / 2;
    this.show(time - half, time + half);
  }

  /**
   * @param {number} a seconds
   * @param {number} b
   */
  select(a, b) {
    const from = clamp(Math.min(a, b), 0, this.duration);
    const to = clamp(Math.max(a, b), 0, this.duration);
    this.selection = to - from > 0.01 ? [from, to] : null;
    if (this.player.loop) this.player.loop = this.selection;
    this.stage.tellSelection();
    this.follow();
  }

  // The sound has moved on, or stands.
  follow() {
    const { now, isPlaying } = this.player;
    // Turn the page when the cursor runs out of it.
    if (isPlaying && now > this.to && this.to < this.duration) this.show(now, now + this.to - this.from);
    this.stage.tell(this.player, this.told(now));
    this.host.dispatchEvent(new CustomEvent("emo-moved", { bubbles: true, detail: { figure: this } }));
    this.stage.place();
  }

  // -- words

  /** @param {string} name */
  word(name) {
    return this.host.dataset[`${name}${root.dataset.lang === "zh" ? "Zh" : "En"}`] ?? "";
  }

  /** @param {number} index place of an emotion, or of silence after the nine */
  name(index) {
    const emotion = this.data.emotions[index];
    return `${emotion.emoji} ${root.dataset.lang === "zh" ? emotion.zh : emotion.en}`;
  }

  /** @param {number} time seconds */
  at(time) {
    return this.curve.hasScores ? this.curve.at(time, this.level, this.smoothing) : null;
  }

  /** @param {number} time seconds */
  told(time) {
    const found = this.at(time);
    if (!found) return "";
    const [first] = ranked(found.row);
    return found.quiet ? this.word("quiet") : `${this.name(first)} ${Math.round(found.row[first] / 10)}%`;
  }

  /** @param {number} index of the emotion */
  isolate(index) {
    this.alone = this.alone === index ? null : index;
    for (const key of /** @type {NodeListOf<HTMLElement>} */ (this.host.querySelectorAll(".emo-key"))) {
      key.setAttribute("aria-pressed", String(Number(key.dataset.emotion) === this.alone));
    }
    this.redraw();
  }

  // -- segments

  /** @param {number} time seconds */
  segmentAt(time) {
    const at = this.segments.findIndex(([, end]) => time < end);
    return at < 0 ? this.segments.length - 1 : at;
  }

  // Segments as the strip shows them.
  displayed() {
    const least = (NARROW / (this.width || 1)) * (this.to - this.from);
    return this.editor?.isOpen ? this.segments : merged(this.segments, least);
  }

  // -- drawing

  redraw() {
    cancelAnimationFrame(this.pending);
    this.pending = requestAnimationFrame(() => this.drawNow());
  }

  get smoothing() {
    return smoothing(this.to - this.from);
  }

  /**
   * @param {number} width points
   * @returns {import("./draw.js").Scene}
   */
  scene(width) {
    const { curve, look, layout, from, to, alone, order, corrected } = this;
    return {
      ...{ curve, look, layout, width, from, to, alone, order, corrected },
      segments: this.displayed(),
      chosen: this.chosen === null ? null : this.segments[this.chosen],
      moments: this.data.moments,
      smoothing: this.smoothing,
      lead: this.data.lead,
      name: (index) => this.name(index),
    };
  }

  drawNow() {
    const levels = this.stage.paint();
    if (!levels) return; // not to be seen
    this.level = levels.scores;
    for (const level of new Set([levels.sound, levels.scores])) this.curve.want(level, this.from, this.to);
    this.drawn += 1;
  }
}

export class EmoTimeline extends HTMLElement {
  /** @type {Figure | null} */
  figure = null;

  connectedCallback() {
    this.figure ??= new Figure(this);
    this.figure.connect();
    const group = /** @type {HTMLElement | null} */ (this.closest("emo-channels"));
    if (group) import("./channels.js").then(({ together }) => together(group));
    if (this.querySelector("emo-utterances")) import("./utterances.js");
  }

  disconnectedCallback() {
    this.figure?.disconnect();
  }

  // Whether there are corrections that are not saved yet.
  get isEdited() {
    return this.figure?.editor?.isUnsaved ?? false;
  }
}

customElements.define("emo-timeline", EmoTimeline);
