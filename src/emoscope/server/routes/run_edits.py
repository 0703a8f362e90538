"""What people do with a run: title, corrections, curve, exports, one archive of several."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import quote

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.responses import Response

from emoscope.errors import RequestError
from emoscope.labels import EMOTIONS, SILENCE
from emoscope.outputs import history
from emoscope.outputs.corrections import SEGMENTS_MAX, segments_of
from emoscope.outputs.words import TEXT_MAX, RunWords
from emoscope.paths.names import TITLE_MAX
from emoscope.server.http import replies, schemas
from emoscope.server.http.small_body import object_schema, read_field
from emoscope.server.requester import runs_of
from emoscope.server.service import Service
from emoscope.web.archive import zip_of_runs
from emoscope.web.viewer import RunViewer

ARCHIVE_MAX = 200
"""Runs in one archive."""
_UNCHANGING = {"Cache-Control": "private, max-age=86400, immutable"}
_SEGMENT = {
    "type": "object",
    "required": ["start_s", "end_s", "emotion"],
    "properties": {
        "start_s": {"type": "number"},
        "end_s": {"type": "number"},
        "emotion": {"type": "string", "enum": [e.key for e in (*EMOTIONS, SILENCE)]},
    },
}
_SEGMENTS = {
    "description": "all segments from 0 to the end, without gap or overlap; null removes them",
    "anyOf": [
        {"type": "array", "minItems": 1, "maxItems": SEGMENTS_MAX, "items": _SEGMENT},
        {"type": "null"},
    ],
}
_TEXT = {
    "description": "subtitles (SRT, WebVTT), a Praat TextGrid or an ELAN EAF, whose lines have "
    f"times; else the text of the whole, of at most {TEXT_MAX:,} characters; null removes it",
    "anyOf": [{"type": "string", "minLength": 1}, {"type": "null"}],
}
_TITLE = {
    "type": "string",
    "description": f"at most {TITLE_MAX} characters, spaces around it aside",
}
_SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; media-src data:"
"""An exported report that is opened from here runs nothing, whatever its names hold."""


def run_edit_routes(service: Service, viewer_of: Callable[[Request], RunViewer]) -> APIRouter:
    """Return the routes.

    Args:
        service: holds the runs.
        viewer_of: returns what reads the runs that a request may see.
    """
    router = APIRouter(tags=["recognitions"])
    _add_edits(router, service, viewer_of)
    _add_curves(router, viewer_of)

    @router.get(
        "/v1/recognitions.zip",
        response_class=StreamingResponse,
        responses=schemas.problems(401, 404) | {200: {"content": {"application/zip": {}}}},
        summary="All files of several runs as one ZIP archive",
    )
    async def archive(
        request: Request,
        runs: Annotated[str, Query(description="names of runs, separated by commas")],
    ) -> StreamingResponse:
        """Return `summary.csv`, which names each run's folder, and one folder per run."""
        names = runs.split(",")
        if len(names) > ARCHIVE_MAX:
            raise RequestError("too_many_files", field="runs")
        pieces = await anyio.to_thread.run_sync(zip_of_runs, runs_of(request, service.store), names)
        return StreamingResponse(
            pieces,
            media_type="application/zip",
            headers={"Content-Disposition": 'attachment; filename="emoscope.zip"'},
        )

    @router.get(
        "/v1/recognitions/{run}/exports/{file}",
        response_class=Response,
        responses=schemas.problems(401, 404)
        | {200: {"content": {"text/html": {}, "image/svg+xml": {}, "text/csv": {}}}},
        summary="A file that is made from a run",
    )
    async def export(
        request: Request,
        run: str,
        file: Annotated[
            str,
            Path(description="report.html, picture.svg, segments.TextGrid, .srt or .csv"),
        ],
        lang: Annotated[
            Literal["zh", "en"] | None, Query(description="language of its words; both by default")
        ] = None,
    ) -> Response:
        """Return a report, picture or annotations, with corrected segments."""
        seen = viewer_of(request)
        text, media_type = await anyio.to_thread.run_sync(seen.export, run, file, lang)
        name = quote(seen.saved_name(run, file))
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
            "Content-Security-Policy": _SANDBOX,
        }
        return Response(text, media_type=media_type, headers=headers)

    return router


