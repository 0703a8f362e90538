"""All routes, one file per resource."""

from __future__ import annotations

from fastapi import APIRouter

from emoscope.server import (
    catalogue,
    health,
    job_results,
    job_routes,
    predict,
    recognitions,
    run_files,
)
from emoscope.server.jobs import Jobs
from emoscope.server.service import Service


def make_router(service: Service, jobs: Jobs) -> APIRouter:
    """Return the routes over one service."""
    router = APIRouter()
    for resource in (predict, recognitions, run_files, catalogue, health):
        router.include_router(resource.make_router(service))
    for of_jobs in (job_routes, job_results):
        router.include_router(of_jobs.make_router(service, jobs))
    return router
