"""Spools for long arrays: in memory while short, then in an unnamed temporary file.

Two hours of decoded sound are half a gigabyte, and their embedding is more. Beyond
``memory_bytes`` they are written to a temporary file that no other program sees and that the
system removes with the process; who reads them gets an array all the same, mapped from that file.
"""

from __future__ import annotations

import math
import mmap
import tempfile
from typing import IO

import numpy as np

from emoscope.errors import AudioError
from emoscope.files import translated_os_errors
from emoscope.waveform import Samples

MEMORY_BYTES = 8_000_000
"""Two minutes of sound."""


class Spool:
    """Append-only store of float32 arrays, returned as one array.

    Args:
        memory_bytes: how much to keep in memory; more goes to a file.
    """

    def __init__(self, memory_bytes: float = math.inf) -> None:
        self._memory_bytes = memory_bytes
        self._memory = bytearray()
        self._file: IO[bytes] | None = None
        self.count = 0
        """Numbers taken."""

    def add(self, block: Samples) -> None:
        """Take the next numbers, of any shape.

        Raises:
            StoreError: the disk is full.
            StoreError: the folder for temporary files cannot be written.
        """
        self._memory += np.ascontiguousarray(block, np.float32).data
        self.count += block.size
        if 4 * self.count > self._memory_bytes:
            self._spill()

    def take(self) -> Samples:
        """Return all of it, shape ``(count,)``; nothing may be added afterwards.

        Raises:
            StoreError: the disk is full.
            StoreError: the file cannot be written or mapped.
        """
        if self._file is None:
            return np.frombuffer(self._memory, np.float32)
        with translated_os_errors():
            self._file.flush()
            # The map keeps the file, whose name is gone already.
            mapped = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
            self._file.close()
        return np.frombuffer(mapped, np.float32)

    def _spill(self) -> None:
        with translated_os_errors():
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="emoscope-")  # noqa: SIM115 - see take
            self._file.write(self._memory)
        self._memory.clear()


class Spools:
    """One spool per channel; the first block sets their number.

    Args:
        memory_bytes: how much of each channel to keep in memory.
    """

    def __init__(self, memory_bytes: float = math.inf) -> None:
        self._memory_bytes = memory_bytes
        self._spools: list[Spool] = []

    @property
    def count(self) -> int:
        """Samples taken of each channel."""
        return self._spools[0].count if self._spools else 0

    def add(self, planes: Samples) -> None:
        """Take the next samples, shape ``(channels, n)``.

        Raises:
            AudioError: there were more channels before, or fewer.
            StoreError: the disk is full.
            StoreError: the folder for temporary files cannot be written.
        """
        if not self._spools:
            self._spools = [Spool(self._memory_bytes) for _ in planes]
        if len(planes) != len(self._spools):
            raise AudioError("audio_channels_change", before=len(self._spools), after=len(planes))
        for spool, plane in zip(self._spools, planes, strict=True):
            spool.add(plane)

    def clear(self) -> None:
        """Forget what was taken."""
        self._spools = []

    def take(self) -> tuple[Samples, ...]:
        """Return each channel, shape ``(count,)``; errors are those of ``Spool.take``."""
        return tuple(spool.take() for spool in self._spools)
