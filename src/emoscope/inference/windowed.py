"""Windowed inference: samples in, frames of logits and embeddings out, for files and streams."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain

import numpy as np

from emoscope.audio.missing import Axis, Gap
from emoscope.audio.speech_frames import SpeechFrames
from emoscope.audio.spool import MEMORY_BYTES, Spool
from emoscope.events import Listener, Progress, ignore
from emoscope.inference.forward import ClipOutput, ClipRunner
from emoscope.inference.window_runs import WindowRuns
from emoscope.inference.windows import Window, WindowCutter
from emoscope.labels import COUNT
from emoscope.results.track import Track
from emoscope.waveform import HOP_S, Array32, Mask, Samples, Waveform, frame_count

WHOLE_S = 30.0
"""Sound up to this is given to the model whole; longer sound in windows."""
WINDOW_S = 10.0
"""Sound whose frames a window keeps. With more, attention costs the large model time and memory."""
CONTEXT_S = 1.0
"""Sound on each side of a window that is also given to the model. So two windows share twice as
much, and there the rows of the one fade into those of the other: the curve has no seams."""
_ROWS = 4_096
"""Rows of an embedding handled at once."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameBatch:
    """Model outputs of n consecutive frames of 20 ms."""

    first_frame: int
    logits: Array32
    """Shape ``(n, 9)``."""
    embeddings: Array32
    """Shape ``(n, D)``."""
    speech: Mask
    """Shape ``(n,)``."""


class WindowedInference:
    """Inference over one recording, a window at a time, so that memory is bounded.

    Args:
        forward: runs the model; may be shared with other recordings.
        find_speech: run the speech detector as well; if not, every frame counts as speech.
        at_once: windows that run side by side; with more than one, ``feed`` gives the rows of
            those that are done, and ``close`` must be called.
    """

    def __init__(self, forward: ClipRunner, *, find_speech: bool, at_once: int = 1) -> None:
        self._forward = forward
        self._runs = WindowRuns(forward, at_once)
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
        for window, output in self._runs.over(self._cutter.feed(samples)):
            yield self._joined(window, output)

    def finish(self) -> Iterator[FrameBatch]:
        """Yield the last rows; none where the whole sound has no frame.

        Raises:
            ModelError: the model failed.
        """
        if self._speech is not None:
            self._speech.finish()
        for window, output in self._runs.last(self._cutter.finish()):
            yield self._joined(window, output)

    def close(self) -> None:
        """Drop the windows that are still to run; nothing may be fed afterwards."""
        self._runs.close()

    def ahead(self, frame: int, context_s: float) -> FrameBatch | None:
        """Return provisional rows from ``frame`` on, or None where there are none yet.

        Args:
            frame: first frame to return; not before ``given``.
            context_s: seconds of sound before it that are also given to the model.

        Raises:
            ModelError: the model failed.
        """
        window = self._cutter.latest(frame, context_s)
        if window is None:
            return None
        (output,) = self._forward.run([window.samples])
        first = window.first_frame + window.keep_from
        return self._rows(first, _between(output, window.keep_from, window.keep_to))

    def _joined(self, window: Window, output: ClipOutput) -> FrameBatch:
        """Fade a window into the one before, and return its rows up to the next window."""
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
    """Fade the rows that two windows share from the old window's into the new window's.

    Logits and embeddings alike, so that the model's linear head still maps the one to the other.
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
    """Run the model over a whole recording, one window after another.

    Args:
        waveform: at 16 kHz, without the gaps of the medium.
        windowed_inference: one that was fed nothing yet.
        gaps: gaps of the medium in order; rows for them are inserted. None by default.
        embedding: return the frame embeddings; those of long sound are kept in a file.
        listener: called with progress; an exception that it raises ends the work.

    Returns:
        The track on the medium's time axis, and the embeddings, float32 of shape ``(T, D)``, or
        None.

    Raises:
        ModelError: the model failed.
        StoreError: the embeddings do not fit into the folder for temporary files.
    """
    total = frame_count(len(waveform.samples))
    logits, speech = np.empty((total, COUNT), np.float32), np.empty(total, np.bool_)
    vectors = Spool(MEMORY_BYTES) if embedding else None
    blocks = (rows for block in waveform.blocks() for rows in windowed_inference.feed(block))
    with closing(windowed_inference):
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
    """Insert rows for the gaps of the medium, in which it holds no sound.

    Each frame of a gap gets the mean of all rows, so that gaps do not change the mean, which is
    the result of the recording. It counts as no speech.

    Args:
        track: rows of the sound without its gaps, ``(T, 9)``.
        vectors: their embeddings, float32 of shape ``(T, D)``, or None.
        gaps: gaps of the medium, in order.

    Returns:
        Track and embeddings with the rows of the gaps inserted.
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
    """Insert the mean of all rows where rows are missing; the result may lie on the disk."""
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
