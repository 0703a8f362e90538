"""The result of one recognition, and its JSON form."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timezone
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, cast, get_args

import numpy as np

from emoscope.errors import EmoscopeError, RequestError
from emoscope.events import Step
from emoscope.labels import Emotion
from emoscope.paths.choices import EmbeddingRequest, Granularity
from emoscope.results.activity import Channel
from emoscope.results.agreement import Agreement
from emoscope.results.calibrated import Calibrated, LabelSet
from emoscope.results.display import ResultPlot, display
from emoscope.results.heads import Adaptation, HeadAnswer
from emoscope.results.json_type import Converted, EmotionKey, JsonType, Share
from emoscope.results.quality import Quality
from emoscope.results.scores import Scores, ScoresByKey
from emoscope.results.segments import Segment
from emoscope.results.summary import TrackSummary
from emoscope.results.track import Track, TrackFrames
from emoscope.results.utterances import Utterance, UtteranceCut, UtteranceSet
from emoscope.waveform import Array32, Span, Waveform

GRANULARITIES: tuple[Granularity, ...] = get_args(Granularity)


def check_granularity(value: str) -> Granularity:
    """Return a granularity as given, if it is one.

    Raises:
        RequestError: it is neither ``utterance`` nor ``frame``.
    """
    if value not in GRANULARITIES:
        raise RequestError("granularity_invalid", value=value[:32])
    return value


def check_embedding(value: EmbeddingRequest) -> EmbeddingRequest:
    """Return a choice of embeddings as given, if it is one.

    Raises:
        RequestError: it is neither true or false, ``utterance`` nor ``frame``.
    """
    if not isinstance(value, bool) and value not in ("utterance", "frame"):
        raise RequestError("embedding_choice_invalid", value=str(value)[:32])
    return value


SCHEMA_VERSION = 1

_TIMESTAMP = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class ModelRef(JsonType):
    """Which model answered."""

    name: str
    revision: str
    sha256: str
    """Of the file that ran."""
    precision: str = "exact"
    """``exact``, or what the variant that ran is rounded to."""
    agreement: Annotated[dict[str, Any], Converted(dict, dict, Agreement)] | None = None
    """How near that variant was to the exact model when it was made; None for the exact one."""
    device: str = "cpu"
    """What it computed on: ``cpu`` or ``cuda``."""


@dataclass(frozen=True, slots=True)
class SourceRef(JsonType):
    """The recording that a result is about."""

    name: str
    sha256: str | None
    """Of the file's bytes; None for samples that never were a file."""


@dataclass(frozen=True, slots=True)
class EmbeddingShape(JsonType):
    """Shape of ``embedding.npy``: frames by numbers per frame."""

    shape: tuple[int, ...]
    dtype: Literal["float32"] = "float32"


@dataclass(frozen=True, slots=True)
class Medium(JsonType):
    """How sound lies on the medium's time axis, as beside a picture."""

    sound_starts_s: float
    missing: tuple[Span, ...] = field(
        metadata={"description": "spans of the medium that hold no sound"}
    )


def _is_none(value: object) -> bool:
    return value is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultDocument(JsonType):
    """``result.json``: its keys in order. Those with a default are missing in older files."""

    schema_version: int = SCHEMA_VERSION
    emotion: EmotionKey
    confidence: Share
    confidence_calibrated: Share | None = field(
        default=None,
        metadata={
            "description": "how often an answer with such a score was right; null for a model that "
            "was not calibrated"
        },
    )
    label_set: LabelSet | None = field(
        default=None,
        metadata={
            "description": "the emotions it may be, likeliest first, and how often the truth was "
            "there"
        },
    )
    scores: ScoresByKey
    granularity: Granularity
    timestamp: str = field(
        metadata={"description": "local time, as in the directory's name"},
    )
    created_utc: str
    duration_s: float
    medium: Medium = field(
        default=Medium(0.0, ()),
        metadata={
            "description": "when sound begins, and where there is none: spans are silence in the "
            "segments"
        },
    )
    abstain: tuple[str, ...] = field(
        metadata={"description": "why no emotion should be read from the scores"}
    )
    quality: Quality
    segments: tuple[Segment, ...]
    utterances: tuple[Utterance, ...] | None = field(
        default=None,
        metadata={
            "exclude_if": _is_none,
            "description": "each recognized alone; absent where they were not asked for",
        },
    )
    utterance_cut: UtteranceCut | None = field(
        default=None,
        metadata={
            "exclude_if": _is_none,
            "description": "how the utterances were found; absent without them",
        },
    )
    reading: TrackSummary | None
    frames: (
        Annotated[TrackFrames, Converted(TrackFrames.to_dict, TrackFrames.from_dict, TrackFrames)]
        | None
    )
    embedding: EmbeddingShape | None = None
    model: ModelRef
    source: SourceRef
    channel: Channel | None = field(
        default=None, metadata={"description": "null where the channels were averaged"}
    )
    log: tuple[Step, ...]
    versions: dict[str, str]
    heads: tuple[HeadAnswer, ...] = field(
        default=(),
        metadata={
            "exclude_if": operator.not_,
            "description": "answers of heads with classes of their own; absent without a head",
        },
    )
    adaptation: Adaptation | None = field(
        default=None,
        metadata={
            "exclude_if": operator.not_,
            "description": "what corrections changed in the scores above; absent without them",
        },
    )

    @property
    def created(self) -> datetime:
        """The moment, in the zone that is the difference between the two clocks written."""
        local = datetime.strptime(self.timestamp, _TIMESTAMP)  # noqa: DTZ007 - below
        utc = datetime.fromisoformat(self.created_utc)
        offset = local.replace(tzinfo=utc.tzinfo) - utc.replace(microsecond=0)
        return utc.astimezone(timezone(offset))


