"""``/v1/models`` and ``/v1/emotions``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from emoscope.labels import EMOTIONS
from emoscope.models import catalog
from emoscope.server.http import replies, schemas
from emoscope.server.service import Service


def catalogue_routes(service: Service) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["catalogue"])

    @router.get(
        "/v1/models",
        response_model=replies.ModelsReply,
        responses=schemas.problems(401),
        summary="The models that are known, and the one that answers",
    )
    def models() -> dict[str, Any]:
        """Say which are on this machine; one is fetched with `emoscope models pull`."""
        loaded = service.recognizer.model
        cache = catalog.find_cache()
        return {
            "loaded": loaded.to_dict(),
            "models": [
                {
                    "name": entry.name,
                    "title_zh": entry.title_zh,
                    "title_en": entry.title_en,
                    "dim": entry.dim,
                    "licence": entry.licence,
                    "installed": catalog.is_installed(entry.name, cache),
                    "loaded": entry.name == loaded.name,
                }
                for entry in catalog.CATALOG
            ],
        }

    @router.get(
        "/v1/emotions",
        response_model=replies.EmotionsReply,
        responses=schemas.problems(401),
        summary="The nine emotions, in the order of every list of scores",
    )
    async def emotions() -> dict[str, Any]:
        """Names, emoji and colours, so that another page looks as this one does."""
        return {"emotions": EMOTIONS}

    return router
