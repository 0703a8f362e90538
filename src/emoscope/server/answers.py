"""Answers to several questions: one after another, as they come, in the form that is asked for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from fastapi import Request

from emoscope.errors import BusyError, EmoscopeError, InternalError, ServerClosingError
from emoscope.events import Event, Progress
from emoscope.exporters import csv_header, to_csv_line, to_json_line
from emoscope.result import Failure
from emoscope.server import schemas
from emoscope.server.service import Question, Service
from emoscope.store import Run

JSON, LINES, NDJSON, CSV = (
    "application/json",
    "application/jsonl",
    "application/x-ndjson",
    "text/csv",
)
Answer: TypeAlias = Run | Failure


@dataclass(frozen=True, slots=True)
class Told:
    """Something happened to one of several recordings."""

    index: int
    name: str
    what: Event | Answer


def wanted(headers: Mapping[str, str]) -> str:
    """Return which of the four forms a client asks for; JSON unless it says otherwise."""
    accepted = headers.get("accept", "").lower()
    return next((kind for kind in (NDJSON, LINES, CSV) if kind in accepted), JSON)


async def told(
    request: Request, service: Service, questions: list[Question]
) -> AsyncIterator[Told]:
    """Answer one after another and tell what happens; a bad recording ends nothing.

    Raises:
        BusyError, ServerClosingError: before anything was answered; nothing was begun.
    """
    for index, question in enumerate(questions):
        async for what in _one(request, service, question):
            refused = isinstance(what, Failure) and isinstance(
                what.error, BusyError | ServerClosingError
            )
            if refused and index == 0 and isinstance(what, Failure):
                raise what.error
            yield Told(index, question.name, what)


async def _one(
    request: Request, service: Service, question: Question
) -> AsyncIterator[Event | Answer]:
    loop = asyncio.get_running_loop()
    heard: asyncio.Queue[Event | None] = asyncio.Queue()

    def listener(event: Event) -> None:
        loop.call_soon_threadsafe(heard.put_nowait, event)

    working = asyncio.create_task(service.recognize(request, question, listener))
    working.add_done_callback(lambda _done: heard.put_nowait(None))
    try:
        while (event := await heard.get()) is not None:
            yield event
        try:
            yield working.result()
        except EmoscopeError as error:
            yield Failure(question.name, error)
        except OSError:
            yield Failure(question.name, InternalError())
    finally:
        working.cancel()


def as_record(answer: Answer, *, chinese: bool, root: str) -> dict[str, Any]:
    """Return the JSON of one answer: as of ``/predict``, or a name and a problem."""
    if isinstance(answer, Run):
        return schemas.reply(answer, root)
    problem = schemas.problem_of(answer.error, chinese=chinese)
    return {"name": answer.name, "problem": problem.model_dump()}


def as_line(answer: Answer, form: str) -> str:
    """Return one line of JSON Lines or CSV."""
    plain = answer.result if isinstance(answer, Run) else answer
    return to_csv_line(plain) if form == CSV else to_json_line(plain)


def head_of(form: str) -> str:
    """Return what stands before the first line."""
    return csv_header() if form == CSV else ""


def as_event(one: Told, *, chinese: bool, root: str) -> str:
    """Return one line of the stream of progress."""
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
