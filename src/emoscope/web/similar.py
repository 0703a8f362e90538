"""Recordings that sound like one: the fragment below a result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import anyio.to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from emoscope.errors import RunDamagedError, RunNotFoundError
from emoscope.messages.vectors import alike_text
from emoscope.outputs.store import AUDIO, RunStore
from emoscope.paths.choices import SpaceName
from emoscope.vectors import Hit
from emoscope.web import rows
from emoscope.web.markup import link
from emoscope.web.page_reply import PageReply
from emoscope.web.rendering import render
from emoscope.web.rows import RunRow
from emoscope.web.viewer import RunViewer

SHOWN = 6
"""Recordings below a result."""
SimilarOf: TypeAlias = Callable[[Request, str, SpaceName], Sequence[Hit]]
"""Returns the runs that are most like a run; it raises what keeps it from that."""


@dataclass(frozen=True, slots=True)
class SimilarRow:
    """Row of a run that is like another."""

    row: RunRow
    hit: Hit
    words: Any
    """How near it is, in both languages; None where that is not known."""
    sound: str
    """Address of its sound; empty where that was not kept."""


def similar_list(store: RunStore, run: str, hits: Sequence[Hit], space: SpaceName) -> str:
    """Return the fragment with the runs that are like one.

    Args:
        store: the runs that the asker may see.
        run: name of the run that they are like.
        hits: nearest first.
        space: what near means.
    """
    found = []
    for hit in hits:
        try:
            row, name = rows.row_of(store, hit.entry.run), hit.entry.run
            has_sound = (store.folder(name) / AUDIO).is_file()
        except (RunNotFoundError, RunDamagedError):  # deleted meanwhile
            continue
        sound = str(link(name, AUDIO)) if has_sound else ""
        found.append(SimilarRow(row, hit, alike_text(hit.closer_than), sound))
    return render("similar_list", rows=found, run=run, space=space)


def similar_routes(viewer_of: Callable[[Request], RunViewer], similar_of: SimilarOf) -> APIRouter:
    """Return the route of the fragment.

    Args:
        viewer_of: returns what reads the runs that a request may see.
        similar_of: returns the runs that are most like a run.
    """
    router = APIRouter(tags=["page"], default_response_class=PageReply, prefix="/page")

    @router.get("/similar/{run}", summary="Fragment: runs that are like one")
    async def similar(request: Request, run: str, space: SpaceName = "emotion") -> Response:
        """Return a list: play, name, small river, emotion, how near it is in words."""
        store = viewer_of(request).store

        def listing() -> str:
            return similar_list(store, run, similar_of(request, run, space), space)

        return PageReply(await anyio.to_thread.run_sync(listing))

    return router
