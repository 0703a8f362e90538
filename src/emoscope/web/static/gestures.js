// @ts-check
// Pointers, wheel and keys on the stage, turned into what they mean: seek, select, zoom, pan.

const MOVED = 4; // points; less is a click

/** @type {Record<string, string>} */
const KEYS = {
  "+": "closer",
  "=": "closer",
  "-": "wider",
  0: "fit",
  f: "fit",
  z: "zoom-selection",
  l: "loop-selection",
  "<": "slower",
  ">": "faster",
  Enter: "edit",
  e: "edit",
  Escape: "clear-selection",
};

/**
 * What gestures do. Times are seconds; x and y are points on the stage.
 * @typedef {object} Acts
 * @property {(x: number) => number} timeAt
 * @property {(time: number) => void} seek
 * @property {(from: number, to: number) => void} select
 * @property {(factor: number, time: number) => void} zoom
 * @property {(seconds: number) => void} pan
 * @property {() => void} toggle play or pause
 * @property {(event: PointerEvent) => void} hover
 * @property {() => void} leave
 * @property {(x: number, y: number) => number | null} border number of the segment that ends there
 * @property {(which: number, time: number) => void} moveBorder
 * @property {(time: number, y: number) => void} pick
 * @property {(command: string) => void} key what a key stands for
 * @property {() => View} view
 */

/**
 * @typedef {object} View
 * @property {number} now where the sound is
 * @property {number} step of an arrow key
 * @property {number} duration
 * @property {boolean} whole whether all is in view
 */

/**
 * @param {HTMLElement} stage
 * @param {Acts} act
 */
export function listen(stage, act) {
  /** @type {Map<number, number>} */
  const pointers = new Map();
  /** @type {{x: number, y: number, time: number, border: number | null, moved: boolean} | null} */
  let start = null; // where the one pointer went down
  /** @type {{wide: number, middle: number} | null} */
  let pinch = null;

  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    stage.focus({ preventScroll: true });
    try {
      stage.setPointerCapture(event.pointerId);
    } catch {
      // a pointer that is gone already
    }
    pointers.set(event.pointerId, event.offsetX);
    if (pointers.size === 2) {
      start = null;
      const [a, b] = [...pointers.values()];
      pinch = { wide: Math.abs(a - b), middle: (a + b) / 2 };
      return;
    }
    const time = act.timeAt(event.offsetX);
    const y = event.offsetY;
    start = { x: event.offsetX, y, time, border: act.border(event.offsetX, y), moved: false };
  });

  stage.addEventListener("pointermove", (event) => {
    if (pointers.has(event.pointerId)) pointers.set(event.pointerId, event.offsetX);
    if (pinch && pointers.size === 2) {
      const [a, b] = [...pointers.values()];
      const wide = Math.max(10, Math.abs(a - b));
      const middle = (a + b) / 2;
      act.zoom(pinch.wide / wide, act.timeAt(middle));
      act.pan(act.timeAt(pinch.middle) - act.timeAt(middle));
      pinch = { wide, middle };
      return;
    }
    act.hover(event);
    if (!start) {
      stage.classList.toggle("emo-on-border", act.border(event.offsetX, event.offsetY) !== null);
      return;
    }
    if (Math.abs(event.offsetX - start.x) >= MOVED) start.moved = true;
    if (!start.moved) return;
    if (start.border !== null) act.moveBorder(start.border, act.timeAt(event.offsetX));
    else act.select(start.time, act.timeAt(event.offsetX));
  });

  const up = (/** @type {PointerEvent} */ event) => {
    pointers.delete(event.pointerId);
    if (pointers.size < 2) pinch = null;
    if (start && !start.moved && event.type === "pointerup") {
      act.seek(start.time);
      act.pick(start.time, start.y);
    }
    start = null;
  };
  stage.addEventListener("pointerup", up);
  stage.addEventListener("pointercancel", up);
  stage.addEventListener("pointerleave", () => act.leave());

  // A wheel over the picture scrolls the page, until the picture has been clicked. With Ctrl, which
  // is also what pinching a touchpad sends, it always zooms.
  stage.addEventListener(
    "wheel",
    (event) => {
      const { whole } = act.view();
      const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
      const active = event.ctrlKey || event.metaKey || document.activeElement === stage;
      if (!active || (sideways && whole)) return;
      event.preventDefault();
      const points = event.deltaMode === 1 ? 16 : 1;
      const box = stage.getBoundingClientRect();
      const x = event.clientX - box.left;
      if (sideways) act.pan(act.timeAt(event.deltaX * points) - act.timeAt(0));
      else act.zoom(2 ** Math.max(-1, Math.min(1, (event.deltaY * points) / 240)), act.timeAt(x));
    },
    { passive: false },
  );

  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const { now, step, duration } = act.view();
    const move = event.shiftKey ? 0.02 : step;
    /** @type {Record<string, () => void>} */
    const actions = {
      " ": () => act.toggle(),
      ArrowLeft: () => act.seek(now - move),
      ArrowRight: () => act.seek(now + move),
      Home: () => act.seek(0),
      End: () => act.seek(duration),
    };
    const action = actions[event.key] ?? (KEYS[event.key] && (() => act.key(KEYS[event.key])));
    if (!action) return;
    event.preventDefault();
    action();
  });
}
