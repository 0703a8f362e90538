"""Authentication middleware: API keys, scopes and rate limits.

Without any key every client that reaches the port may do everything, which is why a server that can
be reached from other machines does not start without a key unless configured to, and why a request
that a proxy passed on is refused: it came from another machine. A browser asks its
user for the key (HTTP Basic: any name, the key as the password); programs send it as ``X-API-Key``
or as a bearer token.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from emoscope.errors import AccessError, EmoscopeError, ServiceError
from emoscope.observe.facts import note, note_error
from emoscope.server.admission.rates import Rates
from emoscope.server.http.addresses import path_of
from emoscope.server.http.schemas import is_chinese, problem
from emoscope.server.key_ring import KeyRing
from emoscope.server.keys import ApiKey

OPEN_PATHS = ("/health", "/health/live", "/health/ready")
"""Paths that need no key: monitors of a server have none."""
_WRONG_PER_MINUTE = 30
_OF_PROXIES = ("x-forwarded-for", "forwarded", "x-real-ip")
"""Headers that proxies add; a client that adds them itself only locks itself out."""
_LISTS, _FILTERS = ("/v1/recognitions", "/page/history"), ("search", "emotion", "doubt")
"""Lists and the parameters that make a search of them."""
_COSTLY = re.compile(
    r"\.zip$|/exports/|^/v1/jobs/[^/]+/results\.|^/page/(compare$|similar/|teach$)"
    r"|^/v1/(map|teaching)$"
)
"""Paths whose answer reads many runs, or draws and packs one."""
_SAFE = ("GET", "HEAD", "OPTIONS")


class AuthMiddleware:
    """ASGI middleware: keys, scopes, rates.

    Args:
        app: what stands behind.
        keys: the keys; without any, every request is allowed.
        per_minute: requests that change, recognize, search, export or pack something, for each key
            or address.
        is_open: without keys, also allow what a proxy passed on.
        used: called with the id of each key that is used; does nothing by default.
        now: seconds since 1970.
    """

    def __init__(
        self,
        app: ASGIApp,
        keys: KeyRing,
        per_minute: int,
        *,
        is_open: bool = False,
        used: Callable[[str], None] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._app = app
        self._keys = keys
        self._is_open = is_open
        self._used, self._now = used, now
        self._rates: dict[int | None, Rates] = {None: Rates(per_minute)}
        """By the rate that keys have of their own; None for all others."""
        self._wrong = Rates(_WRONG_PER_MINUTE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            self._admit(scope, headers)
        except EmoscopeError as refusal:
            if scope["type"] == "websocket":
                note_error(refusal)
                await send({"type": "websocket.close", "code": 1008, "reason": refusal.code})
            else:
                reply = problem(refusal, chinese=is_chinese(headers))
                if refusal.code in ("key_required", "key_expired"):
                    reply.headers["WWW-Authenticate"] = 'Basic realm="Emoscope", charset="UTF-8"'
                await reply(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _admit(self, scope: Scope, headers: Headers) -> None:
        path = path_of(scope)
        method = str(scope.get("method", "GET"))
        who, own_rate = _address(scope), None
        # Once there has been a key, a lost or emptied file refuses all requests.
        locked = path not in OPEN_PATHS and self._keys.locked
        if not locked and path not in OPEN_PATHS and not self._is_open:
            _refuse_proxies(headers)
        if locked:
            key = self._key(headers, who)
            for needed in scopes_for(method, path, is_socket=scope["type"] == "websocket"):
                if needed not in key.scopes and "admin" not in key.scopes:
                    raise AccessError("scope_missing", scope=needed)
            state = scope.setdefault("state", {})
            state["key_name"], state["key_scopes"] = key.name, key.scopes
            state["key_id"] = key.id
            who, own_rate = f"key {key.id}", key.per_minute
            if self._used is not None:
                self._used(key.id)
        if method not in _SAFE or scope["type"] == "websocket" or _is_costly(scope, path):
            _count(self._rates_of(own_rate), who)

    def _rates_of(self, per_minute: int | None) -> Rates:
        if per_minute not in self._rates:
            self._rates[per_minute] = Rates(per_minute or 0)
        return self._rates[per_minute]

    def _key(self, headers: Headers, who: str) -> ApiKey:
        secret = _secret(headers)
        key = self._keys.find(secret) if secret else None
        if key is None:
            if secret:
                note(wrong_key=True)
                _count(self._wrong, who)
            raise AccessError("key_required")
        if key.is_expired(datetime.fromtimestamp(self._now(), UTC)):
            raise AccessError("key_expired", expired=(key.expires_utc or "")[:10])
        return key


def scopes_for(method: str, path: str, *, is_socket: bool = False) -> tuple[str, ...]:
    """Return the scopes that a request needs, of ``read``, ``recognize`` and ``admin``.

    Titles and corrections change what others recognized, so they need the right to see it too; a
    search recognizes and shows runs.

    Args:
        method: HTTP method.
        path: path without the proxy's prefix.
        is_socket: whether it opens a WebSocket.
    """
    if method == "DELETE" and not path.startswith("/v1/jobs/"):
        return ("admin",)
    if path.startswith("/v1/teaching") and method not in _SAFE:
        return ("admin",)  # it changes the answers of all
    if method == "PUT" or path == "/v1/search":
        return ("read", "recognize")
    return ("read",) if method in _SAFE and not is_socket else ("recognize",)


def _is_costly(scope: Scope, path: str) -> bool:
    """Whether a request that changes nothing costs: a search, an export, an archive."""
    if _COSTLY.search(path):
        return True
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    return path in _LISTS and any(
        value.strip() for name in _FILTERS for value in query.get(name, [])
    )


def _refuse_proxies(headers: Headers) -> None:
    if any(name in headers for name in _OF_PROXIES):
        raise AccessError("proxy_without_keys")


def _count(rates: Rates, who: str) -> None:
    wait_s = rates.take(who)
    if wait_s:
        raise ServiceError("rate_limited", per_minute=rates.per_minute, retry_after_s=wait_s)


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _secret(headers: Headers) -> str:
    if "x-api-key" in headers:
        return headers["x-api-key"].strip()
    kind, _, rest = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return rest.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return ""
    return ""
