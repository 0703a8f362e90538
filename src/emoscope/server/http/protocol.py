"""HTTP/1.1 protocol: uvicorn's, with problem details for malformed requests, and a time limit.

Uvicorn waits without end for the head of a first request, and for the rest of one that has begun.
"""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from emoscope.errors import RequestError
from emoscope.server.http.schemas import PROBLEM_TYPE, problem_of

EXPECTED = "HTTP/1.1 (RFC 9112), headers ≤ 64 KiB"


class ProblemProtocol(H11Protocol):
    """HTTP protocol that answers malformed requests with problem details.

    A connection that has not sent the head of a request within ``head_s`` seconds is closed.
    """

    head_s = 15.0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the head of the first request."""
        super().connection_made(transport)
        self._watch_head()

    def data_received(self, data: bytes) -> None:
        """Take bytes, and wait for the rest of a head that has begun."""
        super().data_received(data)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_watching()
        super().connection_lost(exc)

    def _watch_head(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._stop_watching()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_s, self.transport.close)

    def _stop_watching(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words, in English only
        """Answer a request that cannot be read, and close the connection."""
        body = (
            problem_of(RequestError("request_malformed", expected=EXPECTED))
            .model_dump_json()
            .encode()
        )
        headers = [
            ("content-type", PROBLEM_TYPE),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        for event in (
            h11.Response(status_code=400, headers=headers, reason="Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
