"""Segmentation: frame scores to segments, incrementally, for files and live streams.

Three steps, each with a bounded look ahead:

1. Rows without speech get no emotion. A pause of ``pause_s`` or longer is a segment of silence; a
   shorter one belongs half to the speech before and half to that behind it, at an end of the
   recording to the speech beside it, and a sound shorter than ``sound_s`` to the silence.
2. The scores of the rows with speech are averaged over a centred window of ``smoothing_s``.
3. Hysteresis: a segment ends only where another emotion leads on average by ``margin`` over at
   least ``minimum_s``; it then ends where it lost the lead, or in the middle of the short pause
   behind which it lost it.

The segments cover [0, duration] without gap or overlap. One that is shorter than ``minimum_s``
stands alone between two silences or ends of the recording.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import cast

import numpy as np

from emoscope.labels import COUNT, EMOTIONS, SILENCE, Emotion
from emoscope.results.json_type import JsonType, LabelByKey, Share
from emoscope.waveform import HOP_S, Array64, Mask, Span


def _rows(seconds: float) -> int:
    """Rows in so many seconds, rounded up; 0.14 / 0.02 is a hair above 7."""
    return math.ceil(seconds / HOP_S - 1e-9)


@dataclass(frozen=True, slots=True)
class SegmentRules(JsonType):
    """How segments were made; seconds, and a margin between scores.

    Raises:
        ValueError: a number is negative or not finite, ``margin`` is over 1, or ``pause_s`` is
            under half of ``smoothing_s``: the average would reach across a silence.
    """

    smoothing_s: float = 1.0
    """Width of the centred window that scores are averaged over; its two ends are included."""
    minimum_s: float = 0.5
    """How long another emotion must lead before a segment ends."""
    margin: float = 0.2
    """By how much it must lead on average over that time, between scores of 0 to 1."""
    pause_s: float = 0.7
    """A pause of this length is a segment of silence; a shorter one is parted in its middle."""
    sound_s: float = 0.1
    """A sound between silences that is shorter than this is no speech."""

    def __post_init__(self) -> None:
        if not all(0 <= value < math.inf for value in asdict(self).values()) or self.margin > 1:
            raise ValueError(f"rules are seconds from zero on and a margin up to 1, not {self}")
        if _rows(self.pause_s) < self.half_rows:
            raise ValueError("pause_s must be at least half of smoothing_s")

    @property
    def half_rows(self) -> int:
        """Rows on each side of the one that is smoothed."""
        return round(self.smoothing_s / HOP_S) // 2


DEFAULT_RULES = SegmentRules()


@dataclass(frozen=True, slots=True)
class Segment(JsonType, Span):
    """A stretch of one leading emotion, or of silence, which has no score."""

    emotion: LabelByKey
    """One of the nine, or ``labels.SILENCE``."""
    score: Share | None
    """Mean smoothed score of this emotion over the segment's speech; None for silence."""
    corrected: bool = field(
        default=False,
        metadata={
            "exclude_if": operator.not_,
            "description": "true where a person changed the emotion or a border",
        },
    )
    """Whether a person changed its emotion or a border; never so in ``result.json``."""

    def __post_init__(self) -> None:
        Span.__post_init__(self)
        if self.silent:  # where results of earlier versions have 0
            object.__setattr__(self, "score", None)

    @property
    def span(self) -> Span:
        """The stretch of time alone."""
        return Span(self.start_s, self.end_s)

    @property
    def silent(self) -> bool:
        """Whether it is a segment of silence."""
        return self.emotion is SILENCE


