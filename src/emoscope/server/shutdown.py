"""Graceful shutdown: on SIGTERM, accepted requests are finished first."""

from __future__ import annotations

import threading
from types import FrameType

import uvicorn

from emoscope.server.admission.queue import AdmissionQueue

FLUSH_S = 3
"""Seconds for replies to leave after the last work is done."""


class DrainingServer(uvicorn.Server):
    """Server that drains on the first signal and stops at once on the second.

    Uvicorn alone closes its port first and waits for every connection, also for the streams that
    an open page keeps for ever. Here health checks are answered while work is finished.

    Args:
        config: of the server.
        admission: what has to become empty.
        drain_s: seconds that this may take.
    """

    def __init__(self, config: uvicorn.Config, admission: AdmissionQueue, drain_s: float) -> None:
        super().__init__(config)
        self._gate = admission
        self._drain_s = drain_s
        self._stopping = False

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
