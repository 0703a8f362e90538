"""Forward pass: pad clips to a batch, run the backend, unpad. Stateless and thread-safe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from emoscope.backends.base import Backend
from emoscope.errors import ModelInvalidError
from emoscope.messages.reasons import reason
from emoscope.waveform import FRAME, Array32, Samples, frame_count


@dataclass(frozen=True, slots=True, eq=False)
class ClipOutput:
    """Frame logits and embeddings of one clip."""

    logits: Array32
    """Shape ``(T, 9)``."""
    embeddings: Array32
    """Shape ``(T, D)``."""


class ClipRunner(Protocol):
    """Runs the model on clips: ``Forward``, or a wrapper that queues or caches its runs."""

    @property
    def runs_at_once(self) -> int:
        """Calls that are worth having side by side; 1 where one takes all there is."""

    def run(self, clips: Sequence[Samples]) -> list[ClipOutput]:
        """Return one output per clip, in order; a clip is 16 kHz samples of shape ``(n,)``."""


class Forward:
    """Runs clips of any lengths through a backend, as one batch.

    Which clips make a batch is decided in ``batching.py`` alone.

    Args:
        backend: what runs the model.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.runs_at_once = backend.runs_at_once

    def run(self, clips: Sequence[Samples]) -> list[ClipOutput]:
        """Return one output per clip, in order; memory follows the number and the longest.

        Args:
            clips: samples at 16 kHz, each of shape ``(n,)`` with n at least 400.

        Raises:
            ValueError: a clip is shorter than one frame.
            ModelRunError: the backend failed.
            ModelInvalidError: the backend gave another number of frames than the contract, or
                numbers that are not finite.
        """
        check_lengths(clips)
        if not clips:
            return []
        lengths = np.array([len(clip) for clip in clips], dtype=np.int64)
        waveform = np.zeros((len(clips), int(lengths.max())), np.float32)  # (B, N)
        for row, clip in enumerate(clips):
            waveform[row, : len(clip)] = clip
        output = self.backend.run(waveform, lengths)
        expected = [frame_count(int(length)) for length in lengths]
        if output.frame_counts.tolist() != expected:
            raise ModelInvalidError(
                "model_contract",
                **reason("frame_counts", found=output.frame_counts.tolist(), expected=expected),
            )
        outputs = [
            ClipOutput(output.frame_logits[row, :count], output.frame_embeddings[row, :count])
            for row, count in enumerate(expected)
        ]
        for clip_output, count in zip(outputs, expected, strict=True):
            _check(clip_output, count)
        return outputs


def check_lengths(clips: Sequence[Samples]) -> None:
    """Check that every clip has a frame.

    Raises:
        ValueError: one has not.
    """
    for clip in clips:
        if len(clip) < FRAME:
            raise ValueError(f"a clip needs {FRAME} samples for one frame, not {len(clip)}")


def _check(clip: ClipOutput, count: int) -> None:
    for name, rows in (("frame_logits", clip.logits), ("frame_embeddings", clip.embeddings)):
        if len(rows) != count:
            raise ModelInvalidError(
                "model_contract",
                **reason("rows", name=name, found=len(rows), expected=count),
            )
        if not np.isfinite(rows).all():
            raise ModelInvalidError(
                "model_contract",
                **reason("not_finite", name=name),
            )
