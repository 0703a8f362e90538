"""Cut long sound into windows with context, and glue the frames back.

A window is a piece given to the model. Neighbours share ``context_s`` of sound on each side, so
that a frame near a border is computed from real sound on both sides; the frames of the context are
thrown away. The glued track has exactly the rows that the whole clip would have.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from emoscope.waveform import RATE_HZ

HOP = 320
"""Samples from one frame to the next: 20 ms at 16 kHz."""
FRAME = 400
"""Samples under one frame: 25 ms at 16 kHz."""


def frame_count(n_samples: int) -> int:
    """Rows for ``n_samples`` at 16 kHz: ⌊(N − 400) / 320⌋ + 1, and none below one frame (P10)."""
    return (n_samples - FRAME) // HOP + 1 if n_samples >= FRAME else 0


@dataclass(frozen=True, slots=True)
class Window:
    """Samples ``[first_sample, last_sample)``, keeping frames ``[keep_from, keep_to)``."""

    first_sample: int
    last_sample: int
    keep_from: int
    keep_to: int


def plan(n_samples: int, *, window_s: float, context_s: float) -> list[Window]:
    """Cover all frames of ``n_samples`` with windows that keep at most ``window_s`` each.

    Sound up to one window and its contexts stays whole, so short clips get exactly the answer of
    the model on the whole clip.
    """
    total = frame_count(n_samples)
    keep = max(1, int(window_s * RATE_HZ) // HOP)
    context = int(context_s * RATE_HZ) // HOP
    if total <= keep + 2 * context:
        return [Window(0, n_samples, 0, total)]
    count = -(-total // keep)
    # Equal shares: no short window at the end.
    borders = [round(i * total / count) for i in range(count + 1)]
    windows = []
    for first, last in pairwise(borders):
        start = max(0, first - context)
        end = min(total, last + context)
        last_sample = n_samples if end == total else (end - 1) * HOP + FRAME
        windows.append(Window(start * HOP, last_sample, first - start, last - start))
    return windows
