"""The map of many runs behind a real server: first load, memory, size, and frames of the page.

    python benchmarks/map.py                        20,000 runs; some three minutes
    python benchmarks/map.py --runs 2000
    python benchmarks/map.py --folder /tmp/mapped   keeps the runs for the next time

Runs are those of benchmarks/history.py, each with an ``embedding.npy`` of one frame: vectors around
those of nine emotions. The page is driven in Chromium without a graphics processor. The last line
is JSON.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
sys.path.insert(0, str(ROOT / "tests"))

from history import FIRST, make_runs, started  # noqa: E402 - after the path
from shots import CHROMIUM, FLAGS  # noqa: E402
from visitor import until  # noqa: E402

DIM = 512
FRAMES = """async () => {
  const map = document.querySelector("emo-map");
  const times = [];
  for (let at = 0; at < 60; at += 1) {
    map.view = { x: 0.1, y: 0.1, zoom: 1 + at / 20 };
    const began = performance.now();
    map.paint();
    times.push(performance.now() - began);
    await new Promise(requestAnimationFrame);
  }
  return times;
}"""


def add_vectors(outputs: Path, count: int) -> None:
    """Write the embedding of each run that lacks one."""
    rng = np.random.default_rng(0)
    middles = rng.standard_normal((9, DIM))
    for index in range(count):
        created = FIRST + timedelta(seconds=37 * index)
        path = outputs / created.strftime("outputs_%Y%m%d_%H%M%S") / "embedding.npy"
        if not path.exists():
            vector = middles[index % 9] + rng.standard_normal((1, DIM))
            np.save(path, vector.astype(np.float32))


def rss_mb(pid: int) -> float:
    """Return the memory of a process that is its own, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().split("\n")
    return int(next(one for one in lines if one.startswith("RssAnon")).split()[1]) / 1024


def asked(port: int) -> tuple[float, int, int]:
    """Ask for the map; return seconds, bytes over the wire, and how many runs there are."""
    began_s = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.request("GET", "/v1/map", headers={"Accept-Encoding": "gzip"})
    with connection.getresponse() as reply:
        data = reply.read()
        is_small = reply.getheader("Content-Encoding") == "gzip"
    connection.close()
    plain = gzip.decompress(data) if is_small else data
    taken_s = time.perf_counter() - began_s
    return taken_s, len(data), len(json.loads(plain)["runs"]["run"])


def until_full(port: int, count: int) -> None:
    """Wait until the server has the vectors of all runs."""
    while asked(port)[2] < count:
        time.sleep(1.0)


def drive(page: Page, address: str) -> dict[str, Any]:
    """Open the map as a visitor does, and let it paint."""
    began_s = time.perf_counter()
    page.goto(f"{address}/map?lang=en")
    until(page, "document.querySelector('emo-map')?.runs?.run.length > 0")
    page.evaluate("new Promise(requestAnimationFrame)")
    shown_s = time.perf_counter() - began_s
    times = page.evaluate(FRAMES)
    box = page.locator("emo-map canvas").bounding_box()
    assert box is not None
    hovers = []
    for at in range(20):
        began = time.perf_counter()
        page.mouse.move(box["x"] + box["width"] * (0.3 + at / 60), box["y"] + box["height"] / 2)
        hovers.append(time.perf_counter() - began)
    return {
        "page_s": round(shown_s, 2),
        "paint_ms": round(statistics.median(times), 1),
        "paint_worst_ms": round(max(times), 1),
        "hover_ms": round(1000 * statistics.median(hovers), 1),
    }


def stopped(server: subprocess.Popen[str]) -> None:
    """End a server."""
    server.terminate()
    server.wait(60)


def measure(folder: Path, count: int) -> dict[str, Any]:
    """Measure and return the figures."""
    outputs, keys = folder / "outputs", folder / "keys.json"
    began_s = time.perf_counter()
    make_runs(outputs, count, ["nobody"])
    add_vectors(outputs, count)
    print(f"{count} runs made in {time.perf_counter() - began_s:.0f} s", flush=True)
    figures: dict[str, Any] = {"runs": count}
    began_s = time.perf_counter()
    server, port = started(outputs, keys)
    try:
        until_full(port, count)
        figures["all_vectors_after_s"] = round(time.perf_counter() - began_s, 1)
    finally:
        stopped(server)
    server, port = started(outputs, keys)
    try:
        address = f"http://127.0.0.1:{port}"
        figures["server_mb_before"] = round(rss_mb(server.pid))
        first_s, wire, _ = asked(port)
        figures |= {"first_s": round(first_s, 2), "wire_kb": round(wire / 1024)}
        again = [asked(port)[0] for _ in range(5)]
        figures["again_s"] = round(statistics.median(again), 2)
        figures["server_mb_after"] = round(rss_mb(server.pid))
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            figures |= drive(page, address)
            page.screenshot(path=str(folder / "map.png"))
            browser.close()
    finally:
        stopped(server)
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--folder", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        figures = measure(args.folder or Path(temporary), args.runs)
    for name, value in figures.items():
        print(f"{name:24}{value:>10}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
