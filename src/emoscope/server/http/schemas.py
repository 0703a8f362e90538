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
from emoscope.messages.hints import sentence
from emoscope.models.catalog import Origin
from emoscope.observe.facts import note_error
from emoscope.outputs.store import Run
from emoscope.paths.file_names import shown
from emoscope.results.result import ModelRef, ResultDocument
from emoscope.streaming.messages import ErrorMessage

PROBLEM_TYPE = "application/problem+json"

_STATUS_OF_CODE = {
    "audio_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "audio_not_recognized": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "audio_playlist": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "audio_codec_refused": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "request_malformed": HTTPStatus.BAD_REQUEST,
    "form_broken_off": HTTPStatus.BAD_REQUEST,
    "length_required": HTTPStatus.LENGTH_REQUIRED,
    "range_refused": HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    "host_refused": HTTPStatus.BAD_REQUEST,
    "origin_refused": HTTPStatus.FORBIDDEN,
    "key_required": HTTPStatus.UNAUTHORIZED,
    "key_expired": HTTPStatus.UNAUTHORIZED,
    "scope_missing": HTTPStatus.FORBIDDEN,
    "proxy_without_keys": HTTPStatus.FORBIDDEN,
    "route_not_found": HTTPStatus.NOT_FOUND,
    "method_not_allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "run_not_found": HTTPStatus.NOT_FOUND,
    "job_not_found": HTTPStatus.NOT_FOUND,
    "search_off": HTTPStatus.NOT_FOUND,
    "job_state": HTTPStatus.CONFLICT,
    "idempotency_conflict": HTTPStatus.CONFLICT,
    "teaching_changed": HTTPStatus.CONFLICT,
    "request_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "store_full": HTTPStatus.INSUFFICIENT_STORAGE,
    "decoder_timeout": HTTPStatus.GATEWAY_TIMEOUT,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "deadline_exceeded": HTTPStatus.GATEWAY_TIMEOUT,
    "upload_too_slow": HTTPStatus.REQUEST_TIMEOUT,
    "cancelled": HTTPStatus.CONFLICT,
    "stream_unreachable": HTTPStatus.SERVICE_UNAVAILABLE,
    "stream_refused": HTTPStatus.SERVICE_UNAVAILABLE,
    "jobs_not_kept": HTTPStatus.NOT_IMPLEMENTED,
}
_STATUS_OF_GROUP: dict[type[EmoscopeError], HTTPStatus] = {
    errors.InputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.DecoderError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ServiceError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.EmoscopeError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""HTTP status of all other codes, by the nearest ancestor of their class."""


def http_status(code: str) -> HTTPStatus:
    """Return the HTTP status of an error code."""
    if code in _STATUS_OF_CODE:
        return _STATUS_OF_CODE[code]
    kinds = errors.all_codes()[code].kind.__mro__
    return next(_STATUS_OF_GROUP[kind] for kind in kinds if kind in _STATUS_OF_GROUP)


def problem_of(error: EmoscopeError, *, chinese: bool = False) -> Problem:
    """Return the error as problem details (RFC 9457)."""
    status = http_status(error.code)
    zh, en = _sentences(error)
    return Problem(
        type=f"urn:emoscope:error:{error.code}",
        title=status.phrase,
        status=int(status),
        detail=zh if chinese else en,
        code=error.code,
        detail_zh=zh,
        detail_en=en,
    )


def error_message(error: EmoscopeError) -> ErrorMessage:
    """Return the error as a message of a live stream."""
    note_error(error)
    zh, en = _sentences(error)
    return ErrorMessage(code=error.code, detail_zh=zh, detail_en=en)


def _sentences(error: EmoscopeError) -> tuple[str, str]:
    return sentence(error, "zh", "server"), sentence(error, "en", "server")


def problem(
    error: EmoscopeError, *, chinese: bool = False, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return an error as a reply with problem details (RFC 9457).

    Args:
        error: gives status, code and both sentences.
        chinese: whether ``detail`` is the Chinese sentence.
        headers: further headers of the reply; none by default.
    """
    note_error(error)
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
