// Corrections by hand: another emotion for a segment, another border, two made of one or one of two.
// Nothing is kept until it is saved; the model's own answer stays in result.json.

import { changed } from "./changed.js";
import { tell } from "./problem.js";

const SHORTEST_S = 0.02;
const NEAR = 6; // points
const round = (time) => Math.round(time * 1000) / 1000;

// The table of segments as the server shows it now, with every name made safe.
async function renewTable(timeline) {
  const old = timeline.closest(".emo-card").querySelector(".emo-segments");
  const reply = old && (await fetch(`page/result/${timeline.data.run}`));
  if (!reply?.ok) return;
  const template = document.createElement("template");
  template.innerHTML = await reply.text();
  old.innerHTML = template.content.querySelector(".emo-segments").innerHTML;
}

// Returns what the timeline calls; without the panel nothing can be edited.
export function correcting(timeline) {
  const panel = timeline.closest(".emo-card")?.querySelector(".emo-fix");
  if (!panel) return { borderAt: () => null, moveBorder() {}, choose() {}, isEdited: () => false };
  let sending = Promise.resolve();
  const isEdited = () => JSON.stringify(timeline.segments) !== JSON.stringify(timeline.data.segments);
  const say = (name) => {
    for (const note of panel.querySelectorAll("[data-said]")) note.hidden = note.dataset.said !== name;
  };
  const [start, end] = panel.querySelectorAll("input[data-edge]");

  const show = () => {
    const segment = timeline.segments[timeline.chosen] ?? null;
    start.disabled = segment === null || timeline.chosen === 0;
    end.disabled = segment === null || timeline.chosen === timeline.segments.length - 1;
    start.value = segment ? segment[0].toFixed(2) : "";
    end.value = segment ? segment[1].toFixed(2) : "";
    for (const chip of panel.querySelectorAll("[data-label]")) {
      chip.setAttribute("aria-pressed", String(Number(chip.dataset.label) === segment?.[2]));
    }
    panel.querySelector("[data-do=save]").disabled = !isEdited();
    timeline.redraw();
  };

  const change = (edit) => {
    const copy = timeline.segments.map((segment) => [...segment]);
    edit(copy);
    timeline.segments = copy;
    if (isEdited()) say(null);
    show();
  };

  const moveBorder = (which, time) =>
    change((segments) => {
      const least = segments[which][0] + SHORTEST_S;
      const most = segments[which + 1][1] - SHORTEST_S;
      if (!(time === time) || least > most) return;
      const at = round(Math.min(most, Math.max(least, time)));
      segments[which][1] = at;
      segments[which + 1][0] = at;
    });

  const choose = (number) => {
    timeline.chosen = panel.open ? number : null;
    show();
  };

  const split = () => {
    const now = timeline.audio.currentTime;
    const at = timeline.segmentAt(now);
    const [from, to, label] = timeline.segments[at];
    if (now - from < SHORTEST_S || to - now < SHORTEST_S) return;
    change((segments) => segments.splice(at, 1, [from, round(now), label], [round(now), to, label]));
    choose(at + 1);
  };

  const join = () => {
    const at = timeline.chosen;
    if (at === null || at + 1 >= timeline.segments.length) return;
    change((segments) => {
      segments[at][1] = segments[at + 1][1];
      segments.splice(at + 1, 1);
    });
  };

  // With nothing to send, the model's own segments are back.
  const send = (segments) => {
    const sent = timeline.segments;
    // One after another, or an earlier one could be kept last.
    sending = sending.then(() => put(segments, sent));
  };

  const put = async (segments, sent) => {
    const { emotions } = timeline.data;
    const body = sent.map(([from, to, index]) => ({
      start_s: from,
      end_s: to,
      emotion: emotions[index].key,
    }));
    try {
      const reply = await fetch(`v1/recognitions/${timeline.data.run}/corrections`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ segments: segments && body }),
      });
      if (!reply.ok) {
        await tell(panel.querySelector("[data-said=failed]"), reply);
        say("failed");
        return;
      }
      const answer = await reply.json();
      const place = (key) => emotions.findIndex((emotion) => emotion.key === key);
      const kept = answer.segments.map((one) => [one.start_s, one.end_s, place(one.emotion)]);
      timeline.data.segments = kept;
      // What was changed meanwhile stays, to be saved next.
      if (timeline.segments === sent) timeline.segments = kept;
      timeline.chosen = Math.min(timeline.chosen ?? 0, timeline.segments.length - 1);
      await renewTable(timeline);
      show();
      say(segments ? "kept" : "undone");
      changed(timeline.data.run, { by: timeline });
      document.dispatchEvent(new CustomEvent("emo-runs"));
    } catch {
      await tell(panel.querySelector("[data-said=failed]"), null);
      say("failed");
    }
  };

  panel.addEventListener("toggle", () => choose(timeline.segmentAt(timeline.audio.currentTime)));
  start.addEventListener("change", () => moveBorder(timeline.chosen - 1, Number.parseFloat(start.value)));
  end.addEventListener("change", () => moveBorder(timeline.chosen, Number.parseFloat(end.value)));
  panel.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.label && timeline.chosen !== null) {
      change((segments) => (segments[timeline.chosen][2] = Number(button.dataset.label)));
    }
    const acts = { save: () => send(timeline.segments), undo: () => send(null), split, join };
    acts[button.dataset.do]?.();
  });

  return {
    choose,
    moveBorder,
    isEdited,
    // The number of the segment whose end lies under the pointer, on the strip and while editing.
    borderAt: (x, y) => {
      const { strip } = timeline.layout;
      if (!panel.open || !strip || y < strip[0] - 4 || y > strip[1] + 4) return null;
      const time = timeline.timeAt(x);
      const near = (NEAR / timeline.width) * (timeline.to - timeline.from);
      const found = timeline.segments.findIndex((segment) => Math.abs(segment[1] - time) <= near);
      return found < 0 || found === timeline.segments.length - 1 ? null : found;
    },
  };
}
