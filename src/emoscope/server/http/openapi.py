"""OpenAPI document: operation ids, an example that is answered, text on live streams."""

from __future__ import annotations

import base64
import io
import math
import re
import wave
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

_IDS = {
    "POST /predict": "predict",
    "POST /v1/recognitions": "recognize",
    "GET /v1/recognitions": "list_runs",
    "GET /v1/recognitions/{run}": "read_run",
    "DELETE /v1/recognitions/{run}": "delete_run",
    "GET /v1/recognitions/{run}/files/{file}": "read_run_file",
    "GET /v1/recognitions/{run}/exports/{file}": "export_run",
    "GET /v1/recognitions/{run}/curve": "read_run_curve",
    "GET /v1/recognitions/{run}/curve/{level}/{index}": "read_run_curve_tile",
    "PUT /v1/recognitions/{run}/title": "set_run_title",
    "PUT /v1/recognitions/{run}/corrections": "correct_run",
    "GET /v1/recognitions.zip": "archive_runs",
    "GET /v1/models": "list_models",
    "GET /v1/emotions": "list_emotions",
    "GET /v1/heads": "list_heads",
    "GET /v1/teaching": "preview_teaching",
    "PUT /v1/teaching/adopted": "adopt_teaching",
    "DELETE /v1/teaching/adopted": "undo_teaching",
    "GET /v1/samples": "list_samples",
    "GET /v1/samples/{file}": "read_sample",
    "GET /v1/samples/{file}/result": "read_sample_result",
    "GET /v1/samples/{file}/curve": "read_sample_curve",
    "GET /v1/samples/{file}/curve/{level}/{index}": "read_sample_curve_tile",
    "POST /v1/jobs": "submit_job",
    "GET /v1/jobs": "list_jobs",
    "GET /v1/jobs/{job}": "read_job",
    "DELETE /v1/jobs/{job}": "delete_job",
    "POST /v1/jobs/{job}/cancel": "cancel_job",
    "GET /v1/jobs/{job}/events": "follow_job",
    "GET /v1/jobs/{job}/results.{form}": "read_job_results",
    "GET /health": "health",
    "GET /health/live": "is_live",
    "GET /health/ready": "is_ready",
    "GET /version": "version",
    "GET /metrics": "metrics",
}
DESCRIPTION = """Keys: on a server that has keys every operation needs one, as `X-API-Key` or as a
bearer token, except the three of `/health`.

Errors: problem details (RFC 9457) with a stable `code` and a sentence in Chinese and in English.

Live streams: `/v1/stream` is a WebSocket, which OpenAPI cannot describe. The first message is the
text `{"type": "start", "encoding": "pcm_s16le", "rate_hz": 16000}`; sound follows in binary
messages, `{"type": "end"}` ends it. The server sends JSON texts: `ready`, `frames`, `segment` and
at last `result` or `error`. Codes of closing: 1000 after the result, 1003 after a message that was
not agreed, 1008 after silence, without a key and from another site, 1009 after a message that is
too large, 1011 after a failure of the server, 1013 when there are too many streams."""


def operation_id(route: APIRoute) -> str:
    """Return the id of an operation: of the API from a table, of the page from its path."""
    method = min(route.methods or {"GET"})
    named = _IDS.get(f"{method} {route.path_format}")
    if named:
        return named
    words = re.findall(r"[a-z0-9]+", route.path_format) or ["home"]
    kind = "fragment" if words[0] == "page" else "document"
    return "_".join(("page", kind, *(words[1:] if words[0] == "page" else words)))


def drop_needless_refusals(app: FastAPI) -> None:
    """Take 422 from the operations of an application's document where nothing can be invalid."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        document = described()
        for item in document["paths"].values():
            for operation in item.values():
                if not operation.get("parameters") and "requestBody" not in operation:
                    operation["responses"].pop("422", None)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way


def example_sound() -> str:
    """Return a tenth of a second of sound as base64, the shortest that is answered."""
    rate_hz, file = 8_000, io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(rate_hz)
        turns = (2 * math.pi * 200 * sample / rate_hz for sample in range(rate_hz // 10))
        sound.writeframes(bytes(128 + round(60 * math.sin(turn)) for turn in turns))
    return base64.b64encode(file.getvalue()).decode()
