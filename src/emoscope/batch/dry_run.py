"""Dry run of a batch: counts, hours, and the expected time and size from a small sample."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from emoscope.batch.items import BatchItem
from emoscope.batch.lengths import stated_seconds
from emoscope.batch.options import BatchOptions
from emoscope.batch.plan import BatchPlan
from emoscope.batch.shards import InputShard, ShardJob
from emoscope.batch.work import run_shard
from emoscope.recognizer import Recognizer
from emoscope.results.result import Failure

_HEADERS = 2_000
"""Headers that are read; of more recordings as many, evenly over the input."""
_SAMPLE = 16
"""Recordings that are recognized."""
_SAMPLE_S = 60.0
"""Seconds of sound after which the sample is long enough."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a batch would be."""

    rows: int
    shards: int
    errors: int
    """Rows that cannot be used, as the list alone tells."""
    looked: int
    """Headers that were read."""
    seconds: float
    """Seconds of sound in all, by those headers."""
    sample: int
    """Recordings recognized for the estimate."""
    sample_s: float
    """Seconds of sound in them that were recognized."""
    took_s: float
    """Seconds that one process took for them."""
    sample_bytes: int
    """Bytes of the sample's output."""

    def expected_s(self, workers: int) -> float | None:
        """Seconds that the batch would take; None where nothing could be recognized.

        Args:
            workers: processes that work side by side.
        """
        if not self.sample_s:
            return None
        return self.seconds / self.sample_s * self.took_s / workers

    @property
    def expected_bytes(self) -> float:
        """Bytes of the output."""
        return self.sample_bytes / max(self.sample, 1) * self.rows


class _Silent:
    """Listener that keeps nothing."""

    def began(self, row: int) -> None:
        """A recording begins."""

    def ended(self, row: int, seconds: float, failure: Failure | None) -> None:
        """A recording is done."""


def dry_run(
    plan: BatchPlan, options: BatchOptions, heads: tuple[str, ...], recognizer: Recognizer
) -> DryRun:
    """Count the input, read headers, and recognize a sample of it.

    Args:
        plan: the input in shards.
        options: what is written of each recording.
        heads: columns of the heads.
        recognizer: with as many threads as a worker has.
    """
    every = max(1, plan.rows // _HEADERS)
    errors, looked, seconds = 0, 0, 0.0
    known: list[tuple[BatchItem, float]] = []
    for item in _items(plan):
        errors += item.error is not None
        if item.row % every == 0 and item.error is None:
            length_s = stated_seconds(item)
            looked, seconds = looked + 1, seconds + length_s
            known.append((item, length_s))
    scale = (plan.rows - errors) / looked if looked else 0.0
    sample = _sample(known)
    sample_s, took_s, size = _measured(sample, plan, options, heads, recognizer)
    counts = (plan.rows, len(plan), errors, looked, seconds * scale)
    return DryRun(*counts, len(sample), sample_s, took_s, size)


def _items(plan: BatchPlan) -> Iterator[BatchItem]:
    for shard in plan.shards():
        yield from shard.items


def _sample(known: list[tuple[BatchItem, float]]) -> list[BatchItem]:
    """Choose recordings evenly over the input, until there is sound enough."""
    chosen, seconds = list[BatchItem](), 0.0
    for item, length_s in known[:: max(1, len(known) // _SAMPLE)]:
        if chosen and (len(chosen) >= _SAMPLE or seconds + length_s > _SAMPLE_S):
            break
        chosen.append(item)
        seconds += length_s
    return chosen


def _measured(
    sample: list[BatchItem],
    plan: BatchPlan,
    options: BatchOptions,
    heads: tuple[str, ...],
    recognizer: Recognizer,
) -> tuple[float, float, int]:
    """Return seconds of sound, seconds taken, and bytes written."""
    with tempfile.TemporaryDirectory() as folder:
        job = ShardJob(InputShard(0, tuple(sample)), options, plan.columns, heads, folder)
        warm_up = replace(job, shard=InputShard(0, tuple(sample[:1])))
        run_shard(warm_up, recognizer, _Silent())
        started_s = time.perf_counter()
        report = run_shard(job, recognizer, _Silent())
        took_s = time.perf_counter() - started_s
        size = sum((Path(folder) / name).stat().st_size for name in report.files)
    return report.seconds, took_s, size
