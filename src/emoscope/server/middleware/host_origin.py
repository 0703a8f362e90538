"""Host and Origin checks, against DNS rebinding and cross-site requests.

The Host check stops DNS rebinding: a foreign page that points its own name at this machine. Such
an attack needs a name, so addresses in digits are always answered. The Origin check stops pages of
other sites from posting through a visitor's browser. Neither is a password.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emoscope.errors import RequestError
from emoscope.observe.facts import note_error
from emoscope.server.http.schemas import is_chinese, problem

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "permissions-policy": "camera=(), geolocation=(), microphone=(self)",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "SAMEORIGIN",
}


class HostOriginMiddleware:
    """ASGI middleware: Host, Origin, and headers on every reply.

    Args:
        app: what stands behind.
        names: Host names to answer to, without ports.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        self._app = app
        self._names = {"localhost", *(name.lower() for name in names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is None:
            await self._app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            note_error(refusal)
            await send({"type": "websocket.close", "code": 1008, "reason": refusal.code})
        else:
            await problem(refusal, chinese=is_chinese(headers))(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> RequestError | None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            return RequestError("host_refused")
        origin = headers.get("origin")
        changes = scope["type"] == "websocket" or scope["method"] not in _SAFE_METHODS
        if origin is not None and changes and urlsplit(origin).netloc != host:
            return RequestError("origin_refused")
        return None

    def _is_ours(self, host: str) -> bool:
        name = _host_name(host)
        if name is None:
            return False
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _host_name(host: str) -> str | None:
    """Host without port, lower case; None when it is no host at all."""
    try:
        parts = urlsplit(f"//{host}")
        name = parts.hostname
        _ = parts.port  # raises for a port that is no number
    except ValueError:
        return None
    plain = parts.netloc == host and not parts.username and not parts.path
    return name if plain else None


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
