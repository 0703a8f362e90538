// <emo-timeline data-drawing='{…}'>: emotion over time, in step with the sound inside of it.
//
// From top to bottom: the river (nine scores, stacked), the waveform in the colour of the leading
// emotion, the segments, the time axis. Click or drag to seek; space, arrows, home and end work.
// The drawing is what curve.py made; names are written with textContent or on a canvas.

const RIVER = [8, 104];
const WAVE = [112, 176];
const STRIP = [184, 212];
const AXIS = 222;
const HEIGHT = 240;
const root = document.documentElement;

// A colour towards white by a share, for dark ground.
const lifted = (hex, share) => {
  const mix = (at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16);
    return Math.round(part + (255 - part) * share);
  };
  return `rgb(${mix(1)} ${mix(3)} ${mix(5)})`;
};
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

class EmoTimeline extends HTMLElement {
  connectedCallback() {
    if (this.data) return;
    this.data = JSON.parse(this.dataset.drawing);
    this.removeAttribute("data-drawing");
    this.audio = this.querySelector("audio");
    this.alone = null;
    this.build();
    this.listen();
    this.redraw();
    this.follow();
  }

  disconnectedCallback() {
    this.watcher?.disconnect();
    this.theme?.disconnect();
    document.removeEventListener("emo-language", this.onLanguage);
    cancelAnimationFrame(this.frame);
  }

  build() {
    this.stage = document.createElement("div");
    this.stage.className = "emo-stage";
    this.stage.tabIndex = 0;
    this.stage.setAttribute("role", "slider");
    this.stage.setAttribute("aria-valuemin", "0");
    this.stage.setAttribute("aria-valuemax", String(this.data.duration_s));
    this.canvas = document.createElement("canvas");
    this.cursor = document.createElement("div");
    this.cursor.className = "emo-cursor";
    this.pointer = document.createElement("div");
    this.pointer.className = "emo-pointer";
    this.pointer.hidden = true;
    this.tip = document.createElement("div");
    this.tip.className = "emo-tip";
    this.tip.hidden = true;
    this.stage.append(this.canvas, this.pointer, this.cursor, this.tip);
    this.prepend(this.stage);
  }

  listen() {
    this.watcher = new ResizeObserver(() => this.redraw());
    this.watcher.observe(this.stage);
    this.theme = new MutationObserver(() => this.redraw());
    this.theme.observe(document.body, { attributeFilter: ["class"] });
    this.onLanguage = () => this.redraw();
    document.addEventListener("emo-language", this.onLanguage);

    this.stage.addEventListener("pointerdown", (event) => {
      this.stage.setPointerCapture(event.pointerId);
      this.dragging = true;
      this.seek(this.timeAt(event));
    });
    this.stage.addEventListener("pointermove", (event) => {
      if (this.dragging) this.seek(this.timeAt(event));
      this.hover(event);
    });
    for (const name of ["pointerup", "pointercancel"]) {
      this.stage.addEventListener(name, () => (this.dragging = false));
    }
    this.stage.addEventListener("pointerleave", () => {
      this.tip.hidden = true;
      this.pointer.hidden = true;
    });
    this.stage.addEventListener("keydown", (event) => this.key(event));
    for (const name of ["play", "pause", "seeked", "seeking", "timeupdate", "loadedmetadata"]) {
      this.audio.addEventListener(name, () => this.follow());
    }
    this.addEventListener("click", (event) => {
      const key = event.target.closest(".emo-key");
      if (key) this.isolate(Number(key.dataset.emotion));
    });
    // The table of segments beside it: a click on a line plays from there.
    this.parentElement?.addEventListener("click", (event) => {
      const row = event.target.closest("tr[data-start]");
      if (row) this.seek(Number(row.dataset.start));
    });
  }

  // -- time

  get width() {
    return this.stage.clientWidth;
  }

  timeAt(event) {
    const box = this.stage.getBoundingClientRect();
    return clamp((event.clientX - box.left) / box.width, 0, 1) * this.data.duration_s;
  }

  seek(time) {
    this.audio.currentTime = clamp(time, 0, this.data.duration_s);
    this.follow();
  }

