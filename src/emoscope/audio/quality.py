"""Recording check: level, clipping, noise, bandwidth and share of speech.

Plain measurements on the samples, the same for every model. Reasons are codes;
``messages`` has a sentence of advice for each. How the thresholds were set is in docs/audio.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from emoscope.audio import snr
from emoscope.audio.bandwidth import band
from emoscope.audio.vad import SpeechFinder
from emoscope.results.quality import Quality
from emoscope.waveform import Array64, Samples, Span, Waveform, release_pages

SILENCE_DBFS = -80.0
"""A recording whose loudest sample stays below this holds nothing: it is refused, not judged."""
NO_SPEECH_S = 0.15
"""Less than this is a click or a beep and no word."""
TELEPHONE_HZ = 4_100.0
"""What was once sampled at 8 kHz is cut off below this."""

_FRAME = 400
_AUDIBLE_DBFS = -60.0
"""A frame below this counts as silence whatever the rest is like."""
_SILENT_DB = 35.0
"""So much under the loudest moments is silence too."""
_BLOCK = _FRAME * 640
_FULL_SCALE = 0.985
_FLAT = 0.995
"""Share of the loudest sample that a flat top stays above after a change of level."""
_FAINT_PEAK, _HEARD_PEAK = 0.05, 0.3
_FLATTENED = 0.03
"""With more in flat tops even the pauses are clipped, and a mean says nothing of an offset."""
_TOPS = 6
"""So many tops of one height are a clipper's; a voice has one loudest moment."""


def check_quality(waveform: Waveform, speech: list[Span] | None = None) -> Quality:
    """Measure a recording at 16 kHz.

    Args:
        waveform: what to measure.
        speech: where there is speech, if that is known already.
    """
    samples = waveform.samples
    peak = max((float(np.abs(block).max()) for block in waveform.blocks(_BLOCK)), default=0.0)
    if speech is None:
        speech = _speech(waveform, peak)
    speech_s = sum(span.duration_s for span in speech)
    mean, levels, offsets = _frame_levels(waveform)
    middles, power = snr.spectra(samples)
    upper = band(power, waveform.rate_hz)
    silent_dbfs = max(_AUDIBLE_DBFS, float(np.percentile(levels, 98)) - _SILENT_DB)
    frames = np.arange(len(levels), dtype=np.float64) * _FRAME + _FRAME / 2
    speech_levels = levels[snr.inside(frames, speech, waveform.rate_hz)]
    quality = Quality(
        level_dbfs=_mean_dbfs(levels),
        peak=peak,
        clipped_share=_clipped_share(waveform, bool(speech)),
        snr_db=snr.snr_db(power, snr.inside(middles, speech, waveform.rate_hz)),
        bandwidth_hz=upper.upper_hz,
        speech_share=min(1.0, speech_s / waveform.duration_s) if len(samples) else 0.0,
        silence_share=float(np.mean(levels < silent_dbfs)),
        speech_dbfs=_mean_dbfs(speech_levels) if len(speech_levels) else None,
        dc_offset=mean,
        band_is_cut=upper.is_cut,
    )
    # Clipping cuts off more on one side than on the other; an offset is there in pauses too.
    quiet = float(offsets[levels <= np.percentile(levels, 5)].mean())
    reasons = _reasons(quality, waveform.duration_s, quiet, fades=upper.fades)
    return replace(quality, reasons=tuple(reasons))


def _speech(waveform: Waveform, peak: float) -> list[Span]:
    """Find speech at a normalised level: the detector depends on level, the check must not."""
    if not peak:
        return []

    def heard_at(level: float) -> list[Span]:
        finder, spans = SpeechFinder(), []
        for block in waveform.blocks(_BLOCK):
            spans += finder.feed(block * np.float32(level / peak))
        return spans + finder.finish()

    return heard_at(max(peak, _HEARD_PEAK if peak < _FAINT_PEAK else 0)) or heard_at(_FAINT_PEAK)