def _add_edits(
    router: APIRouter, service: Service, viewer_of: Callable[[Request], RunViewer]
) -> None:
    @router.put(
        "/v1/recognitions/{run}/title",
        response_model=history.RunEntry,
        responses=schemas.problems(400, 401, 403, 404, 408, 413, 422, 429, 503, 507),
        openapi_extra=object_schema("title", _TITLE),
        summary="Give a run a title",
    )
    async def rename(run: str, request: Request) -> JSONResponse:
        """Keep the title beside the result; an empty one removes it."""
        title = await read_field(request, service.uploads, "title", str)
        entry = await anyio.to_thread.run_sync(
            history.set_title, runs_of(request, service.store), run, title
        )
        return JSONResponse(entry.to_dict())

    @router.put(
        "/v1/recognitions/{run}/words",
        response_model=RunWords | None,
        responses=schemas.problems(400, 401, 403, 404, 408, 413, 422, 429, 503, 507),
        openapi_extra=object_schema("text", _TEXT),
        summary="Keep what is said in a run",
    )
    async def keep_words(run: str, request: Request) -> JSONResponse:
        """Keep lines with what voice and words say in `words.json`, beside `result.json`."""
        text = await read_field(request, service.uploads, "text", str | None)
        made = await anyio.to_thread.run_sync(viewer_of(request).set_words, run, text)
        return JSONResponse(None if made is None else made.to_dict())

    @router.put(
        "/v1/recognitions/{run}/corrections",
        response_model=replies.CorrectionsReply,
        responses=schemas.problems(400, 401, 403, 404, 408, 413, 422, 429, 503, 507),
        openapi_extra=object_schema("segments", _SEGMENTS),
        summary="Correct the segments of a run",
    )
    async def correct(run: str, request: Request) -> JSONResponse:
        """Keep the corrected segments in `corrections.json`; `result.json` stays as it is."""
        raw = await read_field(request, service.uploads, "segments", list | None)
        result = await anyio.to_thread.run_sync(viewer_of(request).correct, run, raw)
        segments = [segment.to_dict() for segment in segments_of(result)]
        return JSONResponse({"run": run, "corrected": raw is not None, "segments": segments})


def _add_curves(router: APIRouter, viewer_of: Callable[[Request], RunViewer]) -> None:
    @router.get(
        "/v1/recognitions/{run}/curve",
        response_model=None,
        responses=schemas.problems(401, 404),
        summary="The scores and the sound of a run, as a picture draws them",
    )
    async def curve(request: Request, run: str) -> JSONResponse:
        """Return the coarsest level of detail, segments and colours; see docs/web.md."""
        seen = viewer_of(request)
        opened = await anyio.to_thread.run_sync(seen.open, run)
        return JSONResponse(opened.drawing())

    @router.get(
        "/v1/recognitions/{run}/curve/{level}/{index}",
        response_model=None,
        responses=schemas.problems(401, 404, 422),
        summary="One tile of a finer level of detail",
    )
    async def tile(
        request: Request,
        run: str,
        level: Annotated[int, Path(ge=-64, le=64)],
        index: Annotated[int, Path(ge=0, le=1_000_000_000)],
    ) -> JSONResponse:
        """Return 1,024 columns; a column of level 0 is 20 ms, each level above twice as wide."""
        seen = viewer_of(request)
        made: Any = await anyio.to_thread.run_sync(seen.curve, run)
        found = made.tile(level, index)
        if found is None:
            raise RequestError("route_not_found")
        return JSONResponse(found, headers=_UNCHANGING)
