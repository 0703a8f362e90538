"""``/v1/recognitions``: recognize, list, read, delete."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from emoscope.outputs import history
from emoscope.outputs.store import Run
from emoscope.paths.choices import ChannelMode, Granularity
from emoscope.results.result import Failure
from emoscope.server.admission.uploads import refuse_early
from emoscope.server.http import replies, schemas
from emoscope.server.http.addresses import root_of
from emoscope.server.http.bodies import body_schema, read_requests
from emoscope.server.http.events import (
    CSV,
    JSON,
    LINES,
    NDJSON,
    RecordingEvent,
    as_event,
    as_line,
    as_record,
    csv_columns,
    negotiate,
    preamble,
    recording_events,
)
from emoscope.server.requester import runs_of
from emoscope.server.service import RecognitionRequest, Service

_HELP = """Send recordings in one of three ways: a form with one or more files `audio`; JSON with
base64; or the plain bytes of one file, with `granularity`, `embedding`,
`utterances`, `channels`, `head` and `name` in the address.

`Accept` chooses the reply: `application/json`, `application/jsonl`, `text/csv`, or
`application/x-ndjson`, which streams what happens as it happens. A single bad recording in JSON is
a problem with its status; among several it has a `problem` in its place and ends nothing.

`channels=separate` gives an answer, and a run, for each channel of a recording with two, in their
order and with the same `created`.

`utterances=true` cuts the recording at pauses and recognizes each utterance alone: the key
`utterances` of the result, beside `segments`."""


def recognition_routes(service: Service) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["recognitions"])
    settings = service.settings

    @router.post(
        "/v1/recognitions",
        response_model=replies.RecognitionsReply,
        responses={
            **schemas.problems(400, 401, 403, 408, 413, 415, 422, 429, 500, 503, 504, 507),
            200: {"content": {kind: {} for kind in (LINES, NDJSON, CSV)}},
        },
        openapi_extra=body_schema(settings.request_max_files, settings.request_max_bytes),
        summary="Recognize one or several recordings",
        description=_HELP,
    )
    async def recognize(
        request: Request,
        granularity: Annotated[Granularity, Query(description="for plain bytes")] = "utterance",  # noqa: ARG001 - read from the request; here for the document
        embedding: Annotated[bool, Query(description="for plain bytes")] = False,  # noqa: ARG001 - likewise
        channels: Annotated[ChannelMode, Query(description="for plain bytes")] = "mix",  # noqa: ARG001 - likewise
        head: Annotated[str, Query(description="for plain bytes")] = "",  # noqa: ARG001 - likewise
        utterances: Annotated[bool, Query(description="for plain bytes")] = False,  # noqa: ARG001 - likewise
        name: Annotated[str, Query(description="for plain bytes")] = "",  # noqa: ARG001 - likewise
    ) -> Response:
        await refuse_early(service.admission, request)
        chinese, form = schemas.is_chinese(request.headers), negotiate(request.headers)
        reading = read_requests(
            request,
            service,
            max_files=settings.request_max_files,
            max_bytes=settings.request_max_bytes,
        )
        if form == JSON:
            async with reading as requests:
                return await _in_json(request, service, requests, chinese=chinese)
        # The first event is awaited here, so that a full queue is a 503 and not half a stream.
        stream = _lines(request, service, reading, form, chinese=chinese)
        first = await anext(stream)
        return StreamingResponse(_joined(first, stream), media_type=form)

    @router.get(
        "/v1/recognitions",
        responses=schemas.problems(401, 422),
        summary="List runs, newest first",
    )
    async def listed(
        request: Request,
        search: Annotated[str, Query(max_length=200)] = "",
        first: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
        count: Annotated[int, Query(ge=1, le=history.PAGE_MAX)] = 50,
    ) -> replies.ListReply:
        """`next` is the `first` of the next page, or null after the last."""
        store = runs_of(request, service.store)
        page = await anyio.to_thread.run_sync(
            lambda: history.list_runs(store, search=search, first=first, count=count)
        )
        following = first + len(page.entries)
        return replies.ListReply(
            recognitions=list(page.entries),
            total=page.total,
            next=following if following < page.total and page.entries else None,
        )

    @router.get(
        "/v1/recognitions/{run}",
        response_model=schemas.PredictReply,
        responses=schemas.problems(401, 404),
        summary="Read a run",
    )
    async def read(request: Request, run: str) -> JSONResponse:
        """Return the same as when it was recognized."""
        found = await anyio.to_thread.run_sync(runs_of(request, service.store).open, run)
        return JSONResponse(schemas.reply(found, root_of(request.scope)))

    @router.delete(
        "/v1/recognitions/{run}",
        status_code=204,
        responses=schemas.problems(401, 403, 404),
        summary="Delete a run and all of its files",
    )
    async def delete(request: Request, run: str) -> Response:
        """Gone means gone: the sound, the vectors, the result."""
        await anyio.to_thread.run_sync(runs_of(request, service.store).remove, run)
        return Response(status_code=204)

    return router


async def _in_json(
    request: Request, service: Service, requests: list[RecognitionRequest], *, chinese: bool
) -> JSONResponse:
    answers = [
        one.what
        async for one in recording_events(request, service, requests)
        if isinstance(one.what, Run | Failure)
    ]
    if len(answers) == 1 and isinstance(answers[0], Failure):
        raise answers[0].error
    root = root_of(request.scope)
    records = [as_record(answer, chinese=chinese, root=root) for answer in answers]
    return JSONResponse({"recognitions": records})


async def _lines(
    request: Request, service: Service, reading: Any, form: str, *, chinese: bool
) -> AsyncIterator[str]:
    async with reading as requests:
        extra = csv_columns(service, requests[0].options.heads) if requests else ()
        head = preamble(form, extra)
        async for one in recording_events(request, service, requests):
            line = _line(one, form, extra, chinese=chinese, root=root_of(request.scope))
            if line:
                yield head + line
                head = ""


def _line(
    one: RecordingEvent, form: str, extra: tuple[str, ...], *, chinese: bool, root: str
) -> str:
    if form == NDJSON:
        return as_event(one, chinese=chinese, root=root)
    return as_line(one.what, form, extra) if isinstance(one.what, Run | Failure) else ""


async def _joined(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for line in rest:
        yield line
