"""Calibration of a model: temperature scaling and conformal label sets.

The temperature (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017) divides the
logits, so that the largest score is right as often as it says; it changes no answer. The label set
is split conformal with the least ambiguous sets (Sadinle, Lei and Wasserman, JASA 114, 2019): all
emotions whose calibrated score reaches a bar that the truth reached in nine of ten clips it was
fitted on. Both hold for recordings like those, and less elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from emoscope.results.calibrated import Calibrated
from emoscope.results.scores import Scores, softmax
from emoscope.waveform import Array64, Indices

COVERAGE = 0.9
"""Share of cases in which the label set shall hold the truth."""
FEWEST = 50
"""Clips that it takes to fit: below, the bar of nine in ten is a guess."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Fitted calibration parameters of one model."""

    temperature: float
    """Above 1 the model was too sure, below 1 not sure enough."""
    label_set_threshold: float
    """Smallest calibrated score of an emotion in the label set."""
    coverage: float
    """What the bar was fitted for."""
    clips: int
    """How many it was fitted on."""
    fitted_on: str
    """Which ones those were, in words."""

    def __post_init__(self) -> None:
        if not (self.temperature > 0 and math.isfinite(self.temperature)):
            raise ValueError(f"a temperature is positive, not {self.temperature}")
        if not (0 <= self.label_set_threshold <= 1 and 0 < self.coverage < 1):
            raise ValueError("a bar and a coverage lie between 0 and 1")

    def apply(self, scores: Scores) -> Calibrated:
        """Say how sure one may be of these scores; the first emotion is always in the set."""
        (values,) = tempered(scores.values[None], self.temperature)
        # In the order of the scores themselves: dividing can round two of them to the same.
        order = [emotion for emotion, _ in scores.ranked()]
        inside = [emotion for emotion in order if values[emotion.index] >= self.label_set_threshold]
        keys = tuple(emotion.key for emotion in inside or order[:1])
        return Calibrated(float(values.max()), keys, self.coverage)

    def to_dict(self) -> dict[str, Any]:
        """As in a model's card."""
        card = asdict(self)
        card["set_bar"] = card.pop("label_set_threshold")
        return card

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Calibration:
        """Read what ``to_dict`` wrote; further keys are left alone.

        Raises:
            KeyError: a key is missing.
            TypeError, ValueError: a value is of the wrong kind.
        """
        return cls(
            float(data["temperature"]),
            float(data["set_bar"]),
            float(data["coverage"]),
            int(data["clips"]),
            str(data["fitted_on"]),
        )


def fit(scores: Array64, truth: Indices, fitted_on: str, coverage: float = COVERAGE) -> Calibration:
    """Fit temperature and bar on clips whose emotion is known and that taught the model nothing.

    Args:
        scores: of the model, shape ``(n, 9)``.
        truth: class of each clip, shape ``(n,)``.
        fitted_on: which clips those are, for the card.
        coverage: share of cases in which the label set shall hold the truth.

    Raises:
        ValueError: fewer than ``FEWEST`` clips.
    """
    if len(truth) < FEWEST:
        raise ValueError(f"{len(truth)} clips are too few to calibrate on; {FEWEST} are needed")
    temperature = _temperature(scores, truth)
    of_truth = np.sort(tempered(scores, temperature)[np.arange(len(truth)), truth])
    # The finite-sample rule: with one more clip of the same kind, nine in ten are still kept.
    below = math.floor((1 - coverage) * (len(truth) + 1)) - 1
    bar = float(of_truth[below]) if below >= 0 else 0.0
    return Calibration(temperature, bar, coverage, len(truth), fitted_on)


def tempered(scores: Array64, temperature: float) -> Array64:
    """Return the scores, shape ``(n, 9)``, as if the logits had been divided."""
    return softmax(np.log(np.maximum(scores, 1e-300)) / temperature)


def _temperature(scores: Array64, truth: Indices) -> float:
    return best_temperature(np.log(np.maximum(scores, 1e-300)), truth)


def best_temperature(logits: Array64, truth: Indices) -> float:
    """Return the temperature of the smallest mean negative log of the truth's score.

    Args:
        logits: shape ``(n, C)``.
        truth: class of each, shape ``(n,)``.
    """
    rows = np.arange(len(truth))

    def slope(inverse: float) -> float:
        """Of the loss, which is convex in 1 / temperature."""
        expected = (softmax(logits * inverse) * logits).sum(axis=1)
        return float((expected - logits[rows, truth]).mean())

    low, high = 1 / 20, 20.0
    for _ in range(60):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return 1 / math.sqrt(low * high)
