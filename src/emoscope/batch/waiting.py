"""Jobs that no worker has yet: those to do again first, then those of the plan, one by one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from emoscope.batch.shards import ShardJob


class WaitingJobs:
    """Jobs of a run that wait for a worker.

    Args:
        jobs: of the plan; the next one is taken only when it is asked for.
        again: jobs whose worker ended; the executor adds to them.
    """

    def __init__(self, jobs: Iterator[ShardJob], again: deque[ShardJob]) -> None:
        self._jobs, self._again = jobs, again
        self._next: ShardJob | None = None

    def has_more(self) -> bool:
        """Whether there is a job."""
        if not self._again and self._next is None:
            self._next = next(self._jobs, None)
        return bool(self._again) or self._next is not None

    def next(self) -> ShardJob:
        """Take the next job.

        Raises:
            StopIteration: there is none.
        """
        if self._again:
            return self._again.popleft()
        if not self.has_more():
            raise StopIteration
        job, self._next = self._next, None
        assert job is not None  # noqa: S101 - there is more
        return job
