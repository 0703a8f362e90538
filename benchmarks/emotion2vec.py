"""Emotion2Vec+ Large: FunASR and Emoscope, exact and int8, on the same weights, in turn.

    python benchmarks/emotion2vec.py --peer parityvenv/bin/python [--size large] [--repeat 5]
        [--clips 64]

Each engine is a process of its own with two threads; all are loaded, then asked about the same
clip one after the other, so that what else the machine does hits all alike. Then each answers
``--clips`` clips of 1 to 12 s, once. Wall time on a busy machine says little: read the CPU seconds
beside it. The weights are random, in the official
layout (``tests/parity/official_folder.py``); ``tests/parity/make_golden.py`` says how to set up
the peer's interpreter. The last line of the output is one JSON document.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

THREADS = 2
CLIPS_S = (4.0, 10.0)
"""The first is also the first answer of a fresh process."""
GFLOP_PER_S = 20.7
"""What a second of sound costs the large network: front end 4.9, positions 0.6, blocks 15.1."""

Answer = Callable[[list[Any]], None]


# -- inside an engine's process


def load_funasr(folder: Path) -> Answer:
    """Load the peer as its own documentation does."""
    import logging

    from funasr import AutoModel

    model = AutoModel(
        model=str(folder), device="cpu", ncpu=THREADS, disable_update=True, disable_pbar=True
    )
    logging.disable(logging.INFO)

    def answer(sounds: list[Any]) -> None:
        for sound in sounds:
            model.generate(sound, granularity="frame", extract_embedding=True)

    return answer


def load_exact(folder: Path) -> Answer:
    """Load the converted model, exact."""
    return load_emoscope(folder / "ours" / "model.onnx", is_rounded=False)


def load_int8(folder: Path) -> Answer:
    """Load its int8 variant."""
    return load_emoscope(folder / "ours" / "model.int8.onnx", is_rounded=True)


def load_emoscope(path: Path, *, is_rounded: bool) -> Answer:
    """Load an ONNX file behind the engine that the recognizer has."""
    from emoscope.backends.onnx_backend import OnnxBackend
    from emoscope.inference.batching import Batcher, batch_budget
    from emoscope.inference.forward import Forward

    budget = batch_budget("cpu", is_rounded=is_rounded)
    engine = Batcher(Forward(OnnxBackend(path, threads=THREADS)), max_padded_samples=budget)

    def answer(sounds: list[Any]) -> None:
        engine.run(sounds)

    return answer


ENGINES = {"FunASR": load_funasr, "exact": load_exact, "int8": load_int8}


def serve(engine: str, folder: Path) -> None:
    """Answer each line, durations in seconds, with a line of figures."""
    # Libraries chat on stdout; the figures have it for themselves.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    from parity.clips import clip

    started = time.perf_counter()
    answer = ENGINES[engine](folder)
    print(json.dumps({"load_s": time.perf_counter() - started}), file=replies, flush=True)
    for line in sys.stdin:
        sounds = [clip(duration_s, seed=1) for duration_s in json.loads(line)]
        wall_s, cpu_s = time.perf_counter(), cpu_seconds()
        answer(sounds)
        figures = {
            "wall_s": time.perf_counter() - wall_s,
            "cpu_s": cpu_seconds() - cpu_s,
            "peak_mb": peak_mb(),
        }
        print(json.dumps(figures), file=replies, flush=True)


def cpu_seconds() -> float:
    """Seconds that all threads of this process have computed."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak_mb() -> float:
    """Most memory this process ever held, in MB; getrusage would inherit its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (kib,) = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return int(kib) * 1024 / 1e6


# -- the process that asks


class Engine:
    """A started engine."""

    def __init__(self, name: str, python: str, folder: Path) -> None:
        self.name = name
        started = time.perf_counter()
        self._process = subprocess.Popen(
            [python, __file__, "--serve", name, "--folder", folder],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        )  # fmt: skip
        self.load_s: float = self._read()["load_s"]
        self.ask(CLIPS_S[0])
        self.first_answer_s = time.perf_counter() - started
        self.peak_mb = 0.0

    def ask(self, *durations_s: float) -> dict[str, float]:
        """Have clips answered."""
        assert self._process.stdin
        self._process.stdin.write(f"{json.dumps(durations_s)}\n")
        self._process.stdin.flush()
        figures = self._read()
        self.peak_mb = figures["peak_mb"]
        return figures

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _read(self) -> dict[str, float]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended; run it with --serve {self.name} to see why")
        figures: dict[str, float] = json.loads(line)
        return figures


def lengths_s(clips: int) -> list[float]:
    """Seconds of so many clips, 1 to 12, the same every time."""
    import random

    dice = random.Random(0)  # noqa: S311 - no secret
    return [round(dice.uniform(1, 12), 2) for _ in range(clips)]


def measure(engines: list[Engine], repeat: int, clips: int) -> dict[str, dict[str, Any]]:
    """Ask all engines in turn, and take medians; the many clips are asked for once."""
    result: dict[str, dict[str, Any]] = {
        engine.name: {"load_s": engine.load_s, "first_answer_s": engine.first_answer_s}
        for engine in engines
    }
    for duration_s in CLIPS_S:
        rounds = [[engine.ask(duration_s) for engine in engines] for _ in range(repeat + 1)][1:]
        for engine, figures in zip(engines, zip(*rounds, strict=True), strict=True):
            for key in ("wall_s", "cpu_s"):
                result[engine.name][f"{duration_s:g}s_{key}"] = median(f[key] for f in figures)
            tell(engine.name, f"{duration_s:g} s", result[engine.name])
    for engine in engines:
        result[engine.name]["peak_mb"] = engine.peak_mb
        if clips:
            figures = engine.ask(*lengths_s(clips))
            for key in ("wall_s", "cpu_s"):
                result[engine.name][f"{clips}_clips_{key}"] = figures[key]
            tell(engine.name, f"{clips} clips", figures)
    return result


def tell(*said: object) -> None:
    """Say on stderr what is known so far: on a busy machine the end may be far."""
    print(*said, file=sys.stderr, flush=True)


def shares(result: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Share of the machine's matrix peak that the 4 s clip reaches, by CPU seconds."""
    from matrix_peak import measure as measure_peak

    peak = measure_peak(THREADS)
    work = GFLOP_PER_S * CLIPS_S[0]
    kinds = {"FunASR": "float32", "exact": "float32", "int8": "int8"}
    found = {
        name: work / result[name][f"{CLIPS_S[0]:g}s_cpu_s"] / peak[kind]["per_cpu_s"]
        for name, kind in kinds.items()
    }
    for name, share in found.items():
        print(f"{name}: {share:.0%} of the {kinds[name]} peak")
    return found


