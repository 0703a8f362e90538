"""Ray Serve application of the server: replicas that keep nothing, behind one address.

``serve run emoscope.server.ray:app`` serves with the settings of the process that deploys;
``serve run emoscope.server.ray:application model=compact`` changes some of them. Each replica is
the FastAPI application of one server with ``store = none``, so any of them answers any request.
What needs the memory of one server is refused: jobs, and the resuming of a live stream by another
replica.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from emoscope.errors import AccessError, EmoscopeError, ServiceError
from emoscope.optional import require
from emoscope.outputs.store import RunStore
from emoscope.server.app import create_app
from emoscope.server.http.addresses import path_of
from emoscope.server.http.schemas import is_chinese, problem
from emoscope.settings import Settings, load_settings
from emoscope.settings.model import load_configured

LOOPBACK = ("127.0.0.1", "::1")
REPLICAS = {"min_replicas": 1, "max_replicas": 8, "target_ongoing_requests": 2}
"""Autoscaling by default: a replica more where each has more than two requests in work."""
_HEALTH_EVERY_S = 5
_STOPPING_S = 5
"""Seconds that a replica gets beyond ``drain_s``, for replies to leave."""


class ReplicaMiddleware:
    """ASGI middleware of a replica: no jobs, and without keys only this machine.

    Args:
        app: the application.
        settings: of the replica.
    """

    def __init__(self, app: Any, settings: Settings) -> None:
        self._app: ASGIApp = app
        self._is_open = settings.open
        self._keys = app.state.service.keys
        self.state = app.state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        refusal = self._refusal(scope) if scope["type"] in ("http", "websocket") else None
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal.code})
        else:
            reply = problem(refusal, chinese=is_chinese(Headers(scope=scope)))
            await reply(scope, receive, send)

    def _refusal(self, scope: Scope) -> EmoscopeError | None:
        client = scope.get("client") or ("",)
        if not (self._is_open or self._keys.locked or client[0] in LOOPBACK):
            return AccessError("proxy_without_keys")
        if path_of(scope).startswith("/v1/jobs"):
            return ServiceError("jobs_not_kept")
        return None


def replica_application(settings: Settings) -> ReplicaMiddleware:
    """Return the application of one replica, with its model loaded.

    Args:
        settings: of the server; what a replica would keep goes into a folder of its own.

    Raises:
        ModelError: the model cannot be loaded.
        SettingError: the key file is damaged or cannot be read.
    """
    folder = Path(tempfile.mkdtemp(prefix="emoscope-replica-"))
    own = settings.model_copy(update={"store": "none", "outputs": folder, "search": False})
    recognizer = load_configured(own, own.upload_limits)
    app = create_app(recognizer, RunStore(folder, keep="none"), own, page=False)
    return ReplicaMiddleware(app, own)


def application(arguments: Mapping[str, str] | None = None) -> Any:
    """Return the application for ``serve run`` and ``serve deploy``.

    Args:
        arguments: settings by name, such as ``model``; those of the environment and of the settings
            file hold for the others. ``min_replicas`` and ``max_replicas`` bound the autoscaling.

    Raises:
        ExtraMissingError: the extra ``ray`` is not installed.
        SettingError: a setting cannot be used.
    """
    serve: Any = require("ray.serve", extra="ray")
    given = dict(arguments or {})
    replicas = {name: int(given.pop(name, REPLICAS[name])) for name in REPLICAS}
    settings = load_settings(**given)

    def build() -> ReplicaMiddleware:
        return replica_application(settings)

    class Emoscope(serve.ingress(build)()):  # type: ignore[misc]  # made by a library without types
        """Replica of the server."""

        def check_health(self) -> None:
            """Let Ray replace a replica that cannot work any more."""
            self.app.state.service.check_ready()

    deployment = serve.deployment(
        Emoscope,
        name="emoscope",
        autoscaling_config=replicas,
        # Live streams are requests that last; the server's own queue bounds recognitions.
        max_ongoing_requests=settings.requests_at_once + settings.streams_at_once,
        max_queued_requests=settings.queue_size,
        health_check_period_s=_HEALTH_EVERY_S,
        graceful_shutdown_timeout_s=settings.drain_s + _STOPPING_S,
        ray_actor_options={"num_cpus": 1, "num_gpus": int(settings.device == "cuda")},
    )
    return deployment.bind()


def __getattr__(name: str) -> Any:
    """Make ``app`` when it is asked for: ``serve run emoscope.server.ray:app``."""
    if name == "app":
        return application()
    raise AttributeError(name)
