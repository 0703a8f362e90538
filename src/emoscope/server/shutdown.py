"""Start and stop of the server: the error of a failed start, and draining on SIGTERM."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emoscope.server.admission.queue import AdmissionQueue

FLUSH_S = 3
"""Seconds for replies to leave after the last work is done."""


class StartupErrors:
    """ASGI wrapper that keeps the error of a failed start, which uvicorn would only log.

    Args:
        app: the application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.error: BaseException | None = None
        """Set if the application could not start."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "lifespan.startup.complete"
            if message["type"] == "lifespan.startup.failed":
                message = {"type": message["type"], "message": ""}  # else the traceback
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except BaseException as exc:
            if not started:
                self.error = exc
            raise


class DrainingServer(uvicorn.Server):
    """Server that drains on the first signal and stops at once on the second.

    Uvicorn alone closes its port first and waits for every connection, also for the streams that
    an open page keeps for ever. Here health checks are answered while work is finished.

    Args:
        config: of the server.
        admission: what has to become empty.
        drain_s: seconds that this may take.
        on_started: called once, when the port answers.
        on_stopped: called once, when everything has ended.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        admission: AdmissionQueue,
        drain_s: float,
        on_started: Callable[[], None],
        on_stopped: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._on_started, self._on_stopped = on_started, on_stopped
        self._gate = admission
        self._drain_s = drain_s
        self._stopping = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so when the port answers."""
        await super().startup(sockets)
        if self.started:
            self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, and say so: afterwards uvicorn raises the signal again, which ends the process."""
        await super().shutdown(sockets)
        self._on_stopped()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop, or stop at once when asked again."""
        if self._stopping:
            super().handle_exit(sig, frame)
            return
        self._stopping = True
        # Not here: a signal may interrupt the very thread that holds the queue's lock.
        threading.Thread(target=self._drain, args=(sig, frame), daemon=True).start()

    def _drain(self, sig: int, frame: FrameType | None) -> None:
        self._gate.close()
        self._gate.wait_until_empty(self._drain_s)
        super().handle_exit(sig, frame)
