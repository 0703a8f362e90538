"""A source before it is decoded: read once where it can be read only once, and named by sha256."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from emoscope.audio.decode import opened


def whole_if_pipe(source: bytes | str | os.PathLike[str]) -> bytes | str | os.PathLike[str]:
    """Return what a pipe holds, which can be read only once; leave everything else alone."""
    if isinstance(source, bytes) or not Path(source).is_fifo():
        return source
    with opened(source) as pipe:
        return pipe.read()


def digest(source: bytes | str | os.PathLike[str]) -> tuple[str, int]:
    """Sha256 and size in bytes."""
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest(), len(source)
    with opened(source) as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
