"""Progress of a batch: recordings and hours done, rate, failures and time left, by worker."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from emoscope.batch.events import BatchEvent, RowEnded, ShardEnded, WorkerLost
from emoscope.events import Clock
from emoscope.results.result import Failure

_WINDOW_S = 60.0
"""The rate is that of the last minute."""


@dataclass(slots=True)
class WorkerProgress:
    """What one worker is doing."""

    shard: int
    done: int = 0
    """Recordings of this shard."""
    total: int = 0
    """Recordings that it has done in all."""


@dataclass(slots=True)
class BatchProgress:
    """Counts of a run, fed with its events."""

    rows: int
    """Recordings to do."""
    clock: Clock = time.monotonic
    done: int = 0
    """Recordings done, failures included."""
    failed: int = 0
    seconds: float = 0.0
    """Seconds of sound done."""
    shards: int = 0
    """Shards written."""
    lost: int = 0
    """Workers that ended in the middle of a shard."""
    codes: Counter[str] = field(default_factory=Counter)
    """Failures by the code of their error."""
    examples: dict[str, Failure] = field(default_factory=dict)
    """The first failure of each code."""
    workers: dict[str, WorkerProgress] = field(default_factory=dict)
    _started_s: float = field(init=False)
    _recent: deque[tuple[float, int]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._started_s = self.clock()

    def take(self, event: BatchEvent) -> None:
        """Count an event."""
        if isinstance(event, RowEnded):
            self._row(event)
        elif isinstance(event, ShardEnded):
            self.shards += 1
        elif isinstance(event, WorkerLost):
            self.lost += 1
            self.done -= event.undone
            self.failed -= len(event.undone_codes)
            self.codes.subtract(event.undone_codes)
            self.seconds -= event.undone_s
            self.workers.pop(event.worker, None)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return self.clock() - self._started_s

    @property
    def per_s(self) -> float:
        """Recordings a second in the last minute; 0 before the first."""
        if len(self._recent) < 2:
            return self.done / self.elapsed_s if self.elapsed_s > 0 else 0.0
        (first_s, before), (last_s, after) = self._recent[0], self._recent[-1]
        return (after - before) / (last_s - first_s) if last_s > first_s else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds that are left at this rate; None where it is not known yet."""
        return (self.rows - self.done) / self.per_s if self.per_s > 0 else None

    def to_dict(self) -> dict[str, Any]:
        """The counts, for JSON."""
        left_s = self.left_s
        return {
            "done": self.done,
            "rows": self.rows,
            "failed": self.failed,
            "codes": {code: count for code, count in self.codes.most_common() if count},
            "hours": round(self.seconds / 3600, 4),
            "shards": self.shards,
            "per_s": round(self.per_s, 2),
            "elapsed_s": round(self.elapsed_s, 1),
            "left_s": None if left_s is None else round(left_s),
            "lost": self.lost,
            "workers": {
                name: {"shard": one.shard, "done": one.total} for name, one in self.workers.items()
            },
        }

    def _row(self, event: RowEnded) -> None:
        self.done += 1
        if event.failure is not None:
            self.failed += 1
            self.codes[event.failure.error.code] += 1
            self.examples.setdefault(event.failure.error.code, event.failure)
        self.seconds += event.seconds
        worker = self.workers.setdefault(event.worker, WorkerProgress(event.shard))
        if worker.shard != event.shard:
            worker.shard, worker.done = event.shard, 0
        worker.done, worker.total = worker.done + 1, worker.total + 1
        now_s = self.clock()
        if not self._recent or now_s - self._recent[-1][0] >= 0.5:
            self._recent.append((now_s, self.done))
            while now_s - self._recent[0][0] > _WINDOW_S and len(self._recent) > 2:
                self._recent.popleft()
