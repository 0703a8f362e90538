"""Lock of the outputs folder: one server at a time works in it.

The system frees the lock when its process ends, however that happens. Programs that only write or
read runs take no lock; renames keep them apart.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emoscope.errors import StoreError
from emoscope.files import make_private_folder, translated_os_errors

_log = logging.getLogger("emoscope.server")
LOCK = ".server.lock"
_LOOK_EVERY_S = 0.2


@contextmanager
def locked_folder(folder: Path, wait_s: float) -> Iterator[None]:
    """Hold the lock of an outputs folder while the block runs.

    Args:
        folder: the outputs folder; made if it is not there.
        wait_s: how long to wait for another server to end, in seconds.

    Raises:
        StoreError: another server works in it, or the lock file cannot be written.
    """
    from filelock import FileLock, Timeout

    with translated_os_errors(folder):
        make_private_folder(folder)
        lock = FileLock(folder / LOCK, mode=0o600)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            if wait_s:
                _log.warning("another server works in %s; waiting for it", folder.absolute())
            try:
                lock.acquire(timeout=wait_s, poll_interval=_LOOK_EVERY_S)
            except Timeout as exc:
                raise StoreError("outputs_in_use", folder=str(folder.absolute())) from exc
    try:
        yield
    finally:
        lock.release()
