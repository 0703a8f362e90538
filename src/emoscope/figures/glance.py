"""A recording at a glance: scores smoothed over a share of the view, short segments merged.

The rules are those of ``web/static/curve.js``, so that a saved picture looks like the page.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emoscope.figures.pyramid import SMOOTHING_S
from emoscope.labels import Emotion
from emoscope.results.result import Result
from emoscope.results.segments import Segment
from emoscope.results.summary import Moment

_VIEW_SHARE = 1 / 60
_PAUSE_WEIGHT = 0.25
"""A stretch is named a pause only where speech is rare."""


def smoothing_s(span_s: float) -> float:
    """Seconds to average over in a view of so many: a sixtieth, less what the curve has already."""
    return math.sqrt(max(0.0, (span_s * _VIEW_SHARE) ** 2 - SMOOTHING_S**2))


def decisive_moments(result: Result) -> list[Moment]:
    """Return the moments that spoke for the answer, in order of time; none where it abstains."""
    if result.summary is None or result.abstain:
        return []
    spoke = (moment for moment in result.summary.moments if moment.logit > 0)
    return sorted(spoke, key=lambda moment: moment.span.start_s)


def smoothed_rows(
    rows: NDArray[np.float64], quiet: NDArray[np.float64], columns: float
) -> NDArray[np.float64]:
    """Average scores over a centred window; silence does not count.

    Args:
        rows: scores, shape ``(columns, 9)``.
        quiet: share of each column that is silent, 0 to 1.
        columns: width of the window; under 2 nothing is averaged.
    """
    half = round(columns / 4)
    if not half:
        return rows
    weights = (1.001 - quiet)[:, np.newaxis]
    # Two windows of half the width: without the corners of a single one.
    sums = _averaged(_averaged(rows * weights, half), half)
    return np.asarray(sums / _averaged(_averaged(weights, half), half))


def smoothed_share(share: NDArray[np.float64], columns: float) -> NDArray[np.float64]:
    """Average a number per column over a centred window.

    Args:
        share: one number a column.
        columns: width of the window; under 2 nothing is averaged.
    """
    half = round(columns / 4)
    if not half:
        return share
    return _averaged(_averaged(share[:, np.newaxis], half), half)[:, 0]


def _averaged(values: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    sums = np.vstack([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    at = np.arange(len(values))
    low, high = np.maximum(0, at - half), np.minimum(len(values), at + half + 1)
    return np.asarray((sums[high] - sums[low]) / (high - low)[:, np.newaxis])


@dataclass(frozen=True, slots=True)
class Stretch:
    """One or several neighbouring segments, named after most of them."""

    start_s: float
    end_s: float
    parts: tuple[tuple[Emotion, float], ...]
    """Each emotion, or silence, with its seconds."""

    @property
    def duration_s(self) -> float:
        """Its length."""
        return self.end_s - self.start_s

    @property
    def emotion(self) -> Emotion:
        """The emotion of most of it."""
        return max(
            self.parts, key=lambda part: part[1] * (_PAUSE_WEIGHT if part[0].index < 0 else 1)
        )[0]

    def joined(self, after: Stretch) -> Stretch:
        """Return this and the next as one."""
        totals = dict(self.parts)
        for emotion, seconds in after.parts:
            totals[emotion] = totals.get(emotion, 0.0) + seconds
        return Stretch(self.start_s, after.end_s, tuple(totals.items()))


def merged_segments(segments: Sequence[Segment], least_s: float) -> list[Stretch]:
    """Merge segments that are too short to be seen.

    Short ones in a row join one another until they are long enough; one that is left between long
    ones joins the longer of them; neighbours that get one name are one.

    Args:
        segments: of the whole recording, in order.
        least_s: what is shorter joins; 0 merges nothing but neighbours of one emotion.
    """
    kept: list[Stretch] = []
    for segment in segments:
        span = segment.span
        one = Stretch(span.start_s, span.end_s, ((segment.emotion, span.duration_s),))
        if not kept or kept[-1].duration_s >= least_s:
            kept.append(one)
        elif one.duration_s >= least_s and len(kept) > 1 and kept[-2].duration_s > one.duration_s:
            kept[-2:] = [kept[-2].joined(kept[-1]), one]
        else:
            kept[-1] = kept[-1].joined(one)
    if len(kept) > 1 and kept[-1].duration_s < least_s:
        kept[-2:] = [kept[-2].joined(kept[-1])]
    together: list[Stretch] = []
    for one in kept:
        if together and together[-1].emotion is one.emotion:
            together[-1] = together[-1].joined(one)
        else:
            together.append(one)
    return together
