"""Access to user-given paths: reading and listing, with OS errors translated."""

from __future__ import annotations

import errno
import heapq
import io
import json
import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, cast

from emoscope.errors import EmoscopeError, SourceError, SourceNotFoundError

APPLE_DOUBLE = "._"
"""Beginning of the names of files in which macOS keeps what other file systems cannot hold."""


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[io.BufferedReader]:
    """Open a file for reading.

    Raises:
        SourceNotFoundError: there is no such file.
        SourceError: the system refuses to open or to read it.
    """
    name = os.fspath(path)
    # Not Path.open: an empty name would become the current folder.
    with translated(name), open(name, "rb") as file:  # noqa: PTH123
        yield file


def read_json(path: str | os.PathLike[str], max_bytes: int) -> object:
    """Read a JSON file that a user names, with or without a byte order mark.

    Args:
        path: the file.
        max_bytes: what lies behind them is not read.

    Raises:
        ValueError: it is no JSON.
        SourceNotFoundError: there is no such file.
        SourceError: the system refuses to open or to read it.
    """
    with opened(path) as file:
        data = file.read(max_bytes)
    return cast(object, json.loads(data.decode("utf-8-sig")))


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn what the system says about a path into our errors.

    Args:
        name: what to call the path.

    Raises:
        SourceNotFoundError: there is nothing at this path.
        SourceError: anything else that the system refused.
    """
    try:
        yield
    except EmoscopeError:
        raise
    except FileNotFoundError as exc:
        raise SourceNotFoundError("source_not_found", name=name or "''") from exc
    except OSError as exc:
        raise SourceError("source_unreadable", name=name, reason=exc.strerror or str(exc)) from exc
    except ValueError as exc:
        if not is_impossible(name):
            raise
        raise SourceNotFoundError("source_not_found", name=name) from exc


def is_impossible(name: str) -> bool:
    """Whether no file of this machine can have this name: with a NUL, or half a character."""
    try:
        return b"\0" in os.fsencode(name)
    except UnicodeEncodeError:
        return True


def stat_of(path: str | os.PathLike[str]) -> os.stat_result | None:
    """What the system says about a path, links followed; None where it says nothing."""
    try:
        return os.stat(path)  # noqa: PTH116 - Path("") is the current folder, "" is nothing
    except (OSError, ValueError):
        return None


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether there is a folder at this path. Never raises, unlike ``Path.is_dir``."""
    status = stat_of(path)
    return status is not None and stat.S_ISDIR(status.st_mode)


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether there is a regular file at this path. Never raises, unlike ``Path.is_file``."""
    status = stat_of(path)
    return status is not None and stat.S_ISREG(status.st_mode)


@dataclass(frozen=True, slots=True)
class Below:
    """File below a folder, or a subfolder that cannot be read."""

    name: str
    """Its path from the folder."""
    path: Path
    error: EmoscopeError | None = None
    """Why nothing is known of what is there."""


_Parts: TypeAlias = tuple[str, ...]
_Identity: TypeAlias = tuple[int, int]
"""Device and number of a folder: the same by whatever path it is reached."""
_NOWHERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}
"""What the system says of a link that leads to nothing."""


@dataclass(frozen=True, slots=True, order=True)
class _Folder:
    """Folder to be read; those reached over the fewest links come first."""

    links: int
    """How many links its path passes."""
    parts: _Parts
    """Its path from the top."""
    path: Path = field(compare=False)
    above: frozenset[_Identity] = field(compare=False)
    """The folders that it lies in, on this path."""


def files_below(top: Path, endings: Collection[str]) -> list[Below]:
    """Find the files of some endings in a folder and in all folders below it, sorted by path.

    Links to folders are followed, but never to a folder that they lie in, and those that lie
    behind another link only to what was not read yet: links in a circle have an end. Left out is
    what macOS writes beside files (``._name``). A link that leads to nothing is given like a file,
    so that reading it tells.

    Args:
        top: where to look.
        endings: such as ``.wav``, in lower case.

    Raises:
        SourceNotFoundError: there is no such folder.
        SourceError: the folder itself cannot be read.
    """
    with translated(str(top)):
        os.scandir(top).close()
    found: dict[_Parts, Below] = {}
    read: set[_Identity] = set()
    waiting = [_Folder(0, (), top, frozenset())]
    while waiting:
        here = heapq.heappop(waiting)
        try:
            identity = _identity(here.path)
            if identity in here.above or (here.links > 1 and identity in read):
                continue
            read.add(identity)
            with os.scandir(here.path) as entries:
                members = list(entries)
        except OSError as exc:
            found[here.parts] = _refused(here.path, here.parts, exc)
            continue
        above = here.above | {identity}
        for entry in members:
            one = _look_at(entry, here, above, endings)
            if isinstance(one, _Folder):
                heapq.heappush(waiting, one)
            elif one is not None:
                found[(*here.parts, entry.name)] = one
    return [found[parts] for parts in sorted(found)]


def _look_at(
    entry: os.DirEntry[str],
    here: _Folder,
    above: frozenset[_Identity],
    endings: Collection[str],
) -> _Folder | Below | None:
    """Return the folder or the file that an entry of a folder is, or None if it is not wanted."""
    path, parts = here.path / entry.name, (*here.parts, entry.name)
    is_wanted = _ending(entry.name) in endings
    try:
        if entry.is_dir():
            return _Folder(here.links + entry.is_symlink(), parts, path, above)
        if is_wanted and (entry.is_file() or _leads_nowhere(entry)):
            return Below(str(Path(*parts)), path)
    except OSError as exc:
        if is_wanted or exc.errno not in _NOWHERE:
            return _refused(path, parts, exc)
    return None


def _identity(folder: Path) -> _Identity:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _ending(name: str) -> str:
    return "" if name.startswith(APPLE_DOUBLE) else os.path.splitext(name)[1].lower()  # noqa: PTH122


def _leads_nowhere(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() and stat_of(entry.path) is None


def _refused(path: Path, parts: _Parts, exc: OSError) -> Below:
    name = str(Path(*parts))
    return Below(
        name, path, SourceError("source_unreadable", name=name, reason=exc.strerror or str(exc))
    )
