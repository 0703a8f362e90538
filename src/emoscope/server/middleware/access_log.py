"""Access log middleware: request ids, request metrics, one log line per request."""

from __future__ import annotations

import logging
import re
import secrets
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emoscope.observe.logs import REQUEST_ID, fields
from emoscope.observe.metrics import ServerMetrics

_log = logging.getLogger("emoscope.requests")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class AccessLogMiddleware:
    """Outermost ASGI middleware.

    Args:
        app: what stands behind.
        metrics: where requests are counted.
    """

    def __init__(self, app: ASGIApp, metrics: ServerMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and watch."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else secrets.token_hex(8)
        token = REQUEST_ID.set(request_id)
        started_s, status = time.perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            self._tell(scope, status, time.perf_counter() - started_s)
            REQUEST_ID.reset(token)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        """Count and log; a status of 0 means that the client went before there was a reply."""
        route = route_of(scope)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.request(route, method, status, seconds)
        about = fields(
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            key=scope.get("state", {}).get("key_name", ""),
        )
        _log.info("request", extra=about)


def route_of(scope: Scope) -> str:
    """Return the pattern of the address, never the address: it may name a recording or a run."""
    route = scope.get("route")
    return str(getattr(route, "path", "") or "other")
