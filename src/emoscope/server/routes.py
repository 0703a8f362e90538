"""All routes, one file per resource."""

from __future__ import annotations

from fastapi import APIRouter

from emoscope.server import health, predict, recognitions, run_files
from emoscope.server.service import Service


def make_router(service: Service) -> APIRouter:
    """Return the routes over one service."""
    router = APIRouter()
    for resource in (predict, recognitions, run_files, health):
        router.include_router(resource.make_router(service))
    return router
