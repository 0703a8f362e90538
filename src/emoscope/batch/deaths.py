"""Deaths of workers: which recordings were in work, and which of them are given up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from emoscope.batch.shards import ShardJob
from emoscope.errors import BatchStoppedError

TWICE = 2
"""Deaths after which a recording is given up."""
_MOST = 8
"""Deaths over one shard that no recording is to blame for, before the run ends."""


class Suspects:
    """Counts of the deaths that recordings were in work at.

    A recording is given up when a worker ended twice while it was in work, the second time with
    no other beside it. The first death makes its shard careful: nothing is decoded ahead.
    """

    def __init__(self) -> None:
        self._deaths: Counter[int] = Counter()
        self._unexplained: Counter[int] = Counter()

    def lost(self, job: ShardJob, in_work: Collection[int]) -> ShardJob:
        """Return the job to do again after its worker ended.

        Args:
            job: what the worker was doing.
            in_work: rows that it had begun and not ended; none where the death has nothing to do
                with them, as that of a machine.

        Raises:
            BatchStoppedError: workers end over this shard again and again, and no recording of it
                is to blame.
        """
        self._deaths.update(in_work)
        guilty = [row for row in in_work if self._deaths[row] >= TWICE and len(in_work) == 1]
        if not guilty:
            self._unexplained[job.shard.index] += 1
            if self._unexplained[job.shard.index] >= _MOST:
                raise BatchStoppedError("batch_workers_end", shard=job.shard.index, times=_MOST)
        return replace(job, careful=True, condemned=job.condemned | set(guilty))
