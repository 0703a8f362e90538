"""``/v1/teaching``: what corrections would change, adopt it, undo it; and its part of the page."""

from __future__ import annotations

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.responses import Response

from emoscope.server.http import schemas
from emoscope.server.http.schemas import Exact
from emoscope.server.http.small_body import object_schema, read_field
from emoscope.server.requester import runs_of
from emoscope.server.service import Service
from emoscope.server.teaching import Teaching, TeachingPreview
from emoscope.web import teach
from emoscope.web.page_reply import PageReply


class ChangedReply(Exact):
    """An uncorrected run that would be answered otherwise."""

    run: str
    name: str
    before: str
    after: str


class ProposalReply(Exact):
    """A head of corrections that was trained and is not in force; figures across recordings."""

    sha256: str
    better: bool
    stayed: int = Field(description="segments of corrected runs that were left as they were")
    changed_right: list[int] = Field(description="corrected segments that are right before, after")
    stayed_right: list[int] = Field(description="the others that are right before, after")
    changed: list[ChangedReply] = Field(description="uncorrected runs with another answer")
    looked_at: int = Field(description="uncorrected runs that were tried")


class AdoptedReply(Exact):
    """The head of corrections that is in force."""

    sha256: str
    corrections: int
    earlier: int = Field(description="heads that undo can go back to, one by one")


class TeachingReply(Exact):
    """What there is to learn from, what it would change, and what is in force."""

    corrections: int
    recordings: int
    least: int
    least_recordings: int
    other_model: int = Field(description="corrected runs of another model; they teach nothing")
    proposal: ProposalReply | None = Field(description="null with too few corrections")
    adopted: AdoptedReply | None


async def _described(service: Service, request: Request) -> TeachingReply:
    teaching, store = service.teaching, runs_of(request, service.store)
    return _reply(teaching, await anyio.to_thread.run_sync(teaching.preview, store))


def teach_part_routes(service: Service) -> APIRouter:
    """Return the route of the part of the page."""
    router = APIRouter(tags=["page"], default_response_class=PageReply, prefix="/page")

    @router.get("/teach", summary="Fragment: what the corrections would change")
    async def fragment(request: Request) -> Response:
        """Return what the dialog of teaching shows."""
        told = await _described(service, request)
        return PageReply(teach.teach_part(told.model_dump()))

    return router


def teaching_routes(service: Service) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["teaching"])
    teaching = service.teaching

    @router.get(
        "/v1/teaching",
        responses=schemas.problems(401),
        summary="What the corrections would change",
    )
    async def preview(request: Request) -> TeachingReply:
        """Train on the corrected segments of the runs; nothing is kept before it is adopted."""
        return await _described(service, request)

    @router.put(
        "/v1/teaching/adopted",
        response_model=TeachingReply,
        responses=schemas.problems(400, 401, 403, 409, 413, 422, 429, 507),
        openapi_extra=object_schema("sha256", {"type": "string", "maxLength": 64}),
        summary="Adopt what was shown",
    )
    async def adopt(request: Request) -> JSONResponse:
        """Let later recognitions be adapted; runs that are there stay as they are."""
        sha256 = await read_field(request, service.uploads, "sha256", str)
        store = runs_of(request, service.store)
        await anyio.to_thread.run_sync(teaching.adopt, store, sha256)
        return JSONResponse((await _described(service, request)).model_dump())

    @router.delete(
        "/v1/teaching/adopted",
        status_code=204,
        responses=schemas.problems(401, 403, 507),
        summary="Undo what was adopted last",
    )
    async def undo() -> Response:
        """Go back to the adoption before, or to the model's own answers."""
        await anyio.to_thread.run_sync(teaching.undo)
        return Response(status_code=204)

    return router


def _reply(teaching: Teaching, found: TeachingPreview) -> TeachingReply:
    head, report, adopted = found.head, found.report, teaching.head
    proposal = None
    if head is not None and report is not None:
        proposal = ProposalReply(
            sha256=head.sha256,
            better=report.is_better,
            stayed=report.stayed,
            changed_right=list(report.changed_right),
            stayed_right=list(report.stayed_right),
            changed=[
                ChangedReply(run=one.run, name=one.name, before=one.before, after=one.after)
                for one in found.changed
            ],
            looked_at=found.looked_at,
        )
    return TeachingReply(
        corrections=found.corrections,
        recordings=found.recordings,
        least=found.least,
        least_recordings=found.least_recordings,
        other_model=found.other_model,
        proposal=proposal,
        adopted=None
        if adopted is None
        else AdoptedReply(
            sha256=adopted.sha256,
            corrections=int(adopted.card.get("clips", 0)),
            earlier=teaching.earlier,
        ),
    )
