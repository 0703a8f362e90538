"""The doors: which Host names are answered, which pages may post, how much is read.

The Host check stops DNS rebinding: a foreign page that points its own name at this machine. Such
an attack needs a name, so addresses in digits are always answered. The Origin check stops pages of
other sites from posting through a visitor's browser. Neither is a password.
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import AsyncIterator, Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emoscope.errors import AudioTooLargeError, HostRefusedError, OriginRefusedError
from emoscope.server.schemas import is_chinese, problem

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "SAMEORIGIN",
}
_OVERHEAD_BYTES = 64 * 1024
"""Multipart borders and the small fields beside the file."""
_DRAIN_BYTES = 32 * 1024 * 1024
"""So much more is read and thrown away, so that the sender hears the answer and not a reset."""


class Doors:
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
            await send({"type": "websocket.close", "code": 1008, "reason": refusal.code})
        else:
            await problem(refusal, chinese=is_chinese(headers))(scope, receive, send)

    def _refusal(
        self, scope: Scope, headers: Headers
    ) -> HostRefusedError | OriginRefusedError | None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            return HostRefusedError()
        origin = headers.get("origin")
        changes = scope["type"] == "websocket" or scope["method"] not in _SAFE_METHODS
        if origin is not None and changes and urlsplit(origin).netloc != host:
            return OriginRefusedError()
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


async def limited(stream: AsyncIterator[bytes], max_bytes: int | None) -> AsyncIterator[bytes]:
    """Pass a request's body on until it grows past ``max_bytes`` and a little overhead.

    Raises:
        AudioTooLargeError: it did; what still comes is read and dropped, up to a bound.
    """
    seen = 0
    max_bytes = sys.maxsize if max_bytes is None else max_bytes
    async for chunk in stream:
        seen += len(chunk)
        if seen > max_bytes + _OVERHEAD_BYTES:
            async for rest in stream:
                seen += len(rest)
                if seen > max_bytes + _DRAIN_BYTES:
                    break
            raise AudioTooLargeError(max_bytes=max_bytes)
        yield chunk
