"""The recording check on recordings of people: what was done to them is found, and nothing else.

Only the four corpora that may be tuned on set any bar; the other three are only looked at.
"""

from __future__ import annotations

import csv
import random
import tarfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soxr

from emoscope.audio.decode import decode
from emoscope.audio.quality import check_quality
from emoscope.audio.vad import find_speech
from emoscope.waveform import Waveform

DATA = Path(__file__).parents[3] / "shared" / "data"
PER_CORPUS = 15


@pytest.fixture(scope="module")
def clips() -> dict[str, list[Waveform]]:
    """The same clips each time, of train and dev splits and of the corpora that are only heard."""
    if not (DATA / "clips.csv").is_file():
        pytest.skip("the corpora are not beside this repository (../shared/data)")
    with (DATA / "clips.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] != "test" or not _learned(row)]
    found = {}
    for corpus in sorted({row["corpus"] for row in rows}):
        paths = [row["path"] for row in rows if row["corpus"] == corpus]
        with tarfile.open(DATA / f"{corpus}.tar") as tar:
            members = [
                tar.extractfile(path)
                for path in random.Random(5).sample(paths, PER_CORPUS)  # noqa: S311
            ]
            found[corpus] = [decode(member.read()) for member in members if member]
    return found


def _learned(row: dict[str, str]) -> bool:
    return row["role"] == "train"


def of(clips: dict[str, list[Waveform]], each: int) -> list[Waveform]:
    """Some clips of every corpus that last two seconds and hold speech."""
    chosen = []
    for own in clips.values():
        fit = [clip for clip in own if clip.duration_s >= 1.5 and find_speech(clip)]
        chosen += fit[:each]
    return chosen


def test_clean_recordings_seldom_raise_a_false_alarm(
    clips: dict[str, list[Waveform]], capsys: pytest.CaptureFixture[str]
) -> None:
    """How long a clip is, is true of it; all else counts. Single corpora: docs/audio.md."""
    alarms: Counter[str] = Counter()
    total = wrong = 0
    for own in clips.values():
        for clip in own:
            reasons = set(check_quality(clip).reasons) - {"too_short", "too_long"}
            alarms.update(reasons)
            wrong += bool(reasons)
            total += 1
    with capsys.disabled():
        print(f"\nrecording check on {total} clean clips: {dict(alarms)}, false alarms: {wrong}")
    assert wrong / total < 0.05


def changed(waveform: Waveform, change: Callable[[np.ndarray], np.ndarray]) -> set[str]:
    samples = change(waveform.samples.astype(np.float64)).astype(np.float32)
    return set(check_quality(Waveform(samples)).reasons)


def noisy(snr_db: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(samples: np.ndarray) -> np.ndarray:
        clip = Waveform(samples.astype(np.float32))
        voice = np.concatenate([clip.cut(span).samples for span in find_speech(clip)])
        power = float(voice.var()) * 10 ** (-snr_db / 10)
        return samples + np.sqrt(power) * np.random.default_rng(0).standard_normal(len(samples))

    return change


def clipped(gain_db: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda samples: np.clip(samples / np.abs(samples).max() * 10 ** (gain_db / 20), -1, 1)


def through(rate_hz: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda samples: soxr.resample(soxr.resample(samples, 16_000, rate_hz), rate_hz, 16_000)


@pytest.mark.parametrize(
    ("code", "change", "least"),
    [
        ("low_snr", noisy(5.0), 0.9),
        ("low_snr", noisy(0.0), 0.9),  # the rest is no_speech
        ("clipped", clipped(6.0), 0.9),
        ("clipped", clipped(12.0), 1.0),
        ("clipped", lambda samples: 0.3 * clipped(12.0)(samples), 1.0),
        ("band_limited", through(8_000), 0.95),
        ("band_limited", through(6_000), 0.95),
        ("heavy_codec", through(11_025), 0.85),  # noise of some clips ends lower by itself
        ("dc_offset", lambda samples: samples + 0.05, 1.0),
        ("too_quiet", lambda samples: 1e-3 * samples / np.abs(samples).max(), 1.0),
        ("little_speech", lambda samples: np.pad(samples, (0, 12 * len(samples))), 1.0),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_defects_made_on_purpose_are_found(
    clips: dict[str, list[Waveform]],
    code: str,
    change: Callable[[np.ndarray], np.ndarray],
    least: float,
) -> None:
    chosen = of(clips, 2)
    hits = [code in changed(clip, change) for clip in chosen]

    assert len(chosen) >= 10
    assert np.mean(hits) >= least, f"{code}: {np.mean(hits):.2f}"


@pytest.mark.parametrize("code", ["low_snr", "clipped", "band_limited"])
def test_defects_too_weak_to_matter_are_not_told(
    clips: dict[str, list[Waveform]], code: str
) -> None:
    weak = {"low_snr": noisy(25.0), "clipped": clipped(-0.5), "band_limited": through(14_000)}
    hits = [code in changed(clip, weak[code]) for clip in of(clips, 2)]

    assert np.mean(hits) <= 0.05
