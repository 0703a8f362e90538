"""Utterances in the place of segments, for formats that know stretches of time with a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from emoscope.errors import ResultError
from emoscope.labels import Emotion
from emoscope.messages.page import RESULT
from emoscope.results.result import Result
from emoscope.results.segments import Segment

ABSTAINED = Emotion(
    -2, "abstain", RESULT["cannot_tell"].zh, RESULT["cannot_tell"].en, "🤷", "#8a8f98"
)
"""Label of an utterance of which no emotion is claimed."""


@dataclass(frozen=True, slots=True)
class SpokenSegment(Segment):
    """An utterance as a segment: its emotion with the score, and what is said."""

    text: str = ""


def spoken_segments(results: Sequence[Result]) -> list[Result]:
    """Return results whose segments are their utterances; everything else by frame is left out.

    Raises:
        ResultError: a result has no utterances, because they were not asked for.
    """
    check_utterances(results)
    return [_spoken(result) for result in results]


def check_utterances(results: Sequence[Result]) -> None:
    """Check that utterances were asked for, whether or not any was found.

    Raises:
        ResultError: one has none, because they were not asked for.
    """
    for result in results:
        if result.utterance_set is None:
            raise ResultError("utterances_missing", name=result.name)


def _spoken(result: Result) -> Result:
    segments = tuple(
        SpokenSegment(
            one.start_s,
            one.end_s,
            ABSTAINED if one.abstain else one.emotion,
            one.confidence,
            text=one.text,
        )
        for one in result.utterances
    )
    return replace(result, segments=segments, heads=(), utterance_set=None)
