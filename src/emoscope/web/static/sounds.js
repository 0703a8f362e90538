// @ts-check
// One sound at a time: buttons with `data-sound` play what they name, and stop it again.

import { address } from "./address.js";

const sound = new Audio();
sound.preload = "none";
/** @type {HTMLElement | null} */
let playing = null;

function stop() {
  sound.pause();
  playing?.setAttribute("aria-pressed", "false");
  playing = null;
}

sound.addEventListener("ended", stop);
sound.addEventListener("error", stop);
document.addEventListener("emo-route", stop);
// Another player of the page is started.
document.addEventListener("play", (event) => event.target !== sound && stop(), true);

/**
 * @param {string} path address of a sound
 * @param {HTMLElement | null} [button] shows that it plays
 */
export async function play(path, button = null) {
  const again = button !== null && playing === button;
  stop();
  if (again) return;
  for (const other of document.querySelectorAll("audio")) other.pause();
  sound.src = address(path);
  playing = button;
  button?.setAttribute("aria-pressed", "true");
  try {
    await sound.play();
  } catch {
    stop(); // no sound there, or none may be played
  }
}

document.addEventListener("click", (event) => {
  const button = /** @type {HTMLElement | null} */ (
    /** @type {Element} */ (event.target).closest("button[data-sound]")
  );
  if (button) play(button.dataset.sound ?? "", button);
});
