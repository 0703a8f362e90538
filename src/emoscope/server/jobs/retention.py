"""Retention policy of the outputs folder: maximum bytes and maximum age."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from emoscope.errors import EmoscopeError
from emoscope.observe.logs import fields
from emoscope.outputs.store import RESULT, RunStore
from emoscope.server.jobs.worker import Jobs

_log = logging.getLogger("emoscope.retention")
EVERY_S = 60.0
_DAY_S = 86_400.0
UNDELIVERED_S = _DAY_S
"""Where nothing is kept, results of a job that are not fetched are kept for so long."""


class RetentionPolicy:
    """Background deletion of runs beyond the maximum age or bytes, oldest first.

    Args:
        store: the outputs folder.
        jobs: those that ended long ago are forgotten.
        max_bytes: of all runs together; 0 for no bound.
        keep_days: of a run and of a job that has ended; 0 for ever.
        now: seconds since 1970.
    """

    def __init__(
        self,
        store: RunStore,
        jobs: Jobs,
        *,
        max_bytes: int,
        keep_days: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._jobs = store, jobs
        self._max_bytes, self._keep_s = max_bytes, keep_days * _DAY_S
        self._now = now
        self._sizes: dict[str, int] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="emoscope.retention", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """End."""
        self._stopping.set()
        self._thread.join(10)

    def tidy(self) -> list[str]:
        """Delete what is too old or too much; return the names of the runs that went."""
        self._store.sweep()
        gone = []
        oldest_first = self._store.names()[::-1]
        if self._keep_s:
            before_s = self._now() - self._keep_s
            gone += [name for name in oldest_first if self._delete_if_older(name, before_s)]
        self._forget_jobs()
        if self._max_bytes:
            left = [name for name in oldest_first if name not in set(gone)]
            gone += self._down_to_size(left)
        if gone:
            _log.info("runs were deleted", extra=fields(count=len(gone)))
        return gone

    def _forget_jobs(self) -> None:
        keep_s = self._keep_s or math.inf
        if self._store.keep == "none":
            keep_s = min(keep_s, UNDELIVERED_S)
        if math.isinf(keep_s):
            return
        for job in self._jobs.ended_before(self._now() - keep_s):
            with suppress(EmoscopeError):
                self._jobs.remove(job, None)

    def _delete_if_older(self, name: str, before_s: float) -> bool:
        try:
            written_s = (self._store.root / name / RESULT).stat().st_mtime
        except OSError:
            return False
        return written_s < before_s and self._delete(name)

    def _down_to_size(self, names: list[str]) -> list[str]:
        self._sizes = {
            name: self._sizes.get(name) or _size(self._store.root / name) for name in names
        }
        total, gone = sum(self._sizes.values()), []
        for name in names[:-1]:  # the newest stays, however large it is
            if total <= self._max_bytes:
                break
            if self._delete(name):
                total -= self._sizes.pop(name)
                gone.append(name)
        return gone

    def _delete(self, name: str) -> bool:
        try:
            self._store.remove(name)
        except EmoscopeError:
            return False
        return True

    def _work(self) -> None:
        while True:
            try:
                self.tidy()
            except Exception:
                _log.exception("the outputs folder could not be tidied")
            if self._stopping.wait(EVERY_S):
                return


def _size(folder: Path) -> int:
    total = 0
    with suppress(OSError):
        for path in folder.iterdir():
            total += path.stat().st_size
    return total
