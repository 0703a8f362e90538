"""Health checks: liveness, readiness, version."""

from __future__ import annotations

import platform
import time
from dataclasses import asdict

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from emoscope._version import __version__
from emoscope.observe.metrics import CONTENT_TYPE
from emoscope.server.build_info import commit
from emoscope.server.http import schemas
from emoscope.server.http.replies import LiveReply, ReadyReply, VersionReply
from emoscope.server.http.schemas import HealthModel, HealthReply
from emoscope.server.jobs.worker import Jobs
from emoscope.server.service import Service


def health_routes(service: Service, jobs: Jobs) -> APIRouter:
    """Return the routes."""
    router = APIRouter()
    recognizer = service.recognizer

    @router.get("/health", summary="What is running")
    async def health() -> HealthReply:
        """Say which model is loaded, from where, and how long that took."""
        model = HealthModel(
            **asdict(recognizer.model), origin=recognizer.origin, load_s=recognizer.load_s
        )
        uptime_s = time.monotonic() - service.started_s
        return HealthReply(status="ok", version=__version__, uptime_s=uptime_s, model=model)

    @router.get("/health/live", summary="The server lives")
    async def live() -> LiveReply:
        """Answer while the process can answer at all; restart it when this fails."""
        return LiveReply(status="live")

    @router.get(
        "/health/ready",
        responses=schemas.problems(503),
        summary="The server takes work",
    )
    async def ready() -> ReadyReply:
        """Answer 200 from the end of the warm-up to the beginning of the end.

        503 while the key file cannot be used, decoders or the job worker are gone, the database of
        jobs cannot be used, or less than 100 MB are free for runs.
        """
        service.check_ready()
        jobs.check_working()
        admission = service.admission
        return ReadyReply(status="ready", working=admission.working, waiting=admission.waiting)

    @router.get("/version", summary="Which version runs")
    async def version() -> VersionReply:
        """Say which version of what runs here."""
        python = platform.python_version()
        return VersionReply(emoscope=__version__, commit=commit(), python=python)

    @router.get(
        "/metrics",
        response_class=PlainTextResponse,
        responses=schemas.problems(401),
        summary="Numbers for Prometheus",
    )
    def metrics() -> Response:
        """Return counters and gauges in Prometheus' text format."""
        return Response(service.metrics.text(), headers={"content-type": CONTENT_TYPE})

    return router
