"""Multi-resolution pyramid of scores and loudness, for zoomable curves of hours.

A column of level 0 is one 20 ms frame; each level above holds half as many, twice as wide. Below
level 0 only the waveform gets finer. A picture asks for tiles of ``TILE`` columns; the one tile of
the level ``top`` shows the whole recording.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emoscope.labels import COUNT
from emoscope.results.result import Result
from emoscope.results.track import Track
from emoscope.waveform import HOP_S, RATE_HZ, Samples, Waveform

TILE = 1024
"""Columns in one answer."""
FINEST = -4
"""The level whose columns are 20 samples wide, 1.25 ms."""
SMOOTHING_S = 0.3
"""Width of the window that the drawn scores are averaged over."""
DOUBT_MARGIN = 0.1
"""Where the first leads the second by less, the picture is hatched."""

LOUD_RANGE_DB = 36.0
"""Below the loud parts by this much, a column of the waveform is flat."""

_FINE_HOP = round(HOP_S * RATE_HZ) >> -FINEST
_PAUSE_COLUMNS = 15
"""Quiet for less than 0.3 s is a breath between words, and no silence."""
_AUDIBLE = 10 ** (-60 / 20)

Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Data of the timeline of one result; about 25 MB for two hours."""

    duration_s: float
    lows: tuple[Array, ...]
    """Per level from ``FINEST`` on: smallest sample of each column, int8 of the loudest's 127."""
    highs: tuple[Array, ...]
    loud: tuple[Array, ...]
    """Per level from 0 on: mean loudness of each column, hundredths of the scale of decibels from
    ``LOUD_RANGE_DB`` below the loud parts (0) to them (100), uint8."""
    scores: tuple[Array, ...]
    """Per level from 0 on: thousandths, uint16, shape ``(columns, 9)``; empty without track."""
    quiet: tuple[Array, ...]
    """Per level from 0 on: hundredths of the column that are silent."""
    doubt: tuple[Array, ...]
    """Per level from 0 on: hundredths of the column in which no emotion leads clearly."""

    @property
    def top(self) -> int:
        """The first level whose columns fit one tile."""
        return next(level for level in range(len(self.quiet)) if len(self.quiet[level]) <= TILE)

    def tile(self, level: int, index: int) -> dict[str, Any] | None:
        """Return one tile as JSON, or None where there is none.

        Returns:
            ``level`` and ``index``; ``low`` and ``high``: one number a column, −127 to 127. From
            level 0 on also ``loud``, ``quiet`` and ``doubt``, 0 to 100, and ``scores``: nine
            thousandths a column in one flat list, or None when the result has no track.
        """
        if not FINEST <= level <= self.top:
            return None
        first, last = index * TILE, (index + 1) * TILE
        if not 0 <= first < len(self.lows[level - FINEST]):
            return None
        tile: dict[str, Any] = {
            "level": level,
            "index": index,
            "low": self.lows[level - FINEST][first:last].tolist(),
            "high": self.highs[level - FINEST][first:last].tolist(),
        }
        if level >= 0:
            tile["loud"] = self.loud[level][first:last].tolist()
            tile["quiet"] = self.quiet[level][first:last].tolist()
            tile["doubt"] = self.doubt[level][first:last].tolist()
            scores = self.scores[level][first:last] if self.scores else None
            tile["scores"] = None if scores is None else scores.ravel().tolist()
        return tile


def curve_of(result: Result, sound: Waveform | Iterable[Samples]) -> Curve:
    """Make the levels.

    Args:
        result: with or without a track.
        sound: what it was made from, at 16 kHz, whole or in pieces.
    """
    pieces = sound.blocks() if isinstance(sound, Waveform) else sound
    low, high, power = _columns(pieces)
    loudest = max(int(high.max(initial=0)), -int(low.min(initial=0)), 1)
    lows, highs = [_bytes_of(low, loudest)], [_bytes_of(high, loudest)]
    while len(lows[-1]) > TILE or len(lows) <= -FINEST:
        lows.append(_halved(lows[-1], np.minimum))
        highs.append(_halved(highs[-1], np.maximum))
    peaks = np.maximum(-lows[-FINEST].astype(np.int16), highs[-FINEST]) / 127 * loudest / 32_768
    columns = len(peaks)
    silent = _silent_segments(result, columns)
    quiet = [((_silence(peaks) if silent is None else silent) * 100).astype(np.float32)]
    rows, doubt = _rows(result.track, columns)
    if is_unusable(result):
        doubt = np.full(columns, 100.0, np.float32)
    doubts, scores = [doubt], [] if rows is None else [rows]
    powers = [np.add.reduceat(power, np.arange(0, len(power), 1 << -FINEST))[:columns]]
    while len(quiet[-1]) > TILE:
        quiet.append(_means(quiet[-1]))
        doubts.append(_means(doubts[-1]))
        powers.append(_means(powers[-1]))
        if scores:
            scores.append(_means(scores[-1]))
    return Curve(
        duration_s=result.duration_s,
        lows=tuple(lows),
        highs=tuple(highs),
        loud=_loudness(powers),
        scores=tuple((level * 1000).round().astype(np.uint16) for level in scores),
        quiet=tuple(level.round().astype(np.uint8) for level in quiet),
        doubt=tuple(level.round().astype(np.uint8) for level in doubts),
    )


