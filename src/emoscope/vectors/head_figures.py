"""Figures of a head: UAR with bootstrap intervals over speakers, paired with what it stands on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emoscope.evaluate.bootstrap import Estimate, percentiles
from emoscope.results.scores import softmax
from emoscope.waveform import Array64, Indices

HEAD_DRAWS = 2_000
"""Bootstrap samples of the figures of heads."""
_BINS = 10


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
    return Estimate(
        float(np.clip(values.mean() + slope * at, 0, 1)),
        *percentiles(np.clip(draws.mean(axis=0) + slopes * at, 0, 1)),
    )
