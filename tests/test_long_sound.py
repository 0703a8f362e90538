"""Two hours of sound take the memory of a minute, and a hundredth of their length."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import emoscope
from sounds import sample, sample_names

pytestmark = pytest.mark.process

ASK = """
import json, re, sys, time
from pathlib import Path
import emoscope
recognizer = emoscope.load("compact")
started_s = time.process_time()
result = recognizer.recognize(sys.argv[1])
print(json.dumps({
    "duration_s": result.duration_s,
    "cpu_s": time.process_time() - started_s,
    # Not ru_maxrss: that begins with what the parent had.
    "peak_kb": int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]),
}))
"""


def write_flac(path: Path, duration_s: int) -> None:
    """The built-in recordings with pauses between them, over and over."""
    pause = 1e-4 * np.random.default_rng(1).standard_normal(24_000)
    parts = [part for name in sample_names() for part in (sample(name), pause)]
    tape = (np.concatenate(parts) * 32_767).astype(np.int16)
    with av.open(str(path), "w", format="flac") as out:
        stream = out.add_stream("flac", rate=16_000, layout="mono")
        done = 0
        while done < duration_s * 16_000:
            part = tape[: duration_s * 16_000 - done]
            frame = av.AudioFrame.from_ndarray(part[None], "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = 16_000, done, Fraction(1, 16_000)
            out.mux(stream.encode(frame))
            done += len(part)
        out.mux(stream.encode(None))


def ask(path: Path) -> dict[str, float]:
    """Recognize in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(path)], check=True, capture_output=True, text=True
    )
    return dict(json.loads(done.stdout))


@pytest.mark.slow
def test_two_hours_that_break_off_are_heard_so_far(tmp_path: Path) -> None:
    """As after half a transfer: what came is recognized, and the result says so."""
    path = tmp_path / "half.flac"
    write_flac(path, 7_200)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)

    result = emoscope.load("compact").recognize(path, granularity="frame")

    assert 3_000 < result.duration_s < 4_200
    assert "broken_off" in result.quality.reasons
    assert result.track is not None
    assert len(result.track) * 0.02 == pytest.approx(result.duration_s, abs=0.05)
    assert result.segments[-1].span.end_s == result.duration_s


@pytest.mark.slow
def test_two_hours_take_the_memory_of_a_minute(tmp_path: Path) -> None:
    figures = {}
    for duration_s in (60, 7_200):
        path = tmp_path / f"{duration_s}.flac"
        write_flac(path, duration_s)
        figures[duration_s] = ask(path)
        assert figures[duration_s]["duration_s"] == duration_s
    print(figures)

    assert figures[7_200]["peak_kb"] <= 1.2 * figures[60]["peak_kb"]
