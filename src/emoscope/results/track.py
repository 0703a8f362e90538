"""Emotion track: a row of nine logits every 20 ms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, TypeAlias, cast

import numpy as np

from emoscope.labels import COUNT, KEYS, Emotion
from emoscope.optional import require_package
from emoscope.results.json_type import Converted, JsonSchema, JsonType
from emoscope.results.scores import Scores, softmax
from emoscope.results.segments import (
    DEFAULT_RULES,
    Segment,
    SegmentReader,
    SegmentRules,
    smoothed_scores,
)
from emoscope.results.summary import TrackSummary, summarize_track
from emoscope.waveform import FRAME_S, HOP_S, Array32, Array64, Mask, Span

DataFrame: TypeAlias = Any
"""``pandas.DataFrame``."""
_BLOCK = 4_096
"""Rows read at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Emotion track: one row of nine logits every 20 ms.

    Frame ``k`` covers ``[k · 20 ms, k · 20 ms + 25 ms]``.
    """

    logits: Array32
    """Shape ``(T, 9)``."""
    speech: Mask | None = None
    """Shape ``(T,)``, true where there is speech; None counts as everywhere."""

    def __post_init__(self) -> None:
        if self.logits.ndim != 2 or self.logits.shape[1] != COUNT or not len(self.logits):
            raise ValueError(f"a track has shape (T > 0, {COUNT}), not {self.logits.shape}")
        if self.speech is not None and self.speech.shape != self.logits.shape[:1]:
            raise ValueError(f"speech has shape {self.logits.shape[:1]}, not {self.speech.shape}")

    def __len__(self) -> int:
        return len(self.logits)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Track)
            and np.array_equal(self.logits, other.logits)
            and np.array_equal(self.voiced, other.voiced)
        )

    __hash__ = None  # type: ignore[assignment]  # holds an array

    def __repr__(self) -> str:
        speech = f"{np.count_nonzero(self.voiced) / len(self):.0%}"
        return f"<Track of {len(self)} rows, {len(self) * HOP_S:.2f} s, {speech} speech>"

    @property
    def times(self) -> Array64:
        """When each row begins, in seconds, shape ``(T,)``."""
        # Not k * 0.02 alone, which is 0.28 and a hair; a row begins at a whole millisecond.
        return cast(Array64, (np.arange(len(self)) * HOP_S).round(3))

    @property
    def voiced(self) -> Mask:
        """Which rows hold speech, shape ``(T,)``; all of them where that is not known."""
        return np.ones(len(self), np.bool_) if self.speech is None else self.speech

    def to_frame(self) -> DataFrame:
        """Return a pandas table with ``start_s``, ``speech`` and the nine scores of each row.

        Raises:
            PackageMissingError: pandas is not installed.
        """
        columns = {"start_s": self.times, "speech": self.voiced}
        columns |= dict(zip(KEYS, self.scores.T, strict=True))
        return require_package("pandas").DataFrame(columns)

    @property
    def scores(self) -> Array64:
        """Softmax of each row, shape ``(T, 9)``."""
        return softmax(self.logits)

    @property
    def utterance(self) -> Scores:
        """The answer for the whole clip.

        The classifier is linear, so the mean of the frame logits is the utterance's logits.
        """
        return Scores.from_logits(self.logits.mean(axis=0, dtype=np.float64))

    def attribution(self, emotion: Emotion) -> Array64:
        """What each frame adds to the logit of ``emotion``, shape ``(T,)``; sums to that logit."""
        return self.logits[:, emotion.index].astype(np.float64) / len(self)

    def smoothed(self, seconds: float) -> Array64:
        """Scores averaged over a centred window of ``seconds``, shape ``(T, 9)``.

        At both ends the window shrinks to what is there, so every row still sums to 1.
        """
        half = max(0, round(seconds / HOP_S) // 2)
        sums = np.vstack([np.zeros((1, COUNT)), np.cumsum(self.scores, axis=0)])
        here = np.arange(len(self))
        first, last = np.maximum(here - half, 0), np.minimum(here + half + 1, len(self))
        return cast(Array64, (sums[last] - sums[first]) / (last - first)[:, None])

    def segments(
        self, duration_s: float, rules: SegmentRules = DEFAULT_RULES
    ) -> tuple[Segment, ...]:
        """Cut [0, ``duration_s``] into emotions and silences, without gap or overlap.

        Args:
            duration_s: length of the recording in seconds.
            rules: how; see ``SegmentRules``.
        """
        reader, speech = SegmentReader(rules), self.voiced
        found: list[Segment] = []
        # In blocks, because hours of sound have hundreds of thousands of rows.
        for first in range(0, len(self), _BLOCK):
            block = slice(first, first + _BLOCK)
            found += reader.feed(softmax(self.logits[block]), speech[block])
        return (*found, *reader.finish(duration_s))

    def mean_scores(self, spans: Sequence[Span], rules: SegmentRules = DEFAULT_RULES) -> Array64:
        """Return the mean smoothed scores over the speech of each span, shape ``(n, 9)``.

        For a segment of ``segments`` the number of its emotion is the segment's ``score``. Rows of
        spans without speech are 0.

        Args:
            spans: stretches of the recording, to the frame.
            rules: how scores are smoothed.
        """
        speech = self.voiced
        smoothed = smoothed_scores(self.scores, speech, rules) * speech[:, None]
        sums = np.vstack([np.zeros((1, COUNT)), np.cumsum(smoothed, axis=0)])
        weights = np.concatenate([[0.0], np.cumsum(speech, dtype=np.float64)])
        borders = np.array([(one.start_s, one.end_s) for one in spans]).reshape(-1, 2)
        first, last = np.minimum((borders / HOP_S + 0.5).astype(np.int64), len(self)).T
        total, weight = sums[last] - sums[first], weights[last] - weights[first]
        return cast(Array64, np.clip(total / np.maximum(weight, 1.0)[:, None], 0.0, 1.0))

    def summary(
        self,
        segments: tuple[Segment, ...],
        duration_s: float,
        missing: tuple[Span, ...] = (),
        rules: SegmentRules = DEFAULT_RULES,
    ) -> TrackSummary:
        """Summarize the time axis: shares, transitions and the moments that added most.

        Args:
            segments: segments that cover [0, ``duration_s``], as ``segments`` returns them.
            duration_s: length of the recording in seconds.
            missing: where the medium holds no sound; no moment lies there.
            rules: how the segments were made.
        """
        attribution = self.attribution(self.utterance.top)
        return summarize_track(segments, attribution, duration_s, rules, missing)


@dataclass(frozen=True, slots=True)
class TrackFrames(JsonType):
    """One row of nine numbers every 20 ms; frame k covers k · 20 ms to k · 20 ms + 25 ms."""

    hop_s: float
    frame_s: float
    count: int
    keys: list[str]
    logits: list[list[float]]
    scores: list[list[float]]
    speech: Annotated[
        list[Annotated[list[int], Converted(list, list, tuple[int, int])]] | None,
        JsonSchema(description="from and to (excluded) frame of each stretch with speech"),
    ]

    @classmethod
    def of(cls, track: Track) -> TrackFrames:
        """Return a time axis as rows, in the order of the nine."""
        return cls(
            hop_s=HOP_S,
            frame_s=FRAME_S,
            count=len(track),
            keys=list(KEYS),
            # Through text: the shortest decimal that reads back as the same float32.
            logits=track.logits.astype(str).astype(np.float64).tolist(),
            scores=track.scores.round(7).tolist(),
            # Stretches of speech: from frame, to frame (excluded).
            speech=None if track.speech is None else _runs(track.speech),
        )

    def track(self) -> Track:
        """Return the time axis that these rows are of."""
        logits = np.array(self.logits, dtype=np.float32)
        if self.speech is None:
            return Track(logits)
        speech = np.zeros(len(logits), np.bool_)
        for first, last in self.speech:
            speech[first:last] = True
        return Track(logits, speech)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object, rows as they are: hours of sound are millions of them."""
        return {key.name: getattr(self, key.name) for key in fields(self)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> TrackFrames:
        """Read what ``to_dict`` wrote, with the rows as they are.

        Raises:
            KeyError: a key is missing.
        """
        given = {"speech": None, **data}  # which the first results did not have
        return cls(**{key.name: given[key.name] for key in fields(cls)})


def _runs(mask: Mask) -> list[list[int]]:
    """First and last (excluded) position of each run of true."""
    borders = np.flatnonzero(np.diff(mask, prepend=False, append=False))
    return borders.reshape(-1, 2).tolist()
