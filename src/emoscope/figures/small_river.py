"""Small river of a result as SVG, without words: for cards and rows of a list.

Each emotion is the area from its upper edge down to the floor, painted before those that lie lower:
half the points of closed bands, about one kilobyte in all.
"""

from __future__ import annotations

import html
import itertools

import numpy as np
from numpy.typing import NDArray

from emoscope.labels import EMOTIONS
from emoscope.results.result import Result
from emoscope.waveform import HOP_S

SMALL_WIDTH, SMALL_HEIGHT = 240, 48
_COLUMNS = 40
_SMALLEST = 0.02
"""Largest share of an emotion that is not drawn; it joins the one above it."""
_SMOOTHING_SHARE = 1 / 30
"""Width of the window that scores are averaged over, as a share of the recording."""


def small_river(result: Result, label: str) -> str:
    """Return the scores over time, or one block of them for a result without a track.

    Silence is left blank. Colours are those of the labels; a page may give others by the class
    ``emo-of-KEY`` of each path.

    Args:
        result: with or without a track.
        label: what a screen reader says; empty where words beside it say the same.
    """
    rows, quiet = _rows(result)
    paths = _paths(rows)
    step = SMALL_WIDTH / len(rows)
    blanks = "".join(
        f'<path class="emo-of-silence" fill="#fff" d="M{first * step:.0f} 0H{last * step:.0f}'
        f'V{SMALL_HEIGHT}H{first * step:.0f}z"/>'
        for first, last in _runs(quiet)
    )
    named = f'role="img" aria-label="{html.escape(label)}"' if label else 'aria-hidden="true"'
    return (
        f'<svg class="emo-small-river" viewBox="0 0 {SMALL_WIDTH} {SMALL_HEIGHT}" '
        f'preserveAspectRatio="none" {named}>{paths}{blanks}</svg>'
    )


def _rows(result: Result) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Mean scores of each column, shape ``(columns, 9)``, and which columns are silent."""
    track = result.track
    if track is None or not len(track):
        one = result.scores.values[np.newaxis]
        return one, np.zeros(1, np.bool_)
    smooth = track.smoothed(result.duration_s * _SMOOTHING_SHARE)
    edges = np.linspace(0, len(smooth), min(_COLUMNS, len(smooth)) + 1).round().astype(int)
    middles_s = (edges[:-1] + edges[1:]) / 2 * HOP_S
    rows = np.array([smooth[a:b].mean(axis=0) for a, b in itertools.pairwise(edges)])
    quiet = np.zeros(len(rows), np.bool_)
    for segment in result.segments:
        if segment.silent:
            quiet |= (middles_s >= segment.span.start_s) & (middles_s < segment.span.end_s)
    return rows, quiet


def _paths(rows: NDArray[np.float64]) -> str:
    """Areas from the highest edge to the lowest; the largest emotion lies at the bottom."""
    order = [int(k) for k in np.argsort(-rows.sum(axis=0), kind="stable")]
    order = [k for k in order if rows[:, k].max() > _SMALLEST] or order[:1]
    heights = np.cumsum(rows[:, order], axis=1)
    heights /= heights[:, -1:]
    tops = (SMALL_HEIGHT * (1 - heights)).round().astype(int)
    xs = ((np.arange(len(rows)) + 0.5) * SMALL_WIDTH / len(rows)).round().astype(int)
    parts = []
    for place in reversed(range(len(order))):
        emotion, ys = EMOTIONS[order[place]], tops[:, place]
        steps = zip(np.diff(xs), np.diff(ys), strict=True)
        line = "".join(f"l{dx} {dy}" for dx, dy in steps)
        parts.append(
            f'<path class="emo-of-{emotion.key}" fill="{emotion.colour}" '
            f'd="M0 {SMALL_HEIGHT}V{ys[0]}H{xs[0]}{line}H{SMALL_WIDTH}V{SMALL_HEIGHT}z"/>'
        )
    return "".join(parts)


def _runs(mask: NDArray[np.bool_]) -> list[list[int]]:
    """First and last (excluded) position of each run of true."""
    borders = np.flatnonzero(np.diff(mask, prepend=False, append=False))
    return [[int(first), int(last)] for first, last in borders.reshape(-1, 2)]
