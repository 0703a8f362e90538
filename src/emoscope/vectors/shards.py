"""Shards: the files that an index keeps its vectors in.

A shard is a ``.npy`` file of a fixed number of rows, made at once and filled from the front. The
rows that nothing was written to take no room on the disk. What a row holds is decided by SQLite
alone: rows that no entry points to mean nothing and are written over later.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emoscope.errors import VectorIndexError
from emoscope.files import sync_folder, temporary_name, write_new
from emoscope.waveform import Array32

Rows: TypeAlias = NDArray[Any]
_LEAST, _MOST = 1_024, 65_536
"""Rows of the smallest and of the largest shard."""


def next_rows(total: int) -> int:
    """Rows of the next shard of an index that has room for ``total``."""
    return min(_MOST, max(_LEAST, total))


@dataclass(frozen=True, slots=True)
class Shard:
    """Shard: one file of vectors."""

    path: Path
    first: int
    """Position of its first row in the index."""
    rows: int
    dim: int
    dtype: str

    def create(self) -> None:
        """Make the file, of zeros that take no room.

        Raises:
            OSError: the system refused.
        """

        def fill(file: Any) -> None:
            shape = {"descr": np.dtype(self.dtype).str, "fortran_order": False}
            np.lib.format.write_array_header_1_0(file, {**shape, "shape": (self.rows, self.dim)})
            file.flush()
            os.truncate(file.fileno(), file.tell() + self.rows * self._row_bytes)

        self.path.unlink(missing_ok=True)  # of a writer that was killed before it was known
        temporary = self.path.parent / temporary_name()
        write_new(temporary, fill, mode=0o600)
        temporary.replace(self.path)
        sync_folder(self.path.parent)

    def open(self) -> Rows:
        """Map the file for reading, shape ``(rows, dim)``.

        Raises:
            VectorIndexError: it is missing, shorter than it should be, or another.
        """
        try:
            found: Rows = np.load(self.path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as exc:
            raise self._damaged(str(exc)) from exc
        if found.shape != (self.rows, self.dim) or found.dtype != np.dtype(self.dtype):
            raise self._damaged(f"{found.dtype} {found.shape}")
        return found

    def write(self, row: int, vectors: Array32) -> None:
        """Write rows from ``row`` on, float32 of shape ``(n, dim)``; ``sync`` makes them last.

        Raises:
            OSError: the system refused.
        """
        data = np.ascontiguousarray(vectors, dtype=self.dtype).data.cast("B")
        begin = self.path.stat().st_size - self.rows * self._row_bytes
        with self.path.open("r+b", buffering=0) as file:
            file.seek(begin + row * self._row_bytes)
            while data:
                data = data[file.write(data) :]

    def sync(self) -> None:
        """Flush what was written to the disk.

        Raises:
            OSError: the system refused.
        """
        with self.path.open("r+b") as file:
            os.fsync(file.fileno())

    @property
    def _row_bytes(self) -> int:
        return self.dim * np.dtype(self.dtype).itemsize

    def _damaged(self, reason: str) -> VectorIndexError:
        name = self.path.parent.name
        return VectorIndexError("index_damaged", name=name, reason=f"{self.path.name}: {reason}")
