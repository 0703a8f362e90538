"""Audio sources before decoding: paths, bytes and streams, each identified by its sha256."""

from __future__ import annotations

import hashlib
import os
import stat
import time

from emoscope.events import StepLog
from emoscope.paths.access import opened, stat_of


def receive(
    source: bytes | str | os.PathLike[str], log: StepLog, *, before_ms: float = 0.0
) -> tuple[bytes | str | os.PathLike[str], str]:
    """Return what shall be decoded and its sha256; the log gets the step ``receive``.

    Args:
        source: the bytes of a file, or a path to one.
        log: of the recording.
        before_ms: what receiving it has taken already.
    """
    started_s = time.perf_counter()
    source = read_if_pipe(source)
    sha256, size_bytes = digest(source)
    log.add("receive", before_ms + (time.perf_counter() - started_s) * 1000, bytes=size_bytes)
    return source, sha256


def read_if_pipe(source: bytes | str | os.PathLike[str]) -> bytes | str | os.PathLike[str]:
    """Return what a pipe holds, which can be read only once; leave everything else alone."""
    if isinstance(source, bytes):
        return source
    status = stat_of(source)
    if status is None or not stat.S_ISFIFO(status.st_mode):
        return source
    with opened(source) as pipe:
        return pipe.read()


def digest(source: bytes | str | os.PathLike[str]) -> tuple[str, int]:
    """Sha256 and size in bytes."""
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest(), len(source)
    with opened(source) as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
