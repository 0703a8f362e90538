"""Speed and memory of emoscope batch, beside a plain loop over ``recognize``.

    python benchmarks/batch.py speed [--clips 400] [--seconds 3] [--model compact] [--workers auto]
    python benchmarks/batch.py memory [--rows 1000 10000 100000]

``speed`` takes turns between the loop and the batch and prints the ratio of each turn; the share of
the cores is the processor time of all processes of the batch over wall time times cores, and the
cost of a clip is processor time, which other work on the machine does not change much. ``memory``
uses a list that names tiny clips again and again; the model has no weights there, so that 100,000
rows are minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from emoscope import load
from emoscope.batch.crew import core_count
from emoscope.waveform import RATE_HZ

ROOT = Path(__file__).parent.parent


def clip(seconds: float, seed: int) -> bytes:
    """A WAV file with a voice-like sound."""
    sys.path.insert(0, str(ROOT / "tests"))
    from conftest import make_speech
    from sounds import wav

    return wav(make_speech(seconds, seed=seed))


def children_s() -> float:
    """Processor seconds of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_batch(inputs: Path, out: Path, *more: str) -> tuple[float, float, dict[str, object]]:
    """Return wall seconds, processor seconds, and the last event."""
    line = [sys.executable, "-m", "emoscope", "batch", str(inputs), "--out", str(out)]
    before_s, started_s = children_s(), time.perf_counter()
    done = subprocess.run([*line, "--json", *more], check=True, capture_output=True, text=True)
    took_s = time.perf_counter() - started_s
    events = [json.loads(one) for one in done.stdout.splitlines()]
    crew = next(one for one in events if one["event"] == "crew")
    end = next(one for one in events if one["event"] == "end")
    return took_s, children_s() - before_s, {**end, "crew": crew}


def speed(folder: Path, clips: int, seconds: float, model: str, workers: str, turns: int) -> None:
    """Print the rate of the loop and of the batch, in turns."""
    inputs = folder / "in"
    inputs.mkdir()
    for number in range(clips):
        (inputs / f"{number:05d}.wav").write_bytes(clip(seconds, number % 16))
    paths = sorted(inputs.iterdir())
    recognizer = load(model)
    recognizer.recognize(paths[0])
    cores = core_count()
    print(
        f"{clips} clips of {seconds:g} s, {model}, {cores} cores, load {os.getloadavg()[0]:.1f}\n"
    )
    print("| what | clips/s | ms of processor a clip | share of the cores |")
    print("|---|---|---|---|")
    ratios = []
    some = folder / "some"
    some.mkdir()
    (some / paths[0].name).write_bytes(paths[0].read_bytes())
    for turn in range(turns):
        used_s, started_s = time.process_time(), time.perf_counter()
        for path in paths:
            recognizer.recognize(path, embedding=True)
        loop_s, loop_cpu_s = time.perf_counter() - started_s, time.process_time() - used_s
        _row("loop", clips, loop_s, loop_cpu_s, cores)
        more = ("--model", model, "--workers", workers)
        start_s, start_cpu_s, _ = run_batch(some, folder / f"some{turn}", *more)
        took_s, cpu_s, told = run_batch(inputs, folder / f"out{turn}", *more)
        crew = told["crew"]
        assert isinstance(crew, dict)
        words = f"batch, {crew['workers']} processes of {crew['threads']} threads"
        _row(words, clips, took_s, cpu_s, cores)
        print(f"| start alone, with one clip: {start_s:.1f} s | | {start_cpu_s:.1f} s | |")
        _row("batch, without start", clips, took_s - start_s, cpu_s - start_cpu_s, cores)
        ratios.append(loop_s / (took_s - start_s))
    print(f"\nbatch against loop, without start: {', '.join(f'{one:.2f}' for one in ratios)}")


def _row(what: str, clips: int, took_s: float, cpu_s: float, cores: int) -> None:
    share = cpu_s / took_s / cores
    print(f"| {what} | {clips / took_s:.1f} | {1000 * cpu_s / clips:.1f} | {share:.0%} |")


def memory(folder: Path, counts: list[int]) -> None:
    """Print the largest memory of the driver and of a worker by the number of rows."""
    sys.path.insert(0, str(ROOT / "tests"))
    from batching import FakeSource, started
    from emoscope.batch.local import LocalExecutor

    (folder / "tiny.wav").write_bytes(_tiny())
    print("| rows | rows/s | driver, MB | largest worker, MB | output, MB |")
    print("|---|---|---|---|---|")
    for rows in counts:
        listing = folder / f"{rows}.csv"
        lines = (f"tiny.wav,{number},s{number % 7}\n" for number in range(rows))
        listing.write_text("path,id,speaker\n" + "".join(lines), "utf-8")
        watch = _Watch()
        started_s = time.perf_counter()
        out, executor = folder / f"out{rows}", LocalExecutor(FakeSource(), 2)
        with watch, started([listing], out, executor, size=None) as events:
            for _ in events:
                pass
        took_s = time.perf_counter() - started_s
        size = sum(path.stat().st_size for path in (folder / f"out{rows}").iterdir())
        mine, theirs = watch.mine / 1e6, watch.theirs / 1e6
        print(f"| {rows:,} | {rows / took_s:.0f} | {mine:.0f} | {theirs:.0f} | {size / 1e6:.1f} |")


def _tiny() -> bytes:
    from sounds import wav

    return wav(np.random.default_rng(0).normal(0, 0.1, RATE_HZ // 8).astype(np.float32))


class _Watch:
    """Largest resident memory of this process and of its children while a block runs."""

    def __init__(self) -> None:
        self.mine = self.theirs = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_exc: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.2):
            self.mine = max(self.mine, _resident(os.getpid()))
            for task in Path("/proc/self/task").iterdir():
                for pid in (task / "children").read_text().split():
                    self.theirs = max(self.theirs, _resident(int(pid)))


def _resident(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    fast = commands.add_parser("speed")
    fast.add_argument("--clips", type=int, default=400)
    fast.add_argument("--seconds", type=float, default=3.0)
    fast.add_argument("--model", default="compact")
    fast.add_argument("--workers", default="auto")
    fast.add_argument("--turns", type=int, default=3)
    flat = commands.add_parser("memory")
    flat.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if asked.command == "speed":
            speed(Path(folder), asked.clips, asked.seconds, asked.model, asked.workers, asked.turns)
        else:
            memory(Path(folder), asked.rows)


if __name__ == "__main__":
    main()
