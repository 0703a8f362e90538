"""Retention policy of the outputs folder: maximum bytes and maximum age.

A clock may jump. The order of deletion is that in which runs came while this server runs, and only
among those of before the time of their recognition (``created_utc``). A sweep by age that would
take more than a share of all runs, or comes after a jump of the clock, is announced with the names
of the runs and waits, so that a wrong clock can be put right.
"""

from __future__ import annotations

import logging
import math
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
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
AT_ONCE, SHARE_AT_ONCE = 10, 0.1
"""Runs, or share of all runs, that a sweep may delete without announcing them."""
HOLD_S = 3_600.0
"""Seconds between the announcement of a larger sweep by age and the deletion."""
_JUMP_S = 600.0
"""A clock that is off by more, compared with one that only goes forward, has jumped."""
_HEAD_BYTES = 8_192
_CREATED = re.compile(rb'"created_utc": ?"([^"]{19,40})"')


class RetentionPolicy:
    """Background deletion of runs beyond the maximum age or bytes, oldest first.

    Args:
        store: the outputs folder.
        jobs: those that ended long ago are forgotten; their bytes count.
        max_bytes: of all runs and jobs together; 0 for no bound.
        keep_days: of a run and of a job that has ended; 0 for ever.
        now: seconds since 1970.
        steady: seconds that only go forward.
    """

    def __init__(
        self,
        store: RunStore,
        jobs: Jobs,
        *,
        max_bytes: int,
        keep_days: float,
        now: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._jobs = store, jobs
        self._max_bytes, self._keep_s = max_bytes, keep_days * _DAY_S
        self._now, self._steady = now, steady
        self._offset_s = now() - steady()
        self._held_until_s: float | None = None
        self._sweep = 0
        self._order: dict[str, tuple[int, float]] = {}
        """Of each run the sweep that saw it first, and when it was made."""
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
        with suppress(EmoscopeError):  # the log or readiness tells
            self._jobs.check_table(thorough=True)
        names = self._oldest_first()
        due = self._too_old(names)
        if self._may_delete(due, len(names)):
            gone = [name for name in due if self._delete(name)]
            self._forget_jobs()
        else:
            gone = []
        if self._max_bytes:
            left = [name for name in names if name not in set(gone)]
            gone += self._down_to_size(left)
        if gone:
            level = logging.WARNING if _is_large(len(gone), len(names)) else logging.INFO
            _log.log(level, "runs were deleted", extra=fields(count=len(gone), runs=gone))
        return gone

    def _oldest_first(self) -> list[str]:
        self._sweep += 1
        names = self._store.names()[::-1]
        self._order = {
            name: self._order.get(name) or (self._sweep, _created_s(self._store.root / name))
            for name in names
        }
        return sorted(names, key=lambda name: self._order[name])

    def _too_old(self, names: list[str]) -> list[str]:
        if not self._keep_s:
            return []
        before_s = self._now() - self._keep_s
        return [name for name in names if self._order[name][1] < before_s]

    def _may_delete(self, due: list[str], total: int) -> bool:
        """Whether deletion by age may go on now; else it was announced and waits."""
        steady_s = self._steady()
        offset_s = self._now() - steady_s
        jumped = abs(offset_s - self._offset_s) > _JUMP_S
        self._offset_s = offset_s
        if not jumped and not _is_large(len(due), total):
            if self._held_until_s is None or steady_s >= self._held_until_s:
                self._held_until_s = None
                return True
            return False
        if self._held_until_s is None or jumped:
            self._held_until_s = steady_s + HOLD_S
            _log.warning(
                "many runs are too old by the clock, or it jumped; they are deleted in an hour"
                " unless the clock is put right",
                extra=fields(count=len(due), of=total, clock_jumped=jumped, runs=due),
            )
        return steady_s >= self._held_until_s

    def _forget_jobs(self) -> None:
        keep_s = self._keep_s or math.inf
        if self._store.keep == "none":
            keep_s = min(keep_s, UNDELIVERED_S)
        if math.isinf(keep_s):
            return
        self._jobs.forget_damaged(self._now() - keep_s)
        for job in self._jobs.ended_before(self._now() - keep_s):
            with suppress(EmoscopeError):
                self._jobs.remove(job, None)

    def _down_to_size(self, names: list[str]) -> list[str]:
        self._sizes = {
            name: self._sizes.get(name) or _size(self._store.root / name) for name in names
        }
        runs_bytes, gone = sum(self._sizes.values()), []
        total = runs_bytes + self._jobs.size_bytes()
        if total > self._max_bytes and self._jobs.forget_damaged():
            total = runs_bytes + self._jobs.size_bytes()
        total += self._store.index.size_bytes()
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


def _is_large(count: int, total: int) -> bool:
    return count > max(AT_ONCE, SHARE_AT_ONCE * total)


def _created_s(folder: Path) -> float:
    """When a run was made, from the beginning of its result; else when that was written."""
    path = folder / RESULT
    try:
        with path.open("rb") as file:
            found = _CREATED.search(file.read(_HEAD_BYTES))
        if found:
            with suppress(ValueError, OverflowError):
                return datetime.fromisoformat(found[1].decode("ascii", "replace")).timestamp()
        return path.stat().st_mtime
    except OSError:
        return math.inf  # it is being deleted, or cannot be judged


def _size(folder: Path) -> int:
    total = 0
    with suppress(OSError):
        for path in folder.iterdir():
            total += path.stat().st_size
    return total
