"""``POST /predict``, ``GET /health`` and the files of runs."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import anyio
import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from emoscope._version import __version__
from emoscope.errors import (
    BooleanError,
    BusyError,
    FieldMissingError,
    GranularityError,
    NameRefusedError,
    RequestMalformedError,
    TooManyFilesError,
)
from emoscope.recognizer import Recognizer
from emoscope.result import GRANULARITIES, Granularity
from emoscope.server import schemas
from emoscope.server.security import limited
from emoscope.store import MEDIA_TYPES, RunStore

_YES = ("true", "1", "on", "yes")
_NO = ("false", "0", "off", "no")
_WORKERS = 2
"""Requests in work at once: one decodes while another is in the model, which takes all cores."""
_RETRY_AFTER_S = 2

_PREDICT_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["audio"],
                    "properties": {
                        "audio": {
                            "type": "string",
                            "format": "binary",
                            "description": "one recording: wav mp3 m4a flac ogg opus webm aac amr",
                        },
                        "granularity": {
                            "type": "string",
                            "enum": list(GRANULARITIES),
                            "default": "utterance",
                        },
                        "extract_embedding": {
                            "type": "string",
                            "enum": [*_YES, *_NO],
                            "default": "false",
                        },
                    },
                }
            }
        },
    }
}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "model": schemas.Problem,
        "description": "problem details (RFC 9457)",
        "content": {schemas.PROBLEM_TYPE: {}},
    }
    for status in (400, 403, 413, 415, 422, 500, 503, 507)
}


class Gate:
    """Lets a few requests work and some wait; the rest are told to come back."""

    def __init__(self, queue_size: int) -> None:
        self._places = _WORKERS + queue_size
        self._taken = 0
        self._limiter: anyio.CapacityLimiter | None = None

    async def run(self, work: Any, *args: object) -> Any:
        """Run ``work(*args)`` in a thread.

        Raises:
            BusyError: all places are taken.
        """
        if self._taken >= self._places:
            raise BusyError(retry_after_s=_RETRY_AFTER_S)
        # A limiter belongs to the running event loop, which __init__ may not have.
        self._limiter = self._limiter or anyio.CapacityLimiter(_WORKERS)
        self._taken += 1
        try:
            return await anyio.to_thread.run_sync(work, *args, limiter=self._limiter)
        finally:
            self._taken -= 1


def make_router(recognizer: Recognizer, store: RunStore, queue_size: int) -> APIRouter:
    """Return the routes over one recognizer and one outputs folder."""
    router = APIRouter()
    gate = Gate(queue_size)
    started_s = time.monotonic()
    max_bytes = recognizer.limits.max_bytes

    @router.post(
        "/predict",
        response_model=schemas.PredictReply,
        responses=_PROBLEMS,
        openapi_extra=_PREDICT_BODY,
        summary="Recognize one recording",
    )
    async def predict(request: Request) -> JSONResponse:
        """Upload one recording; the reply is ``result.json`` with links to the run's files."""
        arrived_s = time.perf_counter()
        async with _form(request, max_bytes) as form:
            upload = _one_file(form, "audio")
            granularity = parse_granularity(_text(form, "granularity", "utterance"))
            embedding = parse_boolean(
                "extract_embedding", _text(form, "extract_embedding", "false")
            )
            name, data = _safe_name(upload.filename or ""), await upload.read()
        question = _Question(
            data, name, granularity, embedding, (time.perf_counter() - arrived_s) * 1000
        )
        return JSONResponse(await gate.run(_recognize, recognizer, store, question))

    @router.get("/health", response_model=schemas.HealthReply, summary="What is running")
    async def health() -> dict[str, Any]:
        """Say which model is loaded, from where, and how long that took."""
        return {
            "status": "ok",
            "version": __version__,
            "uptime_s": time.monotonic() - started_s,
            "model": {
                **recognizer.model.to_dict(),
                "origin": recognizer.origin,
                "load_s": recognizer.load_s,
            },
        }

    @router.get(
        "/outputs/{run}/{file}",
        response_class=FileResponse,
        responses={404: {"model": schemas.Problem, "content": {schemas.PROBLEM_TYPE: {}}}},
        summary="One file of a run",
    )
    async def run_file(run: str, file: str) -> FileResponse:
        """Return a file of a run, whole or in ranges."""
        path = store.file(run, file)
        return FileResponse(
            path,
            media_type=MEDIA_TYPES[file],
            headers={"Content-Disposition": f'inline; filename="{file}"'},
        )

    return router


@dataclass(frozen=True, slots=True)
class _Question:
    """One request, read and checked."""

    data: bytes
    name: str
    granularity: Granularity
    embedding: bool
    received_ms: float


def _recognize(recognizer: Recognizer, store: RunStore, question: _Question) -> dict[str, Any]:
    """Work of one request, in a thread."""
    recording = recognizer.prepare(
        question.data, name=question.name, received_ms=question.received_ms
    )
    result = recognizer.answer(
        recording, granularity=question.granularity, embedding=question.embedding
    )
    return schemas.reply(store.save(result, recording.waveform))


@asynccontextmanager
async def _form(request: Request, max_bytes: int | None) -> AsyncIterator[FormData]:
    """Parse a multipart body within limits; its spooled files are closed at the end.

    Raises:
        RequestMalformedError: the body is not multipart, or broken.
        AudioTooLargeError: it grows past the limit.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise RequestMalformedError
    parser = MultiPartParser(
        request.headers,
        cast(Any, limited(request.stream(), max_bytes)),  # an async iterator is all it needs
        max_files=8,
        max_fields=32,
        max_part_size=4096,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError) as exc:  # KeyError: a content type without a boundary
        raise RequestMalformedError from exc
    try:
        yield form
    finally:
        await form.close()


def _one_file(form: FormData, field: str) -> UploadFile:
    files = [value for value in form.getlist(field) if isinstance(value, UploadFile)]
    if not files:
        raise FieldMissingError(field=field)
    if len(files) > 1:
        raise TooManyFilesError(field=field)
    return files[0]


def _text(form: FormData, field: str, default: str) -> str:
    value = form.get(field, default)
    return value if isinstance(value, str) else ""


def _safe_name(name: str) -> str:
    """Refuse a name that tries to be a path; it is kept in ``result.json`` and shown to people."""
    tricky = any(char in name for char in "/\\") or name in ("..", ".")
    if tricky or not name.isprintable() or len(name.encode()) > 255:
        raise NameRefusedError
    return name


def parse_granularity(value: str) -> Granularity:
    """Read ``utterance`` or ``frame``.

    Raises:
        GranularityError: it is neither.
    """
    if value not in GRANULARITIES:
        raise GranularityError(value=value[:32])
    return value


def parse_boolean(field: str, value: str) -> bool:
    """Read one of the eight words (P8), in any case.

    Raises:
        BooleanError: it is another word.
    """
    word = value.lower()
    if word not in _YES + _NO:
        raise BooleanError(field=field, value=value[:32])
    return word in _YES
