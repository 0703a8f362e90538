"""Samples in, rows out, in portions of any size: what files and live streams have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

import numpy as np

from emoscope.audio.missing import Axis, Gap
from emoscope.audio.speech_frames import SpeechFrames
from emoscope.audio.spool import MEMORY_BYTES, Spool
from emoscope.events import Listener, Progress, ignore
from emoscope.inference.forward import ClipOutput
from emoscope.inference.windows import Window, WindowCutter
from emoscope.labels import COUNT
from emoscope.results.track import Track
from emoscope.waveform import HOP_S, Array32, Mask, Samples, Waveform, frame_count

WHOLE_S = 30.0
"""Sound up to this is given to the model whole; longer sound in windows."""
WINDOW_S = 10.0
"""Sound whose frames a window keeps. With more, attention costs the large model time and memory."""
CONTEXT_S = 1.0
"""Sound on each side of a window that the model hears besides. So two windows share twice as much,
and there the rows of the one fade into those of the other: the curve has no seams."""
_ROWS = 4_096
"""Rows of an embedding handled at once."""


class ClipRunner(Protocol):
    """What takes clips and gives one output for each, in order; see ``Forward.run``."""

    def run(self, clips: Sequence[Samples]) -> list[ClipOutput]:
        """Return one output per clip."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameBatch:
    """Frames in a row, n of them."""

    first_frame: int
    logits: Array32
    """Shape ``(n, 9)``."""
    embeddings: Array32
    """Shape ``(n, D)``."""
    speech: Mask
    """Shape ``(n,)``."""


class WindowedInference:
    """One recording on its way through the model, a window at a time, so that memory is bounded.

    Args:
        forward: what runs the model, alone or shared with others.
        find_speech: look for speech as well; if not, all of it counts as speech.
    """

    def __init__(self, forward: ClipRunner, *, find_speech: bool) -> None:
        self._forward = forward
        self._speech = SpeechFrames() if find_speech else None
        self._cutter = WindowCutter(window_s=WINDOW_S, context_s=CONTEXT_S, whole_s=WHOLE_S)
        self._tail: ClipOutput | None = None
        """Rows that the next window will have as well."""
        self.given = 0
        """Frames that were given."""

    def feed(self, samples: Samples) -> Iterator[FrameBatch]:
        """Take samples at 16 kHz, shape ``(n,)``; it must be run to its end.

        Raises:
            ModelError: the model failed.
        """
        if self._speech is not None:
            self._speech.feed(samples)
        for window in self._cutter.feed(samples):
            yield self._glued(window)

    def finish(self) -> Iterator[FrameBatch]:
        """Give the last rows; none where the whole sound has no frame."""
        if self._speech is not None:
            self._speech.finish()
        for window in self._cutter.finish():
            yield self._glued(window)

    def ahead(self, frame: int, context_s: float) -> FrameBatch | None:
        """Return the rows from ``frame`` on as well as they can be told now, or None.

        Args:
            frame: not before ``given``.
            context_s: sound before it that the model hears besides.
        """
        window = self._cutter.latest(frame, context_s)
        if window is None:
            return None
        (output,) = self._forward.run([window.samples])
        first = window.first_frame + window.keep_from
        return self._rows(first, _between(output, window.keep_from, window.keep_to))

    def _glued(self, window: Window) -> FrameBatch:
        """Run a window and give its rows up to where the next one begins."""
        (output,) = self._forward.run([window.samples])
        new = _between(output, self.given - window.first_frame, len(output.logits))
        if self._tail is not None:
            new = _faded(self._tail, new)
        alone = window.first_frame + window.alone_to - self.given
        rows = self._rows(self.given, _between(new, 0, alone))
        self._tail = _between(new, alone, len(new.logits))
        self.given += alone
        return rows

    def _rows(self, first: int, output: ClipOutput) -> FrameBatch:
        last = first + len(output.logits)
        everywhere = np.ones(last - first, np.bool_)
        speech = everywhere if self._speech is None else self._speech.rows(first, last)
        return FrameBatch(first, output.logits, output.embeddings, speech)


