"""Request bodies with recordings: a form, JSON with base64, or the bytes of one file."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any, get_args

from fastapi import Request

from emoscope.errors import AudioTooLargeError, EmoscopeError, RequestError
from emoscope.lists.spans import SpanFile
from emoscope.paths.choices import ChannelMode
from emoscope.paths.names import HIDDEN, NAME_MAX, plain_name
from emoscope.results.result import GRANULARITIES, check_granularity
from emoscope.server.admission.uploads import UploadBody, drain
from emoscope.server.http.body_spool import RecordingSpool
from emoscope.server.http.forms import (
    FORM_TYPE,
    NO,
    SECONDS_EXPECTED,
    YES,
    FormReader,
    parse_boolean,
    parse_channels,
    parse_heads,
    parse_seconds,
)
from emoscope.server.http.json_body import JSON_EXPECTED, JsonBodyReader, decode_base64
from emoscope.server.http.openapi import example_sound
from emoscope.server.http.span_field import (
    SPANS_AS_TEXT,
    SPANS_IN_JSON,
    SPANS_MAX_BYTES,
    SPANS_TEXT,
    check_names,
    spans_of_file,
    spans_of_list,
)
from emoscope.server.service import RecognitionOptions, RecognitionRequest, Service

_JSON_TYPE = "application/json"
_PLAIN_TYPES = re.compile(
    r"|(audio|video)/.*|(application|binary)/octet-stream|application/(x-)?(ogg|mp4|matroska)"
)
"""Media types of plain bytes; no type at all is one of them."""
_EXPECTED = (
    "Content-Type: audio/*, video/*, application/octet-stream, application/json, "
    'multipart/form-data; curl -H "Content-Type: audio/wav" --data-binary @a.wav'
)

NAME_PATTERN = f"^[^/\\\\{HIDDEN}]*$"
"""What ``plain_name`` accepts, less the names ``.`` and ``..``."""

_WORD = {"type": "string", "enum": [*YES, *NO], "default": "false"}
"""A truth value in a form."""
_SECONDS: dict[str, Any] = {"type": "number", "minimum": 1.0, "maximum": 60.0}
_OPTIONS: dict[str, dict[str, Any]] = {
    "granularity": {"type": "string", "enum": list(GRANULARITIES), "default": "utterance"},
    "embedding": {"type": "boolean", "default": False},
    "utterances": {
        "type": "boolean",
        "default": False,
        "description": "recognize each utterance between two pauses alone as well",
    },
    "pause_s": {
        **_SECONDS,
        "minimum": 0.2,
        "description": "a pause of this length ends an utterance; asks for them",
    },
    "longest_s": {**_SECONDS, "description": "a longer utterance is cut; asks for utterances"},
    "tier": {
        "type": "string",
        "default": "",
        "description": "of a TextGrid or EAF of spans; by default the first with intervals",
    },
    "channels": {
        "type": "string",
        "enum": list(get_args(ChannelMode)),
        "default": "mix",
        "description": "separate: an answer for each of two channels, as of a call; not for jobs",
    },
    "head": {
        "type": "string",
        "default": "",
        "description": "names of heads, parted by commas; GET /v1/heads lists them",
    },
}
_RULES = ("pause_s", "longest_s")
_RECORDING = {
    "type": "object",
    "required": ["audio"],
    "additionalProperties": False,
    "properties": {
        "audio": {"type": "string", "format": "byte", "minLength": 4, "description": "base64"},
        "name": {"type": "string", "pattern": NAME_PATTERN, "maxLength": NAME_MAX},
    },
}


def body_schema(max_files: int, max_bytes: int) -> dict[str, Any]:
    """Return what the OpenAPI document says of the three ways.

    Args:
        max_files: recordings in one request.
        max_bytes: largest body in bytes.
    """
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
            "embedding": _WORD,
            "utterances": {**_WORD, "description": _OPTIONS["utterances"]["description"]},
            "spans": SPANS_AS_TEXT,
            "pause_s": _OPTIONS["pause_s"],
            "longest_s": _OPTIONS["longest_s"],
            "tier": _OPTIONS["tier"],
            "channels": _OPTIONS["channels"],
            "head": _OPTIONS["head"],
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
            "spans": SPANS_IN_JSON,
        },
        "example": {
            "recordings": [{"name": "speech.wav", "audio": example_sound()}],
            "granularity": "frame",
        },
    }
    plain = {"schema": {"type": "string", "format": "binary"}}
    content = {
        FORM_TYPE: {"schema": form},
        "application/json": {"schema": as_json},
        "application/octet-stream": plain,
        "audio/*": plain,
        "video/*": plain,
    }
    description = f"{max_files} recordings and {max_bytes} bytes at most"
    body = {"required": True, "description": description, "content": content}
    return {"requestBody": body}


@asynccontextmanager
async def read_requests(
    request: Request, service: Service, *, max_files: int, max_bytes: int
) -> AsyncIterator[list[RecognitionRequest]]:
    """Read the recordings of a request; they can be read inside the block.

    A recording that is too large is refused in its place, as any other bad one is, unless there is
    no other recording.

    Args:
        request: its body is read.
        service: its recognizer's limits are those of one recording.
        max_files: recordings in this request.
        max_bytes: largest body in bytes.

    Raises:
        RequestError: the body or a parameter is not what it should be.
        HeadError: a head is unknown, damaged, or of another model.
        AudioTooLargeError: every recording is larger than a recording may be.
        ServiceTimeoutError: the body comes too slowly.
        BusyError: too many bodies, or bytes of bodies, are there already.
    """
    arrived_s = time.perf_counter()
    largest = service.recognizer.limits.max_bytes
    with service.uploads.body() as body, RecordingSpool(largest) as spool:
        try:
            reader = _reader(request.headers.get("content-type", ""), spool, max_files)
        except RequestError:
            await drain(request.stream())
            raise
        if reader is None:
            await _receive_bytes(request, body, spool, max_bytes, largest)
        else:
            await body.receive(
                request.stream(), reader.feed, max_bytes, partial(_body_too_large, spool, max_bytes)
            )
        requests = _requests(reader, request, spool, max_files)
        if requests:
            check_names(requests[0].options.spans, len(requests))
            service.utterance_rules(requests[0].options)  # refused before anything is begun
        for names in {one.options.heads for one in requests}:
            service.recognizer_with(names)  # refused before anything is begun
        _require_usable(spool, len(requests))
        received_ms = (time.perf_counter() - arrived_s) * 1000
        yield [replace(one, received_ms=received_ms) for one in requests]


async def _receive_bytes(
    request: Request, body: UploadBody, spool: RecordingSpool, max_bytes: int, largest: int | None
) -> None:
    """Receive plain bytes: one recording, so nothing is read beyond the limit of a recording."""
    most = min(max_bytes, largest or max_bytes)

    def too_large() -> EmoscopeError:
        if most == largest:
            return AudioTooLargeError(max_bytes=largest)
        return _body_too_large(spool, max_bytes)

    spool.begin()
    await body.receive(request.stream(), spool.write, most, too_large)


def _body_too_large(spool: RecordingSpool, max_bytes: int) -> EmoscopeError:
    return spool.refusal or RequestError("request_too_large", max_bytes=max_bytes)


def _requests(
    reader: FormReader | JsonBodyReader | None,
    request: Request,
    spool: RecordingSpool,
    max_files: int,
) -> list[RecognitionRequest]:
    """Return what a body asks for, after all of it was received."""
    if isinstance(reader, FormReader):
        return _of_form(reader)
    if isinstance(reader, JsonBodyReader):
        return _of_json(reader, spool, max_files)
    return _of_bytes(request, spool)


def _require_usable(spool: RecordingSpool, count: int) -> None:
    """Refuse a request of which every one of ``count`` recordings is too large.

    Raises:
        AudioTooLargeError: every recording is larger than a recording may be.
    """
    refused = [one.refusal for one in spool.recordings if one.refusal]
    if refused and len(refused) == count:
        raise refused[0]


def _reader(
    content_type: str, spool: RecordingSpool, max_files: int
) -> FormReader | JsonBodyReader | None:
    """Return what reads a body of this type; None for plain bytes.

    Raises:
        RequestError: a type that is not taken.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == FORM_TYPE:
        long = {"spans": SPANS_MAX_BYTES}
        return FormReader(content_type, spool, field="audio", max_files=max_files, long=long)
    if kind == _JSON_TYPE:
        return JsonBodyReader(spool, max_files)
    if _PLAIN_TYPES.fullmatch(kind):
        return None
    raise RequestError("request_malformed", expected=_EXPECTED)


