"""URL path prefixes (``root_path``): request paths and links behind a proxy.

A proxy may publish the server under a path (``https://host/emoscope/``), and another ASGI
application may mount ours under one. The prefix is the ``root_path`` of the ASGI scope; every
address that is given out begins with it.
"""

from __future__ import annotations

from starlette.datastructures import URL
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_ROOT = "emoscope.root_path"
"""Key of the scope."""


def root_of(scope: Scope) -> str:
    """Return the prefix of this request's addresses, without a slash at its end."""
    # Inside of a mount ``root_path`` also has the path of the mount.
    return str(scope.get(_ROOT, scope.get("root_path", ""))).rstrip("/")


def path_of(scope: Scope) -> str:
    """Return the path of a request without the prefix."""
    path, root = str(scope["path"]), root_of(scope)
    return path.removeprefix(root) if _is_under(path, root) else path


class PathPrefix:
    """ASGI middleware that sets ``root_path``, whether or not the proxy strips the prefix.

    A proxy may pass the prefix on or take it away; both are understood. The outermost middleware,
    as everything behind it looks at paths.

    Args:
        app: what stands behind.
        prefix: such as ``/emoscope``; empty for none.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on under the prefix."""
        prefix = self._prefix
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        path, root = str(scope["path"]), str(scope.get("root_path", "")).rstrip("/")
        if not _is_under(root, prefix):
            root = prefix + root
        if scope["type"] == "http" and root and path in ("", prefix, root):
            # Relative addresses of the page need the slash.
            query = scope.get("query_string", b"").decode("latin-1")
            address = URL(path=f"{root}/", query=query)
            await RedirectResponse(str(address))(scope, receive, send)
            return
        if not _is_under(path, root):
            path = prefix + path
        changed = {**scope, "root_path": root, "path": path, _ROOT: root}
        changed.pop("raw_path", None)
        await self._app(changed, receive, send)


def _is_under(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")
