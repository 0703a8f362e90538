"""Track summary: shares of emotions, transitions, concentration, key moments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from emoscope.labels import KEYS, SILENCE, Emotion
from emoscope.results.json_type import EmotionByKey, JsonType, Share
from emoscope.results.segments import DEFAULT_RULES, Segment, SegmentRules
from emoscope.waveform import HOP_S, Array64, Span

MOMENTS = 3
MOMENT_S = 0.5
"""Length of one moment in seconds, where the recording is that long."""


@dataclass(frozen=True, slots=True)
class Transition(JsonType):
    """One emotion gives way to another, perhaps across a silence."""

    at_s: float
    """Where the later one begins."""
    before: EmotionByKey = field(metadata={"alias": "from"})
    after: EmotionByKey = field(metadata={"alias": "to"})


@dataclass(frozen=True, slots=True)
class Moment(JsonType, Span):
    """A moment that spoke for the answer, and what it adds to the answer's logit."""

    logit: float
    """What its frames add to the logit of the answer."""

    @property
    def span(self) -> Span:
        """The stretch of time alone."""
        return Span(self.start_s, self.end_s)


@dataclass(frozen=True, slots=True)
class TrackSummary(JsonType):
    """The time axis in a few numbers."""

    rules: SegmentRules
    """How the segments were made."""
    shares: dict[str, Share] = field(
        metadata={"description": "time per emotion and of silence; they sum to 1"}
    )
    """Share of the recording's time by key: the nine, and ``silence``. They sum to 1."""
    transitions: tuple[Transition, ...]
    concentration: Share | None = field(metadata={"alias": "stability"})
    """How likely two moments of speech, taken at random, show the same emotion: 1 for one emotion
    throughout. None without speech."""
    logit: float
    """Of the answer, over the whole recording: the mean of its frame logits, and so the sum of
    what all frames add (``logits / count``)."""
    moments: tuple[Moment, ...]
    """The moments that added most to that logit, largest first, without overlap."""


def emotions_in_turn(segments: Sequence[Segment]) -> tuple[Emotion, ...]:
    """Return the emotions of segments one after another, without silences and repetitions."""
    found: list[Emotion] = []
    for segment in segments:
        if not segment.silent and segment.emotion not in found[-1:]:
            found.append(segment.emotion)
    return tuple(found)


def summarize_track(
    segments: Sequence[Segment],
    attribution: Array64,
    duration_s: float,
    rules: SegmentRules = DEFAULT_RULES,
    missing: Sequence[Span] = (),
) -> TrackSummary:
    """Summarize a time axis.

    Args:
        segments: segments that cover [0, ``duration_s``] without gap or overlap.
        attribution: what each frame adds to the logit of the answer, shape ``(T,)``.
        duration_s: length of the recording in seconds.
        rules: how the segments were made.
        missing: where the medium holds no sound; no moment lies there.
    """
    shares = dict.fromkeys((*KEYS, SILENCE.key), 0.0)
    for segment in segments:
        shares[segment.emotion.key] += segment.span.duration_s / duration_s
    spoken = sum(shares[key] for key in KEYS)
    squares = sum(shares[key] ** 2 for key in KEYS)
    voices = [segment for segment in segments if not segment.silent]
    return TrackSummary(
        rules=rules,
        shares=shares,
        transitions=tuple(
            Transition(two.span.start_s, one.emotion, two.emotion)
            for one, two in pairwise(voices)
            if one.emotion is not two.emotion
        ),
        concentration=min(1.0, squares / spoken**2) if voices else None,
        logit=float(attribution.sum()),
        moments=moments(attribution, duration_s, missing),
    )


def moments(
    attribution: Array64, duration_s: float, missing: Sequence[Span] = ()
) -> tuple[Moment, ...]:
    """Return the stretches of ``MOMENT_S`` that added most, largest first, without overlap.

    Args:
        attribution: what each frame adds to the logit of the answer, shape ``(T,)``.
        duration_s: length of the recording in seconds.
        missing: where the medium holds no sound; no stretch touches them.
    """
    width = min(len(attribution), round(MOMENT_S / HOP_S))
    sums = np.concatenate([[0.0], np.cumsum(attribution)])
    added = sums[width:] - sums[:-width]  # of the stretch that begins at each frame
    free = np.ones(len(added), np.bool_)
    for span in missing:
        first, last = (math.ceil(at_s / HOP_S - 1e-9) for at_s in (span.start_s, span.end_s))
        free[max(0, first - width + 1) : last] = False
    found: list[Moment] = []
    while len(found) < MOMENTS and free.any():
        first = int(np.where(free, added, -np.inf).argmax())
        free[max(0, first - width + 1) : first + width] = False
        start_s, end_s = first * HOP_S, min((first + width) * HOP_S, duration_s)
        found.append(Moment(start_s, end_s, float(attribution[first : first + width].sum())))
    return tuple(found)
