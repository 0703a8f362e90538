"""Figures over time: emotions that people annotated in a recording against a system's segments.

EDER, the emotion diarization error rate, is that of "Speech Emotion Diarization" (2023,
arXiv:2306.12991), computed as SpeechBrain does (``speechbrain.utils.EDER``, and the recipe
ZaionEmotionDataset): the share of a recording's time at which another emotion is answered than was
annotated, where time without an annotation is neutral; over a list, the mean of its recordings.
SpeechBrain takes one emotional event per recording, this any number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from emoscope.evaluate.bootstrap import DRAWS, Resampling, SpeakerBootstrap, percentiles
from emoscope.evaluate.evaluation import Interval
from emoscope.labels import COUNT, KEYS, by_key
from emoscope.results.result import Failure
from emoscope.waveform import Array64

NEUTRAL = by_key("neutral").index
EmotionSpan: TypeAlias = tuple[float, float, int]
"""Start and end in seconds, and the index of the emotion."""


@dataclass(frozen=True, slots=True, eq=False)
class RecordingTimes:
    """Time of one recording by what was annotated and what was answered."""

    name: str
    duration_s: float
    annotated_s: Array64
    """Seconds by truth (rows) and answer (columns), of annotated time; shape ``(9, 9)``."""
    right_s: float
    """Seconds at which the answer is right, where time without an annotation is neutral."""
    speaker: str = ""

    @property
    def eder(self) -> float:
        """Emotion diarization error rate: the share of time at which the answer is wrong."""
        return 1.0 - self.right_s / self.duration_s


@dataclass(frozen=True, slots=True, eq=False)
class TimelineEvaluation:
    """Figures over the time of all recordings."""

    recordings: tuple[RecordingTimes, ...]
    resampling: Resampling
    eder: float
    """Mean over the recordings."""
    eder_interval: Interval
    eder_by_time: float
    """Share of all time: long recordings count more."""
    ua: float
    """Mean over the annotated emotions of the share of their time that is answered right."""
    ua_interval: Interval
    wa: float
    """Share of annotated time that is answered right."""
    seconds: Array64
    """Annotated time by truth and answer, shape ``(9, 9)``."""
    failures: tuple[Failure, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """All figures, for JSON."""
        return {
            "recordings": len(self.recordings),
            "speakers": self.resampling.speakers,
            "bootstrap": self.resampling.to_dict(),
            "eder": self.eder,
            "eder_ci95": None if self.eder_interval is None else list(self.eder_interval),
            "eder_by_time": self.eder_by_time,
            "ua_time": self.ua,
            "ua_time_ci95": None if self.ua_interval is None else list(self.ua_interval),
            "wa_time": self.wa,
            "annotated_s": float(self.seconds.sum()),
            "duration_s": sum(one.duration_s for one in self.recordings),
            "recall_time": {
                key: float(self.seconds[at, at] / self.seconds[at].sum())
                for at, key in enumerate(KEYS)
                if self.seconds[at].any()
            },
            "seconds": {"keys": list(KEYS), "rows": self.seconds.tolist()},
            "each": [
                {"name": one.name, "duration_s": one.duration_s, "eder": one.eder}
                for one in self.recordings
            ],
            "failures": [{"name": one.name, "code": one.error.code} for one in self.failures],
        }


def recording_times(
    name: str,
    truth: Sequence[EmotionSpan],
    answers: Sequence[EmotionSpan],
    duration_s: float,
    speaker: str = "",
) -> RecordingTimes:
    """Compare the annotation of a recording with a system's answers.

    Args:
        name: of the recording.
        truth: annotated spans, in order, that do not overlap; what lies outside of the recording
            does not count.
        answers: spans of the answers, in order, that do not overlap.
        duration_s: of the recording, above zero.
        speaker: of the recording; empty where that is not known.
    """
    filled = _filled(truth, duration_s)
    annotated, right_s = np.zeros((COUNT, COUNT)), 0.0
    for start_s, end_s, emotion, is_annotated in filled:
        for first_s, last_s, answer in answers:
            shared_s = max(0.0, min(end_s, last_s) - max(start_s, first_s))
            right_s += shared_s * (answer == emotion)
            if is_annotated:
                annotated[emotion, answer] += shared_s
    return RecordingTimes(name, duration_s, annotated, right_s, speaker)


def measure_timelines(
    recordings: Sequence[RecordingTimes],
    *,
    failures: Sequence[Failure] = (),
    draws: int = DRAWS,
    seed: int = 0,
) -> TimelineEvaluation:
    """Compute the figures of at least one recording.

    Args:
        recordings: time of each by truth and answer.
        failures: recordings that could not be recognized.
        draws: bootstrap samples of the intervals, over speakers.
        seed: of the drawing, so that a second run gives the same intervals.
    """
    speakers = [one.speaker for one in recordings]
    places = np.zeros(len(recordings), np.intp)
    bootstrap = SpeakerBootstrap(places, speakers, 1, draws=draws, seed=seed)
    table = np.stack(
        [
            np.concatenate([[one.eder, 1.0], np.diag(one.annotated_s), one.annotated_s.sum(axis=1)])
            for one in recordings
        ]
    )
    own, drawn = bootstrap.sums(table)
    seconds = np.sum([one.annotated_s for one in recordings], axis=0)
    is_alone = bootstrap.resampling.units < 2
    wrong_s = sum(one.duration_s - one.right_s for one in recordings)
    return TimelineEvaluation(
        recordings=tuple(recordings),
        resampling=bootstrap.resampling,
        eder=float(_eder(own)[0]),
        eder_interval=None if is_alone else percentiles(_eder(drawn)),
        eder_by_time=wrong_s / sum(one.duration_s for one in recordings),
        ua=float(_ua(own)[0]),
        ua_interval=None if is_alone else percentiles(_ua(drawn)),
        wa=float(np.trace(seconds) / max(seconds.sum(), 1e-12)),
        seconds=seconds,
        failures=tuple(failures),
    )


def _filled(
    truth: Sequence[EmotionSpan], duration_s: float
) -> list[tuple[float, float, int, bool]]:
    """Spans of the whole recording, and whether each is annotated; the others are neutral."""
    found, at_s = [], 0.0
    for start_s, end_s, emotion in sorted(truth):
        start_s, end_s = max(at_s, start_s), min(end_s, duration_s)
        if end_s <= start_s:
            continue
        if start_s > at_s:
            found.append((at_s, start_s, NEUTRAL, False))
        found.append((start_s, end_s, emotion, True))
        at_s = end_s
    if at_s < duration_s:
        found.append((at_s, duration_s, NEUTRAL, False))
    return found


def _eder(sums: Array64) -> Array64:
    return np.asarray(sums[:, 0] / np.maximum(sums[:, 1], 1))


def _ua(sums: Array64) -> Array64:
    right, annotated = sums[:, 2 : 2 + COUNT], sums[:, 2 + COUNT :]
    there = annotated > 0
    recall = np.where(there, right / np.where(there, annotated, 1), 0.0)
    return np.asarray(recall.sum(axis=1) / np.maximum(there.sum(axis=1), 1))
