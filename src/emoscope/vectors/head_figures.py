"""Figures of a head: UAR with bootstrap intervals over speakers, paired with what it stands on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emoscope.results.scores import softmax
from emoscope.waveform import Array64, Indices

DRAWS = 2_000
"""Bootstrap samples."""
_BINS = 10


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float

    def to_list(self) -> list[float]:
        """Value, low and high, for JSON."""
        return [self.value, self.low, self.high]


class SpeakerBootstrap:
    """Bootstrap of unweighted average recall that draws whole speakers, the same for all systems.

    Args:
        truth: class of each clip, shape ``(n,)``.
        speakers: one per clip.
        classes: how many classes there are.
        seed: of the drawing, so that a second run gives the same intervals.
    """

    def __init__(
        self, truth: Indices, speakers: Sequence[str], classes: int, *, seed: int = 0
    ) -> None:
        self._truth, self._classes = truth, classes
        _, self._owner = np.unique(np.array(speakers), return_inverse=True)
        count = int(self._owner.max()) + 1
        draws = np.random.default_rng(seed).integers(0, count, (DRAWS, count))
        # How often each speaker is in each draw, shape (draws, speakers).
        self._weights = np.stack([np.bincount(row, minlength=count) for row in draws]).astype(float)

    def uar(self, answers: Indices) -> tuple[float, Array64]:
        """Return the UAR of answers, shape ``(n,)``, and that of each draw, ``(draws,)``."""
        hits = self._by_speaker(answers == self._truth)
        clips = self._by_speaker(np.ones(len(self._truth), bool))
        value = _mean_recall(hits.sum(axis=0, keepdims=True), clips.sum(axis=0, keepdims=True))
        return float(value[0]), _mean_recall(self._weights @ hits, self._weights @ clips)

    def estimate(self, answers: Indices) -> Estimate:
        """Return the UAR of answers with its interval."""
        value, drawn = self.uar(answers)
        return _estimate(value, drawn)

    def difference(self, answers: Indices, others: Indices) -> Estimate:
        """Return by how much the UAR of answers lies over that of others, in the same draws."""
        (value, drawn), (other, others_drawn) = self.uar(answers), self.uar(others)
        return _estimate(value - other, drawn - others_drawn)

    def _by_speaker(self, counted: Any) -> Array64:
        """Count clips by speaker and class, shape ``(speakers, classes)``."""
        place = self._owner * self._classes + self._truth
        size = self._weights.shape[1] * self._classes
        flat = np.bincount(place, weights=counted.astype(float), minlength=size)
        return flat.astype(np.float64).reshape(-1, self._classes)


def confusion_counts(truth: Indices, answers: Indices, classes: int) -> list[list[int]]:
    """Count truth (rows) against answers (columns).

    Args:
        truth: class of each clip, shape ``(n,)``.
        answers: shape ``(n,)``.
        classes: how many classes there are.
    """
    flat = np.bincount(truth * classes + answers, minlength=classes * classes)
    rows: list[list[int]] = flat.reshape(classes, classes).tolist()
    return rows


def expected_error(truth: Indices, logits: Array64) -> float:
    """Return the expected calibration error of logits of shape ``(n, C)``, over ten bins."""
    scores = softmax(logits)
    confidence, right = scores.max(axis=1), scores.argmax(axis=1) == truth
    place = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = [
        abs(float(confidence[place == at].sum() - right[place == at].sum()))
        for at in range(_BINS)
        if (place == at).any()
    ]
    return sum(gaps) / len(truth)


def forecast(sizes: Sequence[float], drawn: Sequence[tuple[float, Array64]]) -> Estimate:
    """Extrapolate a learning curve to twice its last size: a line over the logarithm of the size.

    Args:
        sizes: clips trained on, rising.
        drawn: UAR at each, and that of each bootstrap draw.
    """
    steps = np.log2(np.array(sizes))
    values = np.array([value for value, _ in drawn])
    draws = np.stack([rows for _, rows in drawn])  # (sizes, draws)
    steps = steps - steps.mean()
    slope = steps @ values / (steps @ steps)
    slopes = steps @ draws / (steps @ steps)
    at = steps[-1] + 1
    return _estimate(
        float(np.clip(values.mean() + slope * at, 0, 1)),
        np.clip(draws.mean(axis=0) + slopes * at, 0, 1),
    )


def _estimate(value: float, drawn: Array64) -> Estimate:
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return Estimate(value, float(low), float(high))


def _mean_recall(hits: Array64, clips: Array64) -> Array64:
    """Mean recall of the classes that have clips, over the last axis."""
    there = clips > 0
    recall = np.where(there, hits / np.maximum(clips, 1), 0.0)
    means: Array64 = recall.sum(axis=-1) / np.maximum(there.sum(axis=-1), 1)
    return means
