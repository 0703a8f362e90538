"""Events of a batch: what an executor tells the program that drives it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from emoscope.results.result import Failure


@dataclass(frozen=True, slots=True)
class ShardReport:
    """What became of one shard."""

    index: int
    rows: int
    """Recordings that it lists."""
    failures: int
    """Those of them that are in its errors."""
    seconds: float
    """Seconds of sound recognized."""
    files: tuple[str, ...]
    """Names of the objects written."""


@dataclass(frozen=True, slots=True)
class WorkerReady:
    """A worker has loaded its model."""

    worker: str
    load_s: float


@dataclass(frozen=True, slots=True)
class RowEnded:
    """A recording is done, or has failed."""

    worker: str
    shard: int
    row: int
    seconds: float
    """Seconds of sound; 0 where it failed."""
    failure: Failure | None = None
    """Why it could not be recognized; None where it was."""

    @property
    def failed(self) -> bool:
        """Whether it could not be recognized."""
        return self.failure is not None


@dataclass(frozen=True, slots=True)
class ShardEnded:
    """A shard is written whole."""

    worker: str
    report: ShardReport


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """A worker ended in the middle of a shard, which begins anew in another one."""

    worker: str
    shard: int
    rows: tuple[int, ...]
    """The recordings that it was working on."""
    undone: int
    """Recordings of the shard that it had finished, and that are done again."""
    undone_codes: tuple[str, ...] = ()
    """Codes of those of them that had failed."""
    undone_s: float = 0.0
    """Seconds of sound of the finished ones."""


BatchEvent: TypeAlias = WorkerReady | RowEnded | ShardEnded | WorkerLost


def lost_worker(
    worker: str, shard: int, rows: Sequence[int], finished: Sequence[RowEnded]
) -> WorkerLost:
    """Return the event of a worker that ended.

    Args:
        worker: its name.
        shard: what it was working on.
        rows: recordings that were in work.
        finished: what it had told of this shard.
    """
    codes = tuple(one.failure.error.code for one in finished if one.failure is not None)
    seconds = sum(one.seconds for one in finished)
    return WorkerLost(worker, shard, tuple(rows), len(finished), codes, seconds)
