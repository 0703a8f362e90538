"""Corrections of a result's segments by a person: emotions and borders.

A correction is the whole list of segments as the person wants it, so that reading it needs no
history. The model's result stays in ``result.json`` untouched; ``corrections.json`` lies
beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np

from emoscope.errors import RequestError
from emoscope.labels import SILENCE, Emotion, emotion_or_silence
from emoscope.results.result import Result
from emoscope.results.segments import DEFAULT_RULES, Segment
from emoscope.waveform import HOP_S, Span

CORRECTIONS_SCHEMA = 1
SEGMENTS_MAX = 100_000
_TOUCH_S = 1e-3
"""Borders come through text with three decimals; nearer than this they are the same border."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """Segments as corrected by a person."""

    segments: tuple[Segment, ...]
    """They cover the recording without gap or overlap; scores are the model's for that emotion."""
    saved: datetime
    """When, with a time zone."""

    def to_dict(self, original: Result) -> dict[str, Any]:
        """The content of ``corrections.json``; each segment says whether the model said the same.

        ``changed`` is true where neither the borders nor the emotion are one of the model's.
        """
        rows = [
            {**plain.to_dict(), "changed": marked.corrected}
            for plain, marked in zip(self.segments, self._marked(original), strict=True)
        ]
        return {
            "schema_version": CORRECTIONS_SCHEMA,
            "saved_utc": self.saved.astimezone(UTC).isoformat(timespec="seconds"),
            "segments": rows,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Corrected:
        """Read what ``to_dict`` wrote.

        Raises:
            ValueError: a ``schema_version`` that this program does not know.
        """
        if data["schema_version"] != CORRECTIONS_SCHEMA:
            raise ValueError(f"schema_version {data['schema_version']} is not {CORRECTIONS_SCHEMA}")
        segments = tuple(Segment.from_dict(segment) for segment in data["segments"])
        return cls(segments, datetime.fromisoformat(data["saved_utc"]))

    def apply(self, result: Result) -> Result:
        """Return the result with these segments, marked where they differ from the model's.

        Everything else is the model's.
        """
        return replace(result, segments=self._marked(result))

    def _marked(self, original: Result) -> tuple[Segment, ...]:
        own = {_key(segment) for segment in segments_of(original)}
        return tuple(replace(one, corrected=_key(one) not in own) for one in self.segments)


def segments_of(result: Result) -> tuple[Segment, ...]:
    """The segments, or the whole recording as one of them where there is no time axis."""
    if result.segments:
        return result.segments
    whole = Segment(0.0, result.duration_s, result.emotion, result.confidence)
    return (whole,)


def read_correction(result: Result, raw: object, *, saved: datetime) -> Corrected:
    """Check a correction and put its borders exactly end to end.

    Args:
        result: the result that is corrected.
        raw: a list of ``{"start_s", "end_s", "emotion"}``, in order; ``emotion`` is one of the nine
            keys or ``silence``.
        saved: time of the correction, with a zone.

    Raises:
        RequestError: it has gaps, overlaps, another length, or an unknown emotion.
    """
    try:
        rows = _rows(raw)
        spans = _joined([(start_s, end_s) for start_s, end_s, _ in rows], result.duration_s)
    except (KeyError, TypeError, ValueError, OverflowError) as exc:
        raise RequestError("correction_refused", minimum_s=HOP_S) from exc
    return Corrected(_scored(result, spans, [emotion for _, _, emotion in rows]), saved)


def _rows(raw: object) -> list[tuple[float, float, Emotion]]:
    """Read start, end and emotion of each segment of a correction, each row by itself.

    Raises:
        KeyError, TypeError, ValueError, OverflowError: a row is not what it should be.
    """
    if not isinstance(raw, list) or not 0 < len(raw) <= SEGMENTS_MAX:
        raise ValueError("no list of segments")
    return [
        (float(row["start_s"]), float(row["end_s"]), emotion_or_silence(row["emotion"]))
        for row in raw
    ]


def _joined(rows: Sequence[tuple[float, float]], duration_s: float) -> list[Span]:
    """Put rows of start and end that touch exactly end to end, from 0 to ``duration_s``.

    Raises:
        ValueError: they leave a gap, overlap, do not cover the recording, or one is too short.
    """
    borders_s = [*(start_s for start_s, _ in rows), duration_s]
    if not all(map(math.isfinite, borders_s)) or abs(borders_s[0]) > _TOUCH_S:
        raise ValueError("a border is no time of the recording")
    touching_s = zip((end_s for _, end_s in rows), borders_s[1:], strict=True)
    if any(not abs(end_s - next_s) <= _TOUCH_S for end_s, next_s in touching_s):
        raise ValueError("a gap or an overlap")
    borders_s[0] = 0.0
    minimum_s = min(HOP_S, duration_s) - _TOUCH_S
    if any(later - earlier < minimum_s for earlier, later in pairwise(borders_s)):
        raise ValueError("a segment that is too short")
    return [Span(start_s, end_s) for start_s, end_s in pairwise(borders_s)]


def _scored(
    result: Result, spans: Sequence[Span], emotions: Sequence[Emotion]
) -> tuple[Segment, ...]:
    """Give each segment the model's score of its emotion.

    A segment that is one of the model's keeps its score exactly; any other gets a score of the same
    definition, ``Segment.score``.
    """
    own = {_key(segment): segment.score for segment in segments_of(result)}
    if result.track is None:
        means = np.tile(result.scores.values, (len(spans), 1))
    else:
        rules = result.summary.rules if result.summary else DEFAULT_RULES
        means = result.track.mean_scores(spans, rules)
    found = []
    for span, emotion, row in zip(spans, emotions, means, strict=True):
        score = None if emotion is SILENCE else float(row[emotion.index])
        segment = Segment(span.start_s, span.end_s, emotion, score)
        found.append(replace(segment, score=own.get(_key(segment), score)))
    return tuple(found)


def _key(segment: Segment) -> tuple[float, float, str]:
    return (round(segment.span.start_s, 3), round(segment.span.end_s, 3), segment.emotion.key)
