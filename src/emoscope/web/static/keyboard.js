// @ts-check
// The list of keys, on "?".

/** @param {HTMLElement} host a figure with the server's dialog in it */
export function helpWithKeys(host) {
  const dialog = host.querySelector("dialog.emo-keys");
  if (!(dialog instanceof HTMLDialogElement) || dialog.open) return;
  dialog.onclick = (event) => {
    const target = /** @type {Element} */ (event.target);
    if (target === dialog || target.closest("[data-close]")) dialog.close();
  };
  dialog.showModal();
}
