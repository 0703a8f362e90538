// @ts-check
// Paints the growing picture of a live recording: the last seconds of it, moving to the left.

import { LAYOUT, lookOf, paint, penOf } from "./draw.js";

const POINTS_PER_S = 50; // one point is one frame
const SHORTEST_S = 8; // the least that is in view
const AHEAD_S = 0.2; // the most that the picture moves on by itself between two pieces of sound
const still = matchMedia("(prefers-reduced-motion: reduce)");
const root = document.documentElement;

export class LivePicture {
  /**
   * @param {HTMLElement} place where the canvas goes
   * @param {HTMLElement} keys what holds the legend
   * @param {HTMLElement} veiled the legend's words on what may still change
   */
  constructor(place, keys, veiled) {
    this.veiled = veiled;
    this.place = place;
    /** @type {number | null} the only emotion to show */
    this.alone = null;
    /** @type {import("./livecurve.js").LiveCurve | null} */
    this.curve = null;
    /** @type {number[]} */
    this.order = [];
    this.heardAt = 0;
    this.pending = 0;
    this.drawn = 0;
    this.moves = false;
    this.canvas = place.appendChild(document.createElement("canvas"));
    place.style.height = `${LAYOUT.full.height}px`;
    new ResizeObserver(() => this.redraw()).observe(place);
    new MutationObserver(() => this.redraw()).observe(root, { attributeFilter: ["class"] });
    for (const name of ["emo-language", "emo-route"]) {
      document.addEventListener(name, () => this.redraw());
    }
    keys.addEventListener("click", (event) => {
      const key = /** @type {Element} */ (event.target).closest(".emo-key");
      if (!(key instanceof HTMLElement)) return;
      const index = Number(key.dataset.emotion);
      this.alone = this.alone === index ? null : index;
      for (const other of /** @type {NodeListOf<HTMLElement>} */ (keys.querySelectorAll(".emo-key"))) {
        other.setAttribute("aria-pressed", String(Number(other.dataset.emotion) === this.alone));
      }
      this.redraw();
    });
  }

  /**
   * Shows a curve from now on; neutral lies at the bottom, so that nothing changes places.
   * @param {import("./livecurve.js").LiveCurve} curve
   */
  show(curve) {
    this.curve = curve;
    const { emotions } = curve.data;
    this.order = [...Array(9).keys()].sort(
      (a, b) => Number(emotions[b].key === "neutral") - Number(emotions[a].key === "neutral") || a - b,
    );
    this.heardAt = performance.now();
  }

  // More sound has come.
  heard() {
    this.heardAt = performance.now();
  }

  redraw() {
    cancelAnimationFrame(this.pending);
    if (this.curve) this.pending = requestAnimationFrame(() => this.drawNow());
  }

  drawNow() {
    const width = this.place.clientWidth;
    if (width && this.curve) this.paint(width, this.curve);
    // It moves by itself; where motion is not wanted it is drawn when something is told.
    if (width && this.moves && !still.matches) this.redraw();
  }

  /**
   * Seconds in view: the last ones, or whole pages of them where motion is not wanted.
   * @param {number} width points
   * @param {number} durationS of the sound so far
   */
  view(width, durationS) {
    const wide = Math.max(SHORTEST_S, width / POINTS_PER_S);
    const since = this.moves ? Math.min(AHEAD_S, (performance.now() - this.heardAt) / 1000) : 0;
    const now = durationS + since;
    const from = still.matches ? Math.floor(now / wide) * wide : Math.max(0, now - wide);
    return [from, from + wide];
  }

  /**
   * @param {number} width points
   * @param {import("./livecurve.js").LiveCurve} curve
   */
  paint(width, curve) {
    const ratio = window.devicePixelRatio || 1;
    const { canvas } = this;
    const layout = LAYOUT.full;
    const [wide, tall] = [Math.round(width * ratio), Math.round(layout.height * ratio)];
    if (canvas.width !== wide || canvas.height !== tall) {
      canvas.width = wide;
      canvas.height = tall;
    }
    const pen = penOf(canvas);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const { emotions, hop_s: hopS } = curve.data;
    const look = lookOf(this.place, emotions);
    const [from, to] = this.view(width, curve.data.duration_s);
    paint(pen, {
      curve,
      look,
      layout,
      width,
      from,
      to,
      alone: this.alone,
      order: this.order,
      segments: curve.segments(),
      chosen: null,
      lead: null,
      name: (index) => `${emotions[index].emoji} ${emotions[index][root.dataset.lang === "zh" ? "zh" : "en"]}`,
    });
    const x = (/** @type {number} */ time) => ((time - from) / (to - from)) * width;
    // Without a border in view all of it may change, which the page says in words.
    const border = x(curve.settled * hopS);
    const hasBorder = curve.settled > 0 && border > 0;
    if (hasBorder) veil(pen, look, layout.river, border, x(curve.knownS));
    this.veiled.hidden = !hasBorder;
    this.drawn += 1;
  }
}

/**
 * What may still change is paler, behind a dashed border.
 * @param {import("./draw.js").Pen} pen
 * @param {import("./draw.js").Look} look
 * @param {import("./draw.js").Band} river
 * @param {number} left points
 * @param {number} right points
 */
function veil(pen, look, [top, bottom], left, right) {
  if (right <= 0 || right <= left) return;
  pen.save();
  pen.globalAlpha = 0.22;
  pen.fillStyle = look.paper;
  pen.fillRect(Math.max(0, left), top, right - Math.max(0, left), bottom - top);
  pen.globalAlpha = 1;
  pen.strokeStyle = look.soft;
  pen.setLineDash([4, 4]);
  pen.strokeRect(left, top - 5, 0, bottom - top + 10);
  pen.restore();
}
