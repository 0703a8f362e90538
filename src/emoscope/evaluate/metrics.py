"""Classification metrics in NumPy: UA, WA, F1, confusion, calibration, risk and coverage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from emoscope.labels import COUNT, KEYS
from emoscope.waveform import Indices

ScoreMatrix: TypeAlias = NDArray[np.float64]

CALIBRATION_BINS = 15


@dataclass(frozen=True, slots=True, eq=False)
class ClassFigures:
    """Metrics of one set of recordings. UA ignores classes that do not occur in the truth."""

    clips: int
    ua: float
    """Unweighted average recall: the mean of the recalls of the classes in the truth."""
    wa: float
    """Weighted accuracy: the share of right answers."""
    macro_f1: float
    """Mean F1 over the classes that are in the truth or were answered."""
    recall: dict[str, float]
    precision: dict[str, float]
    f1: dict[str, float]
    support: dict[str, int]
    confusion: NDArray[np.int64]
    """Shape ``(9, 9)``: rows are the truth, columns the answer."""


def confusion_matrix(truth: Indices, answer: Indices) -> NDArray[np.int64]:
    """Count truth (rows) against answer (columns), shape ``(9, 9)``."""
    flat = np.bincount(truth * COUNT + answer, minlength=COUNT * COUNT)
    return flat.reshape(COUNT, COUNT).astype(np.int64)


def measure(truth: Indices, answer: Indices) -> ClassFigures:
    """Compute the figures of answers against the truth, both of shape ``(n,)``, n at least 1."""
    confusion = confusion_matrix(truth, answer)
    hits = np.diag(confusion).astype(np.float64)
    support, answered = confusion.sum(axis=1), confusion.sum(axis=0)
    recall = hits / np.maximum(support, 1)
    precision = hits / np.maximum(answered, 1)
    f1 = 2 * hits / np.maximum(support + answered, 1)
    present, seen = support > 0, (support > 0) | (answered > 0)
    keys = [key for key, there in zip(KEYS, present, strict=True) if there]
    return ClassFigures(
        clips=len(truth),
        ua=float(recall[present].mean()),
        wa=float(hits.sum() / len(truth)),
        macro_f1=float(f1[seen].mean()),
        recall=dict(zip(keys, recall[present].tolist(), strict=True)),
        precision=dict(zip(keys, precision[present].tolist(), strict=True)),
        f1=dict(zip(keys, f1[present].tolist(), strict=True)),
        support=dict(zip(keys, support[present].tolist(), strict=True)),
        confusion=confusion,
    )


def restricted(truth: Indices, scores: ScoreMatrix) -> Indices:
    """Answers when only the classes of the truth may be answered, as many papers do."""
    mine = np.zeros(COUNT, dtype=bool)
    mine[truth] = True
    answers: Indices = np.where(mine, scores, -1.0).argmax(axis=1)
    return answers


@dataclass(frozen=True, slots=True)
class CalibrationFigures:
    """Calibration error and reliability bins."""

    ece: float
    """Expected calibration error: mean distance of confidence and accuracy, over equal bins."""
    brier: float
    """Mean squared distance of the nine scores from the truth (0 to 2)."""
    log_loss: float
    """Mean negative log of the score of the truth."""
    bins: tuple[tuple[float, float, int], ...]
    """Mean confidence, accuracy and clips of every bin that is not empty."""


def calibrate(truth: Indices, scores: ScoreMatrix) -> CalibrationFigures:
    """Compare the confidence of the answers with how often they are right."""
    confidence, right = scores.max(axis=1), scores.argmax(axis=1) == truth
    place = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    bins = []
    for number in range(CALIBRATION_BINS):
        here = place == number
        if here.any():
            bins.append(
                (float(confidence[here].mean()), float(right[here].mean()), int(here.sum()))
            )
    ece = sum(clips * abs(mean - accuracy) for mean, accuracy, clips in bins) / len(truth)
    wanted = np.eye(COUNT)[truth]
    of_truth = np.maximum(scores[np.arange(len(truth)), truth], 1e-15)
    return CalibrationFigures(
        ece=float(ece),
        brier=float(np.square(scores - wanted).sum(axis=1).mean()),
        log_loss=float(-np.log(of_truth).mean()),
        bins=tuple(bins),
    )


@dataclass(frozen=True, slots=True, eq=False)
class RiskCoverage:
    """Risk-coverage curve: error rate among the most confident answers."""

    coverage: ScoreMatrix
    """Share of clips answered, shape ``(n,)``, rising to 1."""
    risk: ScoreMatrix
    """Share of errors among these, shape ``(n,)``."""
    area: float
    """Mean risk over all coverages (AURC); smaller is better."""

    def at(self, coverage: float) -> float:
        """Risk when this share of the clips, the surest, is answered; at least one clip."""
        return float(self.risk[max(0, round(coverage * len(self.risk)) - 1)])


def risk_coverage(truth: Indices, scores: ScoreMatrix) -> RiskCoverage:
    """Order the answers by how far the first score leads the second, the measure of abstention."""
    ranked = np.sort(scores, axis=1)
    order = np.argsort(ranked[:, -2] - ranked[:, -1], kind="stable")
    wrong = (scores.argmax(axis=1) != truth)[order]
    given = np.arange(1, len(truth) + 1)
    risk = np.cumsum(wrong) / given
    return RiskCoverage(given / len(truth), risk, float(risk.mean()))


def interval(
    figure: Callable[[Indices], float],
    speakers: Sequence[str],
    *,
    draws: int = 1_000,
    seed: int = 0,
) -> tuple[float, float]:
    """95 % bootstrap interval of a figure.

    Speakers are drawn with replacement, all clips of a speaker at once, because clips of one
    speaker are not independent. Clips without a speaker count as speakers of their own. With very
    few speakers the interval is itself unsure, and too narrow.

    Args:
        figure: from positions of clips, shape ``(m,)``, to a number.
        speakers: one name per clip.
        draws: bootstrap samples.
        seed: of the drawing, so that a second run gives the same interval.
    """
    names = [name or f"clip {at}" for at, name in enumerate(speakers)]
    _, owner = np.unique(names, return_inverse=True)
    clips = [np.flatnonzero(owner == at) for at in range(int(owner.max()) + 1)]
    generator = np.random.default_rng(seed)
    figures = [
        figure(np.concatenate([clips[at] for at in generator.integers(0, len(clips), len(clips))]))
        for _ in range(draws)
    ]
    low, high = np.percentile(figures, [2.5, 97.5])
    return float(low), float(high)