def _between(output: ClipOutput, first: int, last: int) -> ClipOutput:
    return ClipOutput(output.logits[first:last], output.embeddings[first:last])


def _faded(old: ClipOutput, new: ClipOutput) -> ClipOutput:
    """Let the rows that both have go over from the old ones, which are no more, to the new ones.

    Scores and embedding alike, so that the linear head still leads from the one to the other.
    """
    shared = len(old.logits)
    weight = (np.arange(1, shared + 1, dtype=np.float32) / (shared + 1))[:, None]

    def faded(before: Array32, after: Array32) -> Array32:
        # In this form rows on which both agree come out unchanged, to the last bit.
        both = before + weight * (after[:shared] - before)
        return np.concatenate([both, after[shared:]])

    return ClipOutput(faded(old.logits, new.logits), faded(old.embeddings, new.embeddings))


def run_windows(
    waveform: Waveform,
    windowed_inference: WindowedInference,
    gaps: Sequence[Gap] = (),
    *,
    embedding: bool,
    listener: Listener = ignore,
) -> tuple[Track, Array32 | None]:
    """Hear a whole recording, one window after another.

    Args:
        waveform: at 16 kHz, without the gaps of the medium.
        windowed_inference: a fresh one.
        gaps: of the medium, in order; the rows are laid on its time axis.
        embedding: return the embedding, shape ``(T, D)``; that of hours lies on the disk.
        listener: is told of progress; what it raises ends the work.

    Raises:
        ModelError: the model failed.
    """
    total = frame_count(len(waveform.samples))
    logits, speech = np.empty((total, COUNT), np.float32), np.empty(total, np.bool_)
    vectors = Spool(MEMORY_BYTES) if embedding else None
    blocks = (rows for block in waveform.blocks() for rows in windowed_inference.feed(block))
    for rows in chain(blocks, windowed_inference.finish()):
        last = rows.first_frame + len(rows.logits)
        logits[rows.first_frame : last] = rows.logits
        speech[rows.first_frame : last] = rows.speech
        if vectors is not None:
            vectors.add(rows.embeddings)
        done_s = waveform.duration_s if last == total else last * HOP_S
        listener(Progress(done_s, waveform.duration_s))
    found = None if vectors is None else vectors.take().reshape(total, -1)
    return on_axis(Track(logits, speech), found, gaps)


def on_axis(
    track: Track, vectors: Array32 | None, gaps: Iterable[Gap]
) -> tuple[Track, Array32 | None]:
    """Lay the rows of joined sound on the medium's time axis.

    Each frame of a gap gets the mean of all rows, so the mean stays what it was: a gap adds nothing
    to the answer and takes nothing from it. Nobody speaks in it.

    Args:
        track: rows of the joined sound.
        vectors: their embeddings, shape ``(T, D)``, or None.
        gaps: of the medium, in order.
    """
    missing = Axis(gaps).missing(len(track))
    if not missing.any():
        return track, vectors
    logits = np.empty((len(missing), COUNT), np.float32)
    speech = np.zeros(len(missing), np.bool_)
    logits[~missing] = track.logits
    logits[missing] = track.logits.mean(axis=0, dtype=np.float64)
    speech[~missing] = True if track.speech is None else track.speech
    return Track(logits, speech), None if vectors is None else _spread(vectors, missing)


def _spread(vectors: Array32, missing: Mask) -> Array32:
    """Put their mean between rows where some are missing; the result may lie on the disk."""
    mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    spool, taken = Spool(MEMORY_BYTES), 0
    for first in range(0, len(missing), _ROWS):
        here = missing[first : first + _ROWS]
        rows = np.tile(mean, (len(here), 1))
        count = int(np.count_nonzero(~here))
        rows[~here] = vectors[taken : taken + count]
        spool.add(rows)
        taken += count
    return spool.take().reshape(len(missing), -1)
