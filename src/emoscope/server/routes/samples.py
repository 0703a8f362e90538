"""``/v1/samples``: the bundled sample recordings."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from emoscope.server.http import replies, schemas
from emoscope.web.samples import sample_bytes, samples


def sample_routes() -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["samples"])

    @router.get(
        "/v1/samples",
        response_model=replies.SamplesReply,
        responses=schemas.problems(401),
        summary="The bundled sample recordings",
    )
    async def listed() -> dict[str, Any]:
        """Real speech by actors with free licences, which the built-in model answers rightly."""
        return {"samples": samples()}

    @router.get(
        "/v1/samples/{file}",
        response_class=Response,
        responses=schemas.problems(401, 404) | {200: {"content": {"audio/wav": {}}}},
        summary="A sample's sound",
    )
    def sample(file: str) -> Response:
        """Return the recording as WAV."""
        return Response(sample_bytes(file), media_type="audio/wav")

    return router
