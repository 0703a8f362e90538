"""All routes, one file per resource."""

from __future__ import annotations

from fastapi import APIRouter

from emoscope.server import health, predict, run_files
from emoscope.server.service import Service


def make_router(service: Service) -> APIRouter:
    """Return the routes over one service."""
    router = APIRouter()
    for resource in (predict, health, run_files):
        router.include_router(resource.make_router(service))
    return router
