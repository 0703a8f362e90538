"""Audio bandwidth of a recording, and whether a filter or codec cut it off.

Voices fade towards high frequencies; filters and codecs cut. What was once sampled at 8 kHz falls
by 70 dB within 200 Hz, where a voice in a room falls by 10 to 28 dB.
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
_GAP = 3
_BELOW, _ABOVE = 9, 16
"""Lines that are compared below and above an edge of twice ``_GAP``: 280, 190 and 500 Hz."""


@dataclass(frozen=True, slots=True)
class Band:
    """Upper end of the band that holds sound."""

    upper_hz: float
    is_cut: bool
    """Whether it ends at an edge that no voice has."""


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
    return Band(float(audible[-1] * hz), is_cut)


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
