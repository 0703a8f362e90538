"""Access log middleware: request ids, metrics, one log line per request and live stream."""

from __future__ import annotations

import logging
import re
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emoscope.observe.facts import FACTS
from emoscope.observe.logs import REQUEST_ID, fields
from emoscope.observe.metrics import ServerMetrics
from emoscope.server.middleware.audit import AuditLog, audited

_log = logging.getLogger("emoscope.requests")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_TOLD = ("code", "sound_s")
"""Facts of a request that its line has, if they are known."""


class AccessLogMiddleware:
    """Outermost ASGI middleware.

    Args:
        app: what stands behind.
        metrics: where requests are counted.
        audit: where it is written who read or changed which run; None for nowhere.
        tells_client: whether lines have the address of the client.
    """

    def __init__(
        self,
        app: ASGIApp,
        metrics: ServerMetrics,
        audit: AuditLog | None,
        *,
        tells_client: bool = False,
    ) -> None:
        self._app = app
        self._metrics, self._audit = metrics, audit
        self._tells_client = tells_client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and watch."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else secrets.token_hex(8)
        watched = _Watched(receive, send, request_id)
        tokens = REQUEST_ID.set(request_id), FACTS.set(watched.facts)
        try:
            await self._app(scope, watched.receiving, watched.sending)
        finally:
            self._tell(scope, watched)
            REQUEST_ID.reset(tokens[0])
            FACTS.reset(tokens[1])

    def _tell(self, scope: Scope, watched: _Watched) -> None:
        """Count and log; a status of 0 means that the client went before there was a reply."""
        route, facts = route_of(scope), watched.facts
        seconds = time.perf_counter() - watched.started_s
        if scope["type"] == "websocket":
            method = "WEBSOCKET"
            self._metrics.stream(route, watched.status, seconds)
        else:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.request(route, method, watched.status, seconds)
        if facts.get("reason"):
            self._metrics.refusal(facts["reason"])
        if facts.get("wrong_key"):
            self._metrics.wrong_key()
        key = scope.get("state", {}).get("key_name", "")
        client = (scope.get("client") or ("",))[0]
        concerned = audited(scope, route, facts) or {}
        about = fields(
            method=method,
            route=route,
            status=watched.status,
            ms=round(seconds * 1000, 1),
            key=key,
            bytes_in=watched.bytes_in,
            bytes_out=watched.bytes_out,
            **{name: value for name, value in concerned.items() if name != "action"},
            **{name: facts[name] for name in _TOLD if facts.get(name)},
            **({"client": client} if self._tells_client else {}),
        )
        _log.info("stream" if method == "WEBSOCKET" else "request", extra=about)
        if self._audit and concerned:
            about_it = {"key": key, "client": client, "request_id": watched.request_id}
            self._audit.write(**concerned, status=watched.status, **about_it)


@dataclass(slots=True)
class _Watched:
    """A request or WebSocket connection: its messages pass through here and are counted."""

    _receive: Receive
    _send: Send
    request_id: str
    facts: dict[str, Any] = field(default_factory=dict)
    started_s: float = field(default_factory=time.perf_counter)
    status: int = 0
    bytes_in: int = 0
    bytes_out: int = 0

    async def receiving(self) -> Message:
        """Receive a message."""
        message = await self._receive()
        if message["type"] == "http.request":
            self.bytes_in += len(message.get("body", b""))
        elif message["type"] == "websocket.receive":
            self.bytes_in += _size(message)
        return message

    async def sending(self, message: Message) -> None:
        """Send a message."""
        kind = message["type"]
        if kind == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)["x-request-id"] = self.request_id
        elif kind == "http.response.body":
            self.bytes_out += len(message.get("body", b""))
        elif kind == "websocket.send":
            self.bytes_out += _size(message)
        elif kind == "websocket.close":
            self.status = message.get("code", 1000)
        await self._send(message)


def _size(message: Message) -> int:
    return len(message.get("bytes") or b"") or len((message.get("text") or "").encode())


def route_of(scope: Scope) -> str:
    """Return the pattern of the address, never the address: it may name a recording or a run."""
    route = scope.get("route")
    return str(getattr(route, "path", "") or "other")