def smoothed_scores(scores: Array64, speech: Mask, rules: SegmentRules = DEFAULT_RULES) -> Array64:
    """Return the scores that segments are read from, shape ``(n, 9)``.

    Args:
        scores: of all frames of a recording, shape ``(n, 9)``.
        speech: shape ``(n,)``, true where there is speech; other frames weigh nothing.
        rules: ``smoothing_s`` is the width of the centred window.
    """
    half, count = rules.half_rows, len(scores)
    sums = np.vstack([np.zeros((1, COUNT)), np.cumsum(scores * speech[:, None], axis=0)])
    weights = np.concatenate([[0.0], np.cumsum(speech, dtype=np.float64)])
    here = np.arange(count)
    first, last = np.maximum(here - half, 0), np.minimum(here + half + 1, count)
    weight = np.maximum(weights[last] - weights[first], 1.0)
    return cast(Array64, (sums[last] - sums[first]) / weight[:, None])


@dataclass(slots=True)
class _Sums:
    """Running sum of smoothed rows."""

    first: int
    total: list[float]
    rows: int = 0

    def add(self, row: list[float]) -> None:
        self.total = [a + b for a, b in zip(self.total, row, strict=True)]
        self.rows += 1

    def join(self, later: _Sums) -> None:
        self.total = [a + b for a, b in zip(self.total, later.total, strict=True)]
        self.rows += later.rows

    def leader(self) -> int:
        return max(range(len(self.total)), key=self.total.__getitem__)

    def lead(self, one: int, other: int) -> float:
        return (self.total[one] - self.total[other]) / self.rows


@dataclass(slots=True)
class _Speech:
    """State of the stretch of speech that is being read."""

    first: int
    onset: int
    """First row with speech; ``first`` is 0 where only a short pause lies before it."""
    end: int
    """Row after the last with speech."""
    stretch: _Sums
    """The open segment."""
    label: int | None = None
    """Its emotion; None until ``minimum_s`` of it were read."""
    challenge: _Sums | None = None
    """Rows since its emotion lost the lead."""


