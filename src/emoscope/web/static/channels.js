// @ts-check
// Figures of the channels of one recording: one view, one cursor, and one of them heard at a time.

/** @typedef {import("./timeline.js").EmoTimeline} EmoTimeline */
/** @typedef {import("./timeline.js").Figure} Figure */

const APART_S = 0.03; // less is the same moment

/** @type {WeakSet<HTMLElement>} */
const joined = new WeakSet();

/** @param {HTMLElement} group what holds the figures */
export function together(group) {
  if (joined.has(group)) return;
  joined.add(group);
  /** @param {Event} event */
  const parted = (event) => {
    const { figure } = /** @type {CustomEvent<{figure: Figure}>} */ (event).detail;
    const all = /** @type {EmoTimeline[]} */ ([...group.querySelectorAll("emo-timeline")]);
    const others = all.flatMap((one) => (one.figure && one.figure !== figure ? [one.figure] : []));
    return { figure, others };
  };
  /** @param {Event} event */
  const showAlike = (event) => {
    const { figure, others } = parted(event);
    for (const other of others) {
      const differs = Math.abs(other.from - figure.from) + Math.abs(other.to - figure.to) > 1e-6;
      if (differs) other.show(figure.from, figure.to);
    }
  };
  group.addEventListener("emo-span", showAlike);
  // One may have been zoomed while this script was loading.
  const figures = [...group.querySelectorAll("emo-timeline")].map(
    (one) => /** @type {EmoTimeline} */ (one).figure,
  );
  const zoomed = figures.find((one) => one && (one.from > 0 || one.to < one.duration));
  if (zoomed) showAlike(new CustomEvent("emo-span", { detail: { figure: zoomed } }));
  group.addEventListener(
    "play",
    (event) => {
      // Events of sound do not bubble; they are caught on their way down.
      for (const audio of group.querySelectorAll("audio")) if (audio !== event.target) audio.pause();
    },
    true,
  );
  group.addEventListener("emo-moved", (event) => {
    const { figure, others } = parted(event);
    const { isPlaying, now } = figure.player;
    if (!isPlaying && others.some((other) => other.player.isPlaying)) return;
    for (const { audio } of others) {
      if (Math.abs(audio.currentTime - now) > APART_S) audio.currentTime = now;
    }
  });
}
