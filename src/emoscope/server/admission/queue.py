"""Admission control: N requests run, M wait in FIFO order, the rest get 503 with Retry-After.

One queue stands before the model, for the routes and for the page. A refusal in a millisecond is
worth more than an answer in a minute whose client has left.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar

import anyio

from emoscope.errors import BusyError, CancelledError, ServerClosingError, ServiceTimeoutError
from emoscope.events import Clock

T = TypeVar("T")

_FIRST_GUESS_S = 1.0
_RETRY_MAX_S = 60


class Deadline:
    """Deadline of one request, which also ends when its client disconnects.

    It is also a listener of the recognizer, which stops between two windows when it may not go on.

    Args:
        seconds: until the deadline; None for no deadline.
        clock: seconds that only go forward.
    """

    def __init__(self, seconds: float | None = None, *, clock: Clock = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._until_s = math.inf if seconds is None else clock() + seconds
        self._cancelled = threading.Event()
        self._permit: Future[None] | None = None

    def __call__(self, _event: object = None) -> None:
        """Check that the request may go on.

        Raises:
            CancelledError: the client disconnected.
            ServiceTimeoutError: it has taken too long.
        """
        if self._cancelled.is_set():
            raise CancelledError
        if self._clock() > self._until_s:
            raise ServiceTimeoutError("deadline_exceeded", seconds=self._seconds)

    def cancel(self) -> None:
        """Have the work end at its next check, as its client disconnected."""
        self._cancelled.set()
        if self._permit is not None:
            self._permit.cancel()

    async def wait(self, permit: Future[None]) -> None:
        """Wait for a permit of the queue.

        Raises:
            CancelledError: the client disconnected.
            ServiceTimeoutError: no place came free in time.
        """
        self._permit = permit
        left_s = None if math.isinf(self._until_s) else max(self._until_s - self._clock(), 0.0)
        try:
            await asyncio.wait_for(asyncio.wrap_future(permit), left_s)
        except TimeoutError as exc:
            raise ServiceTimeoutError("deadline_exceeded", seconds=self._seconds) from exc
        except asyncio.CancelledError:
            if self._cancelled.is_set():
                raise CancelledError from None
            raise


class AdmissionQueue:
    """Admission queue: a bounded number of running and of waiting requests.

    Args:
        working: requests that run at once.
        waiting: requests that may wait.
    """

    def __init__(self, working: int, waiting: int) -> None:
        self._free = working
        self._most_working, self._most_waiting = working, waiting
        self._queue: deque[Future[None]] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._typical_s = _FIRST_GUESS_S
        # Threads of its own, which stay: those that AnyIO lends end after ten idle seconds, and the
        # memory of new ones added up by 2.5 MB at a time.
        self._executor = ThreadPoolExecutor(working, "emoscope-recognize")

    @property
    def working(self) -> int:
        """Number of running requests."""
        return self._most_working - self._free

    @property
    def waiting(self) -> int:
        """Number of waiting requests."""
        return len(self._queue)

    @property
    def closing(self) -> bool:
        """Whether new requests are refused because the server shuts down."""
        return self._closing

    async def run(self, deadline: Deadline, work: Callable[[], T]) -> T:
        """Run ``work`` in a thread when its turn comes.

        Raises:
            BusyError: the queue is full.
            ServerClosingError: the server is about to end.
            CancelledError: the client disconnected.
            ServiceTimeoutError: its turn did not come in time.
        """
        permit = self._enter()
        try:
            await deadline.wait(permit)
            started_s = time.monotonic()
            turn = asyncio.get_running_loop().run_in_executor(
                self._executor, copy_context().run, work
            )
            # A permit is free when the work has ended, not when its client has left.
            with anyio.CancelScope(shield=True):
                answer = await turn
            self._learn(time.monotonic() - started_s)
            return answer
        finally:
            self._leave(permit)

    @contextmanager
    def permit(self) -> Iterator[None]:
        """Work in the caller's own thread when its turn comes; for callers that are few.

        Such a caller waits without being counted: its own queue is bounded already.

        Raises:
            ServerClosingError: the server is about to end.
        """
        permit = self._enter(counted=False)
        try:
            permit.result()
            yield
        finally:
            self._leave(permit)

    def check(self) -> None:
        """Refuse early what would be refused after its body has been read.

        Raises:
            ServerClosingError: the server is about to end.
            BusyError: the queue is full.
        """
        self.check_open()
        if not self._free and len(self._queue) >= self._most_waiting:
            raise BusyError(retry_after_s=self.retry_after_s())

    def check_open(self) -> None:
        """Refuse what comes too late.

        Raises:
            ServerClosingError: the server is about to end.
        """
        if self._closing:
            raise ServerClosingError(retry_after_s=self.retry_after_s())

    def close(self) -> None:
        """Refuse new requests from now on; accepted ones are finished."""
        with self._changed:
            self._closing = True

    def wait_until_empty(self, seconds: float) -> bool:
        """Wait until no request runs or waits; False when that took too long."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.working and not self._queue, seconds)

    def retry_after_s(self) -> int:
        """Estimated seconds until a permit is free."""
        ahead = len(self._queue) + 1
        return min(math.ceil(ahead * self._typical_s / self._most_working), _RETRY_MAX_S)

    def _enter(self, *, counted: bool = True) -> Future[None]:
        permit: Future[None] = Future()
        with self._changed:
            if counted or self._closing:
                self.check()
            if self._free:
                self._free -= 1
                permit.set_result(None)
            else:
                self._queue.append(permit)
        return permit

    def _leave(self, permit: Future[None]) -> None:
        with self._changed:
            if permit.cancel() or permit.cancelled():
                # It never had its turn.
                if permit in self._queue:
                    self._queue.remove(permit)
            else:
                self._free += 1
            while self._free and self._queue:
                following = self._queue.popleft()
                if following.set_running_or_notify_cancel():
                    self._free -= 1
                    following.set_result(None)
            self._changed.notify_all()

    def _learn(self, seconds: float) -> None:
        self._typical_s += 0.1 * (seconds - self._typical_s)


async def cancel_on_disconnect(
    receive: Callable[[], Awaitable[dict[str, object]]], deadline: Deadline, work: Awaitable[T]
) -> T:
    """Await ``work``, and cancel its deadline when the client disconnects meanwhile.

    Args:
        receive: the ASGI ``receive`` of the request, whose body was read.
        deadline: deadline of the work.
        work: ends soon after its deadline was cancelled.

    Raises:
        CancelledError: the client disconnected.
    """

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        deadline.cancel()

    watching = asyncio.create_task(watch())
    try:
        return await work
    finally:
        watching.cancel()
