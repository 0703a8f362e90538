"""What a recognition says: scores, the time axis, the recording check, and the whole result.

Everything here is frozen. ``Result.to_dict`` is the JSON of ``result.json`` (P13) and
``Result.from_dict`` reads it back; arrays that are large (the embedding) stay outside of it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timezone
from typing import Any, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from emoscope.errors import EmoscopeError
from emoscope.events import Step
from emoscope.labels import COUNT, EMOTIONS, KEYS, Emotion
from emoscope.reading import Reading, read
from emoscope.segments import DEFAULT, Mask, Rules, Segment, SegmentReader
from emoscope.talk import Channel
from emoscope.waveform import FRAME_S, HOP_S, Span

Array32: TypeAlias = NDArray[np.float32]
Array64: TypeAlias = NDArray[np.float64]
Granularity: TypeAlias = Literal["utterance", "frame"]

GRANULARITIES: tuple[Granularity, ...] = ("utterance", "frame")
SCHEMA_VERSION = 1
_BLOCK = 4_096
"""Rows read at once."""
REASONS = (
    "too_short",
    "too_long",
    "no_speech",
    "little_speech",
    "too_quiet",
    "clipped",
    "dc_offset",
    "low_snr",
    "band_limited",
    "heavy_codec",
    "broken_off",
    "phase_cancelled",
)
"""Codes of the recording check; the faces have a sentence of advice for each."""


def softmax(logits: NDArray[np.floating[Any]]) -> Array64:
    """Return scores over the last axis, in float64 so that nine of them sum to 1."""
    shifted = np.asarray(logits, dtype=np.float64)
    shifted = shifted - shifted.max(axis=-1, keepdims=True)
    powers = np.exp(shifted)
    return cast(Array64, powers / powers.sum(axis=-1, keepdims=True))


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Nine numbers that sum to 1, in the order of ``labels.EMOTIONS``."""

    values: Array64
    """Shape ``(9,)``."""

    def __post_init__(self) -> None:
        if self.values.shape != (COUNT,):
            raise ValueError(f"scores have shape ({COUNT},), not {self.values.shape}")
        if not abs(float(self.values.sum()) - 1.0) <= 1e-6:
            raise ValueError(f"scores sum to 1, not {self.values.sum()}")
        if self.values.min() < 0:
            raise ValueError(f"scores are not negative, as {self.values.min()} is")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scores) and np.array_equal(self.values, other.values)

    __hash__ = None  # type: ignore[assignment]  # holds an array

    @classmethod
    def from_logits(cls, logits: NDArray[np.floating[Any]]) -> Scores:
        """Softmax of the logits, shape ``(9,)``."""
        return cls(softmax(logits))

    @property
    def top(self) -> Emotion:
        """The class of the largest score."""
        return EMOTIONS[int(self.values.argmax())]

    @property
    def confidence(self) -> float:
        """The largest score."""
        return float(self.values.max())

    @property
    def margin(self) -> float:
        """By how much the first leads the second."""
        second, first = np.sort(self.values)[-2:]
        return float(first - second)

    def ranked(self) -> list[tuple[Emotion, float]]:
        """All nine, largest first."""
        return [
            (EMOTIONS[i], float(self.values[i])) for i in np.argsort(-self.values, kind="stable")
        ]

    def percentages(self) -> tuple[float, ...]:
        """The nine with one decimal, rounded so that they add up to 100.0 (P14).

        Largest remainders: everything is rounded down to a tenth, and the tenths that are missing
        go to the numbers that lost most. The order of two scores is never turned round.
        """
        tenths = self.values / self.values.sum() * 1000
        floors = np.floor(tenths)
        missing = round(1000 - float(floors.sum()))
        # Among equal remainders the larger score comes first, so that ranks are kept.
        order = np.lexsort((-self.values, -(tenths - floors)))
        floors[order[:missing]] += 1
        return tuple(float(tenth) / 10 for tenth in floors)

    def to_dict(self) -> dict[str, float]:
        """Score by English key."""
        return {key: float(value) for key, value in zip(KEYS, self.values, strict=True)}

    @classmethod
    def from_dict(cls, data: dict[str, float]) -> Scores:
        """Read what ``to_dict`` wrote."""
        return cls(np.array([data[key] for key in KEYS], dtype=np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """The time axis: one row of nine logits every 20 ms.

    Frame ``k`` covers ``[k · 20 ms, k · 20 ms + 25 ms]``.
    """

    logits: Array32
    """Shape ``(T, 9)``."""
    speech: Mask | None = None
    """Shape ``(T,)``, true where somebody speaks; None counts as everywhere."""

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
            and np.array_equal(self._voiced(), other._voiced())
        )

    __hash__ = None  # type: ignore[assignment]  # holds an array

    @property
    def scores(self) -> Array64:
        """Softmax of each row, shape ``(T, 9)``."""
        return softmax(self.logits)

    @property
    def utterance(self) -> Scores:
        """The answer for the whole clip.

        The classifier is linear, so the mean of the frame logits is the utterance's logits (P10).
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

    def segments(self, duration_s: float, rules: Rules = DEFAULT) -> tuple[Segment, ...]:
        """Cut [0, ``duration_s``] into emotions and silences, without gap or overlap.

        Args:
            duration_s: length of the recording in seconds.
            rules: how; see ``Rules``.
        """
        reader, speech = SegmentReader(rules), self._voiced()
        found: list[Segment] = []
        # In blocks, because hours of sound have hundreds of thousands of rows.
        for first in range(0, len(self), _BLOCK):
            block = slice(first, first + _BLOCK)
            found += reader.feed(softmax(self.logits[block]), speech[block])
        return (*found, *reader.finish(duration_s))

    def reading(
        self,
        segments: tuple[Segment, ...],
        duration_s: float,
        missing: tuple[Span, ...] = (),
        rules: Rules = DEFAULT,
    ) -> Reading:
        """Sum up segments that were made by ``rules``, and say which moments told most.

        Args:
            segments: as from ``segments``.
            duration_s: length of the recording in seconds.
            missing: where the medium holds no sound; no moment lies there.
            rules: how the segments were made.
        """
        attribution = self.attribution(self.utterance.top)
        return read(segments, attribution, duration_s, rules, missing)

    def _voiced(self) -> Mask:
        return np.ones(len(self), np.bool_) if self.speech is None else self.speech


@dataclass(frozen=True, slots=True)
class Quality:
    """The recording check (P36). Sentences are made by the faces."""

    level_dbfs: float
    """Root mean square of the whole recording without its offset; 0 is full scale."""
    peak: float
    """Largest magnitude, 0 to 1."""
    clipped_share: float
    """Share of samples that sit in flat tops."""
    snr_db: float | None
    """Power of the speech over that of the noise; None where there is next to no speech."""
    bandwidth_hz: float
    """Frequency below which the sound has practically all of its energy."""
    speech_share: float
    """Share of the time in which somebody speaks."""
    reasons: tuple[str, ...] = ()
    """Codes out of ``REASONS``; empty when there is nothing to say."""
    silence_share: float = 0.0
    """Share of the time in which there is next to nothing to hear."""
    speech_dbfs: float | None = None
    """Root mean square while somebody speaks; None where nobody does."""
    dc_offset: float = 0.0
    """Mean of the samples: what a bad converter adds to all of them."""
    band_is_cut: bool = False
    """Whether the sound ends at ``bandwidth_hz`` as by a filter or a codec, which no voice does."""

    def to_dict(self) -> dict[str, object]:
        """As in ``result.json``."""
        return {
            "level_dbfs": self.level_dbfs,
            "peak": self.peak,
            "clipped_share": self.clipped_share,
            "snr_db": self.snr_db,
            "bandwidth_hz": self.bandwidth_hz,
            "speech_share": self.speech_share,
            "reasons": list(self.reasons),
            "silence_share": self.silence_share,
            "speech_dbfs": self.speech_dbfs,
            "dc_offset": self.dc_offset,
            "band_is_cut": self.band_is_cut,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Quality:
        """Read what ``to_dict`` wrote."""
        return cls(**{**data, "reasons": tuple(data["reasons"])})


@dataclass(frozen=True, slots=True)
class Calibrated:
    """How sure one may be of an answer, for a model that was calibrated (P38)."""

    confidence: float
    """How often an answer with such a score was right."""
    label_set: tuple[str, ...]
    """Keys of the emotions it may be, the likeliest first."""
    coverage: float
    """In which share of cases the truth was among them."""

    def to_dict(self) -> dict[str, object]:
        """As ``label_set`` in ``result.json``; the confidence has a key of its own there."""
        return {"coverage": self.coverage, "emotions": list(self.label_set)}


@dataclass(frozen=True, slots=True)
class ModelRef:
    """Which model answered."""

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
    """Which recording was asked about."""

    name: str
    sha256: str | None
    """Of the file's bytes; None for samples that never were a file."""

    def to_dict(self) -> dict[str, object]:
        """As in ``result.json``."""
        return {"name": self.name, "sha256": self.sha256}


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """The answer for one recording."""

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
    reading: Reading | None = None
    """Present when ``granularity`` is ``frame``."""
    embedding: Array32 | None = None
    """Shape ``(T, D)``, when asked for; outside of the JSON."""
    calibrated: Calibrated | None = None
    """None for a model that was not calibrated."""
    abstain: tuple[str, ...] = ()
    """Why no answer should be read from the scores; empty when one may (P37)."""
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
            reading=None if reading is None else Reading.from_dict(reading),
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


def _calibrated(data: dict[str, Any]) -> Calibrated | None:
    """Read the two keys, which older results lack."""
    kept = data.get("label_set")
    if kept is None:
        return None
    confidence = data["confidence_calibrated"]
    return Calibrated(confidence, tuple(kept["emotions"]), kept["coverage"])


def _utc_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _frames(track: Track) -> dict[str, object]:
    """Compact form: one list per frame, in the order of the nine keys."""
    return {
        "hop_s": HOP_S,
        "frame_s": FRAME_S,
        "count": len(track),
        "keys": list(KEYS),
        # Through text: the shortest decimal that reads back as the same float32.
        "logits": track.logits.astype(str).astype(np.float64).tolist(),
        "scores": track.scores.round(7).tolist(),
        # Where somebody speaks: from frame, to frame (excluded).
        "speech": None if track.speech is None else _runs(track.speech),
    }


def _track(frames: dict[str, Any] | None) -> Track | None:
    if frames is None:
        return None
    logits = np.array(frames["logits"], dtype=np.float32)
    if frames["speech"] is None:
        return Track(logits)
    speech = np.zeros(len(logits), np.bool_)
    for first, last in frames["speech"]:
        speech[first:last] = True
    return Track(logits, speech)


def _runs(mask: Mask) -> list[list[int]]:
    """First and last (excluded) position of each run of true."""
    borders = np.flatnonzero(np.diff(mask, prepend=False, append=False))
    return borders.reshape(-1, 2).tolist()


@dataclass(frozen=True, slots=True)
class Failure:
    """One recording of a list that could not be recognized, and why."""

    name: str
    error: EmoscopeError
    result: Result | None = None
    """What was recognized all the same, where only keeping it failed."""
