"""Live sound: samples in as they come, events out. Pure; who sends the events is a face.

Every frame is told at most twice: as soon as it is heard, from the two seconds before it
(``final=False``), and once more when its window is settled, at the latest 30 s later or at the end.
The final rows, segments and answer are those of the same sound as a file, however it was portioned,
because both go through the same windows (``audio/windows.py``) and the same reader
(``segments.py``).

Under load what is provisional becomes rarer; what is final never changes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from emoscope.audio.resample import Resampler, Stages
from emoscope.audio.spool import MEMORY_BYTES, Spool
from emoscope.engine.hearing import Rows
from emoscope.errors import AudioNotFiniteError, AudioRateError, AudioTooLongError
from emoscope.events import Clock, Step
from emoscope.labels import COUNT, SILENCE, Emotion
from emoscope.recognizer import Recognizer
from emoscope.result import Array32, Granularity, Result, Track, softmax
from emoscope.segments import Mask, Segment, SegmentReader
from emoscope.waveform import HOP_S, RATE_HZ, Samples, Waveform

STEP_S = 0.2
"""New sound between two looks at it."""
LOOK_S = 2.0
"""Sound before the new that the model hears for the provisional rows."""


@dataclass(frozen=True, slots=True, eq=False)
class FramesHeard:
    """Rows of frames in a row."""

    first_frame: int
    logits: Array32
    """Shape ``(n, 9)``."""
    speech: Mask
    """Shape ``(n,)``."""
    final: bool
    """False: they will be told once more."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody begins to speak; provisional."""

    at_s: float


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """Nobody has spoken for a while (``segments.Rules.pause_s``); provisional."""

    at_s: float
    """Where the silence began."""


@dataclass(frozen=True, slots=True)
class SegmentOpened:
    """An emotion takes the lead; provisional."""

    start_s: float
    emotion: Emotion


