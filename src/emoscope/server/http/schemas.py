"""Reply schemas of results and problem details, for the OpenAPI document.

``result.json`` is made by ``Result.to_dict``; the models here describe it and a test holds the two
together.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from emoscope import errors
from emoscope.errors import EmoscopeError
from emoscope.outputs.store import Run
from emoscope.paths.file_names import shown
from emoscope.streaming.messages import EmotionKey, SegmentReply

PROBLEM_TYPE = "application/problem+json"

_STATUS: dict[type[EmoscopeError], HTTPStatus] = {
    errors.AudioTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.AudioNotRecognizedError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.AudioPlaylistError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.AudioCodecRefusedError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.RequestMalformedError: HTTPStatus.BAD_REQUEST,
    errors.FormBrokenOffError: HTTPStatus.BAD_REQUEST,
    errors.LengthMissingError: HTTPStatus.LENGTH_REQUIRED,
    errors.RangeRefusedError: HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    errors.HostRefusedError: HTTPStatus.BAD_REQUEST,
    errors.OriginRefusedError: HTTPStatus.FORBIDDEN,
    errors.KeyRequiredError: HTTPStatus.UNAUTHORIZED,
    errors.ScopeMissingError: HTTPStatus.FORBIDDEN,
    errors.RouteNotFoundError: HTTPStatus.NOT_FOUND,
    errors.MethodNotAllowedError: HTTPStatus.METHOD_NOT_ALLOWED,
    errors.RunNotFoundError: HTTPStatus.NOT_FOUND,
    errors.JobNotFoundError: HTTPStatus.NOT_FOUND,
    errors.JobStateError: HTTPStatus.CONFLICT,
    errors.IdempotencyError: HTTPStatus.CONFLICT,
    errors.RequestTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.InputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.StoreFullError: HTTPStatus.INSUFFICIENT_STORAGE,
    errors.DecoderCrashedError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.DecoderTimeoutError: HTTPStatus.GATEWAY_TIMEOUT,
    errors.ServiceError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.RateError: HTTPStatus.TOO_MANY_REQUESTS,
    errors.DeadlineError: HTTPStatus.GATEWAY_TIMEOUT,
    errors.UploadSlowError: HTTPStatus.REQUEST_TIMEOUT,
    errors.CancelledError: HTTPStatus.CONFLICT,
    errors.EngineClosedError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.EmoscopeError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""HTTP status by error; a class that is not here has that of its nearest ancestor."""


def http_status(kind: type[EmoscopeError]) -> HTTPStatus:
    """Return the HTTP status of an error class."""
    return next(_STATUS[ancestor] for ancestor in kind.__mro__ if ancestor in _STATUS)


def problem_of(error: EmoscopeError, *, chinese: bool = False) -> Problem:
    """Return the error as problem details (RFC 9457)."""
    status = http_status(type(error))
    return Problem(
        type=f"urn:emoscope:error:{error.code}",
        title=status.phrase,
        status=int(status),
        detail=error.detail_zh if chinese else error.detail_en,
        code=error.code,
        detail_zh=error.detail_zh,
        detail_en=error.detail_en,
    )


