"""All REST routes, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fastapi import APIRouter, Request

from emoscope.server.jobs.worker import Jobs
from emoscope.server.routes.catalogue import catalogue_routes
from emoscope.server.routes.health import health_routes
from emoscope.server.routes.job_results import job_result_routes
from emoscope.server.routes.jobs import job_routes
from emoscope.server.routes.predict import predict_routes
from emoscope.server.routes.recognitions import recognition_routes
from emoscope.server.routes.run_edits import run_edit_routes
from emoscope.server.routes.run_files import run_file_routes
from emoscope.server.routes.samples import sample_routes
from emoscope.server.routes.search import map_routes, search_routes
from emoscope.server.routes.teaching import teaching_routes
from emoscope.server.service import Service
from emoscope.web.viewer import RunViewer


def all_routes(
    service: Service, jobs: Jobs, viewer_of: Callable[[Request], RunViewer]
) -> Iterator[APIRouter]:
    """Yield the routers, not one inside another: each level costs every request time.

    Args:
        service: recognizes and keeps.
        jobs: work that goes on when its client is gone.
        viewer_of: returns what reads the runs that a request may see.
    """
    # Before the routes of one run, which would take ``/v1/recognitions.zip`` for nothing of theirs.
    yield run_edit_routes(service, viewer_of)
    for routes in (
        predict_routes,
        recognition_routes,
        run_file_routes,
        catalogue_routes,
        search_routes,
        teaching_routes,
        map_routes,
    ):
        yield routes(service)
    yield sample_routes()
    for routes_of_jobs in (job_routes, job_result_routes, health_routes):
        yield routes_of_jobs(service, jobs)