  follow() {
    cancelAnimationFrame(this.frame);
    const time = clamp(this.audio.currentTime || 0, 0, this.data.duration_s);
    this.cursor.style.left = `${(time / this.data.duration_s) * 100}%`;
    this.stage.setAttribute("aria-valuenow", time.toFixed(2));
    const [lead] = this.ranked(time);
    this.stage.setAttribute("aria-valuetext", `${time.toFixed(2)} s ${this.name(lead)}`);
    if (!this.audio.paused) this.frame = requestAnimationFrame(() => this.follow());
  }

  key(event) {
    const step = event.shiftKey ? 0.02 : 0.5;
    const now = this.audio.currentTime;
    const actions = {
      " ": () => (this.audio.paused ? this.audio.play() : this.audio.pause()),
      ArrowLeft: () => this.seek(now - step),
      ArrowRight: () => this.seek(now + step),
      Home: () => this.seek(0),
      End: () => this.seek(this.data.duration_s),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  }

  // -- what is where

  row(time) {
    const { scores, duration_s: duration } = this.data;
    return scores[clamp(Math.floor((time / duration) * scores.length), 0, scores.length - 1)];
  }

  ranked(time) {
    const row = this.row(time);
    return [...row.keys()].sort((a, b) => row[b] - row[a]);
  }

  name(index) {
    const emotion = this.data.emotions[index];
    return `${emotion.emoji} ${emotion[root.dataset.lang] ?? emotion.en}`;
  }

  hover(event) {
    const time = this.timeAt(event);
    const row = this.row(time);
    // A phone has no room for nine lines beside the place they are about.
    const told = this.width < 480 ? 4 : 9;
    const lines = this.ranked(time).slice(0, told).map((index) => {
      const line = document.createElement("div");
      const name = document.createElement("span");
      const value = document.createElement("span");
      name.textContent = this.name(index);
      value.textContent = `${(row[index] / 10).toFixed(1)}%`;
      line.append(name, value);
      return line;
    });
    const head = document.createElement("strong");
    head.textContent = `${time.toFixed(2)} s`;
    this.tip.replaceChildren(head, ...lines);
    this.tip.hidden = false;
    this.pointer.hidden = false;
    const x = (time / this.data.duration_s) * this.width;
    this.pointer.style.left = `${x}px`;
    const wide = this.tip.offsetWidth;
    const left = x + 14 + wide > this.width ? x - 14 - wide : x + 14;
    this.tip.style.left = `${clamp(left, 0, Math.max(0, this.width - wide))}px`;
  }

  isolate(index) {
    this.alone = this.alone === index ? null : index;
    for (const key of this.querySelectorAll(".emo-key")) {
      key.setAttribute("aria-pressed", String(Number(key.dataset.emotion) === this.alone));
    }
    this.redraw();
  }

  // -- drawing

  redraw() {
    this.stage.setAttribute("aria-label", this.dataset[root.dataset.lang === "zh" ? "labelZh" : "labelEn"]);
    const width = this.width;
    if (!width) return;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(HEIGHT * ratio);
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const style = getComputedStyle(this);
    const ink = style.getPropertyValue("--emo-ink");
    const faint = style.getPropertyValue("--emo-line");
    const soft = style.getPropertyValue("--emo-soft");
    const lift = (Number.parseFloat(style.getPropertyValue("--emo-lift")) || 0) / 100;
    this.colours = this.data.emotions.map(({ colour }) => lifted(colour, lift));
    pen.font = `12px ${style.fontFamily}`;
    this.drawRiver(pen, width, soft);
    this.drawWave(pen, width, faint);
    this.drawStrip(pen, width, ink);
    this.drawAxis(pen, width, soft, faint);
  }

  drawRiver(pen, width, soft) {
    const { scores, emotions } = this.data;
    const [top, bottom] = RIVER;
    const x = (column) => ((column + 0.5) / scores.length) * width;
    const y = (thousandths) => bottom - (thousandths / 1000) * (bottom - top);
    const totals = emotions.map((_, i) => scores.reduce((sum, row) => sum + row[i], 0));
    const order = [...totals.keys()].sort((a, b) => totals[b] - totals[a]);
    const below = new Float64Array(scores.length);
    const fill = (index, floor, ceiling) => {
      pen.beginPath();
      pen.moveTo(0, y(ceiling(0)));
      for (let c = 0; c < scores.length; c += 1) pen.lineTo(x(c), y(ceiling(c)));
      pen.lineTo(width, y(ceiling(scores.length - 1)));
      pen.lineTo(width, y(floor(scores.length - 1)));
      for (let c = scores.length - 1; c >= 0; c -= 1) pen.lineTo(x(c), y(floor(c)));
      pen.lineTo(0, y(floor(0)));
      pen.closePath();
      pen.fillStyle = this.colours[index];
      pen.fill();
    };
    pen.globalAlpha = 0.82;
    if (this.alone !== null) {
      fill(this.alone, () => 0, (c) => scores[c][this.alone]);
    } else {
      for (const index of order) {
        fill(index, (c) => below[c], (c) => below[c] + scores[c][index]);
        for (let c = 0; c < scores.length; c += 1) below[c] += scores[c][index];
      }
    }
    pen.globalAlpha = 1;
    pen.strokeStyle = soft;
    pen.strokeRect(0.5, top - 0.5, width - 1, bottom - top + 1);
  }

  drawWave(pen, width, faint) {
    const { peaks, duration_s: duration } = this.data;
    const middle = (WAVE[0] + WAVE[1]) / 2;
    const reach = (WAVE[1] - WAVE[0]) / 2;
    const step = 3;
    for (let left = 0; left < width; left += step) {
      const first = Math.floor((left / width) * peaks.length);
      const last = Math.max(first + 1, Math.floor(((left + step) / width) * peaks.length));
      const peak = Math.max(...peaks.slice(first, last), 2) / 100;
      const [lead] = this.ranked((left / width) * duration);
      // Where there is nothing to hear, no emotion is shown.
      const own = peak > 0.04 && (this.alone === null || this.alone === lead);
      pen.fillStyle = own ? this.colours[lead] : faint;
      pen.fillRect(left, middle - peak * reach, step - 1, 2 * peak * reach);
    }
  }

  drawStrip(pen, width, ink) {
    const { segments, duration_s: duration } = this.data;
    const [top, bottom] = STRIP;
    pen.textBaseline = "middle";
    for (const [start, end, index] of segments) {
      const left = (start / duration) * width;
      const wide = Math.max(1, ((end - start) / duration) * width - 1);
      pen.fillStyle = this.colours[index];
      pen.globalAlpha = this.alone === null || this.alone === index ? 0.22 : 0.06;
      pen.fillRect(left, top, wide, bottom - top);
      pen.globalAlpha = 1;
      pen.fillRect(left, bottom - 3, wide, 3);
      pen.fillStyle = ink;
      const words = this.name(index);
      const shown = pen.measureText(words).width + 12 < wide ? words : this.data.emotions[index].emoji;
      if (pen.measureText(shown).width + 4 < wide) pen.fillText(shown, left + 6, (top + bottom) / 2 - 1);
    }
  }

  drawAxis(pen, width, soft, faint) {
    const duration = this.data.duration_s;
    const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600];
    const step = steps.find((s) => (s / duration) * width >= 56) ?? 3600;
    pen.textBaseline = "top";
    for (let time = 0; time <= duration + 1e-6; time += step) {
      const left = (time / duration) * width;
      pen.fillStyle = faint;
      pen.fillRect(Math.min(left, width - 1), STRIP[1] + 3, 1, 5);
      pen.fillStyle = soft;
      const words = clock(time, step);
      const wide = pen.measureText(words).width;
      pen.fillText(words, clamp(left - wide / 2, 0, width - wide), AXIS);
    }
  }
}

function clock(time, step) {
  if (step < 1) return `${time.toFixed(1)} s`;
  if (time < 60) return `${Math.round(time)} s`;
  const seconds = Math.round(time);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

customElements.define("emo-timeline", EmoTimeline);
