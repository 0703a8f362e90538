"""Memory of other processes, as the system tells it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def resident_bytes(pids: Iterable[int]) -> int:
    """Return the resident memory of processes together.

    0 for those that have ended, and where the system has no ``/proc``.
    """
    pages = 0
    for pid in pids:
        with suppress(OSError, ValueError, IndexError):
            pages += int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") if pages else 0
