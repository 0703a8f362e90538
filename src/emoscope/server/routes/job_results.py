"""Results of a job: progress events while it runs, then JSON Lines, CSV or a ZIP archive."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal

import anyio
import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from emoscope.errors import EmoscopeError
from emoscope.export.records import csv_header
from emoscope.export.utterance_rows import to_utterance_csv, utterance_csv_header
from emoscope.outputs.store import Run, RunStore
from emoscope.results.result import Failure, Result
from emoscope.server.http import schemas
from emoscope.server.http.events import CSV, LINES, NDJSON, Outcome, as_line, csv_columns
from emoscope.server.jobs.reply import job_reply
from emoscope.server.jobs.table import ENDED, Item, Job
from emoscope.server.jobs.worker import Jobs, failure_of
from emoscope.server.requester import runs_of
from emoscope.server.routes.jobs import owned
from emoscope.server.service import Service
from emoscope.web.archive import zip_of_runs

_WATCH_S = 0.25
"""How often a stream of events looks whether something has changed."""


def job_result_routes(service: Service, jobs: Jobs) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["jobs"])

    @router.get(
        "/v1/jobs/{job}/events",
        response_class=StreamingResponse,
        responses={**schemas.problems(401, 404), 200: {"content": {NDJSON: {}}}},
        summary="Follow a job",
    )
    async def events(request: Request, job: str) -> StreamingResponse:
        """Stream the job as one line of JSON whenever something has changed, until its end."""
        await anyio.to_thread.run_sync(owned, jobs, request, job)

        async def lines() -> AsyncIterator[str]:
            last = ""
            while True:
                now = job_reply(await anyio.to_thread.run_sync(owned, jobs, request, job), jobs)
                line = json.dumps(now.model_dump(), ensure_ascii=False) + "\n"
                if line != last:
                    yield line
                    last = line
                if now.state in ENDED or service.admission.closing:
                    return
                await anyio.sleep(_WATCH_S)

        return StreamingResponse(lines(), media_type=NDJSON)

    @router.get(
        "/v1/jobs/{job}/results.{form}",
        response_class=StreamingResponse,
        responses={
            **schemas.problems(401, 404, 422),
            200: {"content": {LINES: {}, CSV: {}, "application/zip": {}}},
        },
        summary="What came of the recordings",
    )
    async def results(
        request: Request, job: str, form: Literal["jsonl", "csv", "zip"]
    ) -> StreamingResponse:
        """Return one line for each recording that has been answered, or a ZIP of their runs.

        On a server that keeps no runs, a job that has ended is forgotten when its lines or its
        table were sent.
        """
        found = await anyio.to_thread.run_sync(owned, jobs, request, job)
        store = runs_of(request, service.store)
        if form == "zip":
            body: Iterator[Any] = zip_of_runs(store, _runs(store, found))
            kind = "application/zip"
        else:
            kind = CSV if form == "csv" else LINES
            extra = csv_columns(service, found.options.heads)
            body = _delivered(_lines(store, found, kind, extra), jobs, found)
        return StreamingResponse(
            body,
            media_type=kind,
            headers={"Content-Disposition": f'attachment; filename="{found.id}.{form}"'},
        )

    @router.get(
        "/v1/jobs/{job}/utterances.csv",
        response_class=StreamingResponse,
        responses={**schemas.problems(401, 404), 200: {"content": {CSV: {}}}},
        summary="The utterances of the recordings",
    )
    async def utterances(request: Request, job: str) -> StreamingResponse:
        """Return a row for each utterance, of a job that was asked for them."""
        found = await anyio.to_thread.run_sync(owned, jobs, request, job)
        extra = csv_columns(service, found.options.heads)
        return StreamingResponse(
            _utterance_lines(runs_of(request, service.store), found, extra),
            media_type=CSV,
            headers={"Content-Disposition": f'attachment; filename="{found.id}_utterances.csv"'},
        )

    return router


def _utterance_lines(store: RunStore, job: Job, extra: tuple[str, ...]) -> Iterator[str]:
    yield utterance_csv_header(extra)
    for item in job.items:
        if item.state != "queued":
            answer = failure_of(item) if item.state == "failed" else _answer(store, item)
            yield to_utterance_csv(answer.result if isinstance(answer, Run) else answer, extra)


def _runs(store: RunStore, job: Job) -> list[str]:
    """Names of the runs of a job that still exist and may be seen."""
    names = [item.run for item in job.items if item.run]
    return [name for name in names if store.has(name)]


def _delivered(lines: Iterator[str], jobs: Jobs, job: Job) -> Iterator[str]:
    """Pass on, and say so when the last line is sent; a broken connection ends it before."""
    yield from lines
    jobs.delivered(job)


def _lines(store: RunStore, job: Job, kind: str, extra: tuple[str, ...]) -> Iterator[str]:
    if kind == CSV:
        yield csv_header(extra)
    for item in job.items:
        if item.state == "failed":
            yield as_line(failure_of(item), kind, extra)
        elif item.state == "succeeded":
            yield as_line(_answer(store, item), kind, extra)


def _answer(store: RunStore, item: Item) -> Outcome:
    """Return a recording's run, or why it cannot be shown any more."""
    try:
        if item.record is not None:
            return Run(store.root, Result.from_dict(item.record), kept=False)
        return store.open(item.run or "")
    except EmoscopeError as error:
        return Failure(item.name, error)
