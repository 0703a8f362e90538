"""What heads say in a result: answers of one's own classes, and an adaptation of the nine."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, TypeAlias, cast

import numpy as np

from emoscope.labels import SILENCE, Emotion
from emoscope.results.json_type import Converted, EmotionKey, JsonType, Share
from emoscope.results.scores import ScoresByKey, softmax
from emoscope.results.segments import DEFAULT_RULES, SegmentReader, SegmentRules
from emoscope.waveform import Array32, Mask, Span

_BLOCK = 4_096
"""Rows read at once."""


def _rows(logits: Array32) -> list[list[float]]:
    # Through text: the shortest decimal that reads back as the same float32.
    return cast(list[list[float]], logits.astype(str).astype(np.float64).tolist())


def _logits(rows: list[list[float]]) -> Array32:
    return np.array(rows, dtype=np.float32)


LogitRows: TypeAlias = Annotated[Array32, Converted(_rows, _logits, list[list[float]])]
"""Float32 numbers of shape ``(T, C)``; lists of rows in JSON."""


@dataclass(frozen=True, slots=True)
class HeadLabel(JsonType):
    """Class of a head: the word of the labelled list, and how people see it."""

    key: str
    zh: str
    en: str
    emoji: str
    colour: str
    """``#rrggbb``."""


@dataclass(frozen=True, slots=True)
class HeadSegment(JsonType, Span):
    """A stretch of one leading class of a head, or of silence, which has no score."""

    label: str
    """Key of a class, or ``silence``."""
    score: Share | None
    """Mean smoothed score of this class over the segment's speech; None for silence."""

    def __post_init__(self) -> None:
        Span.__post_init__(self)
        if self.label == SILENCE.key:  # where results of earlier versions have 0
            object.__setattr__(self, "score", None)


@dataclass(frozen=True, slots=True, eq=False)
class HeadAnswer(JsonType):
    """Answer of a head with classes of its own, beside that of the model."""

    name: str
    sha256: str
    """Of the head's numbers and classes."""
    labels: tuple[HeadLabel, ...]
    label: str
    """Key of the class with the largest score."""
    confidence: Share
    """The largest score; the head's temperature is in it."""
    scores: dict[str, Share]
    segments: tuple[HeadSegment, ...] = ()
    """Present by frame; cover the recording, silences included."""
    frames: LogitRows | None = field(
        default=None,
        metadata={"description": "a row of logits every 20 ms; their mean gives the scores"},
    )

    @property
    def top(self) -> HeadLabel:
        """The class with the largest score."""
        return next(one for one in self.labels if one.key == self.label)

    def label_of(self, segment: HeadSegment) -> HeadLabel | None:
        """Return the class of a segment; None for silence."""
        return next((one for one in self.labels if one.key == segment.label), None)

    def ranked(self) -> list[tuple[HeadLabel, float]]:
        """All classes with their scores, largest first."""
        pairs = [(one, self.scores[one.key]) for one in self.labels]
        return sorted(pairs, key=operator.itemgetter(1), reverse=True)

    def without_frames(self) -> HeadAnswer:
        """Return the one answer alone, without its time axis."""
        return replace(self, segments=(), frames=None)


@dataclass(frozen=True, slots=True)
class Adaptation(JsonType):
    """How corrections moved the nine scores, and what the model itself had said."""

    name: str
    sha256: str
    """Of the head's numbers."""
    corrections: int
    """Corrected segments that it learned from."""
    emotion: EmotionKey
    """The model's own answer."""
    scores: ScoresByKey
    """The model's own scores."""
    weights: tuple[tuple[float, ...], ...]
    """Shape ``(9, 9)``: logits are ``weights · the model's logits + bias``."""
    bias: tuple[float, ...]

    def undo(self, logits: Array32) -> Array32:
        """Return the model's own logits of adapted ones, both of shape ``(T, 9)``."""
        plain = np.linalg.solve(np.array(self.weights), (logits - np.array(self.bias)).T).T
        return cast(Array32, plain.astype(np.float32))


def head_answer(
    name: str,
    sha256: str,
    labels: Sequence[HeadLabel],
    logits: Array32,
    *,
    speech: Mask | None = None,
    duration_s: float | None = None,
    rules: SegmentRules = DEFAULT_RULES,
) -> HeadAnswer:
    """Make the answer of a head from its logits.

    Args:
        name: of the head.
        sha256: of the head.
        labels: its classes, C of them.
        logits: one row per 20 ms, shape ``(T, C)``; their mean is the answer's.
        speech: shape ``(T,)``, true where there is speech; None counts as everywhere.
        duration_s: length of the recording, for segments; None: the one answer alone.
        rules: how segments are made.
    """
    scores = softmax(logits.mean(axis=0, dtype=np.float64))
    top = int(scores.argmax())
    return HeadAnswer(
        name=name,
        sha256=sha256,
        labels=tuple(labels),
        label=labels[top].key,
        confidence=float(scores[top]),
        scores={one.key: float(score) for one, score in zip(labels, scores, strict=True)},
        segments=() if duration_s is None else _segments(labels, logits, speech, duration_s, rules),
        frames=None if duration_s is None else logits,
    )


def _segments(
    labels: Sequence[HeadLabel],
    logits: Array32,
    speech: Mask | None,
    duration_s: float,
    rules: SegmentRules,
) -> tuple[HeadSegment, ...]:
    classes = [
        Emotion(at, one.key, one.zh, one.en, one.emoji, one.colour) for at, one in enumerate(labels)
    ]
    voiced = np.ones(len(logits), np.bool_) if speech is None else speech
    reader = SegmentReader(rules, classes)
    found: list[Any] = []
    for first in range(0, len(logits), _BLOCK):
        block = slice(first, first + _BLOCK)
        found += reader.feed(softmax(logits[block]), voiced[block])
    found += reader.finish(duration_s)
    return tuple(
        HeadSegment(
            one.start_s,
            one.end_s,
            SILENCE.key if one.emotion is SILENCE else one.emotion.key,
            None if one.score is None else min(1.0, max(0.0, one.score)),
        )
        for one in found
    )
