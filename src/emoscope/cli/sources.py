"""Input arguments of the command line: files, folders, lists and stdin to recordings."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emoscope.errors import EmoscopeError, SettingError, SourceError, SourceNotFoundError
from emoscope.limits import COMMAND_LINE
from emoscope.lists import reader
from emoscope.paths.access import files_below, is_file, is_folder, translated
from emoscope.results.result import Failure


@dataclass(frozen=True, slots=True)
class Named:
    """A recording and its display name."""

    source: bytes | Path
    name: str
    cells: Mapping[str, str] = field(default_factory=dict)
    """What a list says of it, by column."""
    others: Mapping[str, str] = field(default_factory=dict)
    """What a list says besides, by its own headers."""


def expand(
    arguments: Iterable[str], columns: Mapping[str, Sequence[str]] = reader.COLUMNS
) -> Iterator[Named | Failure]:
    """Turn arguments into recordings, in order; what cannot be used becomes a ``Failure``.

    A folder gives the audio files below it, sorted (see ``files_below``); ``-`` is a recording on
    stdin; ``.scp``, ``.csv`` and ``.tsv`` are lists (see ``lists.read``), whose relative paths
    start at the list's folder. A file that is named itself is taken whatever it is called.

    Args:
        arguments: as they were typed.
        columns: of lists, and how a header may call them.
    """
    for argument in arguments:
        try:
            yield from _one(argument, columns)
        except EmoscopeError as error:
            yield Failure(argument, error)


def carried_columns(arguments: Iterable[str]) -> tuple[str, ...]:
    """Return the headers of the lists among arguments, but for those of path and name.

    Args:
        arguments: as they were typed; what cannot be read has none.
    """
    found: dict[str, None] = {}
    for argument in arguments:
        path = Path(argument)
        if path.suffix.lower() not in reader.LIST_ENDINGS:
            continue
        try:
            rows = (row for row in reader.read(path) if isinstance(row, reader.Row))
            found |= dict.fromkeys(next(rows, reader.Row(1, {})).others)
        except EmoscopeError:  # told in its place, among the answers
            continue
    return tuple(found)


def _one(argument: str, columns: Mapping[str, Sequence[str]]) -> Iterator[Named | Failure]:
    if not argument.strip():
        raise SettingError("argument_empty", argument=repr(argument))
    if argument == "-":
        yield Named(_stdin(), "stdin")
        return
    path = Path(argument)
    if is_folder(path):
        found = files_below(path, COMMAND_LINE.endings)
        if not found:
            raise SourceNotFoundError("source_nothing_found", name=argument)
        for below in found:
            name = below.name
            yield Failure(name, below.error) if below.error else Named(below.path, name)
    elif path.suffix.lower() in reader.LIST_ENDINGS and is_file(path):
        for row in reader.read(path, columns):
            yield row if isinstance(row, Failure) else _named(row, path.parent)
    else:
        yield Named(path, path.name)


def _named(row: reader.Row, folder: Path) -> Named:
    name = row.cells.get(reader.NAME) or row.path
    return Named(folder / row.path, name, row.cells, row.others)


def _stdin() -> bytes:
    if sys.stdin is None:  # closed by the caller
        raise SourceError("source_unreadable", name="stdin", reason="closed")
    with translated("stdin"):
        return sys.stdin.buffer.read()
