"""Lock that lets one process at a time fetch or remove a model.

A lock is ``flock`` on a file of its own that is never removed: the system frees it when its holder
ends, however it ends, so there are no stale locks. On a system without ``flock`` (Windows) nothing
is locked, and two pulls at once do the work twice. Network file systems may not keep such locks.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from emoscope.errors import ModelBusyError
from emoscope.hub.progress import PullListener, Waiting, ignore_pull

_LOOK_EVERY_S = 0.2


@contextmanager
def held(
    path: Path,
    model: str,
    *,
    listener: PullListener = ignore_pull,
    wait_s: float = math.inf,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Hold the lock of a model while the block runs.

    Args:
        path: the lock file; made if it is not there.
        model: name for the messages.
        listener: called once if another process holds the lock.
        wait_s: how long to wait for the others, in seconds.
        sleep: waits between looks.

    Raises:
        ModelBusyError: it was not free in time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        waited_s = 0.0
        while not _taken(file):
            if waited_s >= wait_s:
                raise ModelBusyError(model=model, holder=_holder(path))
            if not waited_s:
                listener(Waiting(model, _holder(path)))
            sleep(_LOOK_EVERY_S)
            waited_s += _LOOK_EVERY_S
        _sign(file, {"pid": os.getpid(), "host": platform.node(), "since": _now()})
        try:
            yield
        finally:
            _sign(file, {})  # closing the file frees the lock


def _taken(file: IO[str]) -> bool:
    try:
        fcntl = importlib.import_module("fcntl")
    except ModuleNotFoundError:
        return True
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(file: IO[str], holder: dict[str, object]) -> None:
    """Write who holds it, for the others' messages; nothing depends on it."""
    file.seek(0)
    file.truncate()
    if holder:
        file.write(json.dumps(holder))
    file.flush()


def _holder(path: Path) -> str:
    try:
        data = json.loads(path.read_text("utf-8"))
        return f"pid {int(data['pid'])}, {data['host']}, {data['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "pid ?"  # it has only just taken the lock


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