def problem(
    error: EmoscopeError, *, chinese: bool = False, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return an error as a reply with problem details (RFC 9457).

    Args:
        error: gives status, code and both sentences.
        chinese: whether ``detail`` is the Chinese sentence.
        headers: further headers of the reply; none by default.
    """
    body = problem_of(error, chinese=chinese)
    own = dict(headers or {})
    if "retry_after_s" in error.data:
        own["Retry-After"] = str(error.data["retry_after_s"])
    return JSONResponse(body.model_dump(), body.status, headers=own, media_type=PROBLEM_TYPE)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the error replies of a route, for the OpenAPI document."""
    return {
        status: {
            "model": Problem,
            "description": "problem details (RFC 9457)",
            "content": {PROBLEM_TYPE: {}},
        }
        for status in statuses
    }


def is_chinese(headers: Mapping[str, str]) -> bool:
    """Whether a client asks for Chinese first."""
    return headers.get("accept-language", "").lower().startswith("zh")


def reply(run: Run, root: str = "") -> dict[str, Any]:
    """Return ``result.json`` with the run's name and links to its files.

    Args:
        run: what was recognized.
        root: the path that a proxy puts before ours.
    """
    record = run.result.to_dict()
    # A file name that is no UTF-8 is in no valid JSON: its bytes are written out.
    record["source"]["name"] = shown(run.result.source.name)
    return {**record, "run": run.name, "files": file_links(run, root)}


def file_links(run: Run, root: str = "") -> dict[str, str]:
    """Return the address of each file of a run, under the prefix ``root``."""
    return {name: f"{root}/outputs/{run.name}/{name}" for name in run.files()}


class Exact(BaseModel):
    """Base schema without additional properties."""

    model_config = ConfigDict(extra="forbid")


Share = Annotated[float, Field(ge=0, le=1)]


class Problem(Exact):
    """What went wrong, for programs (``code``) and for people in both languages."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="stable; never changes its meaning")
    detail_zh: str
    detail_en: str


class RulesReply(Exact):
    """How segments were made; seconds, and a margin between scores."""

    smoothing_s: float
    minimum_s: float
    margin: float
    pause_s: float
    sound_s: float


class TransitionReply(Exact):
    """One emotion gives way to another, perhaps across a silence."""

    at_s: float
    from_: EmotionKey = Field(alias="from")
    to: EmotionKey


class MomentReply(Exact):
    """A moment that spoke for the answer, and what it adds to the answer's logit."""

    start_s: float
    end_s: float
    logit: float


class ReadingReply(Exact):
    """The time axis in a few numbers."""

    rules: RulesReply
    shares: dict[str, Share] = Field(description="time per emotion and of silence; they sum to 1")
    transitions: list[TransitionReply]
    stability: Share | None
    logit: float
    moments: list[MomentReply]


class FramesReply(Exact):
    """One row of nine numbers every 20 ms; frame k covers k · 20 ms to k · 20 ms + 25 ms."""

    hop_s: float
    frame_s: float
    count: int
    keys: list[str]
    logits: list[list[float]]
    scores: list[list[float]]
    speech: list[tuple[int, int]] | None = Field(
        description="from and to (excluded) frame of each stretch with speech"
    )


class QualityReply(Exact):
    """The recording check."""

    level_dbfs: float
    peak: Share
    clipped_share: Share
    snr_db: float | None
    bandwidth_hz: float
    speech_share: Share
    reasons: list[str]
    silence_share: Share
    speech_dbfs: float | None
    dc_offset: float
    band_is_cut: bool


class LabelSetReply(Exact):
    """The smallest set of emotions that holds the truth in ``coverage`` of cases like its own."""

    coverage: float
    emotions: list[EmotionKey]


class EmbeddingReply(Exact):
    """Shape of ``embedding.npy``: frames by numbers per frame."""

    shape: list[int]
    dtype: Literal["float32"]


class AgreementReply(Exact):
    """How near a rounded variant was to the exact model on the built-in recordings."""

    clips: int
    same_top: int
    cosine: float
    lowest_cosine: float
    score_difference: float
    speedup: float


class ModelReply(Exact):
    """Which model answered."""

    name: str
    revision: str
    sha256: str
    precision: str
    agreement: AgreementReply | None
    device: str


class SourceReply(Exact):
    """The recording that a result is about."""

    name: str
    sha256: str | None


class ChannelReply(Exact):
    """The channel that a result is about, and its share of time with speech."""

    number: int
    count: int
    talk_share: Share
    overlap_share: Share


class MissingReply(Exact):
    """A span of the medium that holds no sound."""

    start_s: float
    end_s: float


class MediumReply(Exact):
    """How sound lies on the medium's time axis, as beside a picture."""

    sound_starts_s: float
    missing: list[MissingReply]


class StepReply(Exact):
    """One step of the processing log."""

    step: str
    ms: float
    data: dict[str, Any] = {}


class PredictReply(Exact):
    """``result.json``, the run's directory and links to its files."""

    schema_version: int
    emotion: EmotionKey
    confidence: Share
    confidence_calibrated: Share | None = Field(
        description="how often an answer with such a score was right; null for a model that was "
        "not calibrated"
    )
    label_set: LabelSetReply | None = Field(
        description="the emotions it may be, likeliest first, and how often the truth was there"
    )
    scores: dict[str, Share]
    granularity: Literal["utterance", "frame"]
    timestamp: str = Field(description="local time, as in the directory's name")
    created_utc: str
    duration_s: float
    medium: MediumReply = Field(
        description="when sound begins, and where there is none: spans are silence in the segments"
    )
    abstain: list[str] = Field(description="why no emotion should be read from the scores")
    quality: QualityReply
    segments: list[SegmentReply]
    reading: ReadingReply | None
    frames: FramesReply | None
    embedding: EmbeddingReply | None
    model: ModelReply
    source: SourceReply
    channel: ChannelReply | None = Field(description="null where the channels were averaged")
    log: list[StepReply]
    versions: dict[str, str]
    run: str
    files: dict[str, str]


class HealthModel(ModelReply):
    """What is loaded, from where, and how long that took."""

    origin: Literal["package", "cache", "folder"]
    load_s: float


class HealthReply(Exact):
    """The server answers, with this model."""

    status: Literal["ok"]
    version: str
    uptime_s: float
    model: HealthModel
