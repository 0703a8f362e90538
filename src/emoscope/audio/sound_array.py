"""Arrays of samples, of any common number type and one or several channels, as waveforms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emoscope.errors import AudioError, SourceTypeError
from emoscope.limits import Limits
from emoscope.messages.reasons import reason
from emoscope.waveform import Samples, Waveform

MAX_PEAK = 2.0
"""Largest sample that floats may reach, as a share of full scale: 6 dB over it.

Resampling, lossy decoding and filters overshoot by less, and what lies over full scale is clipped.
Samples in the range of integers, or scaled to unit variance, reach more as soon as they hold sound.
"""
FILE_MAX_PEAK = 128.0
"""The same for files of floats, which editors write with a level far too high: 42 dB over it."""
_MOST_CHANNELS = 8
"""A dimension of an array up to this size may be its channels, and a longer one its samples."""
_FULL_SCALE = {"int8": 2.0**7, "uint8": 2.0**7, "int16": 2.0**15, "int32": 2.0**31}
"""The number that each type of integers is divided by."""


@dataclass(frozen=True, slots=True, eq=False)
class SoundArray:
    """Samples as an array: floats in [-1, 1], or int8, int16, int32 or uint8 at full scale.

    Attributes:
        samples: shape ``(n,)``, ``(channels, n)`` or ``(n, channels)``.
        rate_hz: samples per second.
        channel_axis: 0 or 1, for two dimensions; where it is None and exactly one dimension is
            at most 8, that one holds the channels, and every other shape is refused.
        name: what people call the recording.
    """

    samples: ArrayLike
    rate_hz: float
    channel_axis: int | None = None
    name: str = ""

    def __repr__(self) -> str:
        shape = getattr(self.samples, "shape", "?")
        return f"<SoundArray {self.name!r} of shape {shape} at {self.rate_hz:g} Hz>"

    def channels(self, limits: Limits) -> tuple[Waveform, ...]:
        """Return each channel as float32 at the array's own rate.

        Raises:
            SourceTypeError: it is no array of numbers of one of these types.
            AudioError: no samples, too many channels, a rate that is out of range, or a shape
                that does not say which axis holds the channels.
        """
        rate_hz = _whole_rate(self.rate_hz, limits)
        planes = _planes(_array(self.samples), self.channel_axis)
        if len(planes) > limits.max_channels:
            raise AudioError(
                "audio_too_many_channels", channels=len(planes), max_channels=limits.max_channels
            )
        return tuple(Waveform(_scaled(plane), rate_hz, self.name) for plane in planes)


def check_full_scale(block: Samples, max_peak: float) -> float:
    """Refuse samples that are not in [-1, 1], apart from what overshoots; return their peak.

    Args:
        block: finite samples.
        max_peak: largest sample that is accepted.

    Raises:
        AudioError: a sample is larger; the error says what to divide by.
    """
    peak = max(float(block.max(initial=0.0)), -float(block.min(initial=0.0)))
    if peak > max_peak:
        scales = (2**15, 2**23, 2**31)
        divisor = next(
            (scale for scale in scales if peak <= scale), 2 ** math.ceil(math.log2(peak))
        )
        raise AudioError("samples_beyond_full_scale", peak=peak, divisor=divisor)
    return peak


def _array(samples: ArrayLike) -> NDArray[Any]:
    try:
        array = np.asarray(samples)
    except (TypeError, ValueError, RuntimeError) as exc:
        kind, why = type(samples).__name__, str(exc)[:200]
        raise SourceTypeError(
            "source_unsupported", **reason("source_no_array", kind=kind, reason=why)
        ) from exc
    if array.dtype.kind != "f" and array.dtype.name not in _FULL_SCALE:
        dtype = array.dtype.name
        raise SourceTypeError("source_unsupported", **reason("source_dtype", dtype=dtype))
    return array


def _planes(array: NDArray[Any], channel_axis: int | None) -> NDArray[Any]:
    """Return the array as ``(channels, n)``."""
    if not array.size:
        raise AudioError("audio_no_samples")
    if array.ndim == 1:
        return array[np.newaxis]
    if array.ndim == 2 and channel_axis is None:
        few = [axis for axis in (0, 1) if array.shape[axis] <= _MOST_CHANNELS]
        channel_axis = few[0] if len(few) == 1 else None
    if array.ndim != 2 or channel_axis not in (0, 1):
        shape = " × ".join(str(size) for size in array.shape) or "0-d"
        raise AudioError("samples_shape_ambiguous", shape=shape)
    return array if channel_axis == 0 else array.T


def _scaled(plane: NDArray[Any]) -> Samples:
    scale = _FULL_SCALE.get(plane.dtype.name)
    if scale is None:
        with np.errstate(over="ignore"):  # what float32 cannot hold is refused as infinite
            return np.ascontiguousarray(plane, np.float32)
    zero = 128.0 if plane.dtype.kind == "u" else 0.0
    # In float64: int32 has more digits than float32.
    return ((plane.astype(np.float64) - zero) / scale).astype(np.float32)


def _whole_rate(rate_hz: float, limits: Limits) -> int:
    """Return the rate as a whole number."""
    low, high = limits.min_rate_hz, limits.max_rate_hz
    if not low <= rate_hz <= high or rate_hz != int(rate_hz):
        raise AudioError(
            "audio_rate_out_of_range", rate_hz=rate_hz, min_rate_hz=low, max_rate_hz=high
        )
    return int(rate_hz)
