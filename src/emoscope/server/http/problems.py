"""Error replies of the frameworks, rewritten as problem details (RFC 9457).

Starlette, FastAPI and their file servers answer some errors with text or JSON of their own,
some through ``HTTPException`` and some directly. ``Problems`` looks at every reply, so that each
error that leaves the server has a code and a sentence in both languages.
"""

from __future__ import annotations

import logging
import re
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emoscope.errors import BusyError, EmoscopeError, InternalError, RequestError
from emoscope.server.http.addresses import path_of
from emoscope.server.http.schemas import PROBLEM_TYPE, is_chinese, problem
from emoscope.web.app import IS_DOCUMENT

_LOG = logging.getLogger("emoscope.server")

_RETRY_AFTER_S = 5
_PASSED_ON = ("allow", "content-range", "retry-after", "www-authenticate")
"""Headers of the original reply that stay."""


class Problems:
    """ASGI middleware that turns all error replies, and uncaught exceptions, into problem details.

    Args:
        app: what stands behind.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and look at its reply."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        reply = _Reply(scope, receive, send)
        try:
            await self._app(scope, receive, reply)
        except ClientDisconnect:
            return
        except Exception as bug:
            if reply.is_begun:
                raise
            _LOG.error("%s %s failed", scope["method"], path_of(scope), exc_info=bug)
            await problem(InternalError(), chinese=is_chinese(Headers(scope=scope)))(
                scope, receive, send
            )


class _Reply:
    """Wrapper of ``send`` for one request."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self.is_begun = False
        self._is_replaced = False

    async def __call__(self, message: Message) -> None:
        """Pass a message on, or another reply in its place."""
        if message["type"] == "http.response.start":
            self.is_begun = True
            if self._is_foreign_error(message):
                self._is_replaced = True
                await self._replace(message["status"], Headers(raw=message["headers"]))
        if not self._is_replaced:
            await self._send(message)

    def _is_foreign_error(self, message: Message) -> bool:
        if message["status"] < HTTPStatus.BAD_REQUEST or IS_DOCUMENT in self._scope:
            return False
        kind = Headers(raw=message["headers"]).get("content-type", "")
        return kind != PROBLEM_TYPE

    async def _replace(self, status: int, headers: Headers) -> None:
        sent = Headers(scope=self._scope)
        error = error_of(status, sent, headers)
        passed_on = {name: headers[name] for name in _PASSED_ON if name in headers}
        reply = problem(error, chinese=is_chinese(sent), headers=passed_on)
        await reply(self._scope, self._receive, self._send)


def error_of(status: int, sent: Headers, headers: Headers) -> EmoscopeError:
    """Return our error for an error reply of a framework.

    Args:
        status: HTTP status of the reply.
        sent: headers of the request.
        headers: headers of the reply.
    """
    if status == HTTPStatus.NOT_FOUND:
        return RequestError("route_not_found")
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return RequestError("method_not_allowed")
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        size = re.search(r"\d+$", headers.get("content-range", ""))
        return RequestError("range_refused", size=size[0] if size else "?")
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return BusyError(retry_after_s=_RETRY_AFTER_S)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return InternalError()
    in_range = status == HTTPStatus.BAD_REQUEST and "range" in sent
    return RequestError(
        "request_malformed", expected="Range: bytes=FIRST-LAST" if in_range else "HTTP/1.1"
    )
