"""Routes of the web page: documents, HTML fragments, static files.

The page is a client of the documented API. A document is whole at its address, so that it can be
reloaded, shared and gone back from; a fragment is the part of a document that its scripts ask for.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Annotated, Any, TypeAlias

import anyio.to_thread
from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import FileResponse, JSONResponse
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from emoscope.errors import EmoscopeError
from emoscope.models.head_folder import offered_heads
from emoscope.outputs import history
from emoscope.results.result import ModelRef
from emoscope.settings import Settings
from emoscope.web import rows, views
from emoscope.web.api_page import api_page
from emoscope.web.page_reply import COMPRESSED_FROM_BYTES, PageReply, style_sheet
from emoscope.web.viewer import RunViewer

_STATIC = files("emoscope.web") / "static"
_MANIFEST = {
    "name": "Emoscope",
    "icons": [{"src": "favicon.ico", "sizes": "any", "type": "image/png"}],
    "start_url": "./",
    "display": "standalone",
}
_HISTORY_ROWS = 50
ViewerOf: TypeAlias = Callable[[Request], RunViewer]
IS_DOCUMENT = "emoscope.document"
"""Key of the ASGI scope of a request for a document, whose errors are documents as well."""


def add_page(app: FastAPI, viewer_of: ViewerOf, settings: Settings, model: ModelRef) -> None:
    """Add the page to an application that has the API routes.

    Args:
        app: the application.
        viewer_of: returns what reads the runs that a request may see.
        settings: limits of an upload, as the form tells them.
        model: the loaded one, whose heads the form offers.
    """
    static = GZipMiddleware(StaticFiles(directory=str(_STATIC)), minimum_size=COMPRESSED_FROM_BYTES)
    app.mount("/static", static)
    app.include_router(_documents(viewer_of, settings, model))
    app.include_router(_fragments(viewer_of))


def _documents(viewer_of: ViewerOf, settings: Settings, model: ModelRef) -> APIRouter:
    router = APIRouter(tags=["page"], default_response_class=PageReply)
    limits = views.UploadLimits.of(settings)

    def document(path: str, view: str) -> None:
        async def show(request: Request) -> Response:
            card = viewer_of(request).card
            return PageReply(
                views.document(request.scope, view, limits, card, heads=offered_heads(model))
            )

        _add(router, path, show, f"Document: {view}")

    for view in views.VIEWS:
        document("/" if view == "home" else f"/{view}", view)

    async def result(request: Request, run: str) -> Response:
        """Show a recording's result at its own address."""
        scope, viewer = request.scope, viewer_of(request)
        try:
            opened = await anyio.to_thread.run_sync(viewer.open_all, run)
        except EmoscopeError as error:
            _must_read(request, error)
            page = views.document(scope, "home", limits, viewer.card, error=error)
            return PageReply(page, status_code=404)
        heads = offered_heads(model)
        return PageReply(
            views.document(scope, "home", limits, viewer.card, opened=opened, heads=heads)
        )

    _add(router, "/r/{run}", result, "Document: one result")

    async def alone(request: Request, run: str = "") -> Response:
        """Show the picture of one run alone, to be embedded."""
        try:
            opened = await anyio.to_thread.run_sync(viewer_of(request).open, run)
        except EmoscopeError as error:
            _must_read(request, error)
            return PageReply(views.alone(request.scope, error=error), status_code=404)
        return PageReply(views.alone(request.scope, opened=opened))

    _add(router, "/timeline", alone, "Document: the picture of one run alone")

    _add_small(router)
    return router


def _add_small(router: APIRouter) -> None:
    async def api(request: Request) -> Response:
        """List the operations of the API, as the OpenAPI document describes them."""
        return PageReply(api_page(request.app.openapi(), views.frame(request.scope)))

    _add(router, "/api", api, "Document: the operations of this API")

    @router.get("/manifest.json", include_in_schema=False)
    async def manifest() -> Response:
        return JSONResponse(_MANIFEST, media_type="application/manifest+json")

    @router.get("/page.css", include_in_schema=False)
    async def style(request: Request) -> Response:
        return style_sheet(request)

    @router.get("/favicon.ico", include_in_schema=False)
    async def favicon() -> Response:
        return FileResponse(str(_STATIC / "favicon.png"), media_type="image/png")


def _must_read(request: Request, error: EmoscopeError) -> None:
    """Let an error be a document for a browser; a program gets problem details, as everywhere.

    Raises:
        EmoscopeError: the error, when the request does not ask for HTML.
    """
    if "text/html" not in request.headers.get("accept", ""):
        raise error
    request.scope[IS_DOCUMENT] = True


def _add(router: APIRouter, path: str, show: Any, summary: str) -> None:
    """Add a document under GET, and under HEAD, which link checkers use."""
    router.add_api_route(path, show, methods=["GET"], summary=summary)
    router.add_api_route(path, show, methods=["HEAD"], include_in_schema=False)


def _fragments(viewer_of: ViewerOf) -> APIRouter:
    router = APIRouter(tags=["page"], default_response_class=PageReply, prefix="/page")

    @router.get("/result/{run}", summary="Fragment: one result")
    async def result(request: Request, run: str) -> Response:
        """Return the article that a document at `/r/{run}` holds."""
        opened = await anyio.to_thread.run_sync(viewer_of(request).open_all, run)
        return PageReply(views.result(opened))

    @router.get("/row/{run}", summary="Fragment: the row of one result in a batch")
    async def row(request: Request, run: str) -> Response:
        """Return a `<tr>`: file, small river, emotion, confidence, length, recording check."""
        return PageReply(await anyio.to_thread.run_sync(views.row, viewer_of(request).store, run))

    @router.get("/river/{run}", summary="Fragment: the small river of one result")
    async def river(request: Request, run: str) -> Response:
        """Return an `<svg>`; rows of long recordings ask for it when they are seen."""
        drawn = await anyio.to_thread.run_sync(rows.river_of, viewer_of(request).store, run)
        return PageReply(drawn)

    @router.get("/history", summary="Fragment: a page of the list of runs")
    async def runs(
        request: Request,
        search: Annotated[str, Query(max_length=200)] = "",
        emotion: Annotated[str, Query(max_length=20)] = "",
        doubt: Annotated[bool, Query()] = False,
        first: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
        count: Annotated[int, Query(ge=1, le=history.PAGE_MAX)] = _HISTORY_ROWS,
    ) -> Response:
        """Return rows, newest first, and what leads to the next page."""
        store = viewer_of(request).store

        def listing() -> str:
            found = history.list_runs(
                store, search=search, emotion=emotion, doubt=doubt, first=first, count=count
            )
            is_filtered = bool(search.strip() or emotion or doubt)
            return views.listing(store, found, first=first, is_filtered=is_filtered)

        return PageReply(await anyio.to_thread.run_sync(listing))

    @router.get("/compare", summary="Fragment: two results side by side")
    async def compare(request: Request, one: str, other: str) -> Response:
        """Return both results, one beside the other, with differences of the scores."""
        viewer = viewer_of(request)
        pair = [await anyio.to_thread.run_sync(viewer.open, run) for run in (one, other)]
        return PageReply(views.comparison(pair))

    return router
