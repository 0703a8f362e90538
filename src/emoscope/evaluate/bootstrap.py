"""Bootstrap over speakers: intervals of figures, and paired intervals of their differences.

Whole speakers are drawn with replacement, because clips of one speaker are not independent. Two
systems on the same clips are measured in the same draws, so that their difference has an interval
of its own, narrower than the two intervals beside each other suggest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emoscope.waveform import Array64, Indices

LEVEL = 0.95
"""Of all intervals."""
DRAWS = 1_000
FEW_SPEAKERS = 5
"""With fewer the intervals are told to be unsure."""
_CELLS = 4_000_000
"""Numbers held at once while drawing."""


@dataclass(frozen=True, slots=True)
class Resampling:
    """How the intervals of a report were made."""

    draws: int
    seed: int
    speakers: int
    """Speakers that the list names, told apart by corpus as well."""
    nameless: int
    """Clips without a speaker; each counts as a speaker of its own."""

    @property
    def units(self) -> int:
        """How many are drawn."""
        return self.speakers + self.nameless

    def to_dict(self) -> dict[str, float | int]:
        """As in the report."""
        return {
            "level": LEVEL,
            "draws": self.draws,
            "seed": self.seed,
            "speakers": self.speakers,
            "clips_without_speaker": self.nameless,
        }


@dataclass(frozen=True, slots=True, eq=False)
class DrawnCounts:
    """Clips by class in each draw of the bootstrap, or in the list itself."""

    hits: Array64
    """Right answers by class of the truth, shape ``(draws, C)``."""
    clips: Array64
    """By class of the truth, shape ``(draws, C)``."""
    answered: Array64
    """By class of the answer, shape ``(draws, C)``."""

    def uar(self) -> Array64:
        """Mean recall of the classes that a draw has, shape ``(draws,)``."""
        return _mean_where(self.hits / np.maximum(self.clips, 1), self.clips > 0)

    def accuracy(self) -> Array64:
        """Share of right answers, shape ``(draws,)``."""
        return np.asarray(self.hits.sum(axis=-1) / np.maximum(self.clips.sum(axis=-1), 1))

    def macro_f1(self) -> Array64:
        """Mean F1 of the classes that a draw has or answers, shape ``(draws,)``."""
        both = self.clips + self.answered
        return _mean_where(2 * self.hits / np.maximum(both, 1), both > 0)


class SpeakerBootstrap:
    """Bootstrap of the counts of clips that draws whole speakers, the same for all systems.

    Args:
        truth: class of each clip, shape ``(n,)``.
        speakers: one per clip, with the corpus in its name where names repeat; a clip with an
            empty one counts as a speaker of its own.
        classes: how many classes there are.
        draws: bootstrap samples.
        seed: of the drawing, so that a second run gives the same intervals.
    """

    def __init__(
        self,
        truth: Indices,
        speakers: Sequence[str],
        classes: int,
        *,
        draws: int = DRAWS,
        seed: int = 0,
    ) -> None:
        self._truth, self._classes = truth, classes
        names = [name or f"clip {at}" for at, name in enumerate(speakers)]
        _, self._owner = np.unique(np.array(names, dtype=np.str_), return_inverse=True)
        nameless = sum(not name for name in speakers)
        found = int(self._owner.max()) + 1
        self.resampling = Resampling(draws, seed, found - nameless, nameless)

    def counts(self, answers: Indices) -> tuple[DrawnCounts, DrawnCounts]:
        """Return the counts of answers, shape ``(n,)``: of the list, and of each draw."""
        tables = (
            self._by_speaker(self._truth, answers == self._truth),
            self._by_speaker(self._truth, np.ones(len(self._truth), bool)),
            self._by_speaker(answers, np.ones(len(self._truth), bool)),
        )
        drawn = np.split(self._drawn(np.hstack(tables)), 3, axis=1)
        return DrawnCounts(*(one.sum(axis=0, keepdims=True) for one in tables)), DrawnCounts(*drawn)

    def sums(self, rows: Array64) -> tuple[Array64, Array64]:
        """Return sums of numbers of each clip, shape ``(n, k)``: ``(1, k)`` and ``(draws, k)``."""
        by_speaker = np.zeros((self.resampling.units, rows.shape[1]))
        np.add.at(by_speaker, self._owner, rows)
        return by_speaker.sum(axis=0, keepdims=True), self._drawn(by_speaker)

    def uar(self, answers: Indices) -> tuple[float, Array64]:
        """Return the UAR of answers, shape ``(n,)``, and that of each draw, ``(draws,)``."""
        own, drawn = self.counts(answers)
        return float(own.uar()[0]), drawn.uar()

    def interval(self, drawn: Array64) -> tuple[float, float] | None:
        """Return the interval of a figure from its draws; None of a single speaker."""
        if self.resampling.units < 2:
            return None
        return percentiles(drawn)

    def estimate(self, answers: Indices) -> Estimate:
        """Return the UAR of answers with its interval, of zero width for one speaker."""
        value, drawn = self.uar(answers)
        return Estimate(value, *percentiles(drawn))

    def difference(self, answers: Indices, others: Indices) -> Estimate:
        """Return by how much the UAR of answers lies over that of others, in the same draws."""
        (value, drawn), (other, others_drawn) = self.uar(answers), self.uar(others)
        return Estimate(value - other, *percentiles(drawn - others_drawn))

    def _drawn(self, by_speaker: Array64) -> Array64:
        """Sum rows of shape ``(speakers, k)`` over the speakers of each draw: ``(draws, k)``."""
        count, draws = self.resampling.units, self.resampling.draws
        generator = np.random.default_rng(self.resampling.seed)
        step = max(1, _CELLS // count)
        sums = np.empty((draws, by_speaker.shape[1]))
        for first in range(0, draws, step):
            rows = generator.integers(0, count, (min(step, draws - first), count))
            weights = np.stack([np.bincount(row, minlength=count) for row in rows])
            sums[first : first + step] = weights.astype(np.float64) @ by_speaker
        return sums

    def _by_speaker(self, classes: Indices, counted: np.ndarray) -> Array64:
        """Count clips by speaker and class, shape ``(speakers, classes)``."""
        place = self._owner * self._classes + classes
        size = self.resampling.units * self._classes
        flat = np.bincount(place, weights=counted.astype(np.float64), minlength=size)
        return flat.astype(np.float64).reshape(-1, self._classes)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float

    def to_list(self) -> list[float]:
        """Value, low and high, for JSON."""
        return [self.value, self.low, self.high]


def percentiles(drawn: Array64) -> tuple[float, float]:
    """Return the borders of the interval of a figure, from its draws."""
    rest = 50 * (1 - LEVEL)
    low, high = np.nanpercentile(drawn, [rest, 100 - rest])
    return float(low), float(high)


def _mean_where(values: Array64, there: np.ndarray) -> Array64:
    """Mean over the last axis of the values that count; 0 where none does."""
    kept = np.where(there, values, 0.0)
    means: Array64 = kept.sum(axis=-1) / np.maximum(there.sum(axis=-1), 1)
    return means
