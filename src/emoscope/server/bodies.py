"""Three ways to send recordings: a form, JSON with base64, or the plain bytes of one file."""

from __future__ import annotations

import base64
import binascii
import json
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, BinaryIO, cast

from fastapi import Request

from emoscope.errors import (
    AudioTooLargeError,
    FieldInvalidError,
    FieldMissingError,
    RequestMalformedError,
    RequestTooLargeError,
)
from emoscope.result import GRANULARITIES
from emoscope.server.forms import (
    FORM_TYPE,
    NO,
    YES,
    files_of,
    form_of,
    parse_boolean,
    parse_granularity,
    plain_name,
    text_of,
)
from emoscope.server.service import Options, Question, Service

_SPOOL_BYTES = 1 << 20
"""Larger recordings wait on the disk and not in memory."""

_OPTIONS = {
    "granularity": {"type": "string", "enum": list(GRANULARITIES), "default": "utterance"},
    "embedding": {"type": "boolean", "default": False},
}
_RECORDING = {
    "type": "object",
    "required": ["audio"],
    "additionalProperties": False,
    "properties": {
        "audio": {"type": "string", "format": "byte", "minLength": 4, "description": "base64"},
        "name": {"type": "string", "pattern": r"^[A-Za-z0-9._ -]{0,200}$"},
    },
}


def body_schema(max_files: int) -> dict[str, Any]:
    """Return what the OpenAPI document says of the three ways."""
    form = {
        "type": "object",
        "required": ["audio"],
        "properties": {
            "audio": {
                "type": "array",
                "minItems": 1,
                "maxItems": max_files,
                "items": {"type": "string", "format": "binary"},
            },
            "granularity": _OPTIONS["granularity"],
            "embedding": {"type": "string", "enum": [*YES, *NO], "default": "false"},
        },
    }
    as_json = {
        "type": "object",
        "required": ["recordings"],
        "additionalProperties": False,
        "properties": {
            "recordings": {
                "type": "array",
                "minItems": 1,
                "maxItems": max_files,
                "items": _RECORDING,
            },
            **_OPTIONS,
        },
        "example": {
            "recordings": [{"name": "speech.wav", "audio": "UklGRg=="}],
            "granularity": "frame",
        },
    }
    plain = {"schema": {"type": "string", "format": "binary"}}
    content = {
        FORM_TYPE: {"schema": form},
        "application/json": {"schema": as_json},
        "application/octet-stream": plain,
        "audio/*": plain,
    }
    return {"requestBody": {"required": True, "content": content}}


@asynccontextmanager
async def questions_of(
    request: Request, service: Service, *, max_files: int, max_bytes: int
) -> AsyncIterator[list[Question]]:
    """Read the recordings of a request; they can be read inside the block.

    Raises:
        RequestError: the body or a parameter is not what it should be.
        AudioTooLargeError: one recording is larger than a recording may be.
        UploadSlowError: the body comes too slowly.
        BusyError: too many bodies come already.
    """
    arrived_s = time.perf_counter()
    kind = request.headers.get("content-type", "").lower().partition(";")[0].strip()
    largest = service.recognizer.limits.max_bytes
    try:
        if kind == FORM_TYPE:
            async with form_of(
                request, service.uploads, max_bytes, max_files=max_files + 1
            ) as form:
                options = Options(
                    parse_granularity(text_of(form, "granularity", "utterance")),
                    parse_boolean("embedding", text_of(form, "embedding", "false")),
                )
                files = files_of(form, "audio")
                _check_count(len(files), "audio", max_files)
                for file in files:
                    if largest is not None and (file.size or 0) > largest:
                        raise AudioTooLargeError(max_bytes=largest)
                waited_ms = (time.perf_counter() - arrived_s) * 1000
                yield [
                    Question(file.file, plain_name(file.filename or ""), options, waited_ms)
                    for file in files
                ]
        elif kind == "application/json":
            # Base64 is a third larger than what it carries.
            body = await _whole(request, service, (largest or max_bytes) * 4 // 3)
            yield _from_json(body, max_files, (time.perf_counter() - arrived_s) * 1000)
        elif kind.startswith("audio/") or kind == "application/octet-stream":
            query = request.query_params
            options = Options(
                parse_granularity(query.get("granularity", "utterance")),
                parse_boolean("embedding", query.get("embedding", "false")),
            )
            name = plain_name(query.get("name", ""))
            with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spool:
                async for chunk in service.uploads.limited(request.stream(), largest):
                    spool.write(chunk)
                waited_ms = (time.perf_counter() - arrived_s) * 1000
                yield [Question(cast(BinaryIO, spool), name, options, waited_ms)]
        else:
            raise RequestMalformedError
    except AudioTooLargeError as exc:
        if exc.data["max_bytes"] == max_bytes != largest:
            raise RequestTooLargeError(max_bytes=max_bytes) from exc
        raise


def _check_count(count: int, field: str, most: int) -> None:
    if count > most:
        raise FieldInvalidError(field=field, expected=f"≤ {most}")


async def _whole(request: Request, service: Service, max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in service.uploads.limited(request.stream(), max_bytes):
        body += chunk
    return bytes(body)


def _from_json(body: bytes, max_files: int, waited_ms: float) -> list[Question]:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise RequestMalformedError from exc
    if not isinstance(asked, dict) or set(asked) - {"recordings", "granularity", "embedding"}:
        raise RequestMalformedError
    recordings = asked.get("recordings")
    if not isinstance(recordings, list) or not recordings:
        raise FieldMissingError(field="recordings")
    _check_count(len(recordings), "recordings", max_files)
    embedding = asked.get("embedding", False)
    if not isinstance(embedding, bool):
        raise FieldInvalidError(field="embedding", expected="true, false")
    options = Options(parse_granularity(str(asked.get("granularity", "utterance"))), embedding)
    return [_one_of_json(recording, options, waited_ms) for recording in recordings]


def _one_of_json(recording: Any, options: Options, waited_ms: float) -> Question:
    if not isinstance(recording, dict) or not isinstance(recording.get("audio"), str):
        raise FieldMissingError(field="recordings[].audio")
    name = recording.get("name", "")
    if not isinstance(name, str):
        raise FieldInvalidError(field="recordings[].name", expected="string")
    try:
        data = base64.b64decode(recording["audio"], validate=True)
    except (binascii.Error, ValueError) as exc:
        raise FieldInvalidError(field="recordings[].audio", expected="base64") from exc
    return Question(data, plain_name(name), options, waited_ms)
