"""How fast the page is: ready, first load, answer on screen, live, and an hour of river zoomed.

    python benchmarks/page.py

Serves the application with the built-in model on a free port of 127.0.0.1 and drives Chromium
without a graphics processor. Medians. The last line is JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
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
from shots import CHROMIUM, FLAGS, SAMPLES, _serving, spoken  # noqa: E402

REPEATS = 5
HOURS_S = 3600.0
READY = "document.querySelector('#emo-form-one emo-form')?.kind === 'one'"


def an_hour(outputs: Path) -> str:
    """Write a run of an hour of wandering emotion; nobody has to recognize it first."""
    rng = np.random.default_rng(0)
    frames = frame_count(int(HOURS_S * RATE_HZ))
    steps = rng.normal(0, 0.25, (frames, 9)).astype(np.float32)
    logits = np.cumsum(steps, axis=0)
    logits -= np.float32(0.995) * logits.mean(axis=1, keepdims=True)
    track = Track(logits)
    loudness = np.repeat(rng.uniform(0, 0.5, int(HOURS_S * 4)), RATE_HZ // 4)
    samples = (rng.uniform(-1, 1, len(loudness)) * loudness).astype(np.float32)
    result = make_result(
        "hour.wav",
        duration_s=HOURS_S,
        granularity="frame",
        scores=track.utterance,
        track=track,
        segments=track.segments(HOURS_S),
    )
    return RunStore(outputs).save(result, Waveform(samples)).name


def first_load(browser: Browser, address: str) -> tuple[float, int]:
    """Seconds until the form answers, and bytes over the wire, in a browser without a cache."""
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    sizes: list[int] = []
    wire.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    started_s = time.perf_counter()
    page.goto(address)
    page.wait_for_function(READY)
    ready_s = time.perf_counter() - started_s
    page.wait_for_timeout(1_000)  # what comes late counts as well
    context.close()
    return ready_s, sum(sizes)


def answer(page: Page, address: str) -> float:
    """Seconds from the button to the headline, for a sample of 4 s."""
    page.goto(address)
    page.wait_for_function(READY)
    page.set_input_files("#emo-form-one input[type=file]", SAMPLES / "angry_zh.wav")
    page.check("#emo-form-one input[value=frame]")
    started_s = time.perf_counter()
    page.click("#emo-form-one [data-do=start]")
    page.wait_for_selector("#emo-result-one .emo-headline")
    page.wait_for_function("document.querySelector('emo-timeline')?.drawn > 0")
    return time.perf_counter() - started_s


ZOOM = """async () => {
  const picture = document.querySelector("emo-timeline");
  const drawn = picture.drawn;
  const started = performance.now();
  for (let frame = 0; frame < 240; frame += 1) {
    picture.zoom(frame < 120 ? 0.94 : 1 / 0.94, 1234.5);
    await new Promise((done) => requestAnimationFrame(done));
  }
  return [(picture.drawn - drawn) / (performance.now() - started) * 1000,
          picture.curve.tiles.size];
}"""


def live(page: Page, address: str) -> tuple[float, float, float]:
    """Seconds that the live river is behind the microphone: median and most; and its pictures a s.

    Each is taken just before the river moves on, so it is the most that somebody sees.
    """
    page.goto(f"{address}#live")
    page.reload()
    page.click("[data-do=live]")
    page.wait_for_function("document.querySelector('emo-live').curve?.knownS > 3")
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
    page.wait_for_selector("#emo-desk-live emo-timeline canvas")
    rate = (after[0] - before[0]) / (after[1] - before[1])
    return statistics.median(delays), max(delays), rate


def river(page: Page, address: str, run: str) -> tuple[float, float, int]:
    """Seconds until an hour is drawn, pictures a second while zooming, tiles fetched."""
    started_s = time.perf_counter()
    page.goto(f"{address}timeline?run={run}")
    page.wait_for_function("document.querySelector('emo-timeline')?.drawn > 0", timeout=60_000)
    shown_s = time.perf_counter() - started_s
    rates = [page.evaluate(ZOOM) for _ in range(3)]
    return shown_s, statistics.median(rate for rate, _ in rates), rates[-1][1]


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        run = an_hour(Path(folder))
        with _serving(Path(folder)) as address:
            flags = [*FLAGS, spoken(Path(folder))]
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
            loads = [first_load(browser, address) for _ in range(REPEATS)]
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            answers = [answer(page, address) for _ in range(REPEATS)]
            live_s, live_most_s, live_rate = live(page, address)
            hour_s, rate, tiles = river(page, address, run)
            browser.close()
    figures = {
        "ready_s": round(statistics.median(load[0] for load in loads), 2),
        "first_load_kb": round(statistics.median(load[1] for load in loads) / 1000),
        "answer_s": round(statistics.median(answers), 2),
        "live_behind_s": round(live_s, 2),
        "live_behind_most_s": round(live_most_s, 2),
        "live_pictures_per_s": round(live_rate, 1),
        "hour_shown_s": round(hour_s, 2),
        "hour_zoom_pictures_per_s": round(rate, 1),
        "hour_tiles": tiles,
    }
    for name, value in figures.items():
        print(f"{name:26} {value}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
