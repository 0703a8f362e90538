"""Reply schemas of results and problem details, for the OpenAPI document.

What a recognition says is described by the types of ``emoscope.results``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from emoscope import errors
from emoscope.errors import EmoscopeError
from emoscope.models.catalog import Origin
from emoscope.outputs.store import Run
from emoscope.paths.file_names import shown
from emoscope.results.result import ModelRef, ResultDocument

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


class Problem(Exact):
    """What went wrong, for programs (``code``) and for people in both languages."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="stable; never changes its meaning")
    detail_zh: str
    detail_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictReply(ResultDocument):
    """``result.json``, the run's directory and links to its files."""

    run: str
    files: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthModel(ModelRef):
    """What is loaded, from where, and how long that took."""

    origin: Origin
    load_s: float


class HealthReply(Exact):
    """The server answers, with this model."""

    status: Literal["ok"]
    version: str
    uptime_s: float
    model: HealthModel
