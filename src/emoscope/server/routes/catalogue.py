"""``/v1/models`` and ``/v1/emotions``."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter

from emoscope.labels import EMOTIONS
from emoscope.models import catalog
from emoscope.models.head_folder import usable_heads
from emoscope.server.http import schemas
from emoscope.server.http.replies import (
    CatalogueReply,
    EmotionReply,
    EmotionsReply,
    HeadReply,
    HeadsReply,
    ModelsReply,
)
from emoscope.server.service import Service


def catalogue_routes(service: Service) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["catalogue"])

    @router.get(
        "/v1/models",
        responses=schemas.problems(401),
        summary="The models that are known, and the one that answers",
    )
    def models() -> ModelsReply:
        """Say which are on this machine; one is fetched with `emoscope models pull`."""
        loaded = service.recognizer.model
        cache = catalog.find_cache()
        known = [
            CatalogueReply(
                name=entry.name,
                title_zh=entry.title_zh,
                title_en=entry.title_en,
                dim=entry.dim,
                licence=entry.licence,
                installed=catalog.is_installed(entry.name, cache),
                loaded=entry.name == loaded.name,
            )
            for entry in catalog.CATALOG
        ]
        return ModelsReply(loaded=loaded, models=known)

    @router.get(
        "/v1/heads",
        responses=schemas.problems(401),
        summary="The heads that a recognition can ask for by name",
    )
    def heads() -> HeadsReply:
        """Classes of one's own; a head is trained with `emoscope head train`."""
        loaded = service.recognizer.model
        return HeadsReply(
            heads=[
                HeadReply(
                    name=head.name,
                    kind=head.kind,
                    sha256=head.sha256,
                    labels=list(head.labels),
                    model=head.model.name,
                    usable=head.model.sha256 == loaded.sha256,
                    uar=head.card.get("uar"),
                )
                for head in usable_heads()
            ]
        )

    @router.get(
        "/v1/emotions",
        responses=schemas.problems(401),
        summary="The nine emotions, in the order of every list of scores",
    )
    async def emotions() -> EmotionsReply:
        """Names, emoji and colours, so that another page looks as this one does."""
        return EmotionsReply(emotions=[EmotionReply(**asdict(one)) for one in EMOTIONS])

    return router
