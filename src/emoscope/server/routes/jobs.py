"""``/v1/jobs``: asynchronous recognition of many or long recordings."""

from __future__ import annotations

from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse

from emoscope.errors import RequestError
from emoscope.observe.facts import note
from emoscope.paths.choices import Granularity
from emoscope.server.http import schemas
from emoscope.server.http.addresses import root_of
from emoscope.server.http.bodies import body_schema, read_requests
from emoscope.server.jobs.reply import JobListReply, JobReply, job_reply
from emoscope.server.jobs.table import Job
from emoscope.server.jobs.worker import Jobs
from emoscope.server.requester import owner_of, sees_all
from emoscope.server.service import RecognitionOptions, Service

_IDEMPOTENCY_MAX = 200


def job_routes(service: Service, jobs: Jobs) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["jobs"])
    settings = service.settings

    @router.post(
        "/v1/jobs",
        status_code=202,
        response_model=JobReply,
        responses={
            **schemas.problems(400, 401, 403, 408, 409, 413, 415, 422, 429, 500, 503, 507),
            200: {"model": JobReply, "description": "the job of the same earlier request"},
        },
        openapi_extra=body_schema(settings.job_max_files, settings.job_max_bytes),
        summary="Queue recordings",
    )
    async def submit(
        request: Request,
        granularity: Annotated[Granularity, Query(description="for plain bytes")] = "utterance",  # noqa: ARG001 - read from the request; here for the document
        embedding: Annotated[bool, Query(description="for plain bytes")] = False,  # noqa: ARG001 - likewise
        utterances: Annotated[bool, Query(description="for plain bytes")] = False,  # noqa: ARG001 - likewise
        head: Annotated[str, Query(description="for plain bytes")] = "",  # noqa: ARG001 - likewise
        name: Annotated[str, Query(description="for plain bytes", max_length=200)] = "",  # noqa: ARG001 - likewise
        idempotency_key: Annotated[str | None, Header(max_length=_IDEMPOTENCY_MAX)] = None,
    ) -> JSONResponse:
        """Queue recordings; 202 means that they are on the disk and will be answered.

        The same `Idempotency-Key` with the same content is the same job, however often it is sent.
        """
        service.admission.check_open()
        reading = read_requests(
            request, service, max_files=settings.job_max_files, max_bytes=settings.job_max_bytes
        )
        async with reading as requests:
            options = requests[0].options if requests else RecognitionOptions()
            if options.channels != "mix":  # a recording of a job has one result
                raise RequestError("field_invalid", field="channels", expected="mix")
            job, is_new = await anyio.to_thread.run_sync(
                jobs.accept, owner_of(request), requests, options, idempotency_key or None
            )
        note(job=job.id)
        return JSONResponse(
            job_reply(job, jobs).model_dump(),
            202 if is_new else 200,
            headers={"Location": f"{root_of(request.scope)}/v1/jobs/{job.id}"},
        )

    @router.get(
        "/v1/jobs",
        responses=schemas.problems(401, 422, 503),
        summary="List jobs, newest first",
    )
    async def listed(
        request: Request,
        first: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
        count: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> JobListReply:
        """`next` is the `first` of the next page, or null after the last."""
        owner = None if sees_all(request) else owner_of(request)
        found, total = await anyio.to_thread.run_sync(jobs.table.page, owner, first, count)
        following = first + len(found)
        return JobListReply(
            jobs=[job_reply(job, jobs) for job in found],
            total=total,
            next=following if found and following < total else None,
        )

    @router.get(
        "/v1/jobs/{job}",
        responses=schemas.problems(401, 404, 503),
        summary="How far a job is",
    )
    async def read(request: Request, job: str) -> JobReply:
        """Say how far it is, and what came of each recording."""
        return job_reply(await anyio.to_thread.run_sync(owned, jobs, request, job), jobs)

    @router.post(
        "/v1/jobs/{job}/cancel",
        responses=schemas.problems(401, 403, 404, 409, 503),
        summary="Cancel a job",
    )
    async def cancel(request: Request, job: str) -> JobReply:
        """Stop it; what was answered stays."""
        owner = None if sees_all(request) else owner_of(request)
        return job_reply(await anyio.to_thread.run_sync(jobs.cancel, job, owner), jobs)

    @router.delete(
        "/v1/jobs/{job}",
        status_code=204,
        responses=schemas.problems(401, 403, 404, 409, 503),
        summary="Forget a job that has ended",
    )
    async def delete(request: Request, job: str) -> Response:
        """Its runs stay; delete those one by one."""
        owner = None if sees_all(request) else owner_of(request)
        await anyio.to_thread.run_sync(jobs.remove, job, owner)
        return Response(status_code=204)

    return router


def owned(jobs: Jobs, request: Request, id_: str) -> Job:
    """Return a job that this request may see.

    Args:
        jobs: the server's jobs.
        request: its key decides which jobs it may see.
        id_: the job.

    Raises:
        RequestError: there is none, or it belongs to another key.
    """
    return jobs.table.get(id_, None if sees_all(request) else owner_of(request))
