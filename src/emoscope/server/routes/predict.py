"""``POST /predict``: recognition of one recording."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from emoscope.errors import EmoscopeError, RequestError
from emoscope.limits import FORMAT_NAMES
from emoscope.paths.names import plain_name
from emoscope.results.result import GRANULARITIES, check_granularity
from emoscope.server.admission.uploads import drain, refuse_early
from emoscope.server.http import schemas
from emoscope.server.http.addresses import root_of
from emoscope.server.http.body_spool import RecordingSpool
from emoscope.server.http.forms import NO, YES, FormReader, parse_boolean, parse_heads
from emoscope.server.service import RecognitionOptions, RecognitionRequest, Service

_FORM_BYTES = 1 << 20
"""Boundaries and small fields around the file."""

_BODY = {
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
                            "description": f"one recording: {' '.join(FORMAT_NAMES).lower()}",
                        },
                        "granularity": {
                            "type": "string",
                            "enum": list(GRANULARITIES),
                            "default": "utterance",
                        },
                        "extract_embedding": {
                            "type": "string",
                            "enum": [*YES, *NO],
                            "default": "false",
                        },
                        "utterances": {
                            "type": "string",
                            "enum": [*YES, *NO],
                            "default": "false",
                            "description": "recognize each utterance between two pauses alone",
                        },
                        "head": {
                            "type": "string",
                            "default": "",
                            "description": "names of heads, parted by commas",
                        },
                    },
                }
            }
        },
    }
}


def predict_routes(service: Service) -> APIRouter:
    """Return the route."""
    router = APIRouter()
    max_bytes = service.recognizer.limits.max_bytes
    body_max_bytes = None if max_bytes is None else max_bytes + _FORM_BYTES

    @router.post(
        "/predict",
        response_model=schemas.PredictReply,
        responses=schemas.problems(400, 403, 408, 413, 415, 422, 429, 500, 503, 504, 507),
        openapi_extra=_BODY,
        summary="Recognize one recording",
    )
    async def predict(request: Request) -> JSONResponse:
        """Upload one recording; the reply is ``result.json`` with links to the run's files."""
        arrived_s = time.perf_counter()
        await refuse_early(service.admission, request)
        with service.uploads.body() as body, RecordingSpool(max_bytes) as spool:
            try:
                form = FormReader(request.headers.get("content-type", ""), spool, field="audio")
            except RequestError:
                await drain(request.stream())
                raise

            def too_large() -> EmoscopeError:
                return spool.refusal or RequestError("request_too_large", max_bytes=body_max_bytes)

            await body.receive(request.stream(), form.feed, body_max_bytes, too_large)
            form.finish()
            upload = form.one_file()
            options = RecognitionOptions(
                check_granularity(form.texts.get("granularity", "utterance")),
                parse_boolean("extract_embedding", form.texts.get("extract_embedding", "false")),
                utterances=parse_boolean("utterances", form.texts.get("utterances", "false")),
                heads=parse_heads(form.texts.get("head", "")),
            )
            service.recognizer_with(options.heads)  # refused before the sound is read
            name = plain_name(upload.name)
            if upload.refusal:
                raise upload.refusal
            received_ms = (time.perf_counter() - arrived_s) * 1000
            recording = RecognitionRequest(upload.data, name, options, received_ms)
            (run,) = await service.recognize(request, recording)
            return JSONResponse(schemas.reply(run, root_of(request.scope)))

    return router