if TYPE_CHECKING:
    from typing_extensions import TypeVar

    TrackT = TypeVar("TrackT", bound="Track | None", default="Track | None", covariant=True)
    FramesT = TypeVar("FramesT", bound="Array32 | None", default="Array32 | None", covariant=True)
    MeanT = TypeVar("MeanT", bound="Array32 | None", default="Array32 | None", covariant=True)
else:  # defaults of type variables are of Python 3.13
    from typing import TypeVar

    TrackT, FramesT, MeanT = (TypeVar(name) for name in ("TrackT", "FramesT", "MeanT"))


@dataclass(frozen=True, slots=True, eq=False)
class Result(Generic[TrackT, FramesT, MeanT]):
    """Result of one recognition.

    For type checkers it says what it holds: ``recognize(…, granularity="frame")`` returns
    ``Result[Track]``, whose track is not None. Bare, each of the three may be None.
    """

    source: SourceRef
    created: datetime
    """When it was recognized, with a time zone; its local time names the run's directory."""
    duration_s: float
    granularity: Granularity
    scores: Scores
    quality: Quality
    model: ModelRef
    track: TrackT = None  # type: ignore[assignment]  # which then is None
    """Present when ``granularity`` is ``frame``."""
    segments: tuple[Segment, ...] = ()
    """Present when ``granularity`` is ``frame``; cover the recording, silences included."""
    summary: TrackSummary | None = None
    """Present when ``granularity`` is ``frame``."""
    utterance_set: UtteranceSet | None = None
    """Utterances and how they were found; None where they were not asked for."""
    embedding: FramesT = None  # type: ignore[assignment]  # likewise
    """Shape ``(T, D)``, when the frames' embeddings were asked for; outside of the JSON."""
    mean_embedding: Array32 | None = None
    """Shape ``(D,)``, when only the mean was asked for; read ``utterance_embedding``."""
    calibrated: Calibrated | None = None
    """None for a model that was not calibrated."""
    abstain: tuple[str, ...] = ()
    """Why no answer should be read from the scores; empty when one may."""
    steps: tuple[Step, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    channel: Channel | None = None
    """Which channel it is about; None where the channels were averaged."""
    heads: tuple[HeadAnswer, ...] = ()
    """Answers of heads with classes of their own."""
    adaptation: Adaptation | None = None
    """What corrections changed; None where the scores are the model's own."""
    missing: tuple[Span, ...] = ()
    """Where the medium holds no sound (a late start, gaps), in order; silence in the segments."""

    def __post_init__(self) -> None:
        if self.created.tzinfo is None:
            raise ValueError("the time of a result needs a time zone")

    @property
    def name(self) -> str:
        """What people call the recording, with the number of its channel where it has several."""
        channel = self.channel
        several = channel is not None and channel.count > 1
        return f"{self.source.name} [{channel.number}]" if channel and several else self.source.name

    @property
    def emotion(self) -> Emotion:
        """The class of the largest score."""
        return self.scores.top

    @property
    def confidence(self) -> float:
        """The largest score."""
        return self.scores.confidence

    @property
    def utterances(self) -> tuple[Utterance, ...]:
        """Utterances, each recognized alone; empty where there are none or none were asked for."""
        return () if self.utterance_set is None else self.utterance_set.utterances

    @property
    def sound_starts_s(self) -> float:
        """Time of the medium at which its sound begins, in seconds; usually 0."""
        at_start = self.missing and not self.missing[0].start_s
        return self.missing[0].end_s if at_start else 0.0

    @property
    def utterance_embedding(self) -> MeanT:
        """Mean of the embedding over time, shape ``(D,)``; None where none was asked for."""
        frames, mean = self.embedding, self.mean_embedding
        if frames is not None:
            mean = frames.mean(axis=0, dtype=np.float64).astype(np.float32)
        return cast(MeanT, mean)

    def with_mean_embedding(self) -> Result:
        """Return this result with the mean embedding in place of the frames'."""
        plain: Result = self
        return replace(plain, embedding=None, mean_embedding=self.utterance_embedding)

    def __repr__(self) -> str:
        parts = [f"{self.emotion.key} {self.confidence:.1%}", f"{self.duration_s:.2f} s"]
        parts += [f"abstains: {', '.join(self.abstain)}"] if self.abstain else []
        parts += [f"{len(self.track)} frames"] if self.track is not None else []
        parts += [f"{len(self.utterances)} utterances"] if self.utterance_set is not None else []
        frames, mean = self.embedding, self.mean_embedding
        parts += [f"embedding {one.shape}" for one in (frames, mean) if one is not None]
        return f"<Result {self.name!r}: {', '.join(parts)}>"

    def plot(
        self, sound: Waveform | None = None, *, language: Literal["zh", "en", "auto"] = "auto"
    ) -> ResultPlot:
        """Return the figure of this result; a notebook shows it, ``save`` writes it as SVG.

        Args:
            sound: what was recognized, at 16 kHz, for the waveform below the river; None: without.
            language: ``zh``, ``en``, or that of this machine.
        """
        return cast(ResultPlot, display().ResultFigure(self, sound, language))

    def _repr_html_(self) -> str:
        return self.plot()._repr_html_()

    def to_dict(self) -> dict[str, Any]:
        """The content of ``result.json``."""
        sure, embedding, spoken = self.calibrated, self.embedding, self.utterance_set
        data = ResultDocument(
            emotion=self.emotion.key,
            confidence=self.confidence,
            confidence_calibrated=None if sure is None else sure.confidence,
            label_set=None if sure is None else LabelSet(sure.coverage, sure.label_set),
            scores=self.scores,
            granularity=self.granularity,
            timestamp=self.created.strftime(_TIMESTAMP),
            created_utc=self.created.astimezone(UTC).isoformat(timespec="microseconds"),
            duration_s=self.duration_s,
            medium=Medium(self.sound_starts_s, self.missing),
            abstain=self.abstain,
            quality=self.quality,
            segments=self.segments,
            utterances=None if spoken is None else spoken.utterances,
            utterance_cut=None if spoken is None else spoken.cut,
            reading=self.summary,
            frames=None,
            embedding=None if embedding is None else EmbeddingShape(embedding.shape),
            model=self.model,
            source=self.source,
            channel=self.channel,
            log=self.steps,
            versions=self.versions,
            heads=self.heads,
            adaptation=self.adaptation,
        ).to_dict()
        # Here, because a copy of hours of rows would double the memory.
        data["frames"] = None if self.track is None else TrackFrames.of(self.track).to_dict()
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Result:
        """Read what ``to_dict`` wrote, also an earlier version of it.

        The embedding, which is not in it, stays None. What earlier versions did not write takes its
        default; the summary of a track is made anew.

        Raises:
            ValueError: a ``schema_version`` that this program does not know, a key is missing, or a
                value is of the wrong kind.
        """
        if data["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema_version {data['schema_version']} is not {SCHEMA_VERSION}")
        read = ResultDocument.from_dict({"reading": None, **data})
        track = None if read.frames is None else read.frames.track()
        summary = read.reading
        if summary is None and track is not None:
            summary = track.summary(read.segments, read.duration_s, read.medium.missing)
        sure, kept, cut = read.confidence_calibrated, read.label_set, read.utterance_cut
        return Result(
            source=read.source,
            created=read.created,
            duration_s=read.duration_s,
            granularity=read.granularity,
            scores=read.scores,
            quality=read.quality,
            model=read.model,
            track=track,
            segments=read.segments,
            summary=summary,
            utterance_set=None if cut is None else UtteranceSet(read.utterances or (), cut),
            calibrated=None
            if kept is None or sure is None
            else Calibrated(sure, kept.emotions, kept.coverage),
            abstain=read.abstain,
            steps=read.log,
            versions=read.versions,
            channel=read.channel,
            missing=read.medium.missing,
            heads=read.heads,
            adaptation=read.adaptation,
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """Recording of a list that could not be recognized, and its error."""

    name: str
    error: EmoscopeError
    result: Result | None = None
    """What was recognized all the same, where only keeping it failed."""

    def __repr__(self) -> str:
        return f"<Failure {self.name!r}: {self.error.code}, {self.error}>"
