// @ts-check
// One recognition over POST /v1/recognitions: upload, progress, result; cancelled by hanging up.

import { address } from "./address.js";

/**
 * Why there is no result: the server's problem details, or one of ours.
 * @typedef {{code: string, detail_zh?: string, detail_en?: string, status?: number}} Problem
 */

/**
 * @typedef {object} Options
 * @property {"frame" | "utterance"} granularity
 * @property {boolean} [embedding]
 * @property {boolean} [utterances] each utterance alone as well
 * @property {string} [head] names of heads, parted by commas
 * @property {boolean} [separate] a result for each channel; the first one is given
 * @property {(share: number) => void} [onUpload] share that was sent, 0 to 1
 * @property {(done_s: number, total_s: number) => void} [onProgress] seconds of sound
 */

/**
 * Starts a recognition. `result` gives the result with its `run`, or throws a `Problem`: one of the
 * server's, or `no_server` (cannot be reached, or ended in the middle), `no_answer` (an answer that
 * is none of ours), `cancelled`.
 * @param {Blob} sound
 * @param {string} name
 * @param {Options} options
 * @returns {{result: Promise<any>, cancel: () => void}}
 */
export function recognize(sound, name, options) {
  const request = new XMLHttpRequest();
  const body = new FormData();
  body.append("granularity", options.granularity);
  body.append("embedding", String(options.embedding ?? false));
  if (options.utterances) body.append("utterances", "true");
  if (options.head) body.append("head", options.head);
  if (options.separate) body.append("channels", "separate");
  body.append("audio", sound, name);

  const result = new Promise((resolve, reject) => {
    const lines = new Lines((event) => {
      if (event.event === "progress") options.onProgress?.(event.done_s, event.total_s);
      if (event.event === "result") resolve(event);
      if (event.event === "problem") reject(event.problem);
    });
    request.upload.onprogress = (event) => options.onUpload?.(event.loaded / (event.total || 1));
    request.upload.onload = () => options.onUpload?.(1);
    request.onprogress = () => request.status === 200 && lines.read(request.responseText);
    request.onload = () => {
      if (request.status === 200) lines.read(request.responseText);
      reject(problemIn(request) ?? { code: request.status === 200 ? "no_server" : "no_answer" });
    };
    request.onerror = () => reject({ code: "no_server" });
    request.onabort = () => reject({ code: "cancelled" });
  });
  request.open("POST", address("v1/recognitions"));
  request.setRequestHeader("Accept", "application/x-ndjson");
  request.send(body);
  return { result, cancel: () => request.abort() };
}

/**
 * Problem details in a reply, or null.
 * @param {XMLHttpRequest} request
 */
function problemIn(request) {
  if (request.status < 400) return null;
  try {
    const problem = JSON.parse(request.responseText);
    return typeof problem.code === "string" ? /** @type {Problem} */ (problem) : null;
  } catch {
    return null;
  }
}

/** Lines of JSON out of a text that grows. */
export class Lines {
  /** @param {(event: any) => void} take */
  constructor(take) {
    this.take = take;
    this.at = 0;
  }

  /** @param {string} text all that came so far */
  read(text) {
    for (let end = text.indexOf("\n", this.at); end >= 0; end = text.indexOf("\n", this.at)) {
      const line = text.slice(this.at, end);
      this.at = end + 1;
      if (line.trim()) this.take(JSON.parse(line));
    }
  }
}
