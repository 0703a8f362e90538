"""Replies for several recordings: JSON, JSON Lines, NDJSON or CSV, by ``Accept``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from fastapi import Request

from emoscope.errors import (
    BusyError,
    EmoscopeError,
    HeadError,
    InternalError,
    ServerClosingError,
)
from emoscope.events import Event, Progress
from emoscope.export.records import csv_header, head_columns, to_csv_line, to_json_line
from emoscope.outputs.store import Run
from emoscope.results.result import Failure
from emoscope.server.http import schemas
from emoscope.server.http.replies import FailedReply
from emoscope.server.service import RecognitionRequest, Service

JSON, LINES, NDJSON, CSV = (
    "application/json",
    "application/jsonl",
    "application/x-ndjson",
    "text/csv",
)
Outcome: TypeAlias = Run | Failure


@dataclass(frozen=True, slots=True)
class RecordingEvent:
    """A step, progress or the outcome of one of several recordings."""

    index: int
    name: str
    what: Event | Outcome


def negotiate(headers: Mapping[str, str]) -> str:
    """Return which of the four forms a client asks for; JSON unless it says otherwise."""
    accepted = headers.get("accept", "").lower()
    return next((kind for kind in (NDJSON, LINES, CSV) if kind in accepted), JSON)


async def recording_events(
    http_request: Request, service: Service, requests: list[RecognitionRequest]
) -> AsyncIterator[RecordingEvent]:
    """Recognize recordings one after another; one that fails gives a ``Failure`` in its place.

    Args:
        http_request: the HTTP request; its disconnection cancels the work.
        service: recognizes.
        requests: the recordings and their options.

    Yields:
        Steps and progress of each recording, then its run (or one per channel), or its failure.

    Raises:
        BusyError, ServerClosingError: the first recording was not admitted; nothing was begun.
    """
    for index, request in enumerate(requests):
        async for what in _one(http_request, service, request):
            refused = isinstance(what, Failure) and isinstance(
                what.error, BusyError | ServerClosingError
            )
            if refused and index == 0 and isinstance(what, Failure):
                raise what.error
            yield RecordingEvent(index, request.name, what)


async def _one(
    http_request: Request, service: Service, request: RecognitionRequest
) -> AsyncIterator[Event | Outcome]:
    loop = asyncio.get_running_loop()
    events: asyncio.Queue[Event | None] = asyncio.Queue()

    def listener(event: Event) -> None:
        loop.call_soon_threadsafe(events.put_nowait, event)

    working = asyncio.create_task(service.recognize(http_request, request, listener))
    working.add_done_callback(lambda _done: events.put_nowait(None))
    try:
        while (event := await events.get()) is not None:
            yield event
        try:
            for run in working.result():
                yield run
        except EmoscopeError as error:
            yield Failure(request.name, error)
        except OSError:
            yield Failure(request.name, InternalError())
    finally:
        working.cancel()


def as_record(answer: Outcome, *, chinese: bool, root: str) -> dict[str, Any]:
    """Return the JSON object of one recording.

    Args:
        answer: the run, which gives its result with links to its files, or the failure, which
            gives its name and problem details.
        chinese: whether the first sentence of a problem is in Chinese.
        root: path prefix of the links; empty for none.
    """
    if isinstance(answer, Run):
        return schemas.reply(answer, root)
    problem = schemas.problem_of(answer.error, chinese=chinese)
    return FailedReply(name=answer.name, problem=problem).model_dump()


def csv_columns(service: Service, heads: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that the heads of a request add to the CSV; none where one is gone."""
    try:
        return head_columns(service.recognizer_with(heads).heads)
    except HeadError:
        return ()


def as_line(answer: Outcome, form: str, extra: Sequence[str] = ()) -> str:
    """Return one line of JSON Lines or CSV.

    Args:
        answer: the run or the failure.
        form: ``LINES`` or ``CSV``.
        extra: columns of the CSV behind the usual ones.
    """
    plain = answer.result if isinstance(answer, Run) else answer
    return to_csv_line(plain, extra) if form == CSV else to_json_line(plain)


def preamble(form: str, extra: Sequence[str] = ()) -> str:
    """Return what stands before the first line."""
    return csv_header(extra) if form == CSV else ""


def as_event(one: RecordingEvent, *, chinese: bool, root: str) -> str:
    """Return one line of a stream of progress as JSON.

    Args:
        one: the event.
        chinese: whether the first sentence of a problem is in Chinese.
        root: path prefix of the links; empty for none.
    """
    about: dict[str, Any] = {"index": one.index, "name": one.name}
    if isinstance(one.what, Run | Failure):
        about |= {
            "event": "result" if isinstance(one.what, Run) else "problem",
            **as_record(one.what, chinese=chinese, root=root),
        }
    elif isinstance(one.what, Progress):
        about |= {"event": "progress", "done_s": one.what.done_s, "total_s": one.what.total_s}
    else:
        about |= {"event": "step", "step": one.what.name, "ms": one.what.milliseconds}
    return json.dumps(about, ensure_ascii=False) + "\n"
