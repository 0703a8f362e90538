"""Accuracy of a model under defects of recordings, from which abstention thresholds were set.

    python benchmarks/defects.py --data FOLDER [--model compact]

FOLDER holds clips.csv and one tar per corpus, as train/README.md says. Only dev clips of the
corpora that may be tuned on are heard. Each defect is made on purpose; the figure is the mean of
the corpora's unweighted average recalls. The last lines are accuracies by the lead of the first
score over the second, among all dev clips.
"""

from __future__ import annotations

import argparse
import csv
import random
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import soxr

from emoscope.audio.decode import decode
from emoscope.evaluate.metrics import measure
from emoscope.labels import by_key
from emoscope.recognizer import Recognizer, load
from emoscope.waveform import RATE_HZ, Samples, Waveform

CLIPS = {"ravdess": 60, "nemo": 60, "emodb": 50, "indianemo": 60}
MARGINS = (0.0, 0.05, 0.1, 1.0)


@dataclass(frozen=True)
class Heard:
    """One clip of the list."""

    corpus: str
    emotion: int
    samples: Samples


def noisy(samples: Samples, snr_db: float) -> Samples:
    """With pink noise, so many decibels below the parts with speech."""
    rng = np.random.default_rng(len(samples))
    spectrum = np.fft.rfft(rng.standard_normal(len(samples)))
    hz = np.maximum(np.fft.rfftfreq(len(samples), 1 / RATE_HZ), 50.0)
    noise = np.fft.irfft(spectrum / np.sqrt(hz), len(samples))
    blocks = samples[: len(samples) // 400 * 400].reshape(-1, 400).var(axis=1)
    power = blocks[blocks > blocks.max() * 1e-3].mean()
    return samples + noise / noise.std() * np.sqrt(power * 10 ** (-snr_db / 10))


def cut(samples: Samples, length_s: float) -> Samples:
    """The part of that length with most energy."""
    size = round(length_s * RATE_HZ)
    if len(samples) <= size:
        return samples
    energy = np.cumsum(np.concatenate([[0.0], samples.astype(np.float64) ** 2]))
    start = int((energy[size:] - energy[:-size]).argmax())
    return samples[start : start + size]


def driven(samples: Samples, gain_db: float) -> Samples:
    """Amplified beyond full scale and cut off there."""
    return np.clip(samples / np.abs(samples).max() * 10 ** (gain_db / 20), -1, 1)


def narrow(samples: Samples, band_hz: float) -> Samples:
    """Without anything above."""
    through = soxr.resample(samples, RATE_HZ, 2 * band_hz)
    return soxr.resample(through, 2 * band_hz, RATE_HZ)


KINDS: dict[str, tuple[Callable[[Samples, float], Samples], tuple[float, ...], str]] = {
    "noise": (noisy, (20, 10, 5, 0, -5), "dB SNR"),
    "cut to": (cut, (2, 1, 0.7, 0.5, 0.3), "s"),
    "driven into clipping by": (driven, (6, 12, 20, 25, 30, 36), "dB"),
    "band up to": (narrow, (4_000, 3_000, 2_000, 1_000), "Hz"),
}


def dev_clips(data: Path) -> list[Heard]:
    """All dev clips of the corpora that may be tuned on, decoded."""
    with (data / "clips.csv").open(encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["role"] == "train" and r["split"] == "dev"]
    clips = []
    for corpus in CLIPS:
        with tarfile.open(data / f"{corpus}.tar") as tar:
            for row in rows:
                if row["corpus"] == corpus:
                    member = tar.extractfile(row["path"])
                    assert member is not None
                    samples = decode(member.read()).samples
                    clips.append(Heard(corpus, by_key(row["emotion"]).index, samples))
    return clips


def scores_of(recognizer: Recognizer, clips: Sequence[Heard], make: Callable) -> np.ndarray:
    """Scores `(clips, 9)`, whether or not an emotion would be claimed."""
    rows = []
    for clip in clips:
        samples = np.clip(make(clip.samples), -1, 1).astype(np.float32)
        rows.append(recognizer.recognize(Waveform(samples)).scores.values)
    return np.stack(rows)


def mean_recall(clips: Sequence[Heard], answers: np.ndarray) -> float:
    """Mean over corpora of the unweighted average recall."""
    truth = np.array([clip.emotion for clip in clips])
    corpus = np.array([clip.corpus for clip in clips])
    figures = []
    for one in CLIPS:
        own = corpus == one
        figures.append(measure(truth[own], answers[own]).ua)
    return float(np.mean(figures))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="compact")
    options = parser.parse_args()
    recognizer = load(options.model)
    every = dev_clips(options.data)
    chosen: list[Heard] = []
    for corpus, count in CLIPS.items():
        own = [clip for clip in every if clip.corpus == corpus]
        chosen += random.Random(1).sample(own, count)  # noqa: S311 - a draw, not a secret

    untouched = scores_of(recognizer, chosen, lambda samples: samples).argmax(axis=1)
    print(f"untouched: {mean_recall(chosen, untouched):.3f} ({len(chosen)} clips)", flush=True)
    for name, (make, strengths, unit) in KINDS.items():
        for strength in strengths:
            answers = scores_of(
                recognizer, chosen, lambda samples, m=make, s=strength: m(samples, s)
            ).argmax(axis=1)
            figure = mean_recall(chosen, answers)
            print(f"{name} {strength:g} {unit}: {figure:.3f}", flush=True)

    scores = scores_of(recognizer, every, lambda samples: samples)
    right = scores.argmax(axis=1) == np.array([clip.emotion for clip in every])
    ranked = np.sort(scores, axis=1)
    margin = ranked[:, -1] - ranked[:, -2]
    print(f"all {len(every)} dev clips: accuracy {right.mean():.2f}")
    for low, high in pairwise(MARGINS):
        own = (margin >= low) & (margin < high)
        print(f"margin {low:g} to {high:g}: {right[own].mean():.2f} ({own.sum()} clips)")


if __name__ == "__main__":
    main()