def _reasons(quality: Quality, duration_s: float, quiet_offset: float, *, fades: bool) -> list[str]:
    """Codes of what falls outside the advice for recordings (1-30 s, one speaker, little noise).

    Args:
        quality: what was measured.
        duration_s: length of the recording in seconds.
        quiet_offset: mean of the samples in the quietest twentieth of the time.
        fades: whether the sound falls within an octave as no voice does.
    """
    speech = quality.speech_share * duration_s >= NO_SPEECH_S
    snr_db, speech_dbfs, upper_hz = quality.snr_db, quality.speech_dbfs, quality.bandwidth_hz
    telephone = upper_hz < (TELEPHONE_HZ if quality.band_is_cut else 2_500.0)
    found = {
        "too_short": duration_s < 1.0,
        "too_long": duration_s > 30.0,
        "no_speech": not speech,
        "little_speech": speech and quality.speech_share < 0.1,
        "too_quiet": speech and speech_dbfs is not None and speech_dbfs < -55.0,
        "clipped": quality.clipped_share > 0.001,
        "dc_offset": min(abs(quality.dc_offset), abs(quiet_offset)) > 0.02
        and quality.dc_offset * quiet_offset > 0
        and quality.clipped_share < _FLATTENED,
        "low_snr": speech and snr_db is not None and snr_db < 12.0,
        "band_limited": speech and (telephone or fades),
        "heavy_codec": speech and quality.band_is_cut and TELEPHONE_HZ <= upper_hz < 6_500.0,
    }
    return [code for code, holds in found.items() if holds]


def _frame_levels(waveform: Waveform) -> tuple[float, Array64, Array64]:
    """Offset of all samples; level of each 25 ms frame in dBFS without its own offset; and that.

    At least one frame, none below −100 dBFS, so that digital silence does not make a ratio of
    200 dB. In blocks, so that float64 copies of hours of sound never stand in memory at once.
    """
    total, levels, offsets = 0.0, list[Array64](), list[Array64]()
    for block in waveform.blocks(_BLOCK):
        exact = block.astype(np.float64)
        total += float(exact.sum())
        count = len(exact) // _FRAME
        # What is left after the last whole frame counts only where there is no whole frame.
        frames = exact[: count * _FRAME].reshape(count, _FRAME) if count else exact[None]
        if count or not levels:
            levels.append(10.0 * np.log10(np.maximum(frames.var(axis=1), 1e-10)))
            offsets.append(frames.mean(axis=1))
    mean = total / max(1, len(waveform.samples))
    return (
        mean,
        np.concatenate(levels or [np.array([-100.0])]),
        np.concatenate(offsets or [np.zeros(1)]),
    )


def _mean_dbfs(levels: Array64) -> float:
    return 10.0 * float(np.log10(np.mean(10.0 ** (levels / 10.0))))


def _clipped_share(waveform: Waveform, speech: bool) -> float:
    """Share of samples in flat tops, at full scale or, in speech, at the sound's own height.

    A clipped recording that was made quieter afterwards has its tops below full scale. A tone has
    many tops of one height too, so that is looked at only within speech.
    """
    count, _ = _flat(waveform, np.abs, _FULL_SCALE)
    if speech and not count:
        for side in (np.positive, np.negative):
            highest = max(float(side(block).max()) for block in waveform.blocks(_BLOCK))
            inside, tops = _flat(waveform, side, _FLAT * highest)
            count += inside if tops >= _TOPS else 0
    return count / max(1, len(waveform.samples))


def _flat(waveform: Waveform, side: Callable[[Samples], Samples], level: float) -> tuple[int, int]:
    """Samples that have two neighbours in a row with which they are at ``level``; and tops."""
    inside = tops = 0
    samples = waveform.samples
    for first in range(0, len(samples), _BLOCK):
        # A flat top may lie across the border of two blocks.
        before = min(first, 2)
        high = side(samples[first - before : first + _BLOCK + 2]) >= level
        # One alone may be a true peak; a run of n samples holds n − 2 such triples.
        triples = high[:-2] & high[1:-1] & high[2:]
        flat = np.zeros(len(high), dtype=bool)
        for shift in range(3):
            flat[shift : len(triples) + shift] |= triples
        mine = flat[before : before + _BLOCK]
        inside += int(mine.sum())
        tops += int(np.count_nonzero(mine[1:] & ~mine[:-1])) + bool(len(mine) and mine[0])
        release_pages(samples)
    return inside, tops
