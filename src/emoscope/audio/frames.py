"""Conversion of decoded FFmpeg frames to float32 arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np

from emoscope.waveform import Samples

Raw: TypeAlias = np.ndarray[Any, Any]
"""Samples as a codec gives them, shape ``(channels, n)``."""

_TYPES = {
    "u8": np.uint8,
    "s16": np.int16,
    "s32": np.int32,
    "s64": np.int64,
    "flt": np.float32,
    "dbl": np.float64,
}
_FULL_SCALE = {"u": 2.0**7, "i2": 2.0**15, "i4": 2.0**31, "i8": 2.0**63}


def samples_of(frame: Any) -> Raw:
    """Return the frame's samples as they are; no copy where they lie interleaved."""
    channels = len(frame.layout.channels)
    kind = frame.format.name.removesuffix("p")
    planes, count = (channels, 1) if frame.format.is_planar else (1, channels)
    # Not to_ndarray(): PyAV counts planes up to a null pointer, and there is none behind eight.
    parts = [np.frombuffer(p, _TYPES[kind], frame.samples * count) for p in frame.planes[:planes]]
    return np.stack(parts) if frame.format.is_planar else parts[0].reshape(-1, channels).T


def in_blocks(frames: Iterator[tuple[int, Raw]], least: int) -> Iterator[tuple[int, Samples]]:
    """Join frames of one rate and shape, each with its rate, until there are ``least`` samples.

    A frame is a few hundredths of a second, and each step that follows costs more for the call
    than for the numbers.
    """
    held: list[Raw] = []
    rate_hz, count = 0, 0
    for its_rate_hz, raw in frames:
        if held and (rate_hz, held[0].dtype, len(held[0])) != (its_rate_hz, raw.dtype, len(raw)):
            yield rate_hz, to_float(held)
            held, count = [], 0
        held.append(raw)
        rate_hz, count = its_rate_hz, count + raw.shape[1]
        if count >= least:
            yield rate_hz, to_float(held)
            held, count = [], 0
    if held:
        yield rate_hz, to_float(held)


def to_float(parts: list[Raw]) -> Samples:
    """Return samples of one type, one after another, as float32 with full scale at 1."""
    raw = np.concatenate(parts, axis=1)
    samples = raw.astype(np.float32)
    if raw.dtype.kind == "u":
        samples -= np.float32(128.0)
    if raw.dtype.kind in "ui":
        # A power of two: nothing is rounded here, and above only what has more than 24 bits.
        samples /= np.float32(_FULL_SCALE["u" if raw.dtype.kind == "u" else raw.dtype.str[1:]])
    return samples