@dataclass(frozen=True, slots=True)
class SegmentClosed:
    """A segment has ended. The final ones are those of the result."""

    segment: Segment
    final: bool


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer, and the sound it is about."""

    result: Result
    waveform: Waveform


StreamEvent: TypeAlias = (
    FramesHeard | SpeechStarted | SpeechEnded | SegmentOpened | SegmentClosed | Finished
)


class StreamRecognizer:
    """One listener: takes samples in portions of any size and gives events. Not for threads.

    Args:
        recognizer: whose model and limits hold.
        rate_hz: of the samples that will be fed; brought to 16 kHz by soxr, as files are.
        granularity: of the answer.
        embedding: keep the embedding for the answer.
        name: what to call the recording.
        step_s: new sound between two provisional looks.
        clock: tells how long a look takes; one that takes longer than ``step_s`` makes them rarer.

    Raises:
        AudioRateError: the limits do not allow this rate.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        *,
        rate_hz: int = RATE_HZ,
        granularity: Granularity = "frame",
        embedding: bool = False,
        name: str = "stream",
        step_s: float = STEP_S,
        clock: Clock = time.perf_counter,
    ) -> None:
        limits = recognizer.limits
        if not limits.min_rate_hz <= rate_hz <= limits.max_rate_hz:
            raise AudioRateError(
                rate_hz=rate_hz, min_rate_hz=limits.min_rate_hz, max_rate_hz=limits.max_rate_hz
            )
        self._recognizer, self._granularity, self._name = recognizer, granularity, name
        self._resampler = Resampler(rate_hz, 1)
        self._stages = Stages()
        self._sound = Spool(MEMORY_BYTES)
        self._hearing = recognizer.hearing("frame")
        self._logits, self._speech = Spool(MEMORY_BYTES), bytearray()
        self._vectors = Spool(MEMORY_BYTES) if embedding else None
        self._reader, self._live = SegmentReader(), SegmentReader()
        self._shown = 0
        """Frames that the live reader has read."""
        self._open: tuple[Emotion, float] = (SILENCE, 0.0)
        self._step_s, self._clock = step_s, clock
        self._wait_s = step_s
        self._busy_s = 0.0

    @property
    def heard_s(self) -> float:
        """Seconds of sound taken."""
        return self._sound.count / RATE_HZ

    def feed(self, samples: Samples) -> list[StreamEvent]:
        """Take the next samples, float32 in [-1, 1], shape ``(n,)``.

        Raises:
            AudioNotFiniteError: there is a number among them that is none.
            AudioTooLongError: the stream is longer than the limits allow.
            ModelError: the model failed.
            StoreError: the sound cannot be kept.
        """
        if not np.isfinite(samples).all():
            raise AudioNotFiniteError
        return list(self._take(self._resampler(samples[None], self._stages)[0]))

    def finish(self) -> list[StreamEvent]:
        """End the stream: everything becomes final, and the last event is the answer.

        Raises:
            AudioError: too short, or silent: the same as for a file.
            ModelError: the model failed.
        """
        events = list(self._take(self._resampler.rest(self._stages)[0]))
        started_s = self._clock()
        for rows in self._hearing.finish():
            events += self._settle(rows)
        self._busy_s += self._clock() - started_s
        waveform = Waveform(self._sound.take(), RATE_HZ, self._name)
        recording = self._recognizer.prepare(waveform)
        total = len(self._speech)
        data: dict[str, object] = {"model": self._recognizer.model.name, "frames": total}
        recording = replace(
            recording, steps=(*recording.steps, Step("infer", self._busy_s * 1000, data))
        )
        track = Track(
            self._logits.take().reshape(total, COUNT), np.frombuffer(self._speech, np.bool_)
        )
        result = self._recognizer.conclude(
            recording,
            track,
            granularity=self._granularity,
            embedding=None if self._vectors is None else self._vectors.take().reshape(total, -1),
        )
        last = self._reader.finish(waveform.duration_s)
        return [
            *events,
            *(SegmentClosed(segment, final=True) for segment in last),
            Finished(result, waveform),
        ]

    def _take(self, samples: Samples) -> Iterator[StreamEvent]:
        """Take samples at 16 kHz."""
        max_s = self._recognizer.limits.max_duration_s
        if self.heard_s + len(samples) / RATE_HZ > max_s:
            raise AudioTooLongError(max_duration_s=max_s)
        samples = np.clip(samples, -1.0, 1.0)
        self._sound.add(samples)
        started_s = self._clock()
        for rows in self._hearing.feed(samples):
            yield from self._settle(rows)
        new_s = self.heard_s - self._shown * HOP_S
        if new_s >= self._wait_s:
            rows_ahead = self._hearing.ahead(max(self._shown, self._hearing.given), LOOK_S)
            if rows_ahead is not None:
                yield _frames(rows_ahead, final=False)
                yield from self._follow(rows_ahead)
                took_s = self._clock() - started_s
                self._wait_s = max(self._step_s, math.ceil(took_s / HOP_S) * HOP_S)
        self._busy_s += self._clock() - started_s

    def _settle(self, rows: Rows) -> Iterator[StreamEvent]:
        """Take rows that will not change any more."""
        self._logits.add(rows.logits)
        self._speech += rows.speech.tobytes()
        if self._vectors is not None:
            self._vectors.add(rows.embeddings)
        yield _frames(rows, final=True)
        for segment in self._reader.feed(softmax(rows.logits), rows.speech):
            yield SegmentClosed(segment, final=True)
        # A portion of many seconds: these frames were never told before.
        yield from self._follow(rows)

    def _follow(self, rows: Rows) -> Iterator[StreamEvent]:
        """Let the live reader read what it has not, and tell what that changes."""
        known = max(0, self._shown - rows.first_frame)
        logits, speech = rows.logits[known:], rows.speech[known:]
        if not len(logits):
            return
        self._shown = rows.first_frame + len(rows.logits)
        for segment in self._live.feed(softmax(logits), speech):
            if not segment.silent:
                yield SegmentClosed(segment, final=False)
        was, now = self._open, self._live.now
        if now == was:
            return
        self._open = now
        emotion, since_s = now
        if emotion is SILENCE:
            yield SpeechEnded(since_s)
            return
        if was[0] is SILENCE:
            yield SpeechStarted(since_s)
        yield SegmentOpened(since_s, emotion)


def _frames(rows: Rows, *, final: bool) -> FramesHeard:
    return FramesHeard(rows.first_frame, rows.logits, rows.speech, final)
