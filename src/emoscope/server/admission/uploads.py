"""Upload limits: size, recent rate, number and bytes of concurrent request bodies.

A body is read before its request enters the queue. Eight slow uploads that hold a permit
each would lock all others out; here they hold a socket and a file. When all places are taken, a
body that has stalled makes room for the next one.
"""

from __future__ import annotations

import math
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
_STALLED_S = 3.0
"""A body that has paused for longer may be ended when another one needs its place."""


@dataclass(slots=True)
class Uploads:
    """Limits of request bodies, and the bodies that are there."""

    at_once: int = 256
    """Bodies that are being received at the same time."""
    grace_s: float = 10.0
    """Seconds over which the rate is counted: a body may pause for so long."""
    least_bytes_per_s: float = 8_000.0
    """Rate that a body has to keep up over the last ``grace_s``."""
    max_bytes: int | None = None
    """Bytes of all bodies together that are received or in use; None for no bound."""
    held_bytes: int = field(default=0, init=False)
    """Bytes of all bodies that are received or in use now."""
    _coming: set[UploadBody] = field(default_factory=set, init=False)

    @property
    def coming(self) -> int:
        """Bodies that are being received now."""
        return len(self._coming)

    @contextmanager
    def body(self) -> Iterator[UploadBody]:
        """Return one body to receive; its bytes count until the block ends."""
        body = UploadBody(self)
        try:
            yield body
        finally:
            self.held_bytes -= body.size_bytes

    @contextmanager
    def one_more(self, body: UploadBody) -> Iterator[None]:
        """Count a body while it is received.

        Raises:
            BusyError: too many are received, and none of them has stalled.
        """
        if self.coming >= self.at_once and not self.end_stalled():
            raise BusyError(retry_after_s=_RETRY_AFTER_S).at("uploads")
        self._coming.add(body)
        try:
            yield
        finally:
            self._coming.discard(body)

    def end_stalled(self) -> bool:
        """End the body that has paused for longest, if that is long; say whether there was one.

        It gives its place up at once, and its bytes as soon as its request has been answered.
        """
        longest = max(self._coming, key=UploadBody.paused_s, default=None)
        if longest is None or longest.paused_s() < _STALLED_S:
            return False
        self._coming.discard(longest)
        longest.end()
        return True


class UploadBody:
    """One request body: received at a minimum rate, its bytes counted as long as they are used.

    Args:
        uploads: the limits of all bodies.
    """

    def __init__(self, uploads: Uploads) -> None:
        self.size_bytes = 0
        """Bytes that were received."""
        self._uploads = uploads
        self._waiting = anyio.CancelScope()
        """Around the wait for the next piece."""
        self._waiting_since_s = math.inf

    def paused_s(self) -> float:
        """Seconds since the last piece; 0 unless the next one is being waited for."""
        return max(0.0, time.monotonic() - self._waiting_since_s)

    def end(self) -> None:
        """End the wait for the next piece, as if the body were too slow."""
        self._waiting.cancel()

    async def limited(
        self,
        stream: AsyncIterator[bytes],
        max_bytes: int | None,
        too_large: Callable[[], EmoscopeError] | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """Pass the body on until it grows past ``max_bytes``.

        Args:
            stream: pieces of the body.
            max_bytes: largest body; None for no bound.
            too_large: makes the error of a body that is larger; ``audio_too_large`` by default.

        Raises:
            EmoscopeError: it is larger; what still comes is read and dropped, up to a bound.
            ServiceTimeoutError: it comes too slowly.
            CancelledError: the client went away.
            BusyError: too many bodies, or bytes of bodies, are there already.
        """
        most = sys.maxsize if max_bytes is None else max_bytes
        with self._uploads.one_more(self):
            async for chunk in self._paced(stream):
                try:
                    self._count(len(chunk))
                except BusyError:
                    await drain(stream)
                    raise
                if self.size_bytes > most:
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
        """Pass each piece of the body to ``feed``, until the body grows past ``max_bytes``.

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
            BusyError: too many bodies, or bytes of bodies, are there already.
            OSError: ``feed`` raised it.
        """
        async with aclosing(self.limited(stream, max_bytes, too_large)) as pieces:
            async for piece in pieces:
                try:
                    feed(piece)
                except (EmoscopeError, OSError):
                    await drain(stream)
                    raise

    def _count(self, size: int) -> None:
        """Count received bytes.

        Raises:
            BusyError: with them all bodies together are too large.
        """
        uploads = self._uploads
        if uploads.max_bytes is not None and uploads.held_bytes + size > uploads.max_bytes:
            uploads.end_stalled()  # makes room for the next one
            raise BusyError(retry_after_s=_RETRY_AFTER_S).at("upload_bytes")
        self.size_bytes += size
        uploads.held_bytes += size

    async def _paced(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Pass the body on while it keeps up the rate.

        It has ``grace_s`` seconds at first; waiting takes of them, bytes give back, never to more
        than at first. So what came long ago does not help a body that has stalled.
        """
        grace_s, rate = self._uploads.grace_s, self._uploads.least_bytes_per_s
        left_s = grace_s
        while True:
            chunk: bytes | None = None
            self._waiting_since_s = time.monotonic()
            try:
                with anyio.move_on_after(left_s) as self._waiting:
                    chunk = await anext(stream, None)
            except ClientDisconnect as exc:
                raise CancelledError from exc
            finally:
                left_s -= self.paused_s()
                self._waiting_since_s = math.inf
            if self._waiting.cancelled_caught:
                raise ServiceTimeoutError("upload_too_slow", bytes_per_s=round(rate))
            if chunk is None:
                return
            left_s = min(grace_s, left_s + len(chunk) / rate)
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
