"""Files and folders that appear whole or not at all: a temporary name, then a rename."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from emoscope.errors import StoreError, StoreFullError

TEMPORARY = ".tmp-"
"""What names begin with until their files are complete."""
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""What the system says when there is no room."""


def temporary_name() -> str:
    """Return a name that nobody else takes."""
    return f"{TEMPORARY}{secrets.token_hex(8)}"


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that people named, whole or not at all.

    Raises:
        StoreFullError: the disk is full; what was there before is there still.
        StoreError: it cannot be written.
    """
    with translated():
        path = path.resolve()
        if path.exists() and not path.is_file():
            path.write_bytes(data)  # a pipe or a device: there is nothing to replace
            return
        temporary = path.with_name(temporary_name())
        with removed_on_failure(temporary):
            write_new(temporary, lambda file: file.write(data))
            temporary.replace(path)


def write_new(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    """Make a new file, filled and on the disk."""
    with path.open("xb") as file:
        fill(file)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Make renames in a folder last through a power cut, where the system can do that."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def removed_on_failure(path: Path) -> Iterator[None]:
    """Leave nothing at ``path``, a file or a folder, when the block fails."""
    try:
        yield
    except BaseException:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        raise


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the system says into ours.

    Raises:
        StoreFullError: there is no room.
        StoreError: anything else that the system refused.
    """
    try:
        yield
    except OSError as exc:
        if exc.errno in FULL:
            raise StoreFullError from exc
        raise StoreError(reason=exc.strerror or str(exc)) from exc