def _of_form(form: FormReader) -> list[RecognitionRequest]:
    form.finish()
    options = RecognitionOptions(
        check_granularity(form.texts.get("granularity", "utterance")),
        parse_boolean("embedding", form.texts.get("embedding", "false")),
        parse_channels(form.texts.get("channels", "mix")),
        parse_boolean("utterances", form.texts.get("utterances", "false")),
        parse_heads(form.texts.get("head", "")),
        spans_of_file(*form.long_texts.get("spans", ("", b"")), form.texts.get("tier", "")),
        parse_seconds("pause_s", form.texts.get("pause_s")),
        parse_seconds("longest_s", form.texts.get("longest_s")),
    )
    return [RecognitionRequest(file.data, plain_name(file.name), options) for file in form.files()]


def _of_bytes(request: Request, spool: RecordingSpool) -> list[RecognitionRequest]:
    query = request.query_params
    options = RecognitionOptions(
        check_granularity(query.get("granularity", "utterance")),
        parse_boolean("embedding", query.get("embedding", "false")),
        parse_channels(query.get("channels", "mix")),
        parse_boolean("utterances", query.get("utterances", "false")),
        parse_heads(query.get("head", "")),
        pause_s=parse_seconds("pause_s", query.get("pause_s")),
        longest_s=parse_seconds("longest_s", query.get("longest_s")),
    )
    name = plain_name(query.get("name", ""))
    spool.end()
    return [RecognitionRequest(spool.recordings[0].data, name, options)]


