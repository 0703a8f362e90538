"""Routes of the page under ``/page/`` and ``/timeline``; none is in the API document.

What reads and changes runs here goes through ``outputs/history.py``, which checks names of runs by
pattern. They can be called by all who can open the page.
"""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any
from urllib.parse import quote

import anyio.to_thread
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.staticfiles import StaticFiles

from emoscope.errors import EmoscopeError, RequestError
from emoscope.messages.languages import Language
from emoscope.outputs import history
from emoscope.outputs.corrections import segments_of
from emoscope.recognizer import local_now
from emoscope.web import history_view, render
from emoscope.web.archive import zip_of_runs
from emoscope.web.desk import Desk
from emoscope.web.exports import exported, opened_run, shown_run
from emoscope.web.form import sample_bytes
from emoscope.web.picture import segment_rows, segments_table, timeline
from emoscope.web.standalone import timeline_page

_ZIP_RUNS_MAX = 200
_BODY_MAX_BYTES = 8_000_000
_SEARCH_MAX = 200
_TICKET_MAX = 64
_MANIFEST = {
    "name": "Emoscope",
    "icons": [{"src": "favicon.ico", "sizes": "any", "type": "image/png"}],
    "start_url": "./",
    "display": "standalone",
}
_UNCHANGING = {"Cache-Control": "private, max-age=86400, immutable"}


def add_routes(app: FastAPI, desk: Desk) -> None:
    """Add them; before Gradio is mounted, which takes every address that is left."""
    app.mount("/static", StaticFiles(directory=str(files("emoscope.web") / "static")))
    _add_asking(app, desk)
    _add_runs(app, desk)
    _add_exports(app, desk)


def _add_asking(app: FastAPI, desk: Desk) -> None:
    @app.get("/manifest.json", include_in_schema=False, response_model=None)
    def manifest() -> Any:
        # Gradio's own has absolute addresses, which are wrong under the path of a proxy.
        return JSONResponse(_MANIFEST, media_type="application/manifest+json")

    @app.get("/page/samples/{file}", include_in_schema=False, response_model=None)
    def sample(file: str) -> Any:
        try:
            return Response(sample_bytes(file), media_type="audio/wav")
        except KeyError as exc:
            raise RequestError("route_not_found") from exc

    @app.post("/page/cancel/{ticket}", include_in_schema=False, response_model=None)
    def cancel(ticket: str) -> Any:
        desk.cancelled.add(ticket[:_TICKET_MAX])
        return Response(status_code=204)

    @app.get("/page/batch.zip", include_in_schema=False, response_model=None)
    def batch(request: Request) -> Any:
        names = request.query_params.get("runs", "").split(",")
        if len(names) > _ZIP_RUNS_MAX:
            raise RequestError("too_many_files", field="runs")
        return StreamingResponse(
            zip_of_runs(desk.store, names),
            media_type="application/zip",
            headers={"Content-Disposition": 'attachment; filename="emoscope.zip"'},
        )


def _add_runs(app: FastAPI, desk: Desk) -> None:
    store = desk.store

    @app.get("/page/runs", include_in_schema=False, response_model=None)
    def list_runs(search: str = "", first: str = "0") -> Any:
        number = _number(first)
        found = history.list_runs(store, search=search[:_SEARCH_MAX], first=number, count=30)
        return HTMLResponse(
            history_view.listing(found, first=number, is_search=bool(search.strip()))
        )

    @app.get("/page/runs/{run}", include_in_schema=False, response_model=None)
    def open_run(run: str) -> Any:
        return HTMLResponse(shown_run(desk, run))

    @app.get("/page/compare", include_in_schema=False, response_model=None)
    def compare(one: str = "", other: str = "") -> Any:
        return HTMLResponse(
            history_view.comparison([opened_run(desk, one), opened_run(desk, other)])
        )

    @app.delete("/page/runs/{run}", include_in_schema=False, response_model=None)
    def delete(run: str) -> Any:
        store.remove(run)
        return Response(status_code=204)

    @app.put("/page/runs/{run}/title", include_in_schema=False, response_model=None)
    async def rename(run: str, request: Request) -> Any:
        title = await _field(request, "title", str)
        entry = await anyio.to_thread.run_sync(history.set_title, store, run, title)
        return JSONResponse(entry.to_dict())

    @app.put("/page/runs/{run}/corrections", include_in_schema=False, response_model=None)
    async def correct(run: str, request: Request) -> Any:
        raw = await _field(request, "segments", list | None)
        return await anyio.to_thread.run_sync(_corrected, desk, run, raw)


def _corrected(desk: Desk, run: str, raw: object) -> JSONResponse:
    history.correct(desk.store, run, raw, now=local_now)
    result = history.corrected_result(desk.store, run)
    rows = segment_rows(segments_of(result))
    return JSONResponse({"segments": rows, "table": segments_table(result)})


def _add_exports(app: FastAPI, desk: Desk) -> None:
    @app.get("/page/curve/{run}/{level}/{index}", include_in_schema=False, response_model=None)
    def curve(run: str, level: str, index: str) -> Any:
        tile = desk.curves.of(run).tile(_number(level), _number(index))
        if tile is None:
            raise RequestError("route_not_found")
        return JSONResponse(tile, headers=_UNCHANGING)

    @app.get("/page/export/{run}/{file}", include_in_schema=False, response_model=None)
    def export(run: str, file: str, lang: str = "zh") -> Any:
        language: Language = "en" if lang == "en" else "zh"
        text, media_type = exported(desk, run, file, language)
        name = f"{run}_{file}"
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
            # A report opened from here runs nothing, whatever its names hold.
            "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; "
            "media-src data:",
        }
        return Response(text, media_type=media_type, headers=headers)

    @app.get("/timeline", include_in_schema=False, response_model=None)
    def alone(run: str = "") -> Any:
        try:
            opened = opened_run(desk, run)
        except EmoscopeError as error:
            return HTMLResponse(timeline_page(render.error_panel(error)), status_code=404)
        entry = opened.entry
        shown = timeline(opened.result, opened.curve, run, title=entry.shown)
        return HTMLResponse(timeline_page(shown, title=entry.shown))


def _number(text: str) -> int:
    """Read a small whole number out of an address.

    Raises:
        RequestError: it is none.
    """
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise RequestError("route_not_found")
    return int(text)


async def _field(request: Request, name: str, kind: Any) -> Any:
    """Read one field of a JSON object that is sent as the body.

    Raises:
        RequestError: the body is too long.
        RequestError: the body is no JSON.
        RequestError: the field is not there, or of another kind.
    """
    data = b""
    async for piece in request.stream():
        data += piece
        if len(data) > _BODY_MAX_BYTES:
            raise RequestError("request_too_large", max_bytes=_BODY_MAX_BYTES)
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise RequestError("request_malformed", expected=f'{{"{name}": ...}}') from exc
    if not isinstance(body, dict) or name not in body or not isinstance(body[name], kind):
        raise RequestError("field_missing", field=name)
    return body[name]
