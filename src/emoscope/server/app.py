"""The ASGI application: API routes, middleware and the web page."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from threading import Thread

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match, Mount

from emoscope._version import __version__
from emoscope.errors import EmoscopeError, InternalError, RequestError, StoreError
from emoscope.files import FULL
from emoscope.observe.logs import fields
from emoscope.outputs.history import refresh_index
from emoscope.outputs.store import RunStore
from emoscope.paths.choices import SpaceName
from emoscope.recognizer import Recognizer
from emoscope.server.http.addresses import PathPrefix, root_of
from emoscope.server.http.openapi import DESCRIPTION, drop_needless_refusals, operation_id
from emoscope.server.http.problems import Problems, error_of
from emoscope.server.http.schemas import is_chinese, problem, problems
from emoscope.server.jobs.numbers import add_job_numbers
from emoscope.server.jobs.retention import RetentionPolicy
from emoscope.server.jobs.worker import Jobs
from emoscope.server.live.streams import Streams
from emoscope.server.middleware.access_log import AccessLogMiddleware
from emoscope.server.middleware.audit import AuditLog
from emoscope.server.middleware.auth import AuthMiddleware
from emoscope.server.middleware.host_origin import HostOriginMiddleware
from emoscope.server.requester import runs_of
from emoscope.server.routes import stream
from emoscope.server.routes.router import all_routes
from emoscope.server.routes.search import find_like_run, index_of
from emoscope.server.routes.teaching import teach_part_routes
from emoscope.server.security_schemes import add_security_schemes
from emoscope.server.service import Service, make_service
from emoscope.server.word_tools import word_tools
from emoscope.settings import Settings
from emoscope.vectors import Hit
from emoscope.web.app import add_page
from emoscope.web.similar import SHOWN, similar_routes
from emoscope.web.viewer import RunViewer

_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_log = logging.getLogger("emoscope.server")


def create_app(
    recognizer: Recognizer, store: RunStore, settings: Settings, *, page: bool = True
) -> FastAPI:
    """Return the application.

    Args:
        recognizer: answers every request; its limits are the upload limits.
        store: where runs are written.
        settings: hosts and queue.
        page: serve the web page at ``/`` as well.

    Raises:
        SettingError: the key file is damaged or cannot be read.
    """
    store.sweep()
    audit = AuditLog(settings.audit_log) if settings.audit_log else None
    keys_changed = audit.keys_changed if audit else None
    service = make_service(recognizer, store, settings, keys_changed=keys_changed)
    jobs = Jobs(service)
    add_job_numbers(service.metrics, jobs)
    streams = Streams(
        service.recognizer,
        store,
        service.metrics,
        at_once=settings.streams_at_once,
        max_duration_s=settings.stream_max_duration_s,
        grace_s=settings.stream_grace_s,
        rules=settings.utterance_rules,
    )
    retention = RetentionPolicy(
        store, jobs, max_bytes=settings.outputs_max_bytes, keep_days=settings.outputs_keep_days
    )

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        _prepare_routes(app)
        async with service.running():
            # The first list after an upgrade need not wait for every run to be read.
            index = Thread(target=_make_index, args=(service,), name="emoscope.index", daemon=True)
            index.start()
            with jobs, retention, streams, service.key_use:
                yield
            store.index.close()

    # No /docs: FastAPI's page loads its scripts from elsewhere.
    app = FastAPI(
        title="Emoscope",
        version=__version__,
        summary="看见声音里的情绪 · see the emotion in speech",
        description=DESCRIPTION,
        generate_unique_id_function=operation_id,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=problems(401, 405, 422),
        lifespan=running,
    )
    app.state.service, app.state.jobs = service, jobs
    # The last one added is the first one asked.
    app.add_middleware(Problems)
    app.add_middleware(
        AuthMiddleware,
        keys=service.keys,
        per_minute=settings.rate_per_minute,
        is_open=settings.open,
        used=service.key_use.note,
    )
    app.add_middleware(HostOriginMiddleware, names=_names(settings))
    app.add_middleware(
        AccessLogMiddleware,
        metrics=service.metrics,
        audit=audit,
        tells_client=settings.log_client,
    )
    app.add_middleware(PathPrefix, prefix=settings.root_path)
    app.add_exception_handler(EmoscopeError, _on_our_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_parameter)
    app.add_exception_handler(OSError, _on_system_error)
    app.add_exception_handler(Exception, _on_bug)
    viewer = RunViewer(store, recognizer.card, tools=word_tools(settings))

    def viewer_of(request: Request) -> RunViewer:
        return viewer.seen_in(runs_of(request, store))

    def similar_of(request: Request, run: str, space: SpaceName) -> Sequence[Hit]:
        runs = runs_of(request, store)
        return find_like_run(index_of(service), runs, run, count=SHOWN, space=space).hits

    for router in all_routes(service, jobs, viewer_of):
        app.include_router(router)
    app.include_router(
        stream.stream_routes(
            streams, idle_s=settings.stream_idle_s, grace_s=settings.stream_grace_s
        )
    )
    add_security_schemes(app)
    if page:
        add_page(app, viewer_of, settings, recognizer.model)
        app.include_router(similar_routes(viewer_of, similar_of))
        app.include_router(teach_part_routes(service))
    drop_needless_refusals(app)
    return app


def _prepare_routes(app: FastAPI) -> None:
    """Ask every route once: FastAPI makes its models at the first request, which all wait for."""
    scope = {"type": "http", "method": "GET", "path": "/\0", "root_path": "", "headers": []}
    for route in app.routes:
        route.matches(scope)


def _make_index(service: Service) -> None:
    refresh_index(service.store)
    unowned = len(service.store.index.names(""))
    if unowned and service.keys.locked:
        _log.warning(
            "runs belong to no key and are seen with scope admin only; emoscope keys adopt hands"
            " them over",
            extra=fields(count=unowned),
        )


def _names(settings: Settings) -> tuple[str, ...]:
    return (settings.host, *settings.allowed_hosts)


async def _on_our_error(request: Request, error: Exception) -> Response:
    ours = error if isinstance(error, EmoscopeError) else InternalError()
    return problem(ours, chinese=is_chinese(request.headers))


async def _on_http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 400
    headers = Headers(getattr(error, "headers", None) or {})
    allowed = _allowed(request)
    if status == 404 and allowed and request.method not in allowed:
        # Files are mounted beside routes and are asked before one that takes other methods.
        status = 405
    ours = error_of(status, request.headers, headers)
    passed_on = {}
    if status == 405:
        passed_on["Allow"] = ", ".join(allowed) or headers.get("allow", "GET")
    return problem(ours, chinese=is_chinese(request.headers), headers=passed_on)


def _allowed(request: Request) -> list[str]:
    """Return the methods of all routes at an address; Starlette names those of the first one."""
    # What is mounted, such as the page, matches every method and answers for itself.
    routes = [route for route in request.app.routes if not isinstance(route, Mount)]
    scope = {**request.scope, "root_path": root_of(request.scope)}
    return [
        method
        for method in _METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    ]


async def _on_invalid_parameter(request: Request, error: Exception) -> Response:
    first = error.errors()[0] if isinstance(error, RequestValidationError) else {}
    field = ".".join(str(part) for part in first.get("loc", ())[1:])
    ours = RequestError("field_invalid", field=field[:64], expected=first.get("msg", "?"))
    return problem(ours, chinese=is_chinese(request.headers))


async def _on_system_error(request: Request, error: Exception) -> Response:
    """A disk without room for an upload; what else the system refuses is a fault of ours."""
    if getattr(error, "errno", None) in FULL:
        return problem(StoreError("store_full"), chinese=is_chinese(request.headers))
    return await _on_bug(request, error)


async def _on_bug(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(InternalError(), chinese=is_chinese(request.headers))
