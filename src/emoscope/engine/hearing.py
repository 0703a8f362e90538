"""Samples in, rows out, in portions of any size: what files and live streams have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

import numpy as np

from emoscope.audio.speech import SpeechFrames
from emoscope.audio.spool import MEMORY_BYTES, Spool
from emoscope.audio.windows import Window, WindowCutter, frame_count
from emoscope.engine.forward import ClipOutput
from emoscope.events import Listener, Progress, ignore
from emoscope.labels import COUNT
from emoscope.result import Array32, Track
from emoscope.segments import Mask
from emoscope.waveform import HOP_S, Samples, Waveform

WINDOW_S = 20.0
"""Sound longer than this and its contexts is given to the model in windows of this."""
CONTEXT_S = 2.0
"""Sound on each side of a window that the model hears and whose frames are thrown away."""


class Runs(Protocol):
    """What takes clips and gives one output for each, in order; see ``Forward.run``."""

    def run(self, clips: Sequence[Samples]) -> list[ClipOutput]:
        """Return one output per clip."""


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
        find_speech: look for speech as well; if not, all of it counts as speech.
    """

    def __init__(self, forward: Runs, *, find_speech: bool) -> None:
        self._forward = forward
        self._speech = SpeechFrames() if find_speech else None
        self._cutter = WindowCutter(window_s=WINDOW_S, context_s=CONTEXT_S)

    def feed(self, samples: Samples) -> Iterator[Rows]:
        """Take samples at 16 kHz, shape ``(n,)``; it must be run to its end.

        Raises:
            ModelError: the model failed.
        """
        if self._speech is not None:
            self._speech.feed(samples)
        for window in self._cutter.feed(samples):
            yield self._rows(window)

    def finish(self) -> Iterator[Rows]:
        """Give the last rows; none where the whole sound has no frame."""
        if self._speech is not None:
            self._speech.finish()
        for window in self._cutter.finish():
            yield self._rows(window)

    @property
    def kept(self) -> int:
        """Frames that were given."""
        return self._cutter.kept

    def ahead(self, frame: int, context_s: float) -> Rows | None:
        """Return the rows from ``frame`` on as well as they can be told now, or None.

        Args:
            frame: not before ``kept``.
            context_s: sound before it that the model hears besides.
        """
        window = self._cutter.latest(frame, context_s)
        return None if window is None else self._rows(window)

    def _rows(self, window: Window) -> Rows:
        (output,) = self._forward.run([window.samples])
        kept = slice(window.keep_from, window.keep_to)
        first, last = (window.first_frame + at for at in (window.keep_from, window.keep_to))
        everywhere = np.ones(last - first, np.bool_)
        speech = everywhere if self._speech is None else self._speech.rows(first, last)
        return Rows(first, output.logits[kept], output.embeddings[kept], speech)


def hear(
    waveform: Waveform, hearing: Hearing, *, embedding: bool, listener: Listener = ignore
) -> tuple[Track, Array32 | None]:
    """Hear a whole recording, one window after another.

    Args:
        waveform: at 16 kHz.
        hearing: a fresh one.
        embedding: return the embedding, shape ``(T, D)``; that of hours lies on the disk.
        listener: is told of progress; what it raises ends the work.

    Raises:
        ModelError: the model failed.
    """
    total = frame_count(len(waveform.samples))
    logits, speech = np.empty((total, COUNT), np.float32), np.empty(total, np.bool_)
    vectors = Spool(MEMORY_BYTES) if embedding else None
    blocks = (rows for block in waveform.blocks() for rows in hearing.feed(block))
    for rows in chain(blocks, hearing.finish()):
        last = rows.first_frame + len(rows.logits)
        logits[rows.first_frame : last] = rows.logits
        speech[rows.first_frame : last] = rows.speech
        if vectors is not None:
            vectors.add(rows.embeddings)
        done_s = waveform.duration_s if last == total else last * HOP_S
        listener(Progress(done_s, waveform.duration_s))
    found = None if vectors is None else vectors.take().reshape(total, -1)
    return Track(logits, speech), found
