"""Index entry: what is known of one vector, and the vectors of a result."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np

from emoscope.labels import EMOTIONS, KEYS, Emotion
from emoscope.results.result import Result
from emoscope.waveform import HOP_S, Array32, Span

EntryKind: TypeAlias = Literal["clip", "segment"]
"""A whole recording, or one segment of its emotion curve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Entry of an index: recording, span and scores of one vector."""

    name: str
    """What people call the recording."""
    sha256: str
    """Of the recording's file."""
    start_s: float
    end_s: float
    scores: tuple[float, ...]
    """Nine, in the order of ``labels.EMOTIONS``."""
    kind: EntryKind = "clip"
    path: str = ""
    """Where the recording lay when it was added; empty where it was no file."""
    run: str = ""
    """Name of the run that it is from; empty where it is from none."""
    channel: int = 0
    """From 1, where each of several channels has vectors of its own; 0 for their mean."""
    speaker: str = ""
    """As a list gave it."""
    label: str = ""
    """As a list gave it."""
    id: int = 0
    """Number that the index gave it; never used twice in an index."""

    @property
    def emotion(self) -> Emotion:
        """The class of the largest score."""
        return EMOTIONS[int(np.argmax(self.scores))]

    @property
    def span(self) -> Span:
        """The stretch of the recording."""
        return Span(self.start_s, self.end_s)

    def to_dict(self) -> dict[str, Any]:
        """What there is to know, for JSON."""
        return {
            "name": self.name,
            "path": self.path,
            "run": self.run,
            "channel": self.channel or None,
            "kind": self.kind,
            "start_s": round(self.start_s, 3),
            "end_s": round(self.end_s, 3),
            "emotion": self.emotion.key,
            "scores": {key: round(value, 6) for key, value in zip(KEYS, self.scores, strict=True)},
            "speaker": self.speaker,
            "label": self.label,
            "sha256": self.sha256,
        }


@dataclass(frozen=True, slots=True)
class EntryDetails:
    """What a result does not say of its recording."""

    path: str = ""
    run: str = ""
    speaker: str = ""
    label: str = ""


NOWHERE = EntryDetails()


@dataclass(frozen=True, slots=True, eq=False)
class Addition:
    """Vectors of one recording that are to be added."""

    entries: Sequence[tuple[Entry, Array32]]
    """Each with its vector, float32 of shape ``(D,)``."""
    segmented: bool = False
    """All segments of the recording are among them."""
    owner: str = ""
    """Two owners may each know the same recording."""


def entries_of(
    result: Result, details: EntryDetails = NOWHERE, *, segments: bool = False
) -> list[tuple[Entry, Array32]]:
    """Return the entries of a result and their vectors, float32 of shape ``(D,)``.

    The first is the whole recording: the mean of its frames. A segment's vector is the mean of the
    frames that begin in it; silences have none.

    Args:
        result: with its embedding.
        details: path, run, speaker and label of the recording.
        segments: also an entry for each segment; the result needs its time axis.

    Raises:
        ValueError: the result has no embedding, or ``segments`` and no time axis.
    """
    if result.embedding is None or (segments and result.track is None):
        raise ValueError("an index needs the embedding, for segments also the time axis")
    mean = result.utterance_embedding
    assert mean is not None  # noqa: S101 - there is an embedding
    whole = Entry(
        name=result.name,
        sha256=result.source.sha256 or hashlib.sha256(mean.tobytes()).hexdigest(),
        start_s=0.0,
        end_s=result.duration_s,
        scores=tuple(map(float, result.scores.values)),
        path=details.path,
        run=details.run,
        channel=0 if result.channel is None else result.channel.number,
        speaker=details.speaker,
        label=details.label,
    )
    return [(whole, mean), *(_segments(result, whole) if segments else ())]


def has_speech(result: Result) -> bool:
    """Whether there is anything in a recording that a vector could be of."""
    return "no_speech" not in result.abstain


def _segments(result: Result, whole: Entry) -> Iterator[tuple[Entry, Array32]]:
    track, frames = result.track, result.embedding
    assert track is not None  # noqa: S101 - the caller has looked
    assert frames is not None  # noqa: S101 - the caller has looked
    spoken = [one for one in result.segments if not one.silent]
    means = track.mean_scores([one.span for one in spoken])
    for segment, scores in zip(spoken, means, strict=True):
        first, last = (int(at_s / HOP_S + 0.5) for at_s in (segment.start_s, segment.end_s))
        rows, total = frames[first:last], float(scores.sum())
        if not len(rows) or not total:
            continue
        yield (
            replace(
                whole,
                kind="segment",
                start_s=segment.start_s,
                end_s=segment.end_s,
                scores=tuple(map(float, scores / total)),
            ),
            rows.mean(axis=0, dtype=np.float64).astype(np.float32),
        )
