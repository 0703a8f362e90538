// @ts-check
// What is offered of a live recording whose stream was lost: recognize what there is, or save it.

import { clock, fill, part } from "./gaps.js";
import { recognize } from "./recognize.js";

export class Rescue {
  /**
   * @param {HTMLElement} box with the words, the button and the link
   * @param {(name: "working" | "done", detail?: any) => void} tell
   */
  constructor(box, tell) {
    this.box = box;
    this.tell = tell;
    /** @type {{sound: Blob, name: string} | null} */
    this.kept = null;
    this.url = "";
    part(box, "[data-do=recognize]").addEventListener("click", () => this.recognize());
  }

  /**
   * @param {import("./recording.js").Recording} recording
   * @param {string} name of the file
   */
  offer(recording, name) {
    this.clear();
    if (!recording.samples) return;
    this.kept = { sound: recording.wav(), name };
    this.url = URL.createObjectURL(this.kept.sound);
    fill(this.box, { length: clock(recording.seconds), minutes: recording.keptMinutes });
    part(this.box, "[data-part=recorded-cut]").hidden = !recording.isCut;
    const link = part(this.box, "[data-part=save]");
    link.setAttribute("href", this.url);
    link.setAttribute("download", name);
    this.box.hidden = false;
  }

  clear() {
    URL.revokeObjectURL(this.url);
    this.url = "";
    this.kept = null;
    this.box.hidden = true;
  }

  async recognize() {
    if (!this.kept) return;
    const button = /** @type {HTMLButtonElement} */ (part(this.box, "[data-do=recognize]"));
    button.disabled = true;
    this.tell("working");
    try {
      const { run } = await recognize(this.kept.sound, this.kept.name, { granularity: "frame" }).result;
      this.clear();
      this.tell("done", { result: { run } });
    } catch (problem) {
      const { code, detail_zh: told } = /** @type {import("./recognize.js").Problem} */ (problem);
      this.tell("done", told ? { problem } : { note: code === "no_answer" ? "told" : "no_server" });
    } finally {
      button.disabled = false;
    }
  }
}
