"""Files of a run, whole or in byte ranges."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse
from starlette.responses import Response

from emoscope.outputs.store import MEDIA_TYPES
from emoscope.server.http import schemas
from emoscope.server.requester import runs_of
from emoscope.server.service import Service


def run_file_routes(service: Service) -> APIRouter:
    """Return the routes; both addresses name the same files."""
    router = APIRouter()

    @router.get("/outputs/{run}/{file}", include_in_schema=False)
    @router.get(
        "/v1/recognitions/{run}/files/{file}",
        response_class=FileResponse,
        responses=schemas.problems(404) | {304: {"description": "it has not changed"}},
        summary="One file of a run",
    )
    async def run_file(request: Request, run: str, file: str) -> Response:
        """Return a file of a run; its ETag lets clients cache it."""
        path = runs_of(request, service.store).file(run, file)
        reply = FileResponse(
            path,
            media_type=MEDIA_TYPES[file],
            stat_result=path.stat(),
            headers={
                "Content-Disposition": "inline",  # with a name here a link could not give one
                "Cache-Control": "private, max-age=0, must-revalidate",
            },
        )
        known = request.headers.get("if-none-match", "")
        if reply.headers["etag"] in (tag.strip().removeprefix("W/") for tag in known.split(",")):
            return Response(status_code=304, headers={"etag": reply.headers["etag"]})
        return reply

    return router
