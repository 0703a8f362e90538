"""Stream recognizer: live samples in, recognition events out.

Every frame is emitted at most twice: provisionally as soon as its sound arrives, computed from the
two seconds before it (``final=False``), and finally when its window is complete, at the latest 30 s
later or at the end. Final rows, segments and result are those of the same sound as a file, however
it was portioned, because both go through the same windows (``inference/windows.py``) and the same
reader (``results/segments.py``).

Time for which the medium holds no sound (``miss``) has rows as well. Their provisional rows are
zeros; the final ones, the mean of all others, are emitted at the end.

Under load provisional rows become rarer; final ones never change.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from emoscope.audio.live_channels import ONE_CHANNEL, Mixed
from emoscope.audio.missing import Axis, Gap, spans_of
from emoscope.audio.prepare import PreparedAudio
from emoscope.audio.resample import Resampler, Stages
from emoscope.audio.spool import MEMORY_BYTES, Spool
from emoscope.audio.validate import reasons_of
from emoscope.errors import AudioError
from emoscope.events import Clock, Step
from emoscope.inference.headed import RecordingOutput
from emoscope.inference.windowed import FrameBatch, on_axis
from emoscope.labels import COUNT, SILENCE, Emotion
from emoscope.paths.choices import Granularity
from emoscope.recognizer import Recognizer
from emoscope.results.result import Result
from emoscope.results.scores import softmax
from emoscope.results.segments import Segment, SegmentReader
from emoscope.results.track import Track
from emoscope.results.utterances import UTTERANCE_RULES, Utterance, UtteranceRules
from emoscope.streaming.live_utterances import LiveUtterances
from emoscope.waveform import HOP, HOP_S, RATE_HZ, Array32, Mask, Samples, Waveform

STEP_S = 0.2
"""Seconds of new sound between two provisional inferences."""
LOOK_S = 2.0
"""Seconds of earlier sound that the model also gets for the provisional rows."""
_GAP_ROWS = 1_500
"""Frames of a gap in one event: half a minute."""


@dataclass(frozen=True, slots=True, eq=False)
class FramesHeard:
    """Rows of consecutive frames."""

    first_frame: int
    logits: Array32
    """Shape ``(n, 9)``."""
    speech: Mask
    """Shape ``(n,)``."""
    final: bool
    """False: they are emitted once more as final."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Speech begins; provisional."""

    at_s: float


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """No speech for ``segments.Rules.pause_s`` seconds; provisional."""

    at_s: float
    """Where the silence began."""


@dataclass(frozen=True, slots=True)
class SegmentOpened:
    """Start of a segment; provisional."""

    start_s: float
    emotion: Emotion


@dataclass(frozen=True, slots=True)
class SegmentClosed:
    """End of a segment. The final ones are those of the result."""

    segment: Segment
    final: bool


@dataclass(frozen=True, slots=True)
class UtteranceEnded:
    """An utterance, recognized alone; final. It is one of the result."""

    utterance: Utterance


@dataclass(frozen=True, slots=True)
class Finished:
    """The result, and the sound it is about."""

    result: Result
    waveform: Waveform


StreamEvent: TypeAlias = (
    FramesHeard
    | SpeechStarted
    | SpeechEnded
    | SegmentOpened
    | SegmentClosed
    | UtteranceEnded
    | Finished
)


