"""Lock that lets one process at a time fetch or remove a model.

``filelock`` holds the lock: ``flock`` on Unix, ``msvcrt`` on Windows. The system frees it when its
holder ends, however it ends, so there are no stale locks. Who holds it stands in a file beside it,
for the messages of those who wait.
"""

from __future__ import annotations

import json
import math
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from emoscope.errors import ModelBusyError
from emoscope.hub.progress import PullListener, Waiting, ignore_pull

if TYPE_CHECKING:
    from filelock import BaseFileLock

LOCKS_FOLDER = ".locks"
"""Folder of the cache for models that holds the lock files."""
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
        OSError: the lock file cannot be made.
    """
    from filelock import FileLock  # a tenth of a second to import, and few commands lock

    path.parent.mkdir(parents=True, exist_ok=True)
    lock, waited_s = FileLock(path), 0.0
    while not _taken(lock):
        if waited_s >= wait_s:
            raise ModelBusyError(model=model, holder=_holder(path))
        if not waited_s:
            listener(Waiting(model, _holder(path)))
        sleep(_LOOK_EVERY_S)
        waited_s += _LOOK_EVERY_S
    try:
        _sign(path, {"pid": os.getpid(), "host": platform.node(), "since": _now()})
        yield
    finally:
        _signature(path).unlink(missing_ok=True)
        lock.release()


def _taken(lock: BaseFileLock) -> bool:
    from filelock import Timeout

    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    return True


def _signature(path: Path) -> Path:
    # Not the lock file itself: on Windows nobody else may read that while it is held.
    return path.with_name(f"{path.name}.json")


def _sign(path: Path, holder: dict[str, object]) -> None:
    """Write who holds it, for the others' messages; nothing depends on it."""
    _signature(path).write_text(json.dumps(holder), "utf-8")


def _holder(path: Path) -> str:
    try:
        data = json.loads(_signature(path).read_text("utf-8"))
        return f"pid {int(data['pid'])}, {data['host']}, {data['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "pid ?"  # it has only just taken the lock


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
