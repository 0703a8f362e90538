"""Addresses of inputs: found, and read within limits, on a disk or in object storage."""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from glob import has_magic
from pathlib import Path
from typing import BinaryIO, cast

from emoscope.batch.remote import RANGE_BYTES, SEPARATOR, RangedReader, RemoteFiles, is_address
from emoscope.errors import AudioTooLargeError, SourceNotFoundError
from emoscope.paths.access import files_below, is_folder, opened, translated

SPOOL_BYTES = 64 << 20
"""What a server without ranges sends is kept in memory up to this, then in an unnamed file."""


def join_address(folder: str, name: str) -> str:
    """Return the path or address of a name in a folder; a full one stays as it is."""
    if is_address(name) or (name.startswith("/") and not is_address(folder)):
        return name
    if is_address(folder):
        return f"{folder.rstrip('/')}/{name.removeprefix('./').lstrip('/')}"
    return str(Path(folder) / name)


def find_inputs(address: str, endings: Collection[str]) -> list[str]:
    """Find recordings, sorted: a file is itself, a folder all below it, a pattern what matches.

    Args:
        address: path, address, or one with ``*``, ``?``, ``[…]`` or ``**``.
        endings: of the files that are taken from folders, such as ``.wav``, in lower case.

    Raises:
        SourceNotFoundError: nothing was found.
        SourceError: it cannot be read.
    """
    found = _remote(address, endings) if is_address(address) else _local(address, endings)
    if not found:
        raise SourceNotFoundError("source_nothing_found", name=address)
    return found


def _local(address: str, endings: Collection[str]) -> list[str]:
    path = Path(address)
    if is_folder(path):
        return [str(one.path) for one in files_below(path, endings)]
    if has_magic(address) and not path.exists():
        top = Path(path.anchor or ".")
        pattern = str(path.relative_to(top)) if path.anchor else address
        with translated(address):
            return sorted(str(one) for one in top.glob(pattern) if one.is_file())
    return [address]


def _remote(address: str, endings: Collection[str]) -> list[str]:
    files = RemoteFiles(address)
    scheme = address.partition(SEPARATOR)[0]
    if files.is_read_only:
        return [address]
    if has_magic(address.partition(SEPARATOR)[2]):
        found = files.call(address, "glob", address)
        return sorted(_full(scheme, one) for one in found)
    if files.info(address)["type"] != "directory":
        return [address]
    below = files.call(address, "find", address)
    return sorted(_full(scheme, one) for one in below if Path(one).suffix.lower() in endings)


def _full(scheme: str, name: str) -> str:
    return name if is_address(name) else f"{scheme}{SEPARATOR}{name.lstrip('/')}"


def read_whole(address: str, max_bytes: int | None) -> bytes:
    """Return the bytes of a file or an object, within a limit.

    Args:
        address: path or address.
        max_bytes: more than these are refused before they are read; None for no limit.

    Raises:
        AudioTooLargeError: it is larger.
        SourceNotFoundError: there is none.
        SourceError: it cannot be read.
    """
    with open_input(address) as file:
        if max_bytes is None:
            return file.read()
        file.seek(0, io.SEEK_END)
        if file.tell() > max_bytes:
            raise AudioTooLargeError(max_bytes=max_bytes)
        file.seek(0)
        return file.read()


@contextmanager
def open_input(address: str) -> Iterator[BinaryIO]:
    """Open a file or an object for reading; it can be moved in.

    Objects are read in ranges; what a web server sends that knows no ranges is spooled first.

    Args:
        address: path or address.

    Raises:
        SourceNotFoundError: there is none.
        SourceError: it cannot be read.
    """
    if not is_address(address):
        with opened(address) as file:
            yield file
        return
    files = RemoteFiles(address)
    info = files.info(address)
    size = info.get("size")
    if size is not None and (not files.is_read_only or info.get("partial")):
        reader = RangedReader(files, address, int(size))
        with io.BufferedReader(reader, RANGE_BYTES) as buffered:
            yield cast(BinaryIO, buffered)
        return
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as spool:
        try:
            spool.write(files.call(address, "cat_file", address))
        except FileNotFoundError as exc:
            raise SourceNotFoundError("source_not_found", name=address) from exc
        spool.seek(0)
        yield cast(BinaryIO, spool)


@contextmanager
def local_copy(address: str) -> Iterator[Path]:
    """Give the path of a file: itself, or a temporary copy of an object, removed afterwards.

    Args:
        address: path or address; the copy has the same name.

    Raises:
        SourceNotFoundError: there is none.
        SourceError: it cannot be read.
    """
    if not is_address(address):
        yield Path(address)
        return
    with tempfile.TemporaryDirectory(prefix="emoscope-") as folder:
        path = Path(folder) / (address.rstrip("/").rpartition("/")[2] or "list")
        with open_input(address) as file, path.open("wb") as copy:
            shutil.copyfileobj(file, copy, RANGE_BYTES)
        yield path
