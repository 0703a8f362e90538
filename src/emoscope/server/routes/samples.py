"""``/v1/samples``: sample recordings of the package, and their finished results."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import FileResponse, JSONResponse

from emoscope.errors import RequestError
from emoscope.results.result import ResultDocument
from emoscope.results.samples import sample_path, sample_result, samples
from emoscope.server.http import replies, schemas
from emoscope.web.samples import sample_curve, sample_drawing

_FOR_A_DAY = {"Cache-Control": "public, max-age=86400"}
_MEDIA_TYPES = {".wav": "audio/wav", ".mp3": "audio/mpeg"}


def sample_routes() -> APIRouter:
    """Return the routes; they ask no model."""
    router = APIRouter(tags=["samples"])
    _add_curves(router)

    @router.get(
        "/v1/samples",
        response_model=replies.SamplesReply,
        responses=schemas.problems(401),
        summary="The sample recordings of the package",
    )
    async def list_samples() -> dict[str, Any]:
        """Return real acted speech with a free licence, and what each expresses."""
        return {"samples": samples()}

    @router.get(
        "/v1/samples/{file}",
        response_class=FileResponse,
        responses=schemas.problems(401, 404, 416)
        | {200: {"content": {kind: {} for kind in _MEDIA_TYPES.values()}}},
        summary="A sample recording",
    )
    async def sample(file: str) -> FileResponse:
        """Return the recording, or the MP3 that its entry names as `audio`."""
        try:
            path = sample_path(file)
        except KeyError as exc:
            raise RequestError("route_not_found") from exc
        return FileResponse(path, media_type=_MEDIA_TYPES[path.suffix], headers=_FOR_A_DAY)

    @router.get(
        "/v1/samples/{file}/result",
        response_model=ResultDocument,
        responses=schemas.problems(401, 404),
        summary="The finished result of a sample",
    )
    def result(file: str) -> JSONResponse:
        """Return what the built-in model answered when it was shipped, frame by frame."""
        try:
            return JSONResponse(sample_result(file).to_dict(), headers=_FOR_A_DAY)
        except KeyError as exc:
            raise RequestError("route_not_found") from exc

    return router


def _add_curves(router: APIRouter) -> None:
    @router.get(
        "/v1/samples/{file}/curve",
        response_model=None,
        responses=schemas.problems(401, 404),
        summary="The scores and the sound of a sample, as a picture draws them",
    )
    def curve(file: str) -> JSONResponse:
        """Return the coarsest level of detail, segments and colours; see docs/web.md."""
        try:
            return JSONResponse(sample_drawing(file), headers=_FOR_A_DAY)
        except KeyError as exc:
            raise RequestError("route_not_found") from exc

    @router.get(
        "/v1/samples/{file}/curve/{level}/{index}",
        response_model=None,
        responses=schemas.problems(401, 404, 422),
        summary="One tile of a finer level of detail of a sample",
    )
    def tile(
        file: str,
        level: Annotated[int, Path(ge=-64, le=64)],
        index: Annotated[int, Path(ge=0, le=1_000_000_000)],
    ) -> JSONResponse:
        """Return 1,024 columns; a column of level 0 is 20 ms, each level above twice as wide."""
        try:
            found = sample_curve(file).tile(level, index)
        except KeyError as exc:
            raise RequestError("route_not_found") from exc
        if found is None:
            raise RequestError("route_not_found")
        return JSONResponse(found, headers=_FOR_A_DAY)