def _of_json(
    reader: JsonBodyReader, spool: RecordingSpool, max_files: int
) -> list[RecognitionRequest]:
    body = reader.finish()
    if not isinstance(body, dict) or set(body) - {"recordings", "spans", *_OPTIONS}:
        raise RequestError("request_malformed", expected=JSON_EXPECTED)
    recordings = body.get("recordings")
    if not isinstance(recordings, list) or not recordings:
        raise RequestError("field_missing", field="recordings")
    if len(recordings) > max_files:
        raise RequestError("field_invalid", field="recordings", expected=f"≤ {max_files}")
    for field in ("embedding", "utterances"):
        if not isinstance(body.get(field, False), bool):
            raise RequestError("field_invalid", field=field, expected="true, false")
    head, tier = body.get("head", ""), body.get("tier", "")
    for field, value in (("head", head), ("tier", tier)):
        if not isinstance(value, str) or reader.long_string(value) is not None:
            raise RequestError("field_invalid", field=field, expected="NAME")
    granularity = str(body.get("granularity", "utterance"))
    if reader.long_string(granularity) is not None:
        raise RequestError("field_invalid", field="granularity", expected=", ".join(GRANULARITIES))
    options = RecognitionOptions(
        check_granularity(granularity),
        body.get("embedding", False),
        parse_channels(str(body.get("channels", "mix"))),
        body.get("utterances", False),
        parse_heads(head),
        _spans_of_json(body.get("spans", ""), tier, reader),
        *(_seconds_of_json(name, body[name]) if name in body else None for name in _RULES),
    )
    return [
        _one_of_json(recording, f"recordings[{index}]", reader, spool, options)
        for index, recording in enumerate(recordings)
    ]


def _seconds_of_json(field: str, value: Any) -> float | None:
    if type(value) not in (int, float):  # true is no second
        raise RequestError("field_invalid", field=field, expected=SECONDS_EXPECTED)
    return parse_seconds(field, repr(value))


def _spans_of_json(value: Any, tier: str, reader: JsonBodyReader) -> SpanFile | None:
    """Read spans in JSON: a list, or the text of a file where it is short."""
    if isinstance(value, list):
        return spans_of_list(value)
    if isinstance(value, str) and reader.long_string(value) is None:
        return spans_of_file("", value.encode("utf-8", "replace"), tier)
    raise RequestError("field_invalid", field="spans", expected=SPANS_TEXT)


def _one_of_json(
    recording: Any,
    field: str,
    reader: JsonBodyReader,
    spool: RecordingSpool,
    options: RecognitionOptions,
) -> RecognitionRequest:
    if not isinstance(recording, dict) or not isinstance(recording.get("audio"), str):
        raise RequestError("field_missing", field=f"{field}.audio")
    name = recording.get("name", "")
    if not isinstance(name, str) or reader.long_string(name) is not None:
        raise RequestError("field_invalid", field=f"{field}.name", expected="string")
    name, audio = plain_name(name), recording["audio"]
    place = reader.long_string(audio)
    if place is not None and reader.is_base64(place):
        return RecognitionRequest(spool.recordings[place].data, name, options)
    try:
        if place is not None:
            raise ValueError
        return RecognitionRequest(decode_base64(audio), name, options)
    except ValueError as exc:
        raise RequestError("field_invalid", field=f"{field}.audio", expected="base64") from exc
