"""Replies about jobs: what is sent, and its schema in the OpenAPI document."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from emoscope.paths.choices import Granularity
from emoscope.results.json_type import Share
from emoscope.server.http.schemas import Exact, Problem, problem_of
from emoscope.server.jobs.table import Item, ItemState, Job, State
from emoscope.server.jobs.worker import Jobs, failure_of


class JobItemReply(Exact):
    """One recording of a job."""

    index: int
    name: str
    state: ItemState | Literal["cancelled"]
    run: str | None
    problem: Problem | None


class JobReply(Exact):
    """A job, and what came of each recording."""

    id: str
    state: State = Field(description="failed: not one recording could be recognized")
    granularity: Granularity
    embedding: bool
    utterances: bool
    head: str = Field(description="names of heads, parted by commas")
    created_utc: str
    started_utc: str | None
    ended_utc: str | None
    total: int
    succeeded: int
    failed: int
    progress: Share
    recordings: list[JobItemReply]


class JobListReply(Exact):
    """A page of the list of jobs, newest first."""

    jobs: list[JobReply]
    total: int
    next: int | None


def job_reply(job: Job, jobs: Jobs) -> JobReply:
    """Describe a job, with its progress if it is in work."""
    done = [item for item in job.items if item.state != "queued"]
    current = jobs.progress(job.id)
    share = len(done) / max(len(job.items), 1)
    if current is not None and current[1].total_s:
        share += current[1].done_s / current[1].total_s / len(job.items)
    return JobReply(
        id=job.id,
        state=job.state,
        granularity=job.options.granularity,
        embedding=job.options.embedding,
        utterances=job.options.has_utterances,
        head=",".join(job.options.heads),
        created_utc=_utc(job.created_s),
        started_utc=None if job.started_s is None else _utc(job.started_s),
        ended_utc=None if job.ended_s is None else _utc(job.ended_s),
        total=len(job.items),
        succeeded=sum(item.state == "succeeded" for item in done),
        failed=sum(item.state == "failed" for item in done),
        progress=min(share, 1.0),
        recordings=[_item_reply(item, job.state) for item in job.items],
    )


def _item_reply(item: Item, job: State) -> JobItemReply:
    is_left = job == "cancelled" and item.state == "queued"
    problem = problem_of(failure_of(item).error) if item.state == "failed" else None
    return JobItemReply(
        index=item.place,
        name=item.name,
        state="cancelled" if is_left else item.state,
        run=item.run,
        problem=problem,
    )


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
