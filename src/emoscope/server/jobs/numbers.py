"""Metrics of jobs: how many there are by state, and how long the oldest has waited."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import get_args

from emoscope.errors import EmoscopeError
from emoscope.observe.metrics import ServerMetrics
from emoscope.server.jobs.table import ENDED, State
from emoscope.server.jobs.worker import Jobs


def add_job_numbers(
    metrics: ServerMetrics, jobs: Jobs, *, now: Callable[[], float] = time.time
) -> None:
    """Add the numbers of jobs to the metrics; without a usable table there are none.

    Args:
        metrics: of the server.
        jobs: its jobs.
        now: seconds since 1970.
    """

    def by_state() -> dict[str, float]:
        counts = _counts(jobs)
        return {state: counts[state][0] if state in counts else 0 for state in get_args(State)}

    def oldest_s() -> float:
        waiting = [oldest for state, (_, oldest) in _counts(jobs).items() if state not in ENDED]
        return max(0.0, now() - min(waiting)) if waiting else 0.0

    metrics.gauges("jobs", "Jobs that are known, by state", "state", by_state)
    metrics.counter("jobs_databases_damaged", "Job databases put aside as damaged", jobs.damaged)
    metrics.gauge("jobs_oldest_seconds", "Age of the oldest job that waits or runs", oldest_s)


def _counts(jobs: Jobs) -> dict[State, tuple[int, float]]:
    try:
        return jobs.counts()
    except (EmoscopeError, OSError, sqlite3.Error):
        return {}