class StreamRecognizer:
    """Recognition of one stream: takes samples in portions of any size, returns events.

    Not safe in several threads.

    Args:
        recognizer: its model and limits are used.
        rate_hz: sample rate of the samples to be fed, in Hz; resampled to 16 kHz by soxr.
        granularity: ``frame`` adds the track of 20 ms rows, the segments and their summary.
        embedding: keep the frame embeddings in the result, float32 of shape ``(T, D)``.
        utterances: recognize each utterance alone as well, when it ends: True, or rules.
        name: name of the recording in the result.
        step_s: seconds of new sound between two provisional inferences.
        clock: seconds; an inference that takes longer than ``step_s`` makes the next ones rarer.

    Raises:
        AudioError: the limits do not allow this rate.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        *,
        rate_hz: int = RATE_HZ,
        granularity: Granularity = "frame",
        embedding: bool = False,
        utterances: bool | UtteranceRules = False,
        name: str = "stream",
        step_s: float = STEP_S,
        clock: Clock = time.perf_counter,
    ) -> None:
        limits = recognizer.limits
        if not limits.min_rate_hz <= rate_hz <= limits.max_rate_hz:
            raise AudioError(
                "audio_rate_out_of_range",
                rate_hz=rate_hz,
                min_rate_hz=limits.min_rate_hz,
                max_rate_hz=limits.max_rate_hz,
            )
        self._recognizer, self._granularity, self._name = recognizer, granularity, name
        self._resampler = Resampler(rate_hz, 1)
        self._stages = Stages()
        self._sound = Spool(MEMORY_BYTES)
        self._inference = recognizer.windowed_inference("frame")
        self._logits, self._speech = Spool(MEMORY_BYTES), bytearray()
        self._vectors = Spool(MEMORY_BYTES) if embedding else None
        self._reader, self._live = SegmentReader(), SegmentReader()
        self._rate_hz = rate_hz
        self._gaps, self._axis = list[Gap](), Axis()
        self._sound_samples = 0
        """Samples at 16 kHz taken, gaps left out."""
        self._read = 0
        """Frames of the medium that the reader of what is final has read."""
        self._shown = 0
        """Frames of the sound, gaps left out, that the live reader has read."""
        self._open: tuple[Emotion, float] = (SILENCE, 0.0)
        self._step_s, self._clock = step_s, clock
        self._rules = UTTERANCE_RULES if utterances is True else utterances or None
        self._spoken: LiveUtterances | None = None
        if self._rules is not None:
            inference = recognizer.utterance_inference(embedding=embedding)
            self._spoken = LiveUtterances(inference, self._rules, clock)
        self._wait_s = step_s
        self._busy_s = 0.0

    @property
    def heard_s(self) -> float:
        """Seconds of the medium taken."""
        return self._sound.count / RATE_HZ

    def feed(self, samples: Samples) -> list[StreamEvent]:
        """Take the next samples, float32 in [-1, 1], shape ``(n,)``.

        Raises:
            AudioError: a sample is NaN or infinite.
            AudioError: the stream is longer than the limits allow.
            ModelError: the model failed.
            StoreError: the folder for temporary files is full or cannot be written.
        """
        if not np.isfinite(samples).all():
            raise AudioError("audio_not_finite")
        return list(self._take(self._resampler(samples[None], self._stages)[0]))

    def miss(self, duration_s: float) -> list[StreamEvent]:
        """Record a gap: the medium holds no sound for a while, in whole hops of 20 ms.

        Args:
            duration_s: length of the gap in seconds.

        Raises:
            AudioError: with the gap the stream is longer than the limits allow.
            ModelError: the model failed.
            StoreError: the folder for temporary files is full or cannot be written.
        """
        events = list(self._take(self._resampler.rest(self._stages)[0]))
        self._resampler = Resampler(self._rate_hz, 1)
        gap = Gap(self._sound_samples, round(duration_s * RATE_HZ) // HOP * HOP)
        self._check_length(gap.samples)
        if gap.samples:
            self._gaps.append(gap)
            self._axis.add(gap)
        for (silence,) in gap.silence(1):
            self._sound.add(silence)
            events += self._ended(silence)
        return events

    def finish(self, mixed: Mixed = ONE_CHANNEL) -> list[StreamEvent]:
        """End the stream: all rows become final, and the last event holds the result.

        Args:
            mixed: how several channels were mixed. If it holds other samples than were fed, the
                result is about those, and events that were emitted before are not repeated.

        Raises:
            AudioError: the sound is too short or silent, the same as for a file.
            ModelError: the model failed.
            StoreError: the folder for temporary files is full or cannot be written.
        """
        events = list(self._take(self._resampler.rest(self._stages)[0]))
        started_s = self._clock()
        for rows in self._inference.finish():
            events += self._settle(rows)
        self._busy_s += self._clock() - started_s
        events += self._ended(None)
        samples = self._sound.take() if mixed.samples is None else mixed.samples
        waveform = Waveform(samples, RATE_HZ, self._name, spans_of(self._gaps))
        recording = _mixed(self._recognizer.decode(waveform), mixed)
        if mixed.samples is not None:
            result = self._recognizer.infer(
                recording,
                granularity=self._granularity,
                embedding=self._vectors is not None,
                utterances=self._rules,
            )
            return [*events, Finished(result, waveform)]
        track, vectors = self._rows()
        data: dict[str, object] = {"model": self._recognizer.model.name, "frames": len(track)}
        steps = [Step("infer", self._busy_s * 1000, data)]
        steps += [] if self._spoken is None else [self._spoken.step()]
        recording = replace(recording, steps=(*recording.steps, *steps))
        output = RecordingOutput(track, vectors)
        result = self._recognizer.assembler.result(
            recording,
            output,
            self._recognizer.heads,
            granularity=self._granularity,
            utterances=None if self._spoken is None else self._spoken.result(),
        )
        # A gap behind the last frame.
        logits, speech = _silent(len(track) - self._read)
        last = self._reader.feed(softmax(logits), speech)
        last += self._reader.finish(waveform.duration_s)
        return [
            *events,
            *self._rows_of_gaps(track),
            *(SegmentClosed(segment, final=True) for segment in last),
            Finished(result, waveform),
        ]

    def _ended(self, samples: Samples | None) -> list[StreamEvent]:
        """Utterances that these samples at 16 kHz end; None: the end of the stream does."""
        found = [] if self._spoken is None else self._spoken.feed(samples, self._gaps)
        return [UtteranceEnded(one) for one in found]

    def _rows(self) -> tuple[Track, Array32 | None]:
        """Everything the model said, on the medium's time axis."""
        count = len(self._speech)
        track = Track(
            self._logits.take().reshape(count, COUNT), np.frombuffer(self._speech, np.bool_)
        )
        vectors = None if self._vectors is None else self._vectors.take().reshape(count, -1)
        return on_axis(track, vectors, self._gaps)

    def _rows_of_gaps(self, track: Track) -> Iterator[StreamEvent]:
        missing = self._axis.missing(len(self._speech))
        borders = np.flatnonzero(np.diff(missing, prepend=False, append=False)).reshape(-1, 2)
        for first, last in borders.tolist():
            for at in range(first, last, _GAP_ROWS):
                rows = track.logits[at : min(at + _GAP_ROWS, last)]
                yield FramesHeard(at, rows, np.zeros(len(rows), np.bool_), final=True)

    def _check_length(self, samples: int) -> None:
        max_s = self._recognizer.limits.max_duration_s
        if self.heard_s + samples / RATE_HZ > max_s:
            raise AudioError("audio_too_long", max_duration_s=max_s)

    def _take(self, samples: Samples) -> Iterator[StreamEvent]:
        """Take samples at 16 kHz."""
        self._check_length(len(samples))
        samples = np.clip(samples, -1.0, 1.0)
        self._sound.add(samples)
        self._sound_samples += len(samples)
        yield from self._ended(samples)
        started_s = self._clock()
        for rows in self._inference.feed(samples):
            yield from self._settle(rows)
        new_s = self._sound_samples / RATE_HZ - self._shown * HOP_S
        if new_s >= self._wait_s:
            rows_ahead = self._inference.ahead(max(self._shown, self._inference.given), LOOK_S)
            if rows_ahead is not None:
                yield from (frames for frames, is_gap in self._placed(rows_ahead) if not is_gap)
                yield from self._follow(rows_ahead)
                took_s = self._clock() - started_s
                self._wait_s = max(self._step_s, math.ceil(took_s / HOP_S) * HOP_S)
        self._busy_s += self._clock() - started_s

    def _settle(self, rows: FrameBatch) -> Iterator[StreamEvent]:
        """Take rows that will not change any more."""
        self._logits.add(rows.logits)
        self._speech += rows.speech.tobytes()
        if self._vectors is not None:
            self._vectors.add(rows.embeddings)
        for frames, is_gap in self._placed(rows):
            if not is_gap:
                yield replace(frames, final=True)
            self._read += len(frames.speech)
            for segment in self._reader.feed(softmax(frames.logits), frames.speech):
                yield SegmentClosed(segment, final=True)
        # A portion of many seconds: these frames were never emitted before.
        yield from self._follow(rows)

    def _placed(self, rows: FrameBatch) -> Iterator[tuple[FramesHeard, bool]]:
        """Lay rows on the medium's time axis; ``True`` marks the frames of the gaps before them."""
        taken = 0
        for first, count, is_gap in self._axis.stretches(
            rows.first_frame, rows.first_frame + len(rows.logits)
        ):
            if is_gap:
                for at in range(first, first + count, _GAP_ROWS):
                    logits, speech = _silent(min(_GAP_ROWS, first + count - at))
                    yield FramesHeard(at, logits, speech, final=False), True
            else:
                here = slice(taken, taken + count)
                taken += count
                yield FramesHeard(first, rows.logits[here], rows.speech[here], final=False), False

    def _follow(self, rows: FrameBatch) -> Iterator[StreamEvent]:
        """Pass new rows to the live reader and emit what changes."""
        known = max(0, self._shown - rows.first_frame)
        first, logits, speech = rows.first_frame + known, rows.logits[known:], rows.speech[known:]
        if not len(logits):
            return
        self._shown = first + len(logits)
        for frames, is_gap in self._placed(FrameBatch(first, logits, rows.embeddings, speech)):
            if is_gap:
                yield frames
            for segment in self._live.feed(softmax(frames.logits), frames.speech):
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


def _mixed(recording: PreparedAudio, mixed: Mixed) -> PreparedAudio:
    """Return a recording that knows how its channels were mixed."""
    if mixed.step is None:
        return recording
    steps = (mixed.step, *recording.steps)
    quality = recording.quality
    reasons = (*quality.reasons, *reasons_of((mixed.step,)))
    return replace(recording, steps=steps, quality=replace(quality, reasons=reasons))


def _silent(count: int) -> tuple[Array32, Mask]:
    """Rows of a gap: logits of zero, and no speech."""
    return np.zeros((count, COUNT), np.float32), np.zeros(count, np.bool_)
