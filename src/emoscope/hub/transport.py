"""HTTP transport of downloads: one GET with safe redirects.

What it covers: only http and https; never from https down to http; no other scheme, on whatever
redirect; the standard proxies of the environment; TLS checked against the system's certificates.
What it does not: it keeps no cookies and sends no credentials, so a private mirror that wants a
login is not supported.
"""

from __future__ import annotations

import functools
import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import urlsplit

from emoscope._version import __version__

_CUT = (OSError, http.client.HTTPException)


class CutError(Exception):
    """No connection, or a broken one; ``str`` is the reason in a few words.

    Args:
        lasting: trying again cannot help (a certificate that does not fit).
    """

    def __init__(self, reason: str, *, lasting: bool = False) -> None:
        super().__init__(reason)
        self.lasting = lasting


class RedirectRefusedError(Exception):
    """A refused redirect; ``str`` is its scheme and host."""


class HttpAnswer:
    """Open HTTP response.

    Args:
        status: HTTP status; redirects have been followed.
        headers: headers of the last server.
        hops: headers of the redirects before it, in order.
        body: the open body of the answer.
    """

    def __init__(
        self, status: int, headers: Message, hops: tuple[Message, ...], body: IO[bytes]
    ) -> None:
        self.status = status
        self.headers = headers
        self.hops = hops
        self._body = body

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._body.close()

    def read(self, at_most: int) -> bytes:
        """Return what has arrived, at most so many bytes; nothing means the end.

        Raises:
            CutError: the connection broke or was silent for too long.
        """
        # Not every body has read1 (that of an HTTPError may lack it); all have read.
        reader = getattr(self._body, "read1", self._body.read)
        try:
            data: bytes = reader(at_most)
        except _CUT as exc:
            raise CutError(_reason(exc)) from exc
        return data


def get(url: str, *, headers: Mapping[str, str], timeout_s: float) -> HttpAnswer:
    """Ask for a file; answers of every status are returned.

    Args:
        url: an http or https address.
        headers: more than the usual ones; they go to the targets of redirects too.
        timeout_s: longest silence, for the connection and for each read.

    Raises:
        CutError: there was no answer.
        RedirectRefusedError: a redirect led where we do not go.
    """
    redirects = _Redirects()
    opener = urllib.request.OpenerDirector()
    # Not build_opener: that one brings handlers for file, ftp and data addresses.
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=_tls()),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        redirects,
    ):
        opener.add_handler(handler)
    usual = {
        "User-Agent": f"emoscope/{__version__}",
        # Ranges and lengths mean the file itself only when nothing is compressed on the way.
        "Accept-Encoding": "identity",
    }
    request = urllib.request.Request(url, headers={**usual, **headers})  # noqa: S310 - see above
    try:
        answer: Any = opener.open(request, timeout=timeout_s)
    except urllib.error.HTTPError as exc:
        if 300 <= exc.code < 400 and exc.code != 304:
            exc.close()
            raise RedirectRefusedError(_short(exc.headers.get("Location", "?"))) from exc
        return HttpAnswer(exc.code, exc.headers, tuple(redirects.hops), exc)
    except _CUT as exc:
        raise CutError(_reason(exc), lasting=_is_certificate(exc)) from exc
    return HttpAnswer(answer.status, answer.headers, tuple(redirects.hops), answer)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Redirect handler that keeps the headers of each hop: hubs put the sha256 there."""

    def __init__(self) -> None:
        self.hops: list[Message] = []

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Any,
        newurl: str,
    ) -> urllib.request.Request | None:
        scheme = urlsplit(newurl).scheme
        if scheme not in ("http", "https") or (req.type == "https" and scheme == "http"):
            raise urllib.error.HTTPError(newurl, code, "redirect refused", headers, fp)
        self.hops.append(headers)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@functools.cache
def _tls() -> ssl.SSLContext:
    # Reading the system's certificates takes longer than a small file.
    return ssl.create_default_context()


def _short(url: str) -> str:
    """Scheme and host: a signed address must not end up in a log."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}"


def _is_certificate(exc: BaseException) -> bool:
    return isinstance(getattr(exc, "reason", exc), ssl.SSLCertVerificationError)


def _reason(exc: BaseException) -> str:
    reason = getattr(exc, "reason", None)
    inner = reason if isinstance(reason, BaseException) else exc
    if isinstance(inner, TimeoutError):
        return "timed out"
    text = getattr(inner, "strerror", None) or str(inner) or type(inner).__name__
    return str(text)[:120]
