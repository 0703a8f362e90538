"""Samples in, rows out, in portions of any size: what files and live streams have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from emoscope.audio.speech import speech_frames
from emoscope.audio.windows import Window, WindowCutter, frame_count
from emoscope.engine.batcher import Batcher
from emoscope.engine.forward import Forward
from emoscope.result import Array32
from emoscope.segments import Mask
from emoscope.waveform import Samples

WINDOW_S = 20.0
"""Sound longer than this and its contexts is given to the model in windows of this."""
CONTEXT_S = 2.0
"""Sound on each side of a window that the model hears and whose frames are thrown away."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Frames in a row, n of them."""

    first_frame: int
    logits: Array32
    """Shape ``(n, 9)``."""
    embeddings: Array32
    """Shape ``(n, D)``."""
    speech: Mask
    """Shape ``(n,)``."""


class Hearing:
    """One recording on its way through the model, a window at a time, so that memory is bounded.

    Args:
        forward: what runs the model, alone or shared with others.
    """

    def __init__(self, forward: Forward | Batcher) -> None:
        self._forward = forward
        self._cutter = WindowCutter(window_s=WINDOW_S, context_s=CONTEXT_S)

    def feed(self, samples: Samples) -> Iterator[Rows]:
        """Take samples at 16 kHz, shape ``(n,)``; it must be run to its end.

        Raises:
            ModelError: the model failed.
        """
        for window in self._cutter.feed(samples):
            yield self._rows(window)

    def finish(self) -> Iterator[Rows]:
        """Give the last rows; none where the whole sound has no frame."""
        for window in self._cutter.finish():
            yield self._rows(window)

    def ahead(self, context_s: float) -> Rows | None:
        """Return rows of the sound that no window covers yet, as well as they can be told now.

        Args:
            context_s: sound before them that the model hears besides.
        """
        samples, first = self._cutter.waiting(context_s)
        last = first + frame_count(len(samples))
        kept = self._cutter.kept
        if last <= kept:
            return None
        return self._rows(Window(samples, first, kept - first, last - first))

    def _rows(self, window: Window) -> Rows:
        (output,) = self._forward.run([window.samples])
        kept = slice(window.keep_from, window.keep_to)
        return Rows(
            window.first_frame + window.keep_from,
            output.logits[kept],
            output.embeddings[kept],
            speech_frames(window.samples)[kept],
        )
