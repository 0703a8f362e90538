"""The result of one recognition, and its JSON form."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timezone
from typing import Any, Literal, TypeAlias, cast

import numpy as np

from emoscope.errors import EmoscopeError
from emoscope.events import Step
from emoscope.labels import Emotion
from emoscope.results.activity import Channel
from emoscope.results.calibrated import Calibrated, _calibrated
from emoscope.results.quality import Quality
from emoscope.results.scores import Scores
from emoscope.results.segments import Segment
from emoscope.results.summary import TrackSummary
from emoscope.results.track import Track, _frames, _track
from emoscope.waveform import Array32, Span

Granularity: TypeAlias = Literal["utterance", "frame"]

GRANULARITIES: tuple[Granularity, ...] = ("utterance", "frame")

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class ModelRef:
    """Reference to the model of a result."""

    name: str
    revision: str
    sha256: str
    """Of the file that ran."""
    precision: str = "exact"
    """``exact``, or what the variant that ran is rounded to."""
    agreement: dict[str, Any] | None = None
    """How near that variant was to the exact model when it was made; None for the exact one."""
    device: str = "cpu"
    """What it computed on: ``cpu`` or ``cuda``."""

    def to_dict(self) -> dict[str, object]:
        """As in ``result.json``."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class SourceRef:
    """Reference to the recording of a result."""

    name: str
    sha256: str | None
    """Of the file's bytes; None for samples that never were a file."""

    def to_dict(self) -> dict[str, object]:
        """As in ``result.json``."""
        return {"name": self.name, "sha256": self.sha256}


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """Result of one recognition."""

    source: SourceRef
    created: datetime
    """When it was recognized, with a time zone; its local time names the run's directory."""
    duration_s: float
    granularity: Granularity
    scores: Scores
    quality: Quality
    model: ModelRef
    track: Track | None = None
    """Present when ``granularity`` is ``frame``."""
    segments: tuple[Segment, ...] = ()
    """Present when ``granularity`` is ``frame``; cover the recording, silences included."""
    reading: TrackSummary | None = None
    """Present when ``granularity`` is ``frame``."""
    embedding: Array32 | None = None
    """Shape ``(T, D)``, when asked for; outside of the JSON."""
    calibrated: Calibrated | None = None
    """None for a model that was not calibrated."""
    abstain: tuple[str, ...] = ()
    """Why no answer should be read from the scores; empty when one may."""
    steps: tuple[Step, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    channel: Channel | None = None
    """Which channel it is about; None where the channels were averaged."""
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
    def sound_starts_s(self) -> float:
        """Time of the medium at which its sound begins, in seconds; usually 0."""
        at_start = self.missing and not self.missing[0].start_s
        return self.missing[0].end_s if at_start else 0.0

    @property
    def utterance_embedding(self) -> Array32 | None:
        """Mean of the embedding over time, shape ``(D,)``."""
        if self.embedding is None:
            return None
        return cast(Array32, self.embedding.mean(axis=0, dtype=np.float64).astype(np.float32))

    def to_dict(self) -> dict[str, Any]:
        """The content of ``result.json``."""
        embedding = self.embedding
        return {
            "schema_version": SCHEMA_VERSION,
            "emotion": self.emotion.key,
            "confidence": self.confidence,
            "confidence_calibrated": self.calibrated and self.calibrated.confidence,
            "label_set": self.calibrated and self.calibrated.to_dict(),
            "scores": self.scores.to_dict(),
            "granularity": self.granularity,
            "timestamp": self.created.strftime("%Y-%m-%d %H:%M:%S"),
            "created_utc": _utc_text(self.created),
            "duration_s": self.duration_s,
            "medium": {
                "sound_starts_s": self.sound_starts_s,
                "missing": [asdict(span) for span in self.missing],
            },
            "abstain": list(self.abstain),
            "quality": self.quality.to_dict(),
            "segments": [segment.to_dict() for segment in self.segments],
            "reading": None if self.reading is None else self.reading.to_dict(),
            "frames": None if self.track is None else _frames(self.track),
            "embedding": None
            if embedding is None
            else {"shape": list(embedding.shape), "dtype": "float32"},
            "model": self.model.to_dict(),
            "source": self.source.to_dict(),
            "channel": None if self.channel is None else self.channel.to_dict(),
            "log": [
                {
                    "step": step.name,
                    "ms": step.milliseconds,
                    **({"data": step.data} if step.data else {}),
                }
                for step in self.steps
            ],
            "versions": dict(self.versions),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Result:
        """Read what ``to_dict`` wrote; the embedding, which is not in it, stays None.

        Raises:
            ValueError: a ``schema_version`` that this program does not know.
        """
        if data["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema_version {data['schema_version']} is not {SCHEMA_VERSION}")
        created = datetime.strptime(data["timestamp"], "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - below
        utc = datetime.fromisoformat(data["created_utc"])
        # The zone is the difference between the two clocks that were written.
        offset = created.replace(tzinfo=utc.tzinfo) - utc.replace(microsecond=0)
        reading = data["reading"]
        return cls(
            source=SourceRef(**data["source"]),
            created=utc.astimezone(timezone(offset)),
            duration_s=data["duration_s"],
            granularity=data["granularity"],
            scores=Scores.from_dict(data["scores"]),
            quality=Quality.from_dict(data["quality"]),
            model=ModelRef(**data["model"]),
            track=_track(data["frames"]),
            segments=tuple(Segment.from_dict(segment) for segment in data["segments"]),
            reading=None if reading is None else TrackSummary.from_dict(reading),
            calibrated=_calibrated(data),
            abstain=tuple(data["abstain"]),
            steps=tuple(
                Step(step["step"], step["ms"], step.get("data", {})) for step in data["log"]
            ),
            versions=data["versions"],
            channel=Channel.from_dict(kept) if (kept := data.get("channel")) else None,
            # Older results lack it.
            missing=tuple(Span(**span) for span in data.get("medium", {}).get("missing", ())),
        )


def _utc_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True, slots=True)
class Failure:
    """Recording of a list that could not be recognized, and its error."""

    name: str
    error: EmoscopeError
    result: Result | None = None
    """What was recognized all the same, where only keeping it failed."""
