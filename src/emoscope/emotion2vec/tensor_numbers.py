"""Conversion of raw little-endian checkpoint data to float32."""

from __future__ import annotations

import numpy as np

from emoscope.errors import CheckpointError
from emoscope.messages.reasons import reason
from emoscope.waveform import Array32

_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}


def item_bytes(dtype: str, *, name: str, file: str) -> int:
    """Bytes per number of a tensor that must hold weights.

    Args:
        dtype: type of the tensor's numbers.
        name: the tensor's name, for the error.
        file: the checkpoint's name, for the error.

    Raises:
        CheckpointError: ``dtype`` is none of float32, float16 and bfloat16.
    """
    if dtype not in _BYTES:
        raise CheckpointError(
            "checkpoint_tensors",
            file=file,
            **reason("tensor_type", name=name, dtype=dtype),
        )
    return _BYTES[dtype]


def as_float32(raw: bytes, dtype: str) -> Array32:
    """Numbers ``(n,)`` from ``n`` items; exact, as both halves are subsets of float32."""
    if dtype == "float32":
        return np.frombuffer(raw, "<f4")
    if dtype == "float16":
        return np.frombuffer(raw, "<f2").astype(np.float32)
    # bfloat16 is the upper half of a float32; NumPy has no such type.
    upper = np.frombuffer(raw, "<u2").astype(np.uint32)
    return (upper << np.uint32(16)).view(np.float32)
