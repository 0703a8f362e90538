"""``/v1/search``: runs that are like a recording or like another run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, cast

import anyio.to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from emoscope.errors import RequestError
from emoscope.messages.vectors import alike_key
from emoscope.outputs import history
from emoscope.outputs.store import RunStore
from emoscope.paths.choices import SpaceName
from emoscope.paths.file_names import shown
from emoscope.results.json_type import EmotionKey, Share
from emoscope.results.result import Result
from emoscope.server.admission.queue import Deadline, cancel_on_disconnect
from emoscope.server.admission.uploads import refuse_early
from emoscope.server.http import schemas
from emoscope.server.http.bodies import body_schema, read_requests
from emoscope.server.requester import runs_of
from emoscope.server.run_search import RunSearch, SearchAnswer
from emoscope.server.service import Service
from emoscope.vectors import Hit, Space

HITS_MAX = 100
_HELP = """Give `run`, the name of a run, or send one recording in one of the three ways of
`POST /v1/recognitions`; it is recognized and not kept. Of runs of the same file only the nearest
one is found, and never the recording itself. Only runs that the key may see are found.

`space` says what near means: `emotion`, `sound` (voice, room and words too) or `raw` (cosine of the
vectors as they are). `closer_than` is the share of random pairs of recordings that are less alike,
and `alike` says the same in a word: `twin` from 0.999, `very` from 0.99, `alike` from 0.95,
`somewhat` from 0.8, else `little`."""


class SpaceReply(schemas.Exact):
    """What near means in an answer."""

    name: SpaceName
    origin: str = Field(description="shipped with the model, fitted on the runs, or plain")
    usual: dict[str, float] = Field(
        description="cosine that such a share of random pairs does not exceed"
    )


class HitReply(schemas.Exact):
    """A run, or a segment of one, that is like the query."""

    run: str
    name: str
    title: str = Field(description="as the run is shown: its title, else the file's name")
    kind: str = Field(description="clip or segment")
    start_s: float
    end_s: float
    emotion: EmotionKey
    scores: dict[str, Share]
    cosine: float
    closer_than: float | None
    alike: str


class SearchReply(schemas.Exact):
    """The runs that are most like a recording, nearest first."""

    query: str
    emotion: EmotionKey
    indexed: int = Field(description="runs that were looked at")
    space: SpaceReply | None
    hits: list[HitReply]


class MapColumns(schemas.Exact):
    """Runs in columns."""

    run: list[str]
    name: list[str]
    emotion: list[EmotionKey]
    score: list[Share]
    x: list[float]
    y: list[float]


class MapReply(schemas.Exact):
    """All runs on a plane."""

    runs: MapColumns


def search_routes(service: Service) -> APIRouter:
    """Return the route."""
    router = APIRouter(tags=["recognitions"])
    settings = service.settings
    body = body_schema(1, settings.request_max_bytes)
    body["requestBody"]["required"] = False

    @router.post(
        "/v1/search",
        responses=schemas.problems(400, 401, 403, 404, 408, 413, 415, 422, 429, 500, 503, 504, 507),
        openapi_extra=body,
        summary="Find runs that are like a recording",
        description=_HELP,
    )
    async def search(
        request: Request,
        run: Annotated[str, Query(max_length=64, description="name of a run")] = "",
        count: Annotated[int, Query(ge=1, le=HITS_MAX)] = 10,
        space: SpaceName = "emotion",
        segments: Annotated[bool, Query(description="look among segments")] = False,
    ) -> SearchReply:
        index, store = index_of(service), runs_of(request, service.store)
        if run:
            headers = request.headers
            if "transfer-encoding" in headers or int(headers.get("content-length") or 0):
                raise RequestError("field_invalid", field="run", expected="no body beside it")
            find = partial(find_like_run, index, store, run)
            answer = await anyio.to_thread.run_sync(
                partial(find, count=count, space=space, segments=segments)
            )
        else:
            query = await _recognized(request, service)
            look = partial(index.search, query, store, count=count, space=space, segments=segments)
            answer = await anyio.to_thread.run_sync(look)
        return await anyio.to_thread.run_sync(_reply, answer, store)

    return router


def map_routes(service: Service) -> APIRouter:
    """Return the route of the map."""
    router = APIRouter(tags=["recognitions"])

    @router.get(
        "/v1/map",
        response_model=MapReply,
        responses=schemas.problems(401, 403, 404, 429, 500),
        summary="All runs on a plane, near where they are alike in emotion",
    )
    async def drawn(request: Request) -> JSONResponse:
        """Return places from -1 to 1, in columns: entry k of each list is about the same run."""
        index, store = index_of(service), runs_of(request, service.store)
        return JSONResponse(await anyio.to_thread.run_sync(_columns, index, store))

    return router


def _columns(index: RunSearch, store: RunStore) -> dict[str, object]:
    found = index.map(store)
    entries = found.entries
    columns = {
        "run": [one.run for one in entries],
        "name": [shown(one.name) for one in entries],
        "emotion": [one.emotion.key for one in entries],
        "score": [round(max(one.scores), 4) for one in entries],
        "x": [round(float(x), 4) for x in found.places[:, 0]],
        "y": [round(float(y), 4) for y in found.places[:, 1]],
    }
    return {"runs": columns}


def index_of(service: Service) -> RunSearch:
    """Return the index of a server's runs.

    Raises:
        RequestError: the server keeps none.
    """
    if service.index is None:
        raise RequestError("search_off")
    return service.index


def find_like_run(
    index: RunSearch,
    store: RunStore,
    run: str,
    *,
    count: int,
    space: SpaceName,
    segments: bool = False,
) -> SearchAnswer:
    """Return the runs that are most like a run.

    Args:
        index: of the server's runs.
        store: the runs that the asker may see.
        run: name of the run.
        count: how many at most.
        space: what near means.
        segments: look among segments.

    Raises:
        RunNotFoundError, RunDamagedError: the run is not there, or cannot be read.
        RequestError: neither its vector nor its sound was kept.
        AudioError: there is no speech in it.
    """
    query = index.query_of(store, run)
    return index.search(query, store, count=count, space=space, segments=segments, run=run)


async def _recognized(request: Request, service: Service) -> Result:
    """Recognize the recording of a request, without keeping it."""
    await refuse_early(service.admission, request)
    reading = read_requests(
        request, service, max_files=1, max_bytes=service.settings.request_max_bytes
    )
    async with reading as requests:
        one, deadline = requests[0], Deadline(service.settings.deadline_s)

        def work() -> Result:
            deadline()
            return service.recognizer.recognize(
                one.data(), embedding=True, name=one.name, listener=lambda _event: deadline()
            )

        running = service.admission.run(deadline, work)
        receive = cast(Callable[[], Any], request.receive)
        return await cancel_on_disconnect(receive, deadline, running)


def _reply(answer: SearchAnswer, store: RunStore) -> SearchReply:
    return SearchReply(
        query=answer.query.name,
        emotion=answer.query.emotion.key,
        indexed=answer.indexed,
        space=None if answer.space is None else _space(answer.space),
        hits=[_hit(hit, store) for hit in answer.hits],
    )


def _space(space: Space) -> SpaceReply:
    return SpaceReply(name=space.name, origin=space.origin, usual=space.usual_cosines())


def _hit(hit: Hit, store: RunStore) -> HitReply:
    known = hit.to_dict()
    entry = history.run_entry(store, hit.entry.run)
    return HitReply(
        title=entry.shown,
        alike=alike_key(hit.closer_than),
        **{name: known[name] for name in HitReply.model_fields if name in known},
    )
