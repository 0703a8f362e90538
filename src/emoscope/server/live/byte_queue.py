"""Bounded byte queue from the event loop to a thread, with backpressure."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress


class ByteQueue:
    """Queue of the bytes that a live stream has sent and that were not read yet.

    Args:
        max_bytes: more than this and ``put`` waits, so that the sender's socket fills up.
        loop: of the side that puts.
    """

    def __init__(self, max_bytes: int, loop: asyncio.AbstractEventLoop) -> None:
        self._max_bytes = max_bytes
        self._loop = loop
        self._data = bytearray()
        self._closed = False
        self._change = threading.Condition()
        self._room = asyncio.Event()
        self._room.set()
        self.received_bytes = 0
        """All bytes ever put."""

    async def put(self, data: bytes) -> None:
        """Add bytes, and wait while too much lies here; once closed, drop them."""
        with self._change:
            if self._closed:
                return
            self._data += data
            self.received_bytes += len(data)
            if len(self._data) > self._max_bytes:
                self._room.clear()
            self._change.notify()
        await self._room.wait()

    def read(self, size: int) -> bytes:
        """Return up to so many bytes, waiting for the first; none when it is closed."""
        with self._change:
            self._change.wait_for(lambda: self._data or self._closed)
            data = bytes(self._data[:size])
            del self._data[:size]
            roomy = len(self._data) <= self._max_bytes
        if roomy:
            self._let_in()
        return data

    def close(self) -> None:
        """Nothing more will come; what lies here can still be read."""
        with self._change:
            self._closed = True
            self._change.notify()
        self._let_in()

    def _let_in(self) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._room.set)
