"""Forward pass: pad clips to a batch, run the backend, unpad. Stateless and thread-safe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emoscope.backends.base import Backend, Device
from emoscope.errors import ModelContractError
from emoscope.inference import batch_plan
from emoscope.waveform import FRAME, Array32, Samples, frame_count

MAX_PADDED_SAMPLES = 16_000 * 16
"""Sixteen seconds of sound at once. A processor is full with one clip: batches cost what their
clips cost one by one (``benchmarks/LOG.md``), and only make the first wait for the last."""
MAX_PADDED_SAMPLES_GPU = 16_000 * 60
"""A GPU is not full with one clip. Not measured by us."""


def batch_budget(device: Device, *, is_rounded: bool) -> int:
    """Samples of a batch, padding included.

    Args:
        device: device that runs the model.
        is_rounded: whether the model is the int8 variant. In a batch its values may be rounded the
            other way, so each clip runs alone and its answer does not depend on other clips.
    """
    if is_rounded:
        return 1
    return MAX_PADDED_SAMPLES if device == "cpu" else MAX_PADDED_SAMPLES_GPU


@dataclass(frozen=True, slots=True, eq=False)
class ClipOutput:
    """Frame logits and embeddings of one clip."""

    logits: Array32
    """Shape ``(T, 9)``."""
    embeddings: Array32
    """Shape ``(T, D)``."""


class Forward:
    """Forward pass of clips of any lengths through a backend.

    Args:
        backend: runs the model.
        max_padded_samples: largest batch in samples at 16 kHz, padding included.
    """

    def __init__(self, backend: Backend, *, max_padded_samples: int = MAX_PADDED_SAMPLES) -> None:
        self.backend = backend
        self.max_padded_samples = max_padded_samples

    def run(self, clips: Sequence[Samples]) -> list[ClipOutput]:
        """Return one output per clip, in order.

        Args:
            clips: samples at 16 kHz, each of shape ``(n,)`` with n at least 400.

        Raises:
            ValueError: a clip is shorter than one frame.
            ModelRunError: the backend failed.
            ModelContractError: the backend gave another number of frames than the contract, or
                numbers that are not finite.
        """
        check_lengths(clips)
        outputs: list[ClipOutput | None] = [None] * len(clips)
        lengths = [len(clip) for clip in clips]
        for batch in batch_plan.plan(lengths, max_padded_samples=self.max_padded_samples):
            for position, output in zip(batch, self._run_batch(clips, batch), strict=True):
                outputs[position] = output
        return [output for output in outputs if output is not None]

    def _run_batch(self, clips: Sequence[Samples], batch: list[int]) -> list[ClipOutput]:
        lengths = np.array([len(clips[i]) for i in batch], dtype=np.int64)
        waveform = np.zeros((len(batch), int(lengths.max())), np.float32)  # (B, N)
        for row, position in enumerate(batch):
            waveform[row, : lengths[row]] = clips[position]
        output = self.backend.run(waveform, lengths)
        expected = [frame_count(int(length)) for length in lengths]
        if output.frame_counts.tolist() != expected:
            raise ModelContractError(
                reason_zh=f"帧数是 {output.frame_counts.tolist()}，应为 {expected}",
                reason_en=f"it gave {output.frame_counts.tolist()} frames instead of {expected}",
            )
        outputs = [
            ClipOutput(output.frame_logits[row, :count], output.frame_embeddings[row, :count])
            for row, count in enumerate(expected)
        ]
        for clip, count in zip(outputs, expected, strict=True):
            _check(clip, count)
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
            raise ModelContractError(
                reason_zh=f"{name} 只有 {len(rows)} 行，应为 {count}",
                reason_en=f"{name} has {len(rows)} rows instead of {count}",
            )
        if not np.isfinite(rows).all():
            raise ModelContractError(
                reason_zh=f"{name} 含有无效数值",
                reason_en=f"{name} holds numbers that are not finite",
            )
