"""The recording check: what stands between this recording and a good answer (P36).

Plain measurements on the samples, the same for every model. Reasons are codes; the sentence of
advice for each belongs to the faces.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from emoscope.result import Array64, Quality
from emoscope.waveform import Samples, Waveform, forget

SILENCE_DBFS = -80.0
"""A recording whose loudest sample stays below this holds nothing: it is refused, not judged."""

_FRAME_S = 0.025
_AUDIBLE_DBFS = -60.0
"""A frame below this counts as silence whatever the rest is like."""
_BLOCK = 1 << 18
_CLIP_RUN = 3
"""So many neighbouring samples at full scale are a flat top; one alone may be a true peak."""


def check(waveform: Waveform) -> Quality:
    """Measure a recording.

    Levels are relative to full scale (dBFS). ``speech_share`` counts the 25 ms frames that stand
    out from the quietest tenth; ``snr_db`` compares their power with that of the quietest tenth,
    and is None when the recording never pauses. ``bandwidth_hz`` is where the long-term spectrum
    falls 60 dB under its maximum for good.
    """
    samples = waveform.samples
    peak = max((float(np.abs(block).max()) for block in _blocks(samples)), default=0.0)
    power = sum(float(np.square(block, dtype=np.float64).sum()) for block in _blocks(samples))
    level_dbfs = _dbfs((power / max(1, len(samples))) ** 0.5)
    levels = _frame_levels(samples, waveform.rate_hz)
    # One word in a long silence fills few frames, and a click fewer still.
    quiet, loud = (float(level) for level in np.percentile(levels, [10, 98]))
    pauses = loud - quiet > 6.0
    threshold = max(_AUDIBLE_DBFS, quiet + 0.3 * (loud - quiet) if pauses else quiet)
    speech = levels[levels >= threshold]
    quality = Quality(
        level_dbfs=level_dbfs,
        peak=peak,
        clipped_share=_clipped_share(samples),
        snr_db=_mean_dbfs(speech) - quiet if pauses and len(speech) else None,
        bandwidth_hz=_bandwidth_hz(samples, waveform.rate_hz),
        speech_share=len(speech) / len(levels),
    )
    reasons = tuple(_reasons(quality, waveform.duration_s))
    return replace(quality, reasons=reasons)


def _reasons(quality: Quality, duration_s: float) -> list[str]:
    """Limits of the advice in P6."""
    found = {
        "too_short": duration_s < 1.0,
        "too_long": duration_s > 30.0,
        "too_quiet": quality.level_dbfs < -45.0,
        "clipped": quality.clipped_share > 0.001,
        "low_snr": quality.snr_db is not None and quality.snr_db < 12.0,
        # What was once sampled at 8 kHz ends at 3.9 kHz; other speech seldom ends below 4.1 kHz.
        "band_limited": quality.bandwidth_hz < 3_950.0,
        "little_speech": 0.02 <= quality.speech_share < 0.2,
        "no_speech": quality.speech_share < 0.02,
    }
    return [code for code, holds in found.items() if holds]


def _blocks(samples: Samples) -> Iterator[Samples]:
    """Cut into pieces, so that float64 copies of hours of sound never stand in memory at once."""
    for first in range(0, len(samples), _BLOCK):
        yield samples[first : first + _BLOCK]
        forget(samples)


def _dbfs(magnitude: float) -> float:
    return 20.0 * float(np.log10(max(magnitude, 1e-10)))


def _frame_levels(samples: Samples, rate_hz: int) -> Array64:
    """Level of each 25 ms frame in dBFS without its offset, shape ``(frames,)``; at least one.

    None is below −100 dBFS, so that digital silence does not make a ratio of 200 dB.
    """
    size = round(_FRAME_S * rate_hz)
    count = max(1, len(samples) // size)
    frames = samples[: count * size].reshape(count, -1)
    power = np.empty(count)
    for first in range(0, count, _BLOCK // size):
        block = slice(first, first + _BLOCK // size)
        power[block] = frames[block].var(axis=1, dtype=np.float64)
        forget(samples)
    return np.asarray(10.0 * np.log10(np.maximum(power, 1e-10)))


def _mean_dbfs(levels: Array64) -> float:
    return 10.0 * float(np.log10(np.mean(10.0 ** (levels / 10.0))))


def _clipped_share(samples: Samples) -> float:
    clipped = 0
    for first in range(0, len(samples), _BLOCK):
        # A flat top may lie across the border of two blocks.
        before = min(first, _CLIP_RUN - 1)
        full = np.abs(samples[first - before : first + _BLOCK + _CLIP_RUN - 1]) >= 0.985
        # A run of n samples holds n − 2 places where three neighbours are at full scale.
        triples = full[:-2] & full[1:-1] & full[2:]
        inside = np.zeros(len(full), dtype=bool)
        for shift in range(_CLIP_RUN):
            inside[shift : len(triples) + shift] |= triples
        clipped += int(inside[before : before + _BLOCK].sum())
        forget(samples)
    return clipped / max(1, len(samples))


def _bandwidth_hz(samples: Samples, rate_hz: int) -> float:
    """Highest frequency at which the mean power spectrum is within 60 dB of its maximum."""
    size = 512
    if len(samples) < size:
        samples = np.pad(samples, (0, size - len(samples)))
    # Every second window of a long recording is plenty; at most about two minutes are looked at.
    step = max(size // 2, (len(samples) - size) // 8_000)
    starts = np.arange(0, len(samples) - size + 1, step)
    window = np.hanning(size)
    power = np.zeros(size // 2 + 1)
    for block in np.array_split(starts, max(1, len(starts) // 500)):
        frames = samples[block[:, None] + np.arange(size)] * window
        power += np.square(np.abs(np.fft.rfft(frames, axis=1))).sum(axis=0)
        forget(samples)
    power[:2] = 0.0  # an offset of the converter is no sound
    heard = np.flatnonzero(power >= power.max() * 1e-6)
    return float((heard[-1] if len(heard) else 0) * rate_hz / size)
