// <emo-timeline data-drawing='{…}'>: emotion over time, in step with the sound inside of it.
//
// The server has put all words, buttons and the sound into the element; this puts the stage before
// them and joins the parts: curve.js has the numbers, draw.js paints, gestures.js listens,
// correct.js edits segments, picture.js saves a picture.

import { correcting } from "./correct.js";
import { Curve, ranked } from "./curve.js";
import { LAYOUT, clock, lookOf, paint, stackOrder } from "./draw.js";
import { listen } from "./gestures.js";
import { savePng } from "./picture.js";

const root = document.documentElement;
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const SHORTEST_S = 0.25; // the most that zooming shows

class EmoTimeline extends HTMLElement {
  connectedCallback() {
    if (!this.data) this.prepare();
    this.watch();
    this.redraw();
    this.follow();
  }

  disconnectedCallback() {
    this.audio.pause();
    this.watcher.disconnect();
    this.theme.disconnect();
    document.removeEventListener("emo-language", this.onLanguage);
    cancelAnimationFrame(this.playing);
    cancelAnimationFrame(this.pending);
  }

  prepare() {
    this.data = JSON.parse(this.dataset.drawing);
    this.removeAttribute("data-drawing");
    this.curve = new Curve(this.data, () => this.redraw());
    this.layout = this.curve.hasScores ? LAYOUT.full : LAYOUT.plain;
    this.order = this.curve.hasScores ? stackOrder(this.curve) : [];
    this.segments = this.data.segments;
    this.duration = this.data.duration_s;
    this.from = 0;
    this.to = this.duration;
    this.selection = null;
    this.alone = null;
    this.chosen = null;
    this.audio = this.querySelector("audio");
    this.build();
    this.editor = correcting(this);
    this.listenAll();
  }

  build() {
    const make = (kind, hidden = false) => {
      const part = document.createElement("div");
      part.className = kind;
      part.hidden = hidden;
      return part;
    };
    this.stage = make("emo-stage");
    this.stage.style.height = `${this.layout.height}px`;
    this.stage.tabIndex = 0;
    this.stage.setAttribute("role", "slider");
    this.stage.setAttribute("aria-valuemin", "0");
    this.stage.setAttribute("aria-valuemax", this.duration.toFixed(2));
    this.canvas = document.createElement("canvas");
    this.shade = make("emo-selected", true);
    this.cursor = make("emo-cursor");
    this.pointer = make("emo-pointer", true);
    this.tip = make("emo-tip", true);
    const tall = `${this.layout.axis - 8}px`;
    for (const part of [this.shade, this.cursor, this.pointer]) part.style.height = tall;
    this.stage.append(this.canvas, this.shade, this.pointer, this.cursor, this.tip);
    this.map = make("emo-map", true);
    this.map.append(make("emo-map-thumb"));
    this.prepend(this.stage, this.map);
  }

  watch() {
    this.onChange = () => this.redraw();
    this.onLanguage = () => {
      this.tip.hidden = true;
      this.follow();
      this.redraw();
    };
    this.watcher = new ResizeObserver(this.onChange);
    this.watcher.observe(this.stage);
    this.theme = new MutationObserver(this.onChange);
    this.theme.observe(root, { attributeFilter: ["class"] });
    document.addEventListener("emo-language", this.onLanguage);
  }

