"""Runs of the windows of one recording, several at a time; outputs keep the order of the windows.

A small model takes one core for a window, so one long recording would leave the other cores idle.
While the windows run, the caller reads on and looks for speech. At most ``at_once`` windows run and
one more is ready, so memory stays bounded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from emoscope.inference.forward import ClipOutput, ClipRunner
from emoscope.inference.windows import Window

MAX_AT_ONCE = 8
"""Windows of one recording that run at a time at most: each takes some 40 MB."""


class WindowRuns:
    """Runner of windows in order; for one recording, not for several threads.

    Args:
        runner: runs the model; must be safe in threads where ``at_once`` is more than one.
        at_once: windows that run side by side.
    """

    def __init__(self, runner: ClipRunner, at_once: int = 1) -> None:
        self._runner = runner
        self._at_once = min(at_once, MAX_AT_ONCE)
        self._pool: ThreadPoolExecutor | None = None
        self._pending: deque[tuple[Window, Future[ClipOutput]]] = deque()

    def over(self, windows: Iterable[Window]) -> Iterator[tuple[Window, ClipOutput]]:
        """Run windows; yields those that are done, and keeps the newest at work.

        Raises:
            ModelError: the model failed.
        """
        for window in windows:
            if self._at_once == 1:
                yield window, self._run(window)
                continue
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._at_once, "emoscope-window")
            self._pending.append((window, self._pool.submit(self._run, window)))
            while len(self._pending) > self._at_once:
                yield self._oldest()

    def last(self, windows: Iterable[Window]) -> Iterator[tuple[Window, ClipOutput]]:
        """Run the last windows; yields all that are not done yet.

        Raises:
            ModelError: the model failed.
        """
        if self._pool is None:  # a short recording is one window and needs no thread
            self._at_once = 1
        yield from self.over(windows)
        while self._pending:
            yield self._oldest()

    def close(self) -> None:
        """Drop the windows that have not begun and wait for those that run."""
        self._pending.clear()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _oldest(self) -> tuple[Window, ClipOutput]:
        window, future = self._pending.popleft()
        return window, future.result()

    def _run(self, window: Window) -> ClipOutput:
        (output,) = self._runner.run([window.samples])
        return output
