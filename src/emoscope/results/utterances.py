"""Utterances of a recording, each recognized alone, and the rules that cut them."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import pairwise
from typing import Literal, TypeAlias

from emoscope.errors import RequestError
from emoscope.results.calibrated import LabelSet
from emoscope.results.json_type import EmotionByKey, JsonType, Share
from emoscope.results.scores import ScoresByKey
from emoscope.waveform import Array32, Span

SPAN_TOLERANCE_S = 0.05
"""Overlap of two spans, and excess over the end of the sound, that rounding explains."""
NO_SPEECH = "no_speech"
"""Reason of an empty list: the voice detector found no speech that is long enough."""


@dataclass(frozen=True, slots=True)
class UtteranceRules(JsonType):
    """How speech is cut into utterances; all in seconds.

    Raises:
        ValueError: a number is negative or not finite, two paddings do not fit into a pause, or
            the longest utterance is under a second or under four of the shortest.
    """

    pause_s: float = 0.25
    """A pause of this length ends an utterance."""
    shortest_s: float = 0.25
    """Shorter speech between two pauses is no utterance."""
    longest_s: float = 15.0
    """A longer utterance is cut at its softest place."""
    pad_s: float = 0.1
    """Sound that is kept before and after the speech."""

    def __post_init__(self) -> None:
        if not all(0 <= value < math.inf for value in asdict(self).values()):
            raise ValueError(f"rules of utterances are seconds from zero on, not {self}")
        if 2 * self.pad_s > self.pause_s:
            raise ValueError("pause_s must hold pad_s twice, so that utterances stay apart")
        if self.longest_s < max(1.0, 4 * self.shortest_s):
            raise ValueError("longest_s must be at least 1 and four times shortest_s")


UTTERANCE_RULES = UtteranceRules()


def utterance_rules(values: object) -> UtteranceRules:
    """Return rules from a mapping of some of their names to numbers; the others keep defaults.

    Raises:
        ValueError: a name is unknown, a value is no number, or the rules contradict themselves.
    """
    if isinstance(values, UtteranceRules):
        return values
    if not isinstance(values, Mapping):
        raise ValueError(f"rules of utterances are a table, not {values!r}")
    names = {one.name for one in fields(UtteranceRules)}
    if unknown := sorted(set(values) - names):
        raise ValueError(f"no rule {unknown[0]!r}; the rules are {', '.join(sorted(names))}")
    return UtteranceRules(**{name: float(value) for name, value in values.items()})


@dataclass(frozen=True, slots=True)
class GivenSpan(Span):
    """Stretch of a recording that a user names as one utterance."""

    text: str = ""
    """What is said there; passed on to the utterance."""
    id: str = ""
    """The user's name for it; passed on to the utterance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance(JsonType, Span):
    """Stretch of a recording that was recognized alone, as if it were a recording of its own."""

    emotion: EmotionByKey
    """The class of the largest score."""
    confidence: Share
    """The largest score."""
    confidence_calibrated: Share | None = None
    """How often an answer with such a score was right; None for a model without calibration."""
    label_set: LabelSet | None = None
    """Emotions that it may be, likeliest first; None for a model without calibration."""
    scores: ScoresByKey
    heads: dict[str, dict[str, Share]] = field(
        default_factory=dict,
        metadata={
            "exclude_if": operator.not_,
            "description": "scores of heads with classes of their own, by head; absent without one",
        },
    )
    """Scores of heads with classes of their own, by the head's name and its classes."""
    abstain: tuple[str, ...] = ()
    """Why no answer should be read from the scores; empty when one may."""
    text: str = field(
        default="",
        metadata={"exclude_if": operator.not_, "description": "what is said, where it was given"},
    )
    """What is said there, where the user gave it."""
    id: str = field(
        default="",
        metadata={"exclude_if": operator.not_, "description": "the span's name, where it has one"},
    )
    """The user's name for it."""

    @property
    def span(self) -> Span:
        """The stretch of time alone."""
        return Span(self.start_s, self.end_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class UtteranceCut(JsonType):
    """How the utterances of a recording were found."""

    by: Literal["pauses", "spans"]
    """``pauses``: by the voice detector and the rules; ``spans``: given by the user."""
    rules: UtteranceRules | None
    """The rules of ``pauses``."""
    reason: str | None = None
    """Why there is no utterance: ``no_speech``; None where there are some."""


@dataclass(frozen=True, slots=True, eq=False)
class UtteranceSet:
    """All utterances of a recording, in order and without overlap."""

    utterances: tuple[Utterance, ...]
    cut: UtteranceCut
    embeddings: Array32 | None = None
    """Mean frame embedding of each utterance, shape ``(n, D)``, when asked for."""

    def __repr__(self) -> str:
        return f"<UtteranceSet of {len(self.utterances)}, cut by {self.cut.by}>"


GivenSpans: TypeAlias = Sequence[Span | tuple[float, float]]
UtteranceChoice: TypeAlias = bool | UtteranceRules | GivenSpans | None
"""True: cut at pauses by the default rules. Rules: by these. Spans: recognize these stretches.
False or None: no utterances."""


def utterance_plan(choice: UtteranceChoice) -> UtteranceRules | tuple[GivenSpan, ...] | None:
    """Return what is to be done: rules, spans in order, or None for nothing.

    Raises:
        RequestError: a span does not run forward from zero on, or two overlap.
    """
    if choice is None or isinstance(choice, bool):
        return UTTERANCE_RULES if choice else None
    if isinstance(choice, UtteranceRules):
        return choice
    return ordered_spans(choice)


def ordered_spans(given: Iterable[Span | tuple[float, float]]) -> tuple[GivenSpan, ...]:
    """Return spans in order of time.

    Raises:
        RequestError: a span does not run forward from zero on, or two overlap.
    """
    spans = sorted(
        (_given(number, one) for number, one in enumerate(given, 1)),
        key=lambda span: (span.start_s, span.end_s),
    )
    for one, other in pairwise(spans):
        if other.start_s < one.end_s - SPAN_TOLERANCE_S:
            raise RequestError(
                "spans_overlap",
                first=_words(one.start_s, one.end_s),
                second=_words(other.start_s, other.end_s),
            )
    return tuple(spans)


def check_inside(span: Span, sound_s: float, duration_s: float, least_s: float) -> None:
    """Check that a span lies inside a recording and is long enough.

    Args:
        span: what was given.
        sound_s: seconds of sound in it.
        duration_s: length of the recording in seconds.
        least_s: shortest sound that can be recognized, in seconds.

    Raises:
        RequestError: it ends after the recording, or holds too little sound.
    """
    words = _words(span.start_s, span.end_s)
    if span.end_s > duration_s + SPAN_TOLERANCE_S:
        raise RequestError("span_outside", span=words, duration_s=duration_s)
    if sound_s < least_s:
        raise RequestError("span_too_short", span=words, min_duration_s=least_s)


def _given(number: int, one: Span | tuple[float, float]) -> GivenSpan:
    if isinstance(one, GivenSpan):
        return one
    try:
        if isinstance(one, Span):
            return GivenSpan(one.start_s, one.end_s)
        start_s, end_s = one
        return GivenSpan(float(start_s), float(end_s))
    except (TypeError, ValueError, OverflowError) as exc:
        raise RequestError("span_invalid", number=number, value=repr(one)[:80]) from exc


def _words(start_s: float, end_s: float) -> str:
    return f"{start_s:.3f}-{end_s:.3f}"