def is_unusable(result: Result) -> bool:
    """Whether no moment of a recording can be judged, so that its curve is hatched throughout.

    Where only the answer over all of it is too close, each moment may still be clear.
    """
    return any(reason != "low_margin" for reason in result.abstain)


def _columns(pieces: Iterable[Samples]) -> tuple[Array, Array, Array]:
    """Smallest and largest sample of each finest column, as int16 of full scale 32768; power."""
    lows, highs, powers = [], [], []
    rest = np.empty(0, np.float32)
    for piece in pieces:
        samples = np.concatenate([rest, piece]) if len(rest) else piece
        whole = len(samples) // _FINE_HOP * _FINE_HOP
        rest = samples[whole:]
        blocks = samples[:whole].reshape(-1, _FINE_HOP)
        lows.append(_int16(blocks.min(axis=1)))
        highs.append(_int16(blocks.max(axis=1)))
        powers.append(np.square(blocks).mean(axis=1))
    if len(rest) or not lows:
        lows.append(_int16(rest.min(initial=0, keepdims=True)))
        highs.append(_int16(rest.max(initial=0, keepdims=True)))
        powers.append(np.square(rest).sum(keepdims=True) / max(1, len(rest)))
    return np.concatenate(lows), np.concatenate(highs), np.concatenate(powers)


def _loudness(powers: Sequence[Array]) -> tuple[Array, ...]:
    """Each level's loudness, as bars of a waveform: by decibels, so that speech and pauses differ.

    100 is the loudest twentieth of the same level: means over long columns are lower than those
    over short ones, and each picture fills its height.
    """
    levels = []
    for power in powers:
        decibels = 10 * np.log10(np.maximum(power, 1e-10))
        top_db = max(float(np.percentile(decibels, 95)), -60.0)
        share = 1 + (decibels - top_db) / LOUD_RANGE_DB
        levels.append((np.clip(share, 0, 1) * 100).round().astype(np.uint8))
    return tuple(levels)


def _int16(samples: Samples) -> Array:
    return np.clip(samples * 32_768, -32_768, 32_767).astype(np.int16)


def _bytes_of(samples: Array, loudest: int) -> Array:
    return (samples.astype(np.float32) / loudest * 127).round().astype(np.int8)


def _halved(level: Array, join: np.ufunc) -> Array:
    """Join neighbours; a last one without a neighbour stays as it is."""
    return np.asarray(join.reduceat(level, np.arange(0, len(level), 2)))


def _means(level: Array) -> Array:
    sums = np.add.reduceat(level, np.arange(0, len(level), 2), axis=0)
    sums[: len(level) // 2] /= 2
    return np.asarray(sums)


def _rows(track: Track | None, columns: int) -> tuple[Array | None, Array]:
    """Smoothed scores, one row a column, and where no emotion leads clearly."""
    if track is None:
        return None, np.zeros(columns, np.float32)
    rows = track.smoothed(SMOOTHING_S).astype(np.float32)
    # Sound goes on a little after the last whole frame.
    rows = rows[np.minimum(np.arange(columns), len(rows) - 1)]
    second, first = np.partition(rows, COUNT - 2, axis=1)[:, -2:].T
    return rows, ((first - second < DOUBT_MARGIN) * 100).astype(np.float32)


def _silent_segments(result: Result, columns: int) -> NDArray[np.bool_] | None:
    """Where the speech detector found none; None where it was not run."""
    if result.track is None or result.track.speech is None:
        return None
    silent = np.zeros(columns, dtype=bool)
    for segment in result.segments:
        if segment.silent:
            silent[round(segment.span.start_s / HOP_S) : round(segment.span.end_s / HOP_S)] = True
    return silent


def _silence(peaks: Array) -> NDArray[np.bool_]:
    """Silent stretches: far below the loud parts, near the quiet ones."""
    levels_db = 20 * np.log10(np.maximum(peaks, 1e-5))
    low_db, loud_db = np.percentile(levels_db, [10, 98])
    quiet = peaks < _AUDIBLE
    if loud_db - low_db > 12.0:
        quiet |= levels_db < low_db + 0.3 * (loud_db - low_db)
    borders = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(np.int8)))
    for first, last in borders.reshape(-1, 2):
        if last - first < _PAUSE_COLUMNS:
            quiet[first:last] = False
    return np.asarray(quiet)
