"""Prometheus metrics of a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emoscope.events import Event, Step
from emoscope.optional import require

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)


class ServerMetrics:
    """Metrics of one application; a process may have several.

    Raises:
        ExtraMissingError: the extra ``server`` is not installed.
    """

    def __init__(self) -> None:
        prometheus = require("prometheus_client", extra="server")
        self._prometheus = prometheus
        self.registry = prometheus.CollectorRegistry(auto_describe=True)
        for collector in (prometheus.ProcessCollector, prometheus.PlatformCollector):
            collector(registry=self.registry)
        self._requests = prometheus.Counter(
            "emoscope_requests_total",
            "Requests, by route, method and status",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self._request_seconds = prometheus.Histogram(
            "emoscope_request_seconds",
            "From the first byte of a request to the last of its reply",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._step_seconds = prometheus.Histogram(
            "emoscope_step_seconds",
            "Steps of the processing log",
            ("step",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._emotions = prometheus.Counter(
            "emoscope_recognitions_total",
            "Recognized recordings, by leading emotion",
            ("emotion",),
            registry=self.registry,
        )
        self._sound = prometheus.Counter(
            "emoscope_sound_seconds_total", "Seconds of recognized sound", registry=self.registry
        )
        self._failures = prometheus.Counter(
            "emoscope_failures_total",
            "Recordings that could not be recognized, by code",
            ("code",),
            registry=self.registry,
        )

    def gauge(self, name: str, help_: str, read: Callable[[], float]) -> None:
        """Add a gauge whose value is read whenever the metrics are.

        Args:
            name: its name without the prefix ``emoscope_``.
            help_: its description.
            read: returns the value.
        """
        gauge = self._prometheus.Gauge(f"emoscope_{name}", help_, registry=self.registry)
        gauge.set_function(read)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request.

        Args:
            route: the route's pattern, not the path of the request.
            method: HTTP method.
            status: HTTP status of the reply.
            seconds: time that the reply took.
        """
        self._requests.labels(route, method, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def event(self, event: Event) -> None:
        """Listen to the recognizer."""
        if isinstance(event, Step):
            self._step_seconds.labels(event.name).observe(event.milliseconds / 1000)

    def recognized(self, emotion: str, duration_s: float) -> None:
        """Count a recording."""
        self._emotions.labels(emotion).inc()
        self._sound.inc(duration_s)

    def failed(self, code: str) -> None:
        """Count a recording that could not be recognized."""
        self._failures.labels(code).inc()

    def text(self) -> bytes:
        """Return all numbers."""
        out: Any = self._prometheus.generate_latest(self.registry)
        return bytes(out)
