// A run can be shown in several views at once. When it is corrected, renamed or deleted in one of
// them, the others show it as it is now: corrections made on an old copy would undo the new ones.

// run: its name; by: the element in which it was changed, which shows the change already;
// deleted: the <template> that stands in the run's place from now on, if it was deleted.
export function changed(run, { by = null, deleted = null } = {}) {
  for (const shown of document.querySelectorAll(`.emo-result[data-run="${run}"]`)) {
    if (deleted) shown.replaceWith(deleted.content.cloneNode(true));
    else if (!by || !shown.contains(by)) renew(shown, run);
  }
  document.dispatchEvent(new CustomEvent("emo-run-changed", { detail: { run, deleted } }));
}

async function renew(shown, run) {
  const turn = (shown.turn = (shown.turn ?? 0) + 1);
  try {
    const reply = await fetch(`page/runs/${run}`);
    const html = reply.ok ? await reply.text() : null;
    const isDraft = shown.querySelector("emo-timeline")?.isEdited; // work that is not saved yet
    if (html === null || isDraft || !shown.isConnected || shown.turn !== turn) return;
    shown.outerHTML = html; // every name made safe by the server
  } catch {
    // the service is gone; the next look at the run tells
  }
}
