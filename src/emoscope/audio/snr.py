"""Signal-to-noise ratio of speech, estimated by minimum statistics.

Minimum statistics (R. Martin, IEEE Trans. Speech and Audio Processing 9(5), 2001), in short: in
every band speech pauses often, between words, sounds and harmonics, so a band's quiet moments show
its noise even where the clip never pauses as a whole. A low percentile of white noise lies under
its mean by a known factor, which is divided out.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from emoscope.waveform import Array64, Mask, Samples, Span, release_pages

SIZE = 512
"""Samples under one spectrum: 32 ms at 16 kHz."""
SPECTRUM_STEP = SIZE // 2
_BANDS = 5
"""Neighbouring lines that are averaged: 156 Hz."""
_PERCENTILE = 10
_LOW_OVER_MEAN = 0.383
"""That percentile of five averaged lines of white noise, over their mean; a test measures it."""
_LOWEST = 3
"""Lines below 94 Hz hold hum and rumble more than speech."""
_MOST = 4_000
"""Spectra that are looked at in a long recording: one minute of it, evenly spread."""
_AT_ONCE = 1_000
HIGHEST_DB = 80.0
"""Synthesizers pause with zeros; more than this says nothing more."""


def spectra(samples: Samples, most: int = _MOST) -> tuple[Array64, Array64]:
    """Power spectra of up to ``most`` windows, evenly spread over the recording.

    Returns:
        the middle of each window in samples, shape ``(n,)``, and its power per line, shape
        ``(n, 257)``; at least one window, padded with zeros if the sound is shorter.
    """
    if len(samples) < SIZE:
        samples = np.pad(samples, (0, SIZE - len(samples)))
    step = max(SPECTRUM_STEP, (len(samples) - SIZE) // most)
    starts = np.arange(0, len(samples) - SIZE + 1, step)
    power = np.vstack(list(_power(samples, starts)))
    return np.asarray(starts + SIZE / 2, dtype=np.float64), power


def _power(samples: Samples, starts: NDArray[np.intp]) -> Iterator[Array64]:
    window = np.hanning(SIZE)
    for some in np.array_split(starts, -(-len(starts) // _AT_ONCE)):
        yield np.square(np.abs(np.fft.rfft(samples[some[:, None] + np.arange(SIZE)] * window)))
        release_pages(samples)


def snr_db(power: Array64, speaking: Mask) -> float | None:
    """Power of the speech over that of the noise, in dB.

    Args:
        power: power spectra, shape ``(n, 257)``, as ``spectra`` returns them.
        speaking: which windows lie in speech, bool of shape ``(n,)``.

    Returns:
        None where there are fewer than four windows of speech; else at most ``HIGHEST_DB``.
    """
    if speaking.sum() < 4:
        return None
    used = power[:, _LOWEST:]
    noise = np.percentile(_averaged(used), _PERCENTILE, axis=0).sum() / _LOW_OVER_MEAN
    total = used[speaking].mean(axis=0).sum()
    speech = max(float(total - noise), 1e-10 * float(total))
    return float(np.clip(10 * np.log10(max(speech, 1e-20) / max(noise, 1e-20)), -20.0, HIGHEST_DB))


def _averaged(power: Array64) -> Array64:
    """Mean over ``_BANDS`` neighbouring lines."""
    half = _BANDS // 2
    padded = np.pad(power, ((0, 0), (half, half)), "edge")
    sums = sum(padded[:, at : at + power.shape[1]] for at in range(_BANDS))
    return np.asarray(sums / _BANDS)


def inside(middles: Array64, spans: list[Span], rate_hz: int) -> Mask:
    """Mark the windows whose middle lies in one of the spans.

    Args:
        middles: middle of each window in samples, shape ``(n,)``.
        spans: spans in order, without overlap.
        rate_hz: samples per second.

    Returns:
        bool of shape ``(n,)``.
    """
    borders = np.array([at for span in spans for at in (span.start_s, span.end_s)]) * rate_hz
    return np.asarray(np.searchsorted(borders, middles, side="right") % 2 == 1)
