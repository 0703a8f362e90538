"""Damaged files of twelve formats, for the decoders."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from emoscope.audio.decoder_pool import DecoderPool
from emoscope.errors import DecoderError, EmoscopeError
from emoscope.limits import UPLOAD
from sounds import FORMATS, encode, noise, sample, wav

DEADLINE_S = 5.0
"""No answer may take longer."""


def seeds(duration_s: float = 1.5) -> dict[str, bytes]:
    """A short recording in each of the twelve formats."""
    speech = sample("happy_zh.wav")[8_000:][: round(duration_s * 16_000)]
    return {
        **{name: encode(speech, name) for name in FORMATS},
        "wav8channels": wav(np.tile(noise(0.5)[:, None], 8)),
    }


def mutants(data: bytes, count: int, rng: np.random.Generator) -> Iterator[bytes]:
    """Flipped bits, overwritten and cut out stretches, repeated ones; headers hit most often."""
    for _ in range(count):
        piece = bytearray(data)
        for _ in range(int(rng.integers(1, 6))):
            end = min(len(piece), 256) if rng.random() < 0.6 else len(piece)
            at = int(rng.integers(0, max(end, 1)))
            size = int(rng.integers(1, 16))
            match int(rng.integers(0, 5)):
                case 0:
                    piece[at : at + 1] = bytes([piece[at] ^ (1 << int(rng.integers(0, 8)))])
                case 1:
                    piece[at : at + size] = rng.bytes(size)
                case 2:
                    piece[at : at + size] = b"\xff" * size
                case 3:
                    del piece[at : at + size * 8]
                case 4:
                    piece[at:at] = piece[at : at + size * 8]
            if not piece:
                piece = bytearray(data)
        yield bytes(piece[: int(rng.integers(1, len(piece) + 1))] if rng.random() < 0.1 else piece)


@dataclass
class Survival:
    """What became of the mutants."""

    said: Counter[str] = field(default_factory=Counter)
    """``sound``, or the code of the error."""
    slowest_s: float = 0.0
    replaced: int = 0
    """Processes that crashed or took too long."""
    lost: list[bytes] = field(default_factory=list)
    """What they were decoding."""
    peak_mb: float = 0.0
    """Resident memory of the largest decoder."""


def survive(
    each: int,
    *,
    duration_s: float = 1.5,
    first_seed: int = 0,
    files: dict[str, bytes] | None = None,
) -> Survival:
    """Decode so many mutants of every format, or of each of ``files``, two at once."""
    found, lock = Survival(), threading.Lock()
    whole = seeds(duration_s) if files is None else files

    def decode(mutant: bytes) -> None:
        began_s = time.perf_counter()
        try:
            decoders(mutant, limits=UPLOAD)
            code = "sound"
        except EmoscopeError as error:
            code = error.code
            if isinstance(error, DecoderError):
                found.lost.append(mutant)
        took_s = time.perf_counter() - began_s
        with lock:
            found.said[code] += 1
            found.slowest_s = max(found.slowest_s, took_s)

    def all_of(number: int, data: bytes) -> None:
        for mutant in mutants(data, each, np.random.default_rng(first_seed + number)):
            decode(mutant)
            if found.said.total() % 100 == 0:
                look()

    def look() -> None:
        for pid in decoders.pids():
            found.peak_mb = max(found.peak_mb, _peak_mb(pid))

    with (
        DecoderPool(2, deadline_s=DEADLINE_S, limits=UPLOAD) as decoders,
        ThreadPoolExecutor(2) as crew,
    ):
        for one in [crew.submit(all_of, *seed) for seed in enumerate(whole.values())]:
            one.result()
        look()
        found.replaced = decoders.replaced
    return found


def _peak_mb(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/status").read_text("ascii")
    except OSError:  # renewed a moment ago
        return 0.0
    rows = dict(row.split(":", 1) for row in text.splitlines())
    return int(rows["VmHWM"].split()[0]) / 1024 if "VmHWM" in rows else 0.0
