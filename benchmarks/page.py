"""Speed of the web page: server start, first load, answer, live, long recordings zoomed.

    python benchmarks/page.py

Serves the application with the built-in model on a free port of 127.0.0.1 and drives Chromium
without a graphics processor. Medians. The last line is JSON.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
sys.path.insert(0, str(ROOT / "tests"))

from emoscope.outputs.store import RunStore  # noqa: E402
from emoscope.results.track import Track  # noqa: E402
from emoscope.waveform import RATE_HZ, Waveform, frame_count  # noqa: E402
from results import make_result  # noqa: E402 - after the path
from shots import CHROMIUM, FLAGS, SAMPLES, _serving, form, spoken  # noqa: E402

REPEATS = 5
HOURS_S = 3600.0
TEN_MINUTES_S = 600.0
READY = "html[data-ready]"
WATCH = """
  window.shifts = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
"""


def wandering(outputs: Path, length_s: float) -> str:
    """Write a run of wandering emotion, without recognizing it.

    Args:
        outputs: the outputs folder.
        length_s: length of its sound in seconds.
    """
    rng = np.random.default_rng(0)
    frames = frame_count(int(length_s * RATE_HZ))
    steps = rng.normal(0, 0.25, (frames, 9)).astype(np.float32)
    logits = np.cumsum(steps, axis=0)
    logits -= np.float32(0.995) * logits.mean(axis=1, keepdims=True)
    track = Track(logits)
    loudness = np.repeat(rng.uniform(0, 0.5, int(length_s * 4)), RATE_HZ // 4)
    samples = (rng.uniform(-1, 1, len(loudness)) * loudness).astype(np.float32)
    result = make_result(
        "long.wav",
        duration_s=length_s,
        granularity="frame",
        scores=track.utterance,
        track=track,
        segments=track.segments(length_s),
    )
    return RunStore(outputs).save(result, Waveform(samples)).name


def first_load(browser: Browser, address: str) -> tuple[float, int, int, float]:
    """Load the page in a browser without a cache.

    Returns:
        Seconds until the form works, bytes over the wire, requests, and the layout shift.
    """
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.add_init_script(WATCH)
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    sizes: list[int] = []
    wire.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    started_s = time.perf_counter()
    page.goto(address)
    page.wait_for_selector(READY)
    ready_s = time.perf_counter() - started_s
    page.wait_for_timeout(1_000)  # what comes late counts as well
    shift = float(page.evaluate("window.shifts"))
    context.close()
    return ready_s, sum(sizes), len(sizes), shift


def slow_load(browser: Browser, address: str) -> float:
    """Seconds until the form can be seen at 400 kbit/s and 300 ms."""
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": 300,
            "downloadThroughput": 50_000,
            "uploadThroughput": 50_000,
        },
    )
    started_s = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(f"{form()} [data-do=start]", state="visible")
    seen_s = time.perf_counter() - started_s
    context.close()
    return seen_s


def answer(page: Page, address: str) -> float:
    """Seconds from the button to the drawn picture, for a sample of 4 s."""
    page.goto(address)
    page.wait_for_selector(READY)
    page.set_input_files(f"{form()} input[type=file]", SAMPLES / "angry_zh.wav")
    started_s = time.perf_counter()
    page.click(f"{form()} [data-do=start]")
    page.wait_for_selector("#emo-answer:not([data-waiting]) .emo-headline")
    page.wait_for_selector("#emo-answer emo-timeline canvas")
    return time.perf_counter() - started_s


def until(page: Page, expression: str) -> None:
    """Wait until JavaScript gives something true; the page's policy forbids compiled text."""
    end_s = time.monotonic() + 60
    while not page.evaluate(expression):
        assert time.monotonic() < end_s, f"never true: {expression}"
        page.wait_for_timeout(10)


ZOOM = """async () => {
  const picture = document.querySelector("emo-timeline").figure;
  const drawn = picture.drawn;
  const started = performance.now();
  for (let frame = 0; frame < 240; frame += 1) {
    picture.zoom(frame < 120 ? 0.94 : 1 / 0.94, picture.duration / 3);
    await new Promise((done) => requestAnimationFrame(done));
  }
  return [(picture.drawn - drawn) / (performance.now() - started) * 1000,
          picture.curve.tiles.size];
}"""


