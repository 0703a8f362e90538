"""Sliding windows with context over sound that may still be arriving.

A window is a piece of sound given to the model. It has ``context_s`` more on each side than is kept
of it, so that a frame near a border is computed from real sound on both sides. The kept frames, one
window after another, are exactly the rows that the whole clip would have; the frames of the
context, which two windows share, are blended in ``inference/windowed.py``.

The rule is the same for files and live streams, because it needs no length in advance:

- Sound up to ``whole_s`` stays whole, so a clip gets the model's own answer. Nothing is cut before
  there is more than that.
- Window i keeps ``window_s`` from i · ``window_s`` on; the first is as long as all others.
- The last keeps what is left and is as long as all others, so the last word of a long recording
  is not recognized from a second of sound.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from emoscope.waveform import FRAME, HOP, RATE_HZ, Samples, frame_count


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Samples for the model, of whose frames ``[keep_from, keep_to)`` are kept."""

    samples: Samples
    first_frame: int
    """Where it begins in the recording, in frames."""
    keep_from: int
    """Frame of the window."""
    keep_to: int
    alone_to: int
    """Frame of the window with which the next one begins; its length where there is none."""


class WindowCutter:
    """Incremental cutter: samples in portions of any size, windows out as soon as complete.

    It holds at most ``whole_s``, or a window with its contexts, and one window more.

    Args:
        window_s: seconds of sound whose frames a window keeps.
        context_s: seconds of sound on each side of it that are also given to the model.
        whole_s: sound up to this many seconds stays one window; at least a window with its
            contexts does.
    """

    def __init__(self, *, window_s: float, context_s: float, whole_s: float = 0.0) -> None:
        self._keep = max(1, int(window_s * RATE_HZ) // HOP)
        self._context = int(context_s * RATE_HZ) // HOP
        self._span = self._keep + 2 * self._context
        self._whole = max(self._span, int(whole_s * RATE_HZ) // HOP)
        self._buffer = np.empty((self._keep + self._whole) * HOP + FRAME, np.float32)
        self._held = 0
        """Samples in the buffer."""
        self._base = 0
        """Frame that the buffer begins with."""
        self.given = 0
        """Frames that were given in windows."""

    def feed(self, samples: Samples) -> Iterator[Window]:
        """Take the next samples at 16 kHz, shape ``(n,)``, and give the windows that they settle.

        It must be run to its end.
        """
        taken = 0
        while taken < len(samples):
            part = samples[taken : taken + len(self._buffer) - self._held]
            self._buffer[self._held : self._held + len(part)] = part
            self._held += len(part)
            taken += len(part)
            while (start := self._settled()) is not None:
                yield self._cut(start)

    def finish(self) -> Iterator[Window]:
        """Give the last window, with all samples to the end; none if all is under one frame."""
        total = self._base + frame_count(self._held)
        if total > self.given:
            # Behind the last frame there are samples for which no frame is left.
            start = max(0, total - self._span) if self.given else 0
            samples = self._buffer[(start - self._base) * HOP : self._held].copy()
            yield Window(samples, start, self.given - start, total - start, total - start)
            self.given = total

    def latest(self, frame: int, context_s: float) -> Window | None:
        """Return the newest sound as a window that keeps all frames from ``frame`` on.

        Args:
            frame: first frame to keep; not before ``given``.
            context_s: seconds of sound before it that the window also has, where that much is held.

        Returns:
            None where there is no such frame yet.
        """
        total = self._base + frame_count(self._held)
        if total <= frame:
            return None
        first = max(self._base, frame - int(context_s * RATE_HZ) // HOP)
        samples = self._buffer[(first - self._base) * HOP : self._held].copy()
        return Window(samples, first, frame - first, total - first, total - first)

    def _settled(self) -> int | None:
        """Frame with which the next window begins, if it cannot be the last one."""
        start = max(0, self.given - self._context)
        total = self._base + frame_count(self._held)
        # Of what is whole only the first window can decide.
        settled = total > (start + self._span if self.given else self._whole)
        return start if settled else None

    def _cut(self, start: int) -> Window:
        first = (start - self._base) * HOP
        samples = self._buffer[first : first + (self._span - 1) * HOP + FRAME].copy()
        keep_from = self.given - start
        keep_to = keep_from + self._keep
        window = Window(samples, start, keep_from, keep_to, keep_to - self._context)
        # The last window may begin right behind the start of this one.
        rest = self._buffer[first : self._held].copy()
        self._buffer[: len(rest)] = rest
        self._held, self._base = len(rest), start
        self.given += self._keep
        return window
