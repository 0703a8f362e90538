"""What huggingface_hub does with a bad line, beside the downloader of this package.

    PYTHONPATH=tests python benchmarks/hub_library.py

A local server behaves as the hub does and breaks off on request; nothing leaves the machine. Each
row is one fault: the bytes that were sent in all, and whether the right file arrived. A second call
after a failure stands for a second run of the command.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from emoscope.hub.download import Downloader, FileRequest, RetryPolicy
from hub_server import Fault, Hub, compressed, cut, other, running, status

FILE = "model.pt"
SWITCHES = ("HF_HUB_DISABLE_XET", "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_PROGRESS_BARS")
SIZE = 20_000_000
DATA = os.urandom(SIZE)
CUT = 12_000_000

FAULTS: dict[str, list[Fault]] = {
    "no fault": [],
    "cut at 60 %, then down": [cut(CUT), *[status(500)] * 6],
    "cut at 60 %, once": [cut(CUT)],
    "HTTP 503, twice": [status(503)] * 2,
    "HTTP 429, Retry-After 1": [status(429, **{"Retry-After": "1"})],
    "other bytes of the same length": [other(bytes(SIZE))],
    "a web page in place of the file": [status(200, **{"Content-Type": "text/html"})],
    "compressed, though not asked for": [compressed],
}


def with_library(hub: Hub, folder: Path) -> None:
    """Fetch with ``hf_hub_download``."""
    from huggingface_hub import hf_hub_download

    hf_hub_download("a/b", FILE, revision="main", local_dir=folder, endpoint=hub.url, token=False)


def with_ours(hub: Hub, folder: Path) -> None:
    """Fetch with the downloader of ``emoscope.hub``; the hub's own sha256 is what it must be."""
    url = f"{hub.url}/a/b/resolve/main/{FILE}"
    Downloader(RetryPolicy(attempts=5)).fetch(FileRequest("hub", url, "main", FILE), folder)


def main() -> None:
    """Print the table."""
    for variable in ("http_proxy", "https_proxy", "all_proxy"):
        os.environ.pop(variable, None)
        os.environ.pop(variable.upper(), None)
    os.environ.update(dict.fromkeys(SWITCHES, "1"))  # before the library is imported
    logging.disable(logging.WARNING)
    print(f"{'':34}{'library':>34}{'ours':>34}")
    for name, faults in FAULTS.items():
        cells = [_cell(fetch, faults) for fetch in (with_library, with_ours)]
        print(f"{name:34}{cells[0]:>34}{cells[1]:>34}", flush=True)


def _cell(fetch: Callable[[Hub, Path], None], faults: list[Fault]) -> str:
    with running({FILE: DATA}) as hub, tempfile.TemporaryDirectory() as folder:
        hub.faults[FILE] = list(faults)
        started_s = time.monotonic()
        runs, said = 0, ""
        while runs < 2 and not (Path(folder) / FILE).exists():
            runs += 1
            try:
                fetch(hub, Path(folder))
            except Exception as exc:
                said = type(exc).__name__
                hub.faults[FILE].clear()
        path = Path(folder) / FILE
        right = path.exists() and path.read_bytes() == DATA
        outcome = "right" if right else "WRONG" if path.exists() else said
        seconds = time.monotonic() - started_s
        return f"{outcome}, {runs} run, {hub.sent / 1e6:.0f} MB, {seconds:.1f} s"


if __name__ == "__main__":
    main()
