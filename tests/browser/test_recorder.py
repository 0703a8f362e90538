"""What this machine's Chromium records is read whole; other browsers' formats are named."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from emoscope.audio.decode import decode
from emoscope.events import StepLog
from serving import Site
from visitor import start, until

pytestmark = pytest.mark.browser

RECORDED = Path(__file__).parent.parent / "assets" / "recorded"
MICROPHONE = {"permissions": ["microphone"]}
RECORD = """async ({ type, slice, script, channels, rate }) => {
  const microphone = await navigator.mediaDevices.getUserMedia({ audio: {
    echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
  let stream = microphone;
  if (rate) {
    const context = new AudioContext({ sampleRate: rate });
    const source = context.createMediaStreamSource(microphone);
    const merger = context.createChannelMerger(channels);
    const half = new GainNode(context, { gain: 0.5 });
    source.connect(merger, 0, 0);
    if (channels === 2) source.connect(half).connect(merger, 0, 1);
    const end = new MediaStreamAudioDestinationNode(context, { channelCount: channels });
    merger.connect(end);
    await context.resume();
    stream = end.stream;
  }
  const recorder = new MediaRecorder(stream, { mimeType: type, audioBitsPerSecond: 32_000 });
  const pieces = [];
  recorder.addEventListener("dataavailable", ({ data }) => pieces.push(data));
  const stopped = new Promise((done) => recorder.addEventListener("stop", done));
  const wait = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));
  await new Promise((done) => {
    recorder.addEventListener("start", done);
    recorder.start(slice);
  });
  let [since, recorded] = [performance.now(), 0];
  for (const [seconds, isPause] of script) {
    if (isPause) {
      recorder.pause();
      recorded += performance.now() - since;
    }
    await wait(seconds);
    if (isPause) {
      recorder.resume();
      since = performance.now();
    }
  }
  recorder.stop();
  recorded += performance.now() - since;
  await stopped;
  for (const track of microphone.getTracks()) track.stop();
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return [btoa(text), recorded / 1000, pieces.length];
}"""
STEADY, PAUSED = [[1.5, False]], [[0.8, False], [1.5, True], [0.8, False]]
WAYS: dict[str, dict[str, Any]] = {
    "opus": {"type": "audio/webm;codecs=opus", "script": STEADY},
    "opus in slices": {"type": "audio/webm;codecs=opus", "script": STEADY, "slice": 100},
    "opus with a pause": {"type": "audio/webm;codecs=opus", "script": PAUSED},
    "opus with a pause in slices": {
        "type": "audio/webm;codecs=opus",
        "script": PAUSED,
        "slice": 100,
    },
    "opus in stereo": {
        "type": "audio/webm;codecs=opus",
        "script": STEADY,
        "rate": 48_000,
        "channels": 2,
    },
    "pcm": {"type": "audio/webm;codecs=pcm", "script": STEADY},
    "pcm with a pause": {"type": "audio/webm;codecs=pcm", "script": PAUSED},
    "pcm at 44.1 kHz in stereo": {
        "type": "audio/webm;codecs=pcm",
        "script": STEADY,
        "rate": 44_100,
        "channels": 2,
    },
    "mp4": {"type": "audio/mp4", "script": STEADY},
    "mp4 with a pause in slices": {"type": "audio/mp4", "script": PAUSED, "slice": 100},
    "mp4 with aac": {"type": "audio/mp4;codecs=mp4a.40.2", "script": STEADY},
    "matroska": {"type": "video/x-matroska;codecs=opus", "script": PAUSED},
}


@pytest.mark.parametrize("context", [MICROPHONE], indirect=True)
@pytest.mark.parametrize("way", WAYS)
def test_what_the_browser_records_is_read_whole(page: Page, way: str) -> None:
    how = {"slice": None, "rate": None, "channels": 1, **WAYS[way]}
    if not page.evaluate("(type) => MediaRecorder.isTypeSupported(type)", how["type"]):
        pytest.skip(f"this Chromium does not record {how['type']}")

    text, recorded_s, pieces = page.evaluate(RECORD, {**how, "slice": how["slice"] or 1 << 30})
    log = StepLog()
    sound = decode(base64.b64decode(text), log=log)

    print(f"{way}: {recorded_s:.2f} s recorded in {pieces} pieces, {sound.duration_s:.2f} s heard")
    # Encoders take some time to begin and keep a frame or two back; a pause would be 1.5 s.
    assert sound.duration_s == pytest.approx(recorded_s, abs=0.5)
    assert "broken_off" not in log.steps[0].data
    assert sound.missing == ()

    assert abs(sound.samples).max() > 0.1


@pytest.mark.parametrize("context", [MICROPHONE], indirect=True)
@pytest.mark.parametrize(
    ("name", "kind", "ending"),
    [
        ("firefox_ogg.ogg", "audio/ogg; codecs=opus", "ogg"),
        ("firefox_webm.webm", "audio/webm; codecs=opus", "webm"),
        ("chromium_mp4.mp4", "audio/mp4", "mp4"),
    ],
)
def test_a_recorder_that_names_its_format_only_with_the_data(
    page: Page, site: Site, name: str, kind: str, ending: str
) -> None:
    """As Firefox does when it is not told a format."""
    data = base64.b64encode((RECORDED / name).read_bytes()).decode()
    page.evaluate(
        """([data, type]) => {
          const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
          window.made = 0;
          window.MediaRecorder = class extends EventTarget {
            mimeType = "";
            constructor() { super(); window.made += 1; }
            start() {}
            stop() {
              const piece = new Blob([bytes], { type });
              this.dispatchEvent(Object.assign(new Event("dataavailable"), { data: piece }));
              this.dispatchEvent(new Event("stop"));
            }
          };
        }""",
        [data, kind],
    )
    before = site.runs()
    record = page.locator("[data-do=record]")
    record.evaluate("(button) => { button.click(); button.click(); button.click(); }")
    expect(page.locator(".emo-clock")).to_be_visible()
    assert page.evaluate("window.made") == 1  # not one for each click
    record.click()

    chosen = page.locator("emo-form[data-kind=one] .emo-chosen .emo-file")
    expect(chosen).to_contain_text("recording_")
    assert chosen.inner_text().endswith(f".{ending}")
    player = "document.querySelector('emo-form[data-kind=one] .emo-chosen audio')"
    until(page, f"{player}.readyState >= 1")
    assert not page.evaluate(f"{player}.hidden")
    start(page)
    expect(page.locator("#emo-answer .emo-about .emo-file")).to_have_text(chosen.inner_text())
    assert len(site.runs() - before) == 1
