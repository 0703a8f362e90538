"""Gaps in a medium: cut out for the model, kept on the time axis.

A video whose sound starts late, or a stream that lost packets, has spans of time without sound. A
``Waveform`` has zeros there, so that its times are those of the medium. The model and the
recording check get only the sound itself, its pieces joined. Gaps are whole hops of 20 ms, so the
frames of the joined sound are frames of the medium too, each later by the gaps before it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emoscope.audio.spool import MEMORY_BYTES, Spool
from emoscope.waveform import HOP, RATE_HZ, Mask, Samples, Span, Waveform, release_pages

_BLOCK = 1 << 18
"""Samples of silence that are made at once."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Gap of a medium: a span without sound.

    Attributes:
        at: sample at 16 kHz of the joined sound before which the gap lies.
        samples: its length at 16 kHz; a multiple of ``HOP``.
    """

    at: int
    samples: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples / RATE_HZ

    def silence(self, channels: int) -> Iterator[Samples]:
        """Blocks of zeros as long as the gap, shape ``(channels, n)``."""
        for first in range(0, self.samples, _BLOCK):
            yield np.zeros((channels, min(_BLOCK, self.samples - first)), np.float32)


def interleaved(blocks: Iterable[Samples], gaps: Sequence[Gap]) -> Iterator[Samples | Gap]:
    """Pass blocks of joined sound on, with each gap in its place.

    Args:
        blocks: sound at 16 kHz, shape ``(channels, n)``.
        gaps: in order; more may be appended while the blocks come, before sound behind them does.
    """
    passed = given = 0
    for block in blocks:
        while given < len(gaps) and gaps[given].at < passed + block.shape[1]:
            before = max(0, gaps[given].at - passed)
            if before:
                yield block[:, :before]
                block, passed = block[:, before:], passed + before
            yield Gap(passed, gaps[given].samples)
            given += 1
        yield block
        passed += block.shape[1]


def spans_of(gaps: Iterable[Gap]) -> tuple[Span, ...]:
    """Return where gaps lie on the medium's time axis; neighbours are one span."""
    borders: list[int] = []
    shift = 0
    for gap in gaps:
        first = gap.at + shift
        shift += gap.samples
        if borders and borders[-1] == first:
            borders[-1] += gap.samples
        else:
            borders += [first, first + gap.samples]
    return spans_between(zip(borders[::2], borders[1::2], strict=True))


def borders_of(spans: Sequence[Span]) -> NDArray[np.int64]:
    """Return first and last (excluded) sample at 16 kHz of each span, shape ``(n, 2)``."""
    borders = [[round(span.start_s * RATE_HZ), round(span.end_s * RATE_HZ)] for span in spans]
    return np.array(borders, np.int64).reshape(-1, 2)


def spans_between(borders: Iterable[tuple[int, int]]) -> tuple[Span, ...]:
    """Return the spans of which ``borders_of`` made these samples."""
    return tuple(Span(first / RATE_HZ, last / RATE_HZ) for first, last in borders)


def gaps_of(waveform: Waveform) -> tuple[Gap, ...]:
    """Return the missing spans of a waveform at 16 kHz as gaps, each of whole hops.

    Of a span that is no multiple of a hop long, the rest at its end counts as sound.
    """
    gaps, removed = list[Gap](), 0
    for first, last in borders_of(waveform.missing).tolist():
        samples = (last - first) // HOP * HOP
        if samples:
            gaps.append(Gap(first - removed, samples))
            removed += samples
    return tuple(gaps)


def in_pieces(waveform: Waveform) -> Iterator[Samples | Gap]:
    """Walk through the sound of a waveform at 16 kHz and its gaps, in order."""
    at = removed = 0
    for gap in gaps_of(waveform):
        first = gap.at + removed
        if first > at:
            yield waveform.samples[at:first]
        yield gap
        removed += gap.samples
        at = first + gap.samples
    if at < len(waveform.samples):
        yield waveform.samples[at:]


def in_portions(waveform: Waveform, size: int) -> Iterator[Samples | Gap]:
    """Walk through a waveform as ``in_pieces`` does, at most ``size`` samples of sound at once."""
    for piece in in_pieces(waveform):
        if isinstance(piece, Gap):
            yield piece
            continue
        for first in range(0, len(piece), size):
            yield piece[first : first + size]
            release_pages(piece)


def without_gaps(waveform: Waveform) -> Waveform:
    """Return the sound of a waveform at 16 kHz, its pieces joined; a long one lies on the disk.

    Raises:
        StoreError: the folder for temporary files is full or cannot be written.
    """
    pieces = [piece for piece in in_pieces(waveform) if not isinstance(piece, Gap)]
    if len(pieces) < 2:
        samples = pieces[0] if pieces else waveform.samples[:0]
        return replace(waveform, samples=samples, missing=())
    spool = Spool(MEMORY_BYTES)
    for portion in in_portions(waveform, _BLOCK):
        if not isinstance(portion, Gap):
            spool.add(portion)
    return replace(waveform, samples=spool.take(), missing=())


class Axis:
    """Map from frames of the joined sound to the medium's time axis.

    Args:
        gaps: in order; more may be added while sound arrives.
    """

    def __init__(self, gaps: Iterable[Gap] = ()) -> None:
        self._rows: list[int] = []
        """Of each gap the first frame of the joined sound that begins behind it."""
        self._ends = [0]
        """Frames of all gaps before each gap, and of all gaps."""
        for gap in gaps:
            self.add(gap)

    def add(self, gap: Gap) -> None:
        """Take the next gap."""
        self._rows.append(-(-gap.at // HOP))
        self._ends.append(self._ends[-1] + gap.samples // HOP)

    def stretches(self, first: int, last: int) -> Iterator[tuple[int, int, bool]]:
        """Lay the frames ``[first, last)`` of the joined sound, and the gaps before them, out.

        Yields:
            first frame on the medium's axis, number of frames, and whether they are missing.
        """
        at, number = first, bisect_left(self._rows, first)
        while number < len(self._rows) and self._rows[number] < last:
            shift, row = self._ends[number], self._rows[number]
            if row > at:
                yield at + shift, row - at, False
                at = row
            yield at + shift, self._ends[number + 1] - shift, True
            number += 1
        if last > at:
            yield at + self._ends[number], last - at, False

    def missing(self, total: int) -> Mask:
        """Return which frames of the medium hold no sound, shape ``(T,)``.

        Args:
            total: frames of the joined sound; a gap that would lie behind them ends the medium.
        """
        mask = np.zeros(total + self._ends[-1], np.bool_)
        for row, before, end in zip(self._rows, self._ends, self._ends[1:], strict=False):
            mask[min(row, total) + before : min(row, total) + end] = True
        return mask
