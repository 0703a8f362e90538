"""``POST /predict``: one recording, as the contract has it (P24)."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from emoscope.result import GRANULARITIES
from emoscope.server import schemas
from emoscope.server.forms import (
    NO,
    YES,
    form_of,
    one_file_of,
    parse_boolean,
    parse_granularity,
    plain_name,
    text_of,
)
from emoscope.server.service import Options, Question, Service
from emoscope.server.uploads import refuse_early

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
                            "description": "one recording: wav mp3 m4a flac ogg opus webm aac amr",
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
                    },
                }
            }
        },
    }
}


def make_router(service: Service) -> APIRouter:
    """Return the route."""
    router = APIRouter()
    max_bytes = service.recognizer.limits.max_bytes

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
        await refuse_early(service.gate, request)
        async with form_of(request, service.uploads, max_bytes) as form:
            upload = one_file_of(form, "audio")
            options = Options(
                parse_granularity(text_of(form, "granularity", "utterance")),
                parse_boolean("extract_embedding", text_of(form, "extract_embedding", "false")),
            )
            name = plain_name(upload.filename or "")
            received_ms = (time.perf_counter() - arrived_s) * 1000
            question = Question(upload.file, name, options, received_ms)
            run = await service.recognize(request, question)
            return JSONResponse(schemas.reply(run, service.settings.root_path))

    return router
