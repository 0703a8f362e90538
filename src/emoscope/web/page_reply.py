"""Replies of the page: text that is compressed for clients that take it."""

from __future__ import annotations

import functools
import hashlib
from importlib.resources import files
from typing import Any

from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

COMPRESSED_FROM_BYTES = 1_000
"""Bytes from which compression pays."""
STYLES = ("style", "answer", "figure", "views", "similar", "home", "api")
"""Style sheets, in the order in which a later one overrules."""


class PageReply(HTMLResponse):
    """HTML, or other text, compressed with gzip where the client takes it."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Send it."""
        await GZipMiddleware(super().__call__, minimum_size=COMPRESSED_FROM_BYTES)(
            scope, receive, send
        )


@functools.cache
def _style_sheet() -> tuple[str, str]:
    """Return all style sheets as one, and its ETag."""
    folder = files("emoscope.web") / "static"
    text = "\n".join(folder.joinpath(f"{name}.css").read_text("utf-8") for name in STYLES)
    return text, f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'


def style_sheet(request: Request) -> Response:
    """Return all style sheets in one reply, or 304 where the client has it."""
    text, tag = _style_sheet()
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    known = request.headers.get("if-none-match", "").removeprefix("W/")
    if known == tag:
        return Response(status_code=304, headers=headers)
    return PageReply(text, media_type="text/css", headers=headers)