def live(page: Page, address: str) -> tuple[float, float, float]:
    """Seconds that the live river is behind the microphone: median and most; and its pictures a s.

    Each is taken just before the river moves on, so it is the most that can be seen.
    """
    page.goto(f"{address}live")
    page.wait_for_selector(READY)
    page.click("[data-do=live]")
    until(page, "document.querySelector('emo-live').curve?.knownS > 3")
    delays, drawn, heard_s = [], "e.picture.drawn", "e.heardS"
    take = (
        f"(() => {{ const e = document.querySelector('emo-live'); return [{drawn}, {heard_s}] }})()"
    )
    before = page.evaluate(take)
    for _ in range(10):
        page.wait_for_timeout(2_500)
        delays += page.evaluate("document.querySelector('emo-live').delays.slice(-10)")
    after = page.evaluate(take)
    page.click("[data-do=live]")
    page.wait_for_selector("#emo-answer emo-timeline canvas")
    rate = (after[0] - before[0]) / (after[1] - before[1])
    return statistics.median(delays), max(delays), rate


def river(page: Page, address: str, run: str) -> tuple[float, float, int]:
    """Seconds until a long run is drawn, pictures a second while zooming, tiles fetched."""
    started_s = time.perf_counter()
    page.goto(f"{address}timeline?run={run}")
    until(page, "document.querySelector('emo-timeline')?.figure?.drawn > 0")
    shown_s = time.perf_counter() - started_s
    rates = [page.evaluate(ZOOM) for _ in range(3)]
    return shown_s, statistics.median(rate for rate, _ in rates), rates[-1][1]


def server_start() -> float:
    """Seconds from `emoscope serve` to the page."""
    command = [sys.executable, "-m", "emoscope", "serve", "--port", "0", "--model", "compact"]
    with tempfile.TemporaryDirectory() as folder:
        started_s = time.perf_counter()
        server = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split(": ", 1)[-1].split("：", 1)[-1].strip()
            while True:
                try:
                    with urllib.request.urlopen(address) as reply:  # noqa: S310 - our own server
                        reply.read()
                    return time.perf_counter() - started_s
                except OSError:
                    time.sleep(0.01)
        finally:
            server.terminate()
            server.communicate()


def main() -> None:
    """Print the table."""
    starts = [server_start() for _ in range(3)]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        outputs = Path(folder)
        hour, ten_minutes = wandering(outputs, HOURS_S), wandering(outputs, TEN_MINUTES_S)
        with _serving(outputs) as address:
            flags = [*FLAGS, spoken(outputs)]
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
            loads = [first_load(browser, address) for _ in range(REPEATS)]
            slow_s = slow_load(browser, address)
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            answers = [answer(page, address) for _ in range(REPEATS)]
            live_s, live_most_s, live_rate = live(page, address)
            ten_s, ten_rate, _ = river(page, address, ten_minutes)
            hour_s, rate, tiles = river(page, address, hour)
            browser.close()
    figures = {
        "server_start_s": round(statistics.median(starts), 2),
        "ready_s": round(statistics.median(load[0] for load in loads), 2),
        "first_load_kb": round(statistics.median(load[1] for load in loads) / 1000),
        "first_load_requests": loads[-1][2],
        "layout_shift": round(max(load[3] for load in loads), 4),
        "form_seen_at_400_kbit_s": round(slow_s, 2),
        "answer_s": round(statistics.median(answers), 2),
        "live_behind_s": round(live_s, 2),
        "live_behind_most_s": round(live_most_s, 2),
        "live_pictures_per_s": round(live_rate, 1),
        "ten_minutes_shown_s": round(ten_s, 2),
        "ten_minutes_zoom_pictures_per_s": round(ten_rate, 1),
        "hour_shown_s": round(hour_s, 2),
        "hour_zoom_pictures_per_s": round(rate, 1),
        "hour_tiles": tiles,
    }
    for name, value in figures.items():
        print(f"{name:32} {value}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
