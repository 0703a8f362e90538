"""Validation of sample arrays: finite values, length, silence, sample rate."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from emoscope.audio import quality
from emoscope.audio.resample import at_16_khz
from emoscope.audio.sound_array import MAX_PEAK, check_full_scale
from emoscope.errors import AudioError, AudioSilentError
from emoscope.events import Step
from emoscope.limits import Limits
from emoscope.results.quality import Quality
from emoscope.waveform import FRAME_S, Waveform


def resampled_waveform(waveform: Waveform, limits: Limits) -> Waveform:
    """Check samples that were passed instead of a file, and resample them to 16 kHz.

    Raises:
        AudioError: the samples are too many, none at all, not finite, or beyond full scale.
    """
    if waveform.duration_s > limits.longest_s:
        raise AudioError("audio_too_long", max_duration_s=limits.max_duration_s)
    if not len(waveform.samples):
        raise AudioError("audio_no_samples")
    peak = 0.0
    for block in waveform.blocks():
        if not np.isfinite(block).all():
            raise AudioError("audio_not_finite")
        peak = max(peak, check_full_scale(block, MAX_PEAK))
    if peak > 1.0:
        waveform = replace(waveform, samples=np.clip(waveform.samples, -1.0, 1.0))
    return at_16_khz(waveform)


def reasons_of(steps: Iterable[Step]) -> tuple[str, ...]:
    """Return the reasons of the recording check that decoding found."""
    codes = ("broken_off", "phase_cancelled")
    return tuple(code for code in codes if any(step.data.get(code) for step in steps))


def check_usable(waveform: Waveform, found: Quality, limits: Limits) -> None:
    """Refuse sound that no model can recognize.

    Args:
        waveform: at 16 kHz, without missing spans.
        found: its quality; the peak is compared with digital silence.
        limits: its shortest duration is checked.

    Raises:
        AudioError: shorter than the limits allow, or than one frame.
        AudioSilentError: nothing above the level of digital silence.
    """
    # Whatever the limits allow, a model needs one frame.
    min_duration_s = max(limits.min_duration_s, FRAME_S)
    if waveform.duration_s < min_duration_s:
        raise AudioError(
            "audio_too_short", duration_s=waveform.duration_s, min_duration_s=min_duration_s
        )
    if 20 * math.log10(max(found.peak, 1e-10)) < quality.SILENCE_DBFS:
        raise AudioSilentError
