// The line to /v1/stream: what is kept, sent again, and how it ends.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { Wire } from "../../src/emoscope/web/static/wire.js";

let sockets;

class FakeSocket extends EventTarget {
  constructor(address) {
    super();
    this.address = String(address);
    this.sent = [];
    this.isClosed = false;
    sockets.push(this);
  }

  send(message) {
    this.sent.push(typeof message === "string" ? JSON.parse(message) : new Uint8Array(message).length);
  }

  close() {
    this.isClosed = true;
  }

  open() {
    this.dispatchEvent(new Event("open"));
  }

  say(message) {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(message) }));
  }

  lose() {
    this.dispatchEvent(new Event("close"));
  }
}

const READY = { type: "ready", session: "s1", received_bytes: 0, max_duration_s: 60, grace_s: 30 };
const START = { type: "start", rate_hz: 100 };

function line() {
  const seen = { heard: [], ended: [], line: [] };
  const wire = new Wire({
    start: START,
    heard: (message) => seen.heard.push(message.type),
    ended: (how) => seen.ended.push(how),
    line: (on) => seen.line.push(on),
  });
  return { wire, seen, socket: sockets.at(-1) };
}

beforeEach(() => {
  sockets = [];
  globalThis.WebSocket = FakeSocket;
  globalThis.document = { baseURI: "https://host.example/tools/emoscope/" };
});

afterEach(() => {
  delete globalThis.document;
});

test("it asks below the address of the page, and encrypted when the page is", () => {
  const { socket } = line();
  assert.equal(socket.address, "wss://host.example/tools/emoscope/v1/stream");
  socket.open();
  assert.deepEqual(socket.sent, [START]);
});

test("sound that came before the line was ready is sent when it is", () => {
  const { wire, seen, socket } = line();
  wire.send(new Int16Array(40));
  socket.open();
  socket.say(READY);
  wire.send(new Int16Array(10));
  assert.deepEqual(seen.line, [true]);
  assert.equal(socket.sent.length, 3);
  assert.equal(wire.maxS, 60);
});

test("a lost line is taken up where the server stopped hearing", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { wire, seen, socket } = line();
  socket.open();
  socket.say(READY);
  for (let n = 0; n < 3; n += 1) wire.send(new Int16Array(50)); // 100 bytes each
  socket.lose();
  assert.deepEqual(seen.line, [true, false]);
  wire.send(new Int16Array(50)); // while there is no line
  t.mock.timers.tick(500);
  const again = sockets.at(-1);
  assert.notEqual(again, socket);
  again.open();
  assert.deepEqual(again.sent, [{ type: "resume", session: "s1" }]);
  again.say({ ...READY, received_bytes: 130 });
  assert.deepEqual(again.sent.slice(1), [70, 100, 100]);
  assert.deepEqual(seen.ended, []);
});

test("what frames prove to have come is not kept", () => {
  const { wire, seen, socket } = line();
  socket.open();
  socket.say(READY);
  for (let n = 0; n < 3; n += 1) wire.send(new Int16Array(50)); // half a second each
  socket.say({ type: "frames", start_s: 1.2 });
  assert.equal(wire.kept.length, 1);
  assert.equal(wire.firstByte, 200);
  assert.deepEqual(seen.heard, ["frames"]);
});

test("the end is told once the line is there, and the result ends it once", () => {
  const { wire, seen, socket } = line();
  wire.end();
  socket.open();
  assert.deepEqual(socket.sent, [START]);
  socket.say(READY);
  assert.deepEqual(socket.sent.at(-1), { type: "end" });
  socket.say({ type: "result", run: "outputs_1" });
  socket.lose();
  assert.equal(seen.ended.length, 1);
  assert.equal(seen.ended[0].result.run, "outputs_1");
  assert.ok(socket.isClosed);
});

test("a problem ends it in the server's words, a silent server with a note", () => {
  const refused = line();
  refused.socket.open();
  refused.socket.say({ type: "error", code: "too_many_streams" });
  refused.socket.lose();
  assert.equal(refused.seen.ended[0].problem.code, "too_many_streams");
  const silent = line();
  silent.socket.lose();
  assert.deepEqual(silent.seen.ended, [{ note: "no_server" }]);
});

test("a line that stays lost longer than the server waits is given up", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let now = 0;
  t.mock.method(performance, "now", () => now);
  const { seen, socket } = line();
  socket.open();
  socket.say(READY);
  socket.lose();
  t.mock.timers.tick(500);
  now = 31_000;
  sockets.at(-1).lose();
  assert.deepEqual(seen.ended, [{ note: "line_lost" }]);
});
