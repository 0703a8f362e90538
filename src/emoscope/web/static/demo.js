// @ts-check
// The finished result that the page opens with: its large play button, its headline, which plays
// along, and the way to one's own recording.

const demo = /** @type {HTMLElement | null} */ (document.querySelector(".emo-demo"));
const audio = /** @type {HTMLAudioElement | null} */ (demo?.querySelector("audio") ?? null);
const turns = /** @type {HTMLElement[]} */ ([...(demo?.querySelectorAll("[data-until]") ?? [])]);

/** Marks the emotion that is heard. */
function follow() {
  const now = audio?.currentTime ?? 0;
  for (const turn of turns) {
    const heard = now > 0 && now >= Number(turn.dataset.seek) && now < Number(turn.dataset.until);
    turn.setAttribute("aria-current", String(heard));
  }
}

audio?.addEventListener("play", () => demo?.toggleAttribute("data-started", true));
for (const name of ["play", "pause", "seeked", "timeupdate"]) audio?.addEventListener(name, follow);

demo?.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target);
  const button = /** @type {HTMLElement | null} */ (target.closest("button"));
  if (!audio || !button) return;
  if (button.dataset.until) {
    audio.currentTime = Number(button.dataset.seek);
    audio.play().catch(() => {}); // the browser may refuse; the button then still says play
  }
  if (button.dataset.do === "play-demo") audio.play().catch(() => {});
  if (button.dataset.do === "own") {
    const input = document.querySelector('emo-form[data-kind="one"] input[type="file"]');
    /** @type {HTMLElement | null} */ (input)?.click();
  }
});
