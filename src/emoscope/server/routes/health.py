"""Health checks: liveness, readiness, version."""

from __future__ import annotations

import platform
import time
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from emoscope._version import __version__
from emoscope.observe.metrics import CONTENT_TYPE
from emoscope.server.http import replies, schemas
from emoscope.server.service import Service


def health_routes(service: Service) -> APIRouter:
    """Return the routes."""
    router = APIRouter()
    recognizer = service.recognizer

    @router.get("/health", response_model=schemas.HealthReply, summary="What is running")
    async def health() -> dict[str, Any]:
        """Say which model is loaded, from where, and how long that took."""
        return {
            "status": "ok",
            "version": __version__,
            "uptime_s": time.monotonic() - service.started_s,
            "model": {
                **recognizer.model.to_dict(),
                "origin": recognizer.origin,
                "load_s": recognizer.load_s,
            },
        }

    @router.get("/health/live", response_model=replies.LiveReply, summary="The server lives")
    async def live() -> dict[str, str]:
        """Answer while the process can answer at all; restart it when this fails."""
        return {"status": "live"}

    @router.get(
        "/health/ready",
        response_model=replies.ReadyReply,
        responses=schemas.problems(503),
        summary="The server takes work",
    )
    async def ready() -> dict[str, Any]:
        """Answer 200 from the end of the warm-up to the beginning of the end."""
        admission = service.admission
        admission.check_open()
        return {"status": "ready", "working": admission.working, "waiting": admission.waiting}

    @router.get("/version", response_model=replies.VersionReply, summary="Which version runs")
    async def version() -> dict[str, str]:
        """Say which version of what runs here."""
        return {"emoscope": __version__, "python": platform.python_version()}

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
