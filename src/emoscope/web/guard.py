"""Allowlist middleware in front of Gradio: only routes that the page uses.

Gradio brings some sixty addresses: files, proxies, streams, logins, monitoring, a second API. The
page needs a dozen. The rest is answered with 404, so a hole in one of them is not a hole of ours.
Questions that carry file objects are refused, because Gradio would copy the file or fetch the
address that they name; our page sends plain paths of its own uploads instead.

What it does not do: it knows no users, and it does not slow anybody down.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from emoscope.errors import AudioTooLargeError, RequestError, StoreError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_API = "/gradio_api"
_UPLOAD, _JOIN = f"{_API}/upload", f"{_API}/queue/join"
_OPEN = {
    ("GET", "/"),
    ("GET", "/config"),
    ("GET", "/theme.css"),
    ("GET", "/favicon.ico"),
    ("GET", "/robots.txt"),
    ("GET", f"{_API}/app_id"),
    ("GET", f"{_API}/info"),
    ("GET", f"{_API}/theme.css"),
    ("GET", f"{_API}/startup-events"),
    ("GET", f"{_API}/queue/data"),
    ("POST", _JOIN),
    ("POST", _UPLOAD),
    ("POST", f"{_API}/cancel"),
}
_OPEN_FOLDERS = ("/assets/", "/static/", "/svelte/", f"{_API}/heartbeat/")
_QUESTION_MAX_BYTES = 256_000
_FORM_BYTES = 4_096
"""What multipart adds around one file."""
_UPLOADS_MAX = 64
"""Uploads of full size that may wait to be read, all together."""
_STALE_S = 3600.0


class GradioAllowlist:
    """Allowlist before Gradio's application.

    Args:
        app: Gradio's application.
        uploads: the folder that it writes uploads to.
        max_bytes: largest upload.
    """

    def __init__(self, app: ASGIApp, *, uploads: Path, max_bytes: int) -> None:
        self._app = app
        self._uploads = uploads
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it.

        Raises:
            HTTPException: there is nothing at this address, or not for this method.
            EmoscopeError: the body is refused.
        """
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":  # the page has none
            await send({"type": "websocket.close", "code": 1008})
            return
        path = str(scope["path"]).removeprefix(scope.get("root_path", ""))
        # A browser's HEAD is a GET without a body.
        method = str(scope.get("method", "")).replace("HEAD", "GET")
        if not _is_open(method, path):
            raise _not_here(path)
        if path == _UPLOAD:
            await self._upload(scope, receive, send)
        elif path == _JOIN:
            await self._question(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what is too large before reading it, and everything when the folder is full.

        Raises:
            RequestError, AudioTooLargeError, StoreError: for the server to answer with.
        """
        length = _content_length(scope)
        if length is None:
            raise RequestError("length_required")
        if length > self._max_bytes + _FORM_BYTES:
            raise AudioTooLargeError(max_bytes=self._max_bytes)
        if _swept_size(self._uploads) + length > _UPLOADS_MAX * self._max_bytes:
            raise StoreError("store_full")
        await self._app(scope, receive, send)

    async def _question(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read a question, look for file objects, and pass on what was read.

        Raises:
            RequestError, RequestError, RequestError: for the server to answer
                with.
        """
        length = _content_length(scope)
        if length is None or length > _QUESTION_MAX_BYTES:
            raise RequestError("request_too_large", max_bytes=_QUESTION_MAX_BYTES)
        body = b""
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        try:
            question = json.loads(body)
        except (ValueError, RecursionError) as exc:
            raise RequestError("request_malformed", expected='{"data": [...]}') from exc
        if has_file_object(question):
            raise RequestError("name_refused")
        await self._app(scope, _replay(body, receive), send)


def has_file_object(value: object) -> bool:
    """Whether anything in this JSON asks Gradio to handle a file or an address."""
    waiting = [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            if "meta" in here or "url" in here:
                return True
            waiting.extend(here.values())
        elif isinstance(here, list):
            waiting.extend(here)
    return False


def _is_open(method: str, path: str) -> bool:
    if (method, path.rstrip("/") or "/") in _OPEN:
        return True
    return method == "GET" and path.startswith(_OPEN_FOLDERS) and ".." not in path


def _not_here(path: str) -> HTTPException:
    """Return the error of a method that an address does not take, or of no such address."""
    if _is_open("GET", path):
        return HTTPException(405, headers={"Allow": "GET, HEAD" if path == "/" else "GET"})
    if _is_open("POST", path):
        return HTTPException(405, headers={"Allow": "POST"})
    return HTTPException(404)


def _content_length(scope: Scope) -> int | None:
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    for name, value in headers:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return None


def _swept_size(folder: Path) -> int:
    """Remove uploads unused for an hour; return the bytes of the others."""
    total = 0
    now_s = time.time()
    for path in folder.rglob("*"):
        with suppress(OSError):  # another request may have read and removed it
            if not path.is_file():
                continue
            status = path.stat()
            if now_s - status.st_mtime > _STALE_S:
                path.unlink()
            else:
                total += status.st_size
    return total


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give the body once more, then whatever comes after it."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return pending.pop() if pending else await receive()

    return replayed
