"""The contract between the product and whatever runs a model.

Every model file takes ``waveform (B, N) float32`` at 16 kHz in [-1, 1], zero padded, and
``lengths (B,) int64``, and gives ``frame_logits (B, T, 9)``, ``frame_embeddings (B, T, D)`` and
``frame_counts (B,)``. Front ends, per-clip normalisation and masking are inside the model, so no
Python code needs to know which model it has. Law: padding and batching change nothing (P34).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array32: TypeAlias = NDArray[np.float32]
Array64i: TypeAlias = NDArray[np.int64]

INPUTS = ("waveform", "lengths")
OUTPUTS = ("frame_logits", "frame_embeddings", "frame_counts")


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """What one run gives; rows at and past a clip's own frame count mean nothing."""

    frame_logits: Array32
    """Shape ``(B, T, 9)``."""
    frame_embeddings: Array32
    """Shape ``(B, T, D)``."""
    frame_counts: Array64i
    """Shape ``(B,)``."""


class Backend(Protocol):
    """Runs one loaded model. Safe to call from several threads at once."""

    @property
    def name(self) -> str:
        """What runs the model, for the result's ``versions``."""

    @property
    def version(self) -> str:
        """Version of that library."""

    @property
    def dim(self) -> int:
        """Numbers per embedding frame, D."""

    def run(self, waveform: Array32, lengths: Array64i) -> Output:
        """Run a batch.

        Args:
            waveform: shape ``(B, N)``, zero beyond each clip's own length.
            lengths: shape ``(B,)``, samples of each clip; at least 400, at most N.

        Raises:
            ModelRunError: the library failed.
        """
