"""Prometheus metrics of a server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from emoscope.events import Event, Step
from emoscope.observe.facts import REFUSALS
from emoscope.optional import require

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_OUTCOMES = ("succeeded", "failed", "cancelled")
_STREAM_SECONDS = (1, 5, 15, 60, 300, 900, 3600)
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)


class ServerMetrics:
    """Metrics of one application; a process may have several.

    Raises:
        ExtraMissingError: the extra ``server`` is not installed.
    """

    def __init__(self) -> None:
        prometheus = require("prometheus_client", extra="server")
        # A third series for each counter and histogram, which no query of ours reads.
        prometheus.disable_created_metrics()
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
            "emoscope_request_duration_seconds",
            "From the first byte of a request to the last of its reply",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._step_seconds = prometheus.Histogram(
            "emoscope_step_duration_seconds",
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
        self._jobs_ended = prometheus.Counter(
            "emoscope_jobs_ended_total",
            "Jobs that ended, by outcome",
            ("state",),
            registry=self.registry,
        )
        for state in _OUTCOMES:
            self._jobs_ended.labels(state)
        self._failures = prometheus.Counter(
            "emoscope_failures_total",
            "Recordings that could not be recognized, by code",
            ("code",),
            registry=self.registry,
        )

        self._streams = prometheus.Histogram(
            "emoscope_stream_duration_seconds",
            "Connections of live streams, from their beginning to their end",
            buckets=_STREAM_SECONDS,
            registry=self.registry,
        )
        self._refusals = prometheus.Counter(
            "emoscope_refusals_total",
            "Requests and live streams that were refused, by reason",
            ("reason",),
            registry=self.registry,
        )
        for reason in REFUSALS:
            self._refusals.labels(reason)  # else the first one of a reason is no increase
        self._wrong_keys = prometheus.Counter(
            "emoscope_wrong_keys_total", "Requests with a key that is none", registry=self.registry
        )

    def build_info(self, **labels: str) -> None:
        """Add the gauge ``emoscope_build_info``, which is 1 and says in labels what runs."""
        info = self._prometheus.Gauge(
            "emoscope_build_info", "What runs here", tuple(labels), registry=self.registry
        )
        info.labels(**labels).set(1)

    def gauge(self, name: str, help_: str, read: Callable[[], float]) -> None:
        """Add a gauge whose value is read whenever the metrics are.

        Args:
            name: its name without the prefix ``emoscope_``.
            help_: its description.
            read: returns the value.
        """
        gauge = self._prometheus.Gauge(f"emoscope_{name}", help_, registry=self.registry)
        gauge.set_function(read)

    def counter(self, name: str, help_: str, read: Callable[[], float]) -> None:
        """Add a counter whose value is read whenever the metrics are.

        Args:
            name: its name without the prefix ``emoscope_`` and the suffix ``_total``.
            help_: its description.
            read: returns the value, which only grows.
        """
        family = self._prometheus.metrics_core.CounterMetricFamily
        collected = _Collector(lambda: [family(f"emoscope_{name}", help_, value=read())])
        self.registry.register(collected)

    def gauges(
        self, name: str, help_: str, label: str, read: Callable[[], Mapping[str, float]]
    ) -> None:
        """Add a gauge for each value of a label, read whenever the metrics are.

        Args:
            name: its name without the prefix ``emoscope_``.
            help_: its description.
            label: name of the label.
            read: returns the values by the label's value.
        """

        def families() -> list[Any]:
            family = self._prometheus.metrics_core.GaugeMetricFamily(
                f"emoscope_{name}", help_, labels=[label]
            )
            for value, number in read().items():
                family.add_metric([value], number)
            return [family]

        self.registry.register(_Collector(families))

    def stream(self, route: str, close_code: int, seconds: float) -> None:
        """Count a WebSocket connection.

        Args:
            route: the route's pattern.
            close_code: why it was closed (RFC 6455); 0 if the server did not close it.
            seconds: how long it was open.
        """
        self._requests.labels(route, "WEBSOCKET", str(close_code)).inc()
        self._streams.observe(seconds)

    def refusal(self, reason: str) -> None:
        """Count a refused request, by one of ``REFUSALS``."""
        self._refusals.labels(reason).inc()

    def wrong_key(self) -> None:
        """Count a request with a wrong key."""
        self._wrong_keys.inc()

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

    def job_ended(self, state: str) -> None:
        """Count a job that came to its end: ``succeeded``, ``failed`` or ``cancelled``."""
        self._jobs_ended.labels(state).inc()

    def failed(self, code: str) -> None:
        """Count a recording that could not be recognized."""
        self._failures.labels(code).inc()

    def text(self) -> bytes:
        """Return all numbers."""
        out: Any = self._prometheus.generate_latest(self.registry)
        return bytes(out)


class _Collector:
    """Collector of families that are made whenever the metrics are read."""

    def __init__(self, families: Callable[[], Iterable[Any]]) -> None:
        self._families = families

    def collect(self) -> Iterable[Any]:
        """Return the families with their values."""
        return self._families()

    def describe(self) -> Iterable[Any]:
        """Return nothing: the values are not read at registration."""
        return ()
