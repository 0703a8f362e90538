"""Audio bandwidth of a recording, and whether a filter or codec cut it off.

Voices fade towards high frequencies; filters and codecs cut. What was once sampled at 8 kHz falls
by 70 dB within 200 Hz, where a voice in a room falls by 10 to 28 dB. A smooth low-pass has no such
edge; it falls by 48 dB and more from one octave to the next, where voices fall by up to 28 dB.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emoscope.audio.snr import SIZE
from emoscope.waveform import Array64

_FLOOR = 1e-6
"""Sound 60 dB under the strongest line is practically none."""
_CLIFF_DB = 35.0
"""Steeper is a cut: 95 % of clips of each of seven corpora stay below 28 dB."""
_FADE_DB = 42.0
"""Steeper over an octave is a filter: none of 480 clean clips of four corpora falls by 28 dB."""
_FADES_HZ = (1_500, 2_000, 2_500, 3_000, 3_500)
"""From around each of these to around its double: filters up to 4 kHz."""
_GAP = 3
_BELOW, _ABOVE = 9, 16
"""Lines that are compared below and above an edge of twice ``_GAP``: 280, 190 and 500 Hz."""


@dataclass(frozen=True, slots=True)
class Band:
    """Upper end of the band that holds sound."""

    upper_hz: float
    is_cut: bool
    """Whether it ends at an edge that no voice has."""
    fades: bool = False
    """Whether it falls within an octave as no voice does, without an edge."""


def band(power: Array64, rate_hz: int) -> Band:
    """Measure the mean of some spectra, shape ``(n, 257)``."""
    mean = power.mean(axis=0)
    mean[:2] = 0.0  # an offset of the converter is no sound
    audible = np.flatnonzero(mean >= mean.max() * _FLOOR)
    if not mean.max():
        return Band(0.0, False)
    hz = rate_hz / SIZE
    cut = _edge(mean)
    # Vowels fall steeply as well, but something is left of them above.
    is_cut = cut is not None and bool(audible[-1] <= cut + 2 * _GAP)
    upper_hz = float(audible[-1] * hz)
    end_hz = None if is_cut else _fade(mean, rate_hz)
    return Band(upper_hz, is_cut) if end_hz is None else Band(min(upper_hz, end_hz), False, True)


def _fade(mean: Array64, rate_hz: int) -> float | None:
    """Frequency by which the sound has fallen by 20 dB, if it falls as no voice does."""
    levels = 10 * np.log10(mean / mean.max() + 1e-12)
    lines_hz = np.arange(len(mean)) * rate_hz / SIZE

    def power(low_hz: float, high_hz: float) -> float:
        return float(mean[(lines_hz >= low_hz) & (lines_hz < high_hz)].mean() / mean.max())

    for start_hz in _FADES_HZ:
        start_db, end_db = (
            10 * float(np.log10(power(low_hz, high_hz) + 1e-12))
            for low_hz, high_hz in (
                (start_hz / 1.15, start_hz * 1.15),
                (2 * start_hz / 1.12, min(2 * start_hz * 1.12, 7_900.0)),
            )
        )
        if start_db - end_db > _FADE_DB:
            above = lines_hz > start_hz
            return float(lines_hz[above][levels[above] >= start_db - 20].max(initial=start_hz))
    return None


def _edge(mean: Array64) -> int | None:
    """Line of the steepest fall, if it is a cut."""
    levels = 10 * np.log10(mean[2:] / mean.max() + 1e-10)
    sums = np.concatenate([[0.0], np.cumsum(levels)])
    edges = np.arange(_BELOW + _GAP, len(levels) - _GAP - 4)
    last = np.minimum(edges + _GAP + _ABOVE, len(levels))
    below = (sums[edges - _GAP] - sums[edges - _GAP - _BELOW]) / _BELOW
    above = (sums[last] - sums[edges + _GAP]) / (last - edges - _GAP)
    # Below the floor there is nothing left that could fall.
    falls = np.where(below > 10 * np.log10(_FLOOR), below - above, 0.0)
    steepest = int(falls.argmax())
    return int(edges[steepest]) + 2 if falls[steepest] >= _CLIFF_DB else None
