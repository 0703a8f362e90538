"""Upload limits: size, minimum speed and number of concurrent request bodies.

A body is read before its request enters the queue. Eight slow uploads that hold a permit
each would lock all others out; here they hold a socket and a little memory.
"""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field

import anyio
from fastapi import Request
from starlette.requests import ClientDisconnect

from emoscope.errors import (
    AudioTooLargeError,
    BusyError,
    CancelledError,
    EmoscopeError,
    ServiceError,
    ServiceTimeoutError,
)
from emoscope.server.admission.queue import AdmissionQueue

_DRAIN_BYTES = 32 * 1024 * 1024
"""Bytes that are read and dropped, so that the sender gets the answer and not a reset."""
_DRAIN_S = 10.0
_RETRY_AFTER_S = 5


@dataclass(slots=True)
class Uploads:
    """Limits of request bodies."""

    at_once: int = 256
    """Bodies that are being read at the same time."""
    grace_s: float = 10.0
    """For so long a body may come as slowly as it likes."""
    least_bytes_per_s: float = 8_000.0
    """Afterwards it has to have come at this rate on the whole."""
    coming: int = field(default=0, init=False)
    """Bodies that are being read now."""

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count a body while it comes.

        Raises:
            BusyError: too many come already.
        """
        if self.coming >= self.at_once:
            raise BusyError(retry_after_s=_RETRY_AFTER_S).at("uploads")
        self.coming += 1
        try:
            yield
        finally:
            self.coming -= 1

    async def limited(
        self,
        stream: AsyncIterator[bytes],
        max_bytes: int | None,
        too_large: Callable[[], EmoscopeError] | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """Pass a body on until it grows past ``max_bytes``.

        Args:
            stream: pieces of the body.
            max_bytes: largest body; None for no bound.
            too_large: makes the error of a body that is larger; ``audio_too_large`` by default.

        Raises:
            EmoscopeError: it is larger; what still comes is read and dropped, up to a bound.
            ServiceTimeoutError: it comes too slowly.
            CancelledError: the client went away.
            BusyError: too many bodies come already.
        """
        most = sys.maxsize if max_bytes is None else max_bytes
        with self.one_more():
            seen = 0
            async for chunk in self._paced(stream):
                seen += len(chunk)
                if seen > most:
                    await drain(stream)
                    raise too_large() if too_large else AudioTooLargeError(max_bytes=max_bytes)
                yield chunk

    async def receive(
        self,
        stream: AsyncIterator[bytes],
        feed: Callable[[bytes], None],
        max_bytes: int | None,
        too_large: Callable[[], EmoscopeError] | None = None,
    ) -> None:
        """Pass each piece of a body to ``feed``, until the body grows past ``max_bytes``.

        When that or ``feed`` fails, what still comes is read and dropped, so that the sender gets
        the reply.

        Args:
            stream: pieces of the body.
            feed: takes each piece.
            max_bytes: largest body; None for no bound.
            too_large: makes the error of a body that is larger; ``audio_too_large`` by default.

        Raises:
            EmoscopeError: the body is larger, or ``feed`` raised it.
            ServiceTimeoutError: it comes too slowly.
            CancelledError: the client disconnected.
            BusyError: too many bodies come already.
            OSError: ``feed`` raised it.
        """
        async with aclosing(self.limited(stream, max_bytes, too_large)) as pieces:
            async for piece in pieces:
                try:
                    feed(piece)
                except (EmoscopeError, OSError):
                    await drain(stream)
                    raise

    async def _paced(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        started_s, seen = time.monotonic(), 0
        while True:
            until_s = started_s + self.grace_s + seen / self.least_bytes_per_s
            chunk: bytes | None = None
            try:
                with anyio.fail_after(until_s - time.monotonic()):
                    chunk = await anext(stream, None)
            except ClientDisconnect as exc:
                raise CancelledError from exc
            except TimeoutError as exc:
                raise ServiceTimeoutError(
                    "upload_too_slow", bytes_per_s=round(self.least_bytes_per_s)
                ) from exc
            if chunk is None:
                return
            seen += len(chunk)
            yield chunk


async def refuse_early(admission: AdmissionQueue, request: Request) -> None:
    """Refuse before the body is parsed, if the queue is full; it is read and thrown away.

    Raises:
        BusyError: the queue is full.
        ServerClosingError: the server is about to end.
    """
    try:
        admission.check()
    except ServiceError:
        await drain(request.stream())
        raise


async def drain(stream: AsyncIterator[bytes]) -> None:
    """Read what still comes of a body and drop it, up to a bound."""
    dropped = 0
    with suppress(ClientDisconnect), anyio.move_on_after(_DRAIN_S):
        async for chunk in stream:
            dropped += len(chunk)
            if dropped > _DRAIN_BYTES:
                return