  listenAll() {
    listen(this.stage, {
      timeAt: (x) => this.timeAt(x),
      seek: (time) => this.seek(time),
      select: (a, b) => this.select(a, b),
      zoom: (factor, time) => this.zoom(factor, time),
      pan: (seconds) => this.show(this.from + seconds, this.to + seconds),
      fit: () => this.show(0, this.duration),
      toggle: () => this.toggle(),
      hover: (event) => this.hover(event),
      leave: () => {
        this.tip.hidden = true;
        this.pointer.hidden = true;
      },
      border: (x, y) => this.editor.borderAt(x, y),
      moveBorder: (which, time) => this.editor.moveBorder(which, time),
      pick: (time, y) => this.pick(time, y),
      view: () => ({
        now: this.audio.currentTime,
        step: Math.max(0.02, (this.to - this.from) / 20),
        duration: this.duration,
        middle: clamp(this.audio.currentTime, this.from, this.to),
        whole: this.to - this.from >= this.duration,
      }),
    });
    for (const name of ["play", "pause", "seeked", "seeking", "timeupdate", "loadedmetadata"]) {
      this.audio.addEventListener(name, () => this.follow());
    }
    this.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button?.classList.contains("emo-key")) this.isolate(Number(button.dataset.emotion));
      const acts = {
        play: () => this.toggle(),
        closer: () => this.zoom(0.5, this.middle()),
        wider: () => this.zoom(2, this.middle()),
        fit: () => this.show(0, this.duration),
        "play-selection": () => this.playSelection(),
        "clear-selection": () => this.select(0, 0),
      };
      acts[button?.dataset.do]?.();
    });
    this.map.addEventListener("pointerdown", (event) => this.dragMap(event));
    this.map.addEventListener("pointermove", (event) => event.buttons && this.dragMap(event));
    // The table of segments beside it: a click on a line plays from there.
    this.closest(".emo-card")?.addEventListener("click", (event) => {
      const moment = event.target.closest("[data-seek]");
      if (moment) {
        this.seek(Number(moment.dataset.seek));
        this.audio.play().catch(() => {});
      }
      const row = event.target.closest("tr[data-start]");
      if (!row) return;
      this.seek(Number(row.dataset.start));
      this.editor.choose(this.segmentAt(Number(row.dataset.start) + 0.001));
    });
  }

  savePng() {
    savePng(this);
  }

  get isEdited() {
    return this.editor.isEdited();
  }

  // -- what is in view

  get width() {
    return this.stage.clientWidth;
  }

  timeAt(x) {
    return this.from + clamp(x / (this.width || 1), -0.2, 1.2) * (this.to - this.from);
  }

  middle() {
    const now = this.audio.currentTime;
    return now > this.from && now < this.to ? now : (this.from + this.to) / 2;
  }

  zoom(factor, time) {
    const wide = clamp((this.to - this.from) * factor, Math.min(SHORTEST_S, this.duration), this.duration);
    const share = (clamp(time, this.from, this.to) - this.from) / (this.to - this.from);
    const from = time - share * wide;
    this.show(from, from + wide);
  }

  show(from, to) {
    const wide = Math.min(to - from, this.duration);
    this.from = clamp(from, 0, this.duration - wide);
    this.to = this.from + wide;
    this.map.hidden = wide >= this.duration - 1e-6;
    const thumb = this.map.firstElementChild;
    thumb.style.left = `${(this.from / this.duration) * 100}%`;
    thumb.style.width = `${(wide / this.duration) * 100}%`;
    this.redraw();
    this.place();
  }

  dragMap(event) {
    const box = this.map.getBoundingClientRect();
    const middle = ((event.clientX - box.left) / box.width) * this.duration;
    const half = (this.to - this.from) / 2;
    this.show(middle - half, middle + half);
    event.preventDefault();
  }

  // -- time

  seek(time) {
    this.stopAt = null;
    // The length that is drawn is rounded; the end of the sound is its own.
    const end = this.audio.duration;
    const atEnd = time >= this.duration && Number.isFinite(end);
    this.audio.currentTime = atEnd ? end : clamp(time, 0, this.duration);
    if (time < this.from || time > this.to) {
      const half = (this.to - this.from) / 2;
      this.show(time - half, time + half);
    }
    this.follow();
  }

  toggle() {
    this.stopAt = null;
    if (this.audio.paused) this.audio.play().catch(() => {});
    else this.audio.pause();
  }

  select(a, b) {
    const [from, to] = [clamp(Math.min(a, b), 0, this.duration), clamp(Math.max(a, b), 0, this.duration)];
    this.selection = to - from > 0.01 ? [from, to] : null;
    const bar = this.querySelector(".emo-selection");
    bar.hidden = !this.selection;
    bar.querySelector("output").textContent = this.selection
      ? `${from.toFixed(2)} – ${to.toFixed(2)} s (${(to - from).toFixed(2)} s)`
      : "";
    this.place();
  }

  playSelection() {
    if (!this.selection) return;
    this.audio.currentTime = this.selection[0];
    [, this.stopAt] = this.selection;
    this.audio.play().catch(() => {});
  }

  follow() {
    cancelAnimationFrame(this.playing);
    const time = clamp(this.audio.currentTime || 0, 0, this.duration);
    if (this.stopAt && time >= this.stopAt) {
      this.stopAt = null;
      this.audio.pause();
    }
    if (!this.audio.paused) {
      this.playing = requestAnimationFrame(() => this.follow());
      // Turn the page when the cursor runs out of it.
      if (time > this.to && this.to < this.duration) this.show(time, time + this.to - this.from);
    }
    this.toggleAttribute("data-playing", !this.audio.paused);
    this.querySelector(".emo-now").textContent = `${clock(time, 0.1)} / ${clock(this.duration, 0.1)}`;
    this.stage.setAttribute("aria-valuenow", time.toFixed(2));
    this.stage.setAttribute("aria-valuetext", `${time.toFixed(2)} s ${this.told(time)}`);
    this.place();
  }

  place() {
    const percent = (time) => `${((time - this.from) / (this.to - this.from)) * 100}%`;
    const now = this.audio.currentTime || 0;
    this.cursor.hidden = now < this.from - 1e-6 || now > this.to + 1e-6;
    this.cursor.style.left = percent(Math.min(now, this.duration));
    this.shade.hidden = !this.selection;
    if (this.selection) {
      this.shade.style.left = percent(Math.max(this.from, this.selection[0]));
      this.shade.style.right = `calc(100% - ${percent(Math.min(this.to, this.selection[1]))})`;
      this.shade.hidden = this.selection[1] < this.from || this.selection[0] > this.to;
    }
  }

  // -- words

  word(name) {
    return this.dataset[`${name}${root.dataset.lang === "zh" ? "Zh" : "En"}`] ?? "";
  }

  name(index) {
    const emotion = this.data.emotions[index];
    return `${emotion.emoji} ${emotion[root.dataset.lang] ?? emotion.en}`;
  }

  told(time) {
    if (!this.curve.hasScores) return "";
    const { row, quiet } = this.curve.at(time, this.level ?? 0);
    return quiet ? this.word("quiet") : this.name(ranked(row)[0]);
  }

  hover(event) {
    const time = this.timeAt(event.offsetX);
    if (time < 0 || time > this.duration) return;
    this.pointer.hidden = false;
    this.pointer.style.left = `${event.offsetX}px`;
    const head = document.createElement("strong");
    head.textContent = `${time.toFixed(2)} s`;
    const parts = [head];
    if (this.curve.hasScores) {
      const { row, quiet, doubt } = this.curve.at(time, this.level ?? 0);
      const state = quiet ? "quiet" : doubt ? "doubt" : null;
      if (state) {
        const said = document.createElement("em");
        said.textContent = this.word(state);
        parts.push(said);
      }
      // A phone has no room for nine lines beside the place they are about.
      const most = this.width < 480 ? 4 : 9;
      parts.push(...ranked(row).slice(0, most).map((index) => this.line(index, row[index])));
    }
    this.tip.replaceChildren(...parts);
    this.tip.hidden = false;
    const wide = this.tip.offsetWidth;
    const x = event.offsetX;
    const left = x + 14 + wide > this.width ? x - 14 - wide : x + 14;
    this.tip.style.left = `${clamp(left, 0, Math.max(0, this.width - wide))}px`;
  }

  line(index, thousandths) {
    const line = document.createElement("div");
    line.style.setProperty("--c", this.look.emotions[index]);
    line.style.setProperty("--w", `${thousandths / 10}%`);
    const name = document.createElement("span");
    const value = document.createElement("span");
    name.textContent = this.name(index);
    value.textContent = `${(thousandths / 10).toFixed(1)}%`;
    line.append(name, value);
    return line;
  }

  isolate(index) {
    this.alone = this.alone === index ? null : index;
    for (const key of this.querySelectorAll(".emo-key")) {
      key.setAttribute("aria-pressed", String(Number(key.dataset.emotion) === this.alone));
    }
    this.redraw();
  }

  // -- segments

  segmentAt(time) {
    const at = this.segments.findIndex(([start, end]) => time >= start && time < end);
    return at < 0 ? this.segments.length - 1 : at;
  }

  pick(time, y) {
    const strip = this.layout.strip;
    if (strip && y >= strip[0] && y <= strip[1]) this.editor.choose(this.segmentAt(time));
  }

  // -- drawing

  redraw() {
    cancelAnimationFrame(this.pending);
    this.pending = requestAnimationFrame(() => this.drawNow());
  }

  scene(width) {
    return {
      curve: this.curve,
      look: this.look,
      layout: this.layout,
      width,
      from: this.from,
      to: this.to,
      alone: this.alone,
      order: this.order,
      segments: this.segments,
      chosen: this.chosen,
      lead: this.data.lead,
      name: (index) => this.name(index),
    };
  }

  drawNow() {
    this.stage.setAttribute("aria-label", this.word("label"));
    const width = this.width;
    if (!width) return;
    const ratio = window.devicePixelRatio || 1;
    const [wide, tall] = [Math.round(width * ratio), Math.round(this.layout.height * ratio)];
    if (this.canvas.width !== wide || this.canvas.height !== tall) {
      this.canvas.width = wide;
      this.canvas.height = tall;
    }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.look = lookOf(this, this.data.emotions);
    this.level = paint(pen, this.scene(width));
    this.curve.want(this.level, this.from, this.to);
    if (this.level < 0) this.curve.want(0, this.from, this.to);
    this.drawn = (this.drawn ?? 0) + 1;
  }
}

customElements.define("emo-timeline", EmoTimeline);
