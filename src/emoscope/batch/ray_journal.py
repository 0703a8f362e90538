"""Journal of a Ray batch: which recording each worker began and ended, told to the driver."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any, Self

from emoscope.optional import require
from emoscope.results.result import Failure

_WRITE_EVERY_S = 1.0
"""How often workers write into the journal: a thousand of them are a thousand calls a second."""


class RowJournal:
    """Actor that keeps the messages of all workers until the driver takes them."""

    def __init__(self) -> None:
        self._told: list[tuple[object, ...]] = []

    def put(self, messages: list[tuple[object, ...]]) -> None:
        """Keep messages, in order."""
        self._told += messages

    def take(self) -> list[tuple[object, ...]]:
        """Return what was told since the last call."""
        told, self._told = self._told, []
        return told


class JournalLine:
    """Writer of a worker's messages: gathered, or at once where a recording is under suspicion.

    Args:
        name: of the worker.
        journal: the actor that is told.
        is_careful: whether each beginning is told before the work on it.
    """

    def __init__(self, name: str, journal: Any, *, is_careful: bool) -> None:
        self._name, self._journal, self._is_careful = name, journal, is_careful
        self._held: list[tuple[object, ...]] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._flush_often, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._flush(wait=True)

    def began(self, row: int) -> None:
        """Tell that a recording is begun."""
        self._hold(("began", self._name, row))
        if self._is_careful:
            self._flush(wait=True)

    def ended(self, row: int, seconds: float, failure: Failure | None) -> None:
        """Tell what came of a recording.

        Args:
            row: its place in the shard.
            seconds: that it took.
            failure: why it could not be recognized; None where it was.
        """
        self._hold(("ended", self._name, row, seconds, failure))

    def _hold(self, message: tuple[object, ...]) -> None:
        with self._lock:
            self._held.append(message)

    def _flush_often(self) -> None:
        while not self._over.wait(_WRITE_EVERY_S):
            self._flush()

    def _flush(self, *, wait: bool = False) -> None:
        ray = require("ray", extra="ray")
        # A journal that is lost, or begins anew, costs news of recordings and no recording.
        with suppress(ray.exceptions.RayActorError):
            # Sending under the lock keeps the order of two threads.
            with self._lock:
                held, self._held = self._held, []
                sent = self._journal.put.remote(held) if held else None
            if wait and sent is not None:
                ray.get(sent)
