"""Run of a batch: the driver of every executor, from the manifest to the last part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from emoscope.batch.events import BatchEvent, RowEnded, WorkerLost
from emoscope.batch.manifest import BatchManifest, open_output
from emoscope.batch.options import BatchOptions
from emoscope.batch.plan import BatchPlan
from emoscope.batch.shards import ShardJob
from emoscope.batch.storage import BatchStorage
from emoscope.errors import BatchStoppedError

_LEAST = 100
"""Recordings after which the share of failures is looked at."""


class Executor(Protocol):
    """What works on shards: processes of this machine, or a cluster."""

    workers: int
    """Shards in work at once."""

    def run(self, jobs: Iterator[ShardJob]) -> Iterator[BatchEvent]:
        """Work on shards until there are none; closing the iterator ends all work.

        Args:
            jobs: taken one by one, as workers become free.
        """


@dataclass(frozen=True, slots=True)
class ShardRange:
    """Part of the shards, for several runs that share one output."""

    first: int = 0
    end: int | None = None
    """The first that is no longer in it; None: to the last."""

    @property
    def name(self) -> str:
        """Name of its lock; empty for all shards."""
        return (
            "" if self == ShardRange() else f"{self.first}-{'' if self.end is None else self.end}"
        )

    def holds(self, index: int) -> bool:
        """Whether a shard is in it."""
        return self.first <= index and (self.end is None or index < self.end)


@dataclass(frozen=True, slots=True)
class BatchRun:
    """A batch that is ready to run, and the shards that are missing."""

    plan: BatchPlan
    options: BatchOptions
    heads: tuple[str, ...]
    storage: BatchStorage
    missing: tuple[int, ...]
    """Shards to do, in order."""
    max_failures: float = 1.0
    """Share of the recordings that may fail before the run stops."""

    @property
    def rows(self) -> int:
        """Recordings to do."""
        return sum(self.plan.sizes[index] for index in self.missing)

    def events(self, executor: Executor) -> Iterator[BatchEvent]:
        """Do the missing shards, and yield what happens.

        Raises:
            BatchStoppedError: too many recordings fail, or workers end again and again.
            StoreError: the output cannot be written.
            ModelError: a worker cannot load the model.
        """
        done, failed = 0, 0
        running = executor.run(self._jobs())
        with closing(running):  # type: ignore[type-var]
            for event in running:
                if isinstance(event, RowEnded):
                    done, failed = done + 1, failed + event.failed
                elif isinstance(event, WorkerLost):
                    done, failed = done - event.undone, failed - len(event.undone_codes)
                yield event
                # At the end there is nothing to stop: all is written.
                is_between = _LEAST <= done < self.rows
                if is_between and failed > self.max_failures * done:
                    raise BatchStoppedError(
                        "batch_too_many_failures", failed=failed, done=done, share=self.max_failures
                    )

    def _jobs(self) -> Iterator[ShardJob]:
        for index in self.missing:
            yield ShardJob(
                self.plan.shard(index),
                self.options,
                self.plan.columns,
                self.heads,
                self.storage.address,
            )


def missing_shards(
    storage: BatchStorage, manifest: BatchManifest, part: ShardRange, *, fresh: bool
) -> tuple[int, ...]:
    """Make an output ready and return the shards of a range that it lacks, in order.

    Args:
        storage: of the output, which is locked.
        manifest: of this run.
        part: the shards of this run.
        fresh: remove what an earlier run has written.

    Raises:
        StoreError: there are other files, or results of another input, options or model.
    """
    storage.clean()
    missing = open_output(storage, manifest, fresh=fresh)
    return tuple(index for index in sorted(missing) if part.holds(index))
