"""FFmpeg's frames as numbers."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from emoscope.waveform import Samples

_TYPES = {
    "u8": np.uint8,
    "s16": np.int16,
    "s32": np.int32,
    "s64": np.int64,
    "flt": np.float32,
    "dbl": np.float64,
}
_FULL_SCALE = {"u8": 128.0, "s16": 32_768.0, "s32": 2_147_483_648.0, "s64": 2.0**63}


def to_float(frame: Any) -> Samples:
    """Return the frame's samples as float32, shape ``(channels, n)``, full scale at 1."""
    channels = len(frame.layout.channels)
    kind = frame.format.name.removesuffix("p")
    planes, count = (channels, 1) if frame.format.is_planar else (1, channels)
    # Not to_ndarray(): PyAV counts planes up to a null pointer, and there is none behind eight.
    parts = [np.frombuffer(p, _TYPES[kind], frame.samples * count) for p in frame.planes[:planes]]
    samples = np.stack(parts) if frame.format.is_planar else parts[0].reshape(-1, channels).T
    if kind in _FULL_SCALE:
        centred = samples.astype(np.float64) - (128.0 if kind == "u8" else 0.0)
        return cast(Samples, (centred / _FULL_SCALE[kind]).astype(np.float32))
    return cast(Samples, samples.astype(np.float32))
