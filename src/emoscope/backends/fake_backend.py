"""Fake backend without weights, for tests of everything around a model.

Its outputs depend on the samples alone, can be computed by hand, and keep every invariant of the
contract, so a front end tested with it is tested with real shapes, times and errors.
"""

from __future__ import annotations

import numpy as np

from emoscope.backends.base import Array64i, Device, Output
from emoscope.labels import COUNT
from emoscope.waveform import FRAME, HOP, Array32, frame_count


class FakeBackend:
    """Backend that answers ``happy`` for loud frames and ``neutral`` otherwise."""

    name = "fake"
    version = "1"
    device: Device = "cpu"
    runs_at_once = 1

    def __init__(self, dim: int = 4) -> None:
        self.dim = dim
        self.batches: list[tuple[int, ...]] = []
        """Shape of every waveform that was run."""

    def run(self, waveform: Array32, lengths: Array64i) -> Output:
        """Return the root mean square of each frame as its evidence."""
        self.batches.append(waveform.shape)
        counts = np.array([frame_count(int(length)) for length in lengths], np.int64)
        frames = np.lib.stride_tricks.sliding_window_view(waveform, FRAME, axis=1)[:, ::HOP]
        level = np.sqrt(np.square(frames, dtype=np.float64).mean(axis=2))  # (B, T)
        logits = np.zeros((*level.shape, COUNT), np.float32)
        logits[..., 3] = 20 * level  # happy
        logits[..., 4] = 2.0  # neutral
        embeddings = np.repeat(level[..., None], self.dim, axis=2).astype(np.float32)
        return Output(logits, embeddings, counts)