def show(result: dict[str, dict[str, Any]], agreement: dict[str, Any], *, is_large: bool) -> None:
    """Print a Markdown table: rows are figures, the last columns how often ours goes into it."""
    peer, exact, int8 = (result[name] for name in ENGINES)
    print("| | FunASR | exact | int8 | FunASR / exact | FunASR / int8 | exact / int8 |")
    print("|---|" + "---:|" * 6)
    for key in peer:
        one, two, three = peer[key], exact[key], int8[key]
        ratios = f"{one / two:.2f} | {one / three:.2f} | {two / three:.2f}"
        print(f"| {key} | {one:.2f} | {two:.2f} | {three:.2f} | {ratios} |")
    machine = {"load_average": os.getloadavg()[0], "cores": os.cpu_count()}
    of_peak = shares(result) if is_large else {}
    print(json.dumps({**machine, **result, "agreement": agreement, "of_peak": of_peak}))


def main() -> None:
    """Make the model, start both engines, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", help="interpreter that has torch and FunASR")
    parser.add_argument("--size", default="large")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--clips", type=int, default=64, help="of 1 to 12 s; 0 leaves them out")
    parser.add_argument("--folder", type=Path, help="keep the model here between runs")
    parser.add_argument("--serve", choices=ENGINES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.serve, args.folder)
        return
    if not args.peer:
        parser.error("--peer is needed")
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        if not (folder / "ours" / "card.json").exists():
            make_model(folder, args.size)
        agreement = make_int8(folder)
        pythons = [args.peer, sys.executable, sys.executable]
        engines = [
            Engine(name, python, folder) for name, python in zip(ENGINES, pythons, strict=True)
        ]
        result = measure(engines, args.repeat, args.clips)
        for engine in engines:
            engine.close()
        show(result, agreement, is_large=args.size == "large")


def make_model(folder: Path, size: str) -> None:
    """Write the official folder with the moments of the published file, and convert it."""
    from emoscope.emotion2vec.convert import convert
    from parity.funasr_answers import write_configuration
    from parity.official_folder import SIZES, write_folder

    write_folder(folder, SIZES[size], moments=True)
    write_configuration(folder)
    convert(folder, folder / "ours", name="model", revision="random")


def make_int8(folder: Path) -> dict[str, Any]:
    """Make the int8 variant if it is not there; returns the figures of its agreement."""
    from emoscope.backends.onnx_backend import OnnxBackend
    from emoscope.inference import int8_variant
    from emoscope.models.catalog import find

    local = find(folder / "ours")
    if not local.card.variants:
        local = int8_variant.make_int8(local, folder, open_backend=OnnxBackend)
    return local.card.variants[0].agreement.to_dict()


if __name__ == "__main__":
    main()
