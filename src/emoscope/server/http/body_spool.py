"""Temporary file that holds all recordings of one request.

One file for all of them, so that five hundred recordings need one descriptor and not five hundred,
and so that a request holds a quarter of a megabyte of memory however large it is.
"""

from __future__ import annotations

import tempfile
import threading
from dataclasses import dataclass
from typing import IO, Self

from emoscope.errors import AudioTooLargeError

_MEMORY_BYTES = 1 << 18
"""A larger spool is written to the disk."""


@dataclass(frozen=True, slots=True)
class StoredRecording:
    """Bytes of one recording in the spool."""

    name: str
    """As the client named it; not checked."""
    spool: RecordingSpool
    start: int
    size: int
    """Bytes; 0 for a recording that was too large, of which nothing is kept."""
    refusal: AudioTooLargeError | None = None
    """Set if it was larger than one recording may be."""

    def data(self) -> bytes:
        """Return the bytes of the recording.

        Raises:
            AudioTooLargeError: it was larger than one recording may be.
        """
        if self.refusal is not None:
            raise self.refusal
        return self.spool.read(self.start, self.size)


class RecordingSpool:
    """A temporary file that recordings are appended to while a body is read.

    A recording that grows past ``max_bytes`` is given up: its bytes are removed, what still comes
    of it is dropped, and the others go on.

    Args:
        max_bytes: largest recording in bytes; None for no bound.
    """

    def __init__(self, max_bytes: int | None) -> None:
        self.recordings: list[StoredRecording] = []
        self._max_bytes = max_bytes
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(  # noqa: SIM115 - closed by ``__exit__``
            max_size=_MEMORY_BYTES
        )
        self._lock = threading.Lock()
        self._name = ""
        self._start = self._size = 0
        self._too_large = False

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Remove the file."""
        self._file.close()

    @property
    def refusal(self) -> AudioTooLargeError | None:
        """The error of a recording that was too large, if there was one."""
        if self._too_large:
            return AudioTooLargeError(max_bytes=self._max_bytes)
        return next((one.refusal for one in self.recordings if one.refusal), None)

    def begin(self, name: str = "") -> None:
        """Begin the next recording."""
        self._name, self._size, self._too_large = name, 0, False

    def write(self, data: bytes) -> None:
        """Append bytes to the recording that was begun.

        Raises:
            OSError: the disk is full.
        """
        if self._too_large:
            return
        with self._lock:
            if self._max_bytes is not None and self._size + len(data) > self._max_bytes:
                self._too_large = True
                self._file.seek(self._start)
                self._file.truncate()
                self._size = 0
                return
            self._file.seek(self._start + self._size)
            self._file.write(data)
        self._size += len(data)

    def end(self) -> None:
        """End the recording that was begun."""
        refusal = AudioTooLargeError(max_bytes=self._max_bytes) if self._too_large else None
        stored = StoredRecording(self._name, self, self._start, self._size, refusal)
        self.recordings.append(stored)
        self._start += self._size
        self._size, self._too_large = 0, False

    def read(self, start: int, size: int) -> bytes:
        """Return bytes; from any thread."""
        with self._lock:
            self._file.seek(start)
            return self._file.read(size)