class SegmentReader:
    """Incremental segmentation: rows in portions of any size, segments out as they close.

    The same rows give the same segments, bit by bit, however they are portioned.

    Args:
        rules: how to read.
        classes: what the columns of the scores stand for; the nine by default.
    """

    def __init__(
        self, rules: SegmentRules = DEFAULT_RULES, classes: Sequence[Emotion] = EMOTIONS
    ) -> None:
        self._rules = rules
        self._classes = classes
        self._minimum = max(1, _rows(rules.minimum_s))
        self._pause = max(1, _rows(rules.pause_s))
        self._sound = _rows(rules.sound_s)
        # Rows of zeros before the first and after the last weigh nothing in the average.
        self._scores = np.zeros((rules.half_rows, len(classes)))
        self._weights = np.zeros(rules.half_rows)
        self._at = 0
        """The next row to be read."""
        self._told = 0
        """Row up to which segments were given."""
        self._speech: _Speech | None = None
        self._closed: list[Segment] = []

    @property
    def now(self) -> tuple[Emotion, float]:
        """The emotion (or silence) of the open segment and where it began, in seconds."""
        speech = self._speech
        if speech is None or speech.end - speech.first < self._sound:
            return SILENCE, self._told * HOP_S
        index = speech.stretch.leader() if speech.label is None else speech.label
        return self._classes[index], speech.stretch.first * HOP_S

    def feed(self, scores: Array64, speech: Mask) -> list[Segment]:
        """Read the next rows.

        Args:
            scores: shape ``(n, 9)``, or a column for each of ``classes``.
            speech: shape ``(n,)``, true where there is speech.

        Returns:
            Segments that are closed now and will not change.
        """
        self._scores = np.concatenate([self._scores, scores * speech[:, None]])
        self._weights = np.concatenate([self._weights, speech.astype(np.float64)])
        for voiced, row in self._smoothed():
            self._read(voiced, row)
            self._at += 1
        done = max(0, len(self._weights) - 2 * self._rules.half_rows)
        self._scores, self._weights = self._scores[done:], self._weights[done:]
        return self._given()

    def finish(self, duration_s: float) -> list[Segment]:
        """Read what is left and close the last segment at ``duration_s``.

        Raises:
            ValueError: there was no row at all.
        """
        half = self._rules.half_rows
        given = self.feed(np.zeros((half, len(self._classes))), np.zeros(half, np.bool_))
        if not self._at:
            raise ValueError("segments need a row at least")
        if self._speech is not None:
            # A pause at the end that is too short for a silence belongs to the speech before it.
            self._end(self._speech, self._at, whole=self._speech.first == 0)
        self._silence(self._at)
        last = self._closed[-1]
        self._closed[-1] = replace(last, end_s=duration_s)
        return given + self._given()

    def _smoothed(self) -> Iterable[tuple[bool, list[float]]]:
        """Rows whose window is complete: whether there is speech, and the average."""
        half = self._rules.half_rows
        count = len(self._weights) - 2 * half
        if count <= 0:
            return ()
        total, weight = np.zeros((count, len(self._classes))), np.zeros(count)
        # Added up one by one, so that every row is summed in the same order in every portion.
        for shift in range(2 * half + 1):
            total += self._scores[shift : shift + count]
            weight += self._weights[shift : shift + count]
        voiced = self._weights[half : half + count] > 0
        total /= np.maximum(weight, 1.0)[:, None]
        return zip(voiced.tolist(), total.tolist(), strict=True)

    def _read(self, voiced: bool, row: list[float]) -> None:
        at, speech = self._at, self._speech
        if voiced:
            if speech is None:
                first = 0 if not self._told and at < self._pause else at
                speech = self._speech = _Speech(first, at, at + 1, self._sums(first))
            # A short pause belongs to both sides: its middle is where the one may end.
            border = at - (at - speech.end) // 2
            speech.end = at + 1
            self._weigh(speech, row, border)
        elif speech is not None and at + 1 - speech.end >= self._pause:
            self._end(speech, speech.end)

    def _weigh(self, speech: _Speech, row: list[float], border: int) -> None:
        """Let one smoothed row speak for or against the open segment.

        Args:
            speech: the stretch that the row belongs to.
            row: smoothed scores.
            border: where the open segment ends if it has lost the lead with this row.
        """
        stretch, challenge = speech.stretch, speech.challenge
        if speech.label is None:
            stretch.add(row)
            if stretch.rows >= self._minimum:
                speech.label = stretch.leader()
            return
        if max(row) <= row[speech.label]:
            if challenge is not None:
                stretch.join(challenge)
                speech.challenge = None
            stretch.add(row)
            return
        if challenge is None:
            challenge = speech.challenge = self._sums(border)
        challenge.add(row)
        winner = challenge.leader()
        if (
            challenge.rows >= self._minimum
            and winner != speech.label
            and challenge.lead(winner, speech.label) >= self._rules.margin
        ):
            self._close(stretch, challenge.first, speech.label)
            speech.stretch, speech.label, speech.challenge = challenge, winner, None

    def _end(self, speech: _Speech, end: int, *, whole: bool = False) -> None:
        """Close speech at row ``end``; what is too short for speech becomes silence.

        Args:
            speech: what ends.
            end: row after its last.
            whole: it is all there is in the recording, and stays however short it is.
        """
        self._speech = None
        if speech.end - speech.onset < self._sound and not whole:
            return
        if speech.challenge is not None:
            speech.stretch.join(speech.challenge)
        label = speech.stretch.leader() if speech.label is None else speech.label
        self._close(speech.stretch, end, label)

    def _close(self, stretch: _Sums, end: int, label: int) -> None:
        self._silence(stretch.first)
        score = stretch.total[label] / stretch.rows
        start_s, end_s = stretch.first * HOP_S, end * HOP_S
        self._closed.append(Segment(start_s, end_s, self._classes[label], score))
        self._told = end

    def _sums(self, first: int) -> _Sums:
        return _Sums(first, [0.0] * len(self._classes))

    def _silence(self, until: int) -> None:
        if until > self._told:
            self._closed.append(Segment(self._told * HOP_S, until * HOP_S, SILENCE, None))
            self._told = until

    def _given(self) -> list[Segment]:
        given, self._closed = self._closed, []
        return given
